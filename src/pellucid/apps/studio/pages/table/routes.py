"""The addresses of the page Table."""

from __future__ import annotations

from typing import Any

import numpy as np
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from pellucid.apps.server.requests import MOST_TABLE, read_json
from pellucid.apps.studio.pages.table.answers import answer, contributions
from pellucid.apps.studio.pages.table.cells import cells_of, controls, pipeline_of
from pellucid.apps.studio.pages.table.reading import Reading, TableReader
from pellucid.apps.studio.runs.run import Run
from pellucid.apps.studio.runs.table_run import TableChoices, table_run
from pellucid.apps.studio.session import Session
from pellucid.core.checks import number_in_words, whole, whole_in_words
from pellucid.models.model import Model
from pellucid.models.value_names import answer_names, target_names

EPOCHS, MEMBERS, SEED = whole(1, 1_000), whole(1, 32), whole(0, 2**31 - 1)
MOST_ROWS = 2**53


def routes(session: Session) -> list[BaseRoute]:
    page = TablePage(session)
    return [
        Route("/api/tables", page.listing),
        Route("/api/tables", page.receive, methods=["POST"]),
        Route("/api/table/overview", page.overview),
        Route("/api/table/train", page.train, methods=["POST"]),
        Route("/api/table/row", page.row),
        Route("/api/table/controls", page.controls),
        Route("/api/table/answer", page.answer, methods=["POST"]),
        Route("/api/table/contributions", page.contributions, methods=["POST"]),
    ]


class TablePage:
    """A method for each address. What takes a while runs in another thread, as Starlette runs all that is no coroutine."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._reader = TableReader(session.tables)

    def listing(self, request: Request) -> Response:
        return JSONResponse({"tables": self._session.tables.names(), "most_bytes": MOST_TABLE})

    async def receive(self, request: Request) -> Response:
        """Take a file, part by part as it comes."""
        tables = self._session.tables
        incoming = tables.receive(request.query_params.get("name", ""))
        try:
            async for part in request.stream():
                await run_in_threadpool(incoming.write, part)
        except BaseException:  # too large, or the page was left
            incoming.give_up()
            raise
        return JSONResponse({"table": await run_in_threadpool(tables.keep, incoming)})

    def overview(self, request: Request) -> Response:
        return JSONResponse(self._reader.overview(Reading.of(request.query_params)))

    async def train(self, request: Request) -> Response:
        """A new run that learns from the table as the address says how it is read; the body may name a seed, and what is
        chosen in place of the rules: epochs, members of an ensemble, loss, split."""
        if self._session.runs.is_closed:
            raise HTTPException(409, "the studio is stopping; trained networks are saved.")
        reading, body = Reading.of(request.query_params), await read_json(request)
        choices = TableChoices(
            epochs=None if body.get("epochs") is None else EPOCHS(body["epochs"], "epochs"),
            ensemble=None if body.get("ensemble") is None else MEMBERS(body["ensemble"], "ensemble"),
            loss=None if body.get("loss") is None else str(body["loss"]),
            split=str(body.get("split") or "random"),
        )
        seed = SEED(body.get("seed", 0), "seed")

        def begin() -> dict[str, Any]:
            run = self._session.runs.add(*table_run(self._reader.table(reading), reading.table, choices, seed))
            run.resume()
            return run.summary()

        return JSONResponse({"run": await run_in_threadpool(begin)})

    def row(self, request: Request) -> Response:
        """The cells of one row for the columns of a model, the true target, and whether the model has learned from it."""
        asked = request.query_params
        reading, model = Reading.of(asked), self._model(request)
        number = whole_in_words(asked.get("row", ""), "row", 1, MOST_ROWS)
        texts = self._reader.row(reading, number)
        targets = target_names(model.pipeline)
        known = {name: text for name in targets if (text := texts.get(name, [""])[0])}
        truth = ", ".join(f"{name} {text}" if len(targets) > 1 else text for name, text in known.items())
        part = self._part(asked.get("model", ""), reading.table, number)
        return JSONResponse({"cells": cells_of(model, texts), "truth": truth or None, "part": part})

    def controls(self, request: Request) -> Response:
        model = self._model(request)
        names = answer_names(pipeline_of(model), model.network.output)
        return JSONResponse(
            {"target": ", ".join(target_names(model.pipeline)), "answers": list(names), "columns": controls(model)}
        )

    async def answer(self, request: Request) -> Response:
        body, text = await read_json(request), request.query_params.get("confidence", "")
        confidence = number_in_words(text, "confidence") if text else None
        return JSONResponse(await run_in_threadpool(lambda: answer(self._model(request), body, confidence)))

    async def contributions(self, request: Request) -> Response:
        body, label = await read_json(request), request.query_params.get("of") or None
        return JSONResponse(await run_in_threadpool(lambda: contributions(self._model(request), body, label)))

    def _model(self, request: Request) -> Model:
        model = self._session.model(request.query_params.get("model", ""))
        pipeline_of(model)
        return model

    def _part(self, name: str, table: str, number: int) -> str | None:
        """ "training" or "held out", if this is a row of the table that the run has learned from."""
        run: Run | None = self._session.runs.run(name) if name in self._session.runs.names() else None
        if run is None or run.material.table is None or run.material.table.name != table:
            return None
        training = run.material.table.training
        for part, rows in (("training", training.training), ("held out", training.held_out)):
            if np.isin(number, training.table.rows[rows]):
                return part
        return None
