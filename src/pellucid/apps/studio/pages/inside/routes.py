"""Look inside: every number of one sample on its way through a model, there and back again.

    GET /api/inside           every layer and its numbers                            (framed)
    GET /api/inside/neuron    one number in full: ?layer=dense_1&neuron=17&place=5,7  (framed)
    GET /api/inside/step      the step of one weight: ?layer=&neuron=&place=&weight=17, or weight=bias  (JSON)
    GET /api/inside/weights   weights as pictures: ?layer=&first=&count=&of=weight    (framed)
    GET /api/inside/paths     the strongest paths: ?layer=&neuron=&place=&count=3     (JSON)

Each takes ?model=&sample=, and &target=&optimizer=&learning_rate= to go backward; all but the first the &version= that it
gave, so that they speak of the same network while it learns on (409: it has, look again).
"""

from __future__ import annotations

import re
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from pellucid.apps.studio.pages.inside.overview import overview, weights_as_pictures
from pellucid.apps.studio.pages.inside.step import step_of
from pellucid.apps.studio.pages.inside.traces import LearnedOn, Look, Question, Traces
from pellucid.apps.studio.session import Session
from pellucid.core.checks import number_in_words, one_of, whole_in_words
from pellucid.core.errors import ArgumentError
from pellucid.core.packing import framed
from pellucid.core.shapes import AnyArray
from pellucid.inspection.arithmetic.elements import Index, index_of
from pellucid.inspection.arithmetic.number import number_in_full
from pellucid.inspection.arithmetic.paths import strongest_paths
from pellucid.mathematics.optimizers import OPTIMIZERS

MOST_PATHS = 12  # for each number
MOST_PICTURES = 256
HIGHEST_RATE = 100.0  # as of a run


def routes(session: Session) -> list[BaseRoute]:
    """The five addresses above."""
    traces = Traces(session)

    def look_at(request: Request) -> Look:
        try:
            return traces.look(_question(session, request), request.query_params.get("version", ""))
        except LearnedOn as error:
            raise HTTPException(409, str(error)) from None

    def everything(request: Request) -> Response:
        return _frame(*overview(look_at(request)))

    def neuron(request: Request) -> Response:
        look = look_at(request)
        return _frame(*number_in_full(look.trace, *_where(look, request)))

    def step(request: Request) -> Response:
        look = look_at(request)
        return JSONResponse(step_of(look, *_where(look, request), request.query_params.get("weight", "")))

    def weights(request: Request) -> Response:
        look, query = look_at(request), request.query_params
        first = whole_in_words(query.get("first", "0"), "first", 0, 1 << 31)
        count = whole_in_words(query.get("count", "64"), "count", 1, MOST_PICTURES)
        of = one_of(query.get("of", "weight"), ["weight", "gradient"], "of")
        pictures = weights_as_pictures(look, query.get("layer", ""), first, count, gradients=of == "gradient")
        return _frame({"first": first}, {"weights": pictures})

    def paths(request: Request) -> Response:
        look = look_at(request)
        count = whole_in_words(request.query_params.get("count", "3"), "count", 1, MOST_PATHS)
        edges = strongest_paths(look.trace, *_where(look, request), count, backward=look.trace.loss is not None)
        return JSONResponse({"edges": [edge.to_data() for edge in edges]})

    return [
        Route("/api/inside", everything),
        Route("/api/inside/neuron", neuron),
        Route("/api/inside/step", step),
        Route("/api/inside/weights", weights),
        Route("/api/inside/paths", paths),
    ]


def _question(session: Session, request: Request) -> Question:
    query = request.query_params
    rate = query.get("learning_rate", "")
    return Question(
        model=query.get("model", "") or next(iter(session.models), ""),
        sample=query.get("sample", ""),
        target=query.get("target", ""),
        optimizer=one_of(query.get("optimizer", "") or "gradient_descent", list(OPTIMIZERS), "optimizer"),
        rate=_rate(rate) if rate else None,
    )


def _where(look: Look, request: Request) -> tuple[str, Index]:
    """The layer and the index that the address names; without them, the answer, or the target of the way back."""
    query = request.query_params
    layer, default = look.trace.layer(query.get("layer", "") or "output"), 0
    if layer.name == "output" and look.trace.answer.kind == "softmax":
        default = int(look.question.target or look.trace.answer.predictions[0])
    unit = whole_in_words(query.get("neuron", "") or str(default), "neuron", 0, 1 << 31)
    text = query.get("place", "")
    match = re.fullmatch(r"(\d{1,9}),(\d{1,9})", text, re.ASCII)
    if text and match is None:
        raise ArgumentError(f"place is a row and a column, such as 5,7, not {text[:40]!r}.")
    return layer.name, index_of(layer, unit, (int(match[1]), int(match[2])) if match else None)


def _rate(text: str) -> float:
    rate = number_in_words(text, "learning_rate")
    if not 0 < rate <= HIGHEST_RATE:
        raise ArgumentError(f"learning_rate is a number above 0 and at most {HIGHEST_RATE:g}, not {text[:40]!r}.")
    return rate


def _frame(data: dict[str, Any], arrays: dict[str, AnyArray]) -> Response:
    return Response(framed(data, arrays), media_type="application/octet-stream")
