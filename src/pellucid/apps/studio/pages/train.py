"""The page Train: runs, the commands to them, and the points of the plane."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from pellucid.apps.server.event_stream import KIND as KIND_OF_STREAM
from pellucid.apps.server.event_stream import event_stream
from pellucid.apps.server.requests import read_json
from pellucid.apps.studio.keeping import SUFFIX, save_run
from pellucid.apps.studio.runs.experiment import DATA, POINT_SETS, default, experiment
from pellucid.apps.studio.runs.material import Material, material
from pellucid.apps.studio.runs.run import Run
from pellucid.apps.studio.session import Session
from pellucid.core.checks import Check, flag, number, number_in_words, whole, whole_in_words
from pellucid.core.errors import ArgumentError, UnknownNameError
from pellucid.core.packing import pack

STEP = whole(0, 1 << 53)  # the largest that JavaScript can write
WHOLE_NUMBERS, LARGEST = ("samples", "seed"), 2**31 - 1  # of an address


def _pace(value: Any, name: str) -> float | None:
    return None if value is None else float(number(0.5, 1e6)(value, name))


COMMANDS: dict[str, tuple[Callable[..., None], dict[str, Check]]] = {  # a method of the run, and its arguments
    "resume": (Run.resume, {}),
    "pause": (Run.pause, {}),
    "step": (Run.make_step, {}),
    "epoch": (Run.epoch, {}),
    "rate": (Run.set_learning_rate, {"learning_rate": number(0.0, 100.0, open_low=True)}),
    "pace": (Run.set_pace, {"steps_per_second": _pace}),
    "rewind": (Run.rewind, {"step": STEP}),
}


def routes(session: Session) -> list[BaseRoute]:
    """The addresses of the page, for the runs of this session."""
    page, one = TrainPage(session), "/api/runs/{run}"
    return [
        Route("/api/runs", page.listing),
        Route("/api/runs", page.create, methods=["POST"]),
        *(Route(f"{one}/{name}", page.command(*row), methods=["POST"]) for name, row in COMMANDS.items()),
        Route(f"{one}/fork", page.fork, methods=["POST"]),
        Route(f"{one}/events", page.events),
        Route(f"{one}/model", page.model),
        Route(f"{one}/save", page.save, methods=["POST"]),
        Route(f"{one}/points", page.points_of_run),
        Route(one, page.delete, methods=["DELETE"]),
        Route("/api/points", points),
        Route("/api/defaults", page.defaults),
    ]


class TrainPage:
    """A method for each address; `command` makes those of `COMMANDS`."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._runs = session.runs

    def listing(self, request: Request) -> Response:
        return JSONResponse({"runs": [run.summary() for run in self._runs.all()]})

    def defaults(self, request: Request) -> Response:
        photos = self._session.photos
        known = [data for data in DATA if data != "folder" or photos is not None]
        return JSONResponse({"defaults": {data: default(data, photos).to_data() for data in known}})

    async def create(self, request: Request) -> Response:
        body = await self._body(request, "experiment", "start", "pace", "temporary")
        begin, is_temporary = _beginning(body), flag(body.get("temporary", False), "temporary")
        return await _answer(lambda: begin(self._runs.create(body.get("experiment"), is_temporary=is_temporary)))

    async def fork(self, request: Request) -> Response:
        name = self._run(request).name
        body = await self._body(request, "step", "changes", "start", "pace")
        begin, step = _beginning(body), None if body.get("step") is None else STEP(body["step"], "step")
        return await _answer(lambda: begin(self._runs.fork(name, step, body.get("changes", {}))))

    def command(self, act: Callable[..., None], checks: dict[str, Check]) -> Callable[[Request], Awaitable[Response]]:
        """Call a method of the run with the fields of the body, each of them checked."""

        async def answer(request: Request) -> Response:
            run = self._run(request)
            body = await self._body(request, *checks)
            values = [check(body.get(name), name) for name, check in checks.items()]

            def obey() -> Run:
                act(run, *values)
                return run

            return await _answer(obey)

        return answer

    def delete(self, request: Request) -> Response:
        run = self._run(request)
        self._runs.delete(run.name)
        return JSONResponse({"deleted": run.name})

    async def events(self, request: Request) -> Response:
        if self._runs.has_had(request.path_params["run"]):
            return Response(status_code=204)  # which tells a page that listens not to ask again
        run = self._run(request)
        if request.method == "HEAD":  # has no body, and so no end
            return Response(media_type=KIND_OF_STREAM)
        return event_stream(run.watch, run.present)

    def model(self, request: Request) -> Response:
        run = self._run(request)
        headers = {"Content-Disposition": f'attachment; filename="{run.name}{SUFFIX}"'}
        return Response(run.model().to_bytes(), media_type="application/octet-stream", headers=headers)

    async def save(self, request: Request) -> Response:
        run = self._run(request)
        body = await read_json(request)
        return JSONResponse({"path": await run_in_threadpool(save_run, self._session, run, body)})

    def points_of_run(self, request: Request) -> Response:
        return _points(self._run(request).material)

    def _run(self, request: Request) -> Run:
        try:
            return self._runs.run(request.path_params["run"])
        except UnknownNameError as error:
            raise HTTPException(404, str(error)) from None

    async def _body(self, request: Request, *fields: str) -> dict[str, Any]:
        """The body of a request that changes something, if it has no other fields."""
        if self._runs.is_closed:
            raise HTTPException(409, "the studio is stopping; trained networks are saved.")
        body = await read_json(request)
        for name in body:
            if name not in fields:
                raise ArgumentError(f"unknown field {name[:40]!r}; expected {', '.join(fields) or 'an empty object'}.")
        return body


def points(request: Request) -> Response:
    """The points of a set, split as in a run with the same settings."""
    query = request.query_params
    if query.get("data") not in POINT_SETS or query["data"] == "drawn":
        raise ArgumentError(f"data must be one of {', '.join(POINT_SETS[:-1])}, not {query.get('data', 'nothing')[:40]!r}.")
    fields: dict[str, Any] = {"data": query["data"]}
    for name in ("samples", "noise", "seed", "validation"):
        if text := query.get(name):
            value = whole_in_words(text, name, 0, LARGEST) if name in WHOLE_NUMBERS else number_in_words(text, name)
            fields["data_seed" if name == "seed" else name] = value
    return _points(material(experiment(fields)))


def _points(found: Material) -> Response:
    """The points of an experiment, for training and for validation."""
    if found.points is None:
        raise ArgumentError("this run trains on pictures, not on points in the plane.")
    kept = found.training.rows[:0] if found.validation is None else found.validation.rows
    x, y, rows = found.points.x, found.points.y, found.training.rows
    return JSONResponse(
        {
            "x": pack(x[rows]),
            "y": y[rows].tolist(),
            "x_validation": pack(x[kept]),
            "y_validation": y[kept].tolist(),
            "extent": [-found.points.extent, found.points.extent],
        }
    )


def _beginning(body: dict[str, Any]) -> Callable[[Run], Run]:
    """What a new run does first: it takes the pace of the request, and starts if asked to."""
    pace, starts = _pace(body.get("pace"), "pace"), flag(body.get("start", False), "start")

    def begin(run: Run) -> Run:
        run.set_pace(pace)
        if starts:
            run.resume()
        return run

    return begin


async def _answer(act: Callable[[], Run]) -> Response:
    """Act in another thread, since it may take a while; the response shows the run after that."""
    return JSONResponse({"run": await run_in_threadpool(lambda: act().summary())})
