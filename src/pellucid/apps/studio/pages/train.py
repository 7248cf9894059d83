"""The addresses of training: runs, what they are told to do, and the points of the plane."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from pellucid.apps.server.event_stream import KIND as KIND_OF_STREAM
from pellucid.apps.server.event_stream import event_stream
from pellucid.apps.server.requests import read_json
from pellucid.apps.studio.runs.experiment import DATA, POINT_SETS, default, experiment
from pellucid.apps.studio.runs.material import Material, material
from pellucid.apps.studio.runs.run import Run
from pellucid.apps.studio.runs.runs import Runs
from pellucid.apps.studio.session import Session
from pellucid.core.checks import flag, number, number_in_words, whole, whole_in_words
from pellucid.core.errors import ArgumentError, UnknownNameError
from pellucid.core.packing import pack

FURTHEST = 1 << 53  # a step, as JavaScript can write one
WHOLE_NUMBERS, LARGEST = ("samples", "seed"), 2**31 - 1  # of an address


def routes(session: Session) -> list[BaseRoute]:
    """All addresses of training, for the runs of this session."""
    runs = session.runs

    def listing(request: Request) -> Response:
        return JSONResponse({"runs": runs.summaries()})

    async def create(request: Request) -> Response:
        body = await _body(runs, request, ("experiment", "start", "pace", "temporary"))

        begin, is_temporary = _beginning(body), flag(body.get("temporary", False), "temporary")
        return await _answer(lambda: begin(runs.create(body.get("experiment"), is_temporary=is_temporary)))

    async def fork(request: Request) -> Response:
        name = _known(runs, request).name
        body = await _body(runs, request, ("step", "changes", "start", "pace"))

        begin, step = _beginning(body), body.get("step")
        place = None if step is None else whole(0, FURTHEST)(step, "step")
        return await _answer(lambda: begin(runs.fork(name, place, body.get("changes", {}))))

    def command(act: Callable[[Run, dict[str, Any]], None], fields: tuple[str, ...] = ()) -> Any:
        """An endpoint that tells a run to do something."""

        async def endpoint(request: Request) -> Response:
            run = _known(runs, request)
            body = await _body(runs, request, fields)

            def obey() -> Run:
                act(run, body)
                return run

            return await _answer(obey)

        return endpoint

    def delete(request: Request) -> Response:
        run = _known(runs, request)
        runs.delete(run.name)
        return JSONResponse({"deleted": run.name})

    def defaults(request: Request) -> Response:
        known = [data for data in DATA if data != "folder" or session.photos is not None]
        return JSONResponse({"defaults": {data: default(data, session.photos).to_data() for data in known}})

    async def events(request: Request) -> Response:
        if runs.has_had(request.path_params["run"]):
            return Response(status_code=204)  # which tells a page that listens not to ask again
        run = _known(runs, request)
        if request.method == "HEAD":  # has no body, and so no end
            return Response(media_type=KIND_OF_STREAM)
        return event_stream(run.watch, run.present)

    one = "/api/runs/{run}"
    return [
        Route("/api/runs", listing),
        Route("/api/runs", create, methods=["POST"]),
        Route(f"{one}/resume", command(lambda run, body: run.resume()), methods=["POST"]),
        Route(f"{one}/pause", command(lambda run, body: run.pause()), methods=["POST"]),
        Route(f"{one}/step", command(lambda run, body: run.make_step()), methods=["POST"]),
        Route(f"{one}/epoch", command(lambda run, body: run.epoch()), methods=["POST"]),
        Route(f"{one}/rate", command(_set_rate, ("learning_rate",)), methods=["POST"]),
        Route(f"{one}/pace", command(_set_pace, ("steps_per_second",)), methods=["POST"]),
        Route(f"{one}/rewind", command(_rewind, ("step",)), methods=["POST"]),
        Route(f"{one}/fork", fork, methods=["POST"]),
        Route(f"{one}/events", events),
        Route(f"{one}/points", lambda request: _marked(_known(runs, request).material)),
        Route(one, delete, methods=["DELETE"]),
        Route("/api/points", points),
        Route("/api/defaults", defaults),
    ]


def points(request: Request) -> Response:
    """The points of a set, divided as a run with the same words divides them."""
    query = request.query_params
    if query.get("data") not in POINT_SETS or query["data"] == "drawn":
        raise ArgumentError(f"data is one of {', '.join(POINT_SETS[:-1])}, not {query.get('data', 'nothing')[:40]!r}.")
    fields: dict[str, Any] = {"data": query["data"]}
    for name in ("samples", "noise", "seed", "validation"):
        if text := query.get(name):
            value = whole_in_words(text, name, 0, LARGEST) if name in WHOLE_NUMBERS else number_in_words(text, name)
            fields["data_seed" if name == "seed" else name] = value
    return _marked(material(experiment(fields)))


def _marked(found: Material) -> Response:
    """The points of an experiment, those to learn from and those kept aside."""
    if found.points is None:
        raise ArgumentError("this run learns from pictures, not from points in the plane.")
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


def _set_rate(run: Run, body: dict[str, Any]) -> None:
    run.set_learning_rate(number(0.0, 100.0, open_low=True)(body.get("learning_rate"), "learning_rate"))


def _set_pace(run: Run, body: dict[str, Any]) -> None:
    run.set_pace(_pace(body.get("steps_per_second"), "steps_per_second"))


def _rewind(run: Run, body: dict[str, Any]) -> None:
    run.rewind(whole(0, FURTHEST)(body.get("step"), "step"))


def _known(runs: Runs, request: Request) -> Run:
    try:
        return runs.run(request.path_params["run"])
    except UnknownNameError as error:
        raise HTTPException(404, str(error)) from None


async def _body(runs: Runs, request: Request, fields: tuple[str, ...]) -> dict[str, Any]:
    """What a page sends to have something done, if it has these fields alone."""
    if runs.is_closed:
        raise HTTPException(409, "the studio is being stopped; what was learned is saved.")
    body = await read_json(request)
    for name in body:
        if name not in fields:
            raise ArgumentError(f"{name[:40]!r} is not expected here; {', '.join(fields) or 'an empty object'} is.")
    return body


def _beginning(body: dict[str, Any]) -> Callable[[Run], Run]:
    """What a new run does first: it takes the pace that the page asks for, and starts if it shall."""
    pace, starts = _pace(body.get("pace"), "pace"), flag(body.get("start", False), "start")

    def begin(run: Run) -> Run:
        run.set_pace(pace)
        if starts:
            run.resume()
        return run

    return begin


def _pace(value: Any, name: str) -> float | None:
    return None if value is None else float(number(0.5, 1e6)(value, name))


async def _answer(act: Callable[[], Run]) -> Response:
    """Do it in another thread, since it may take a while, and show the run as it is then."""
    return JSONResponse({"run": await run_in_threadpool(lambda: act().summary())})
