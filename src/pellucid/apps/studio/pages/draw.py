"""The page Draw: a model's answer for a picture that was drawn or dropped, or for a known sample."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from pellucid.apps.studio.sample_words import Sample, default_sample, find_sample, word_of, words_to_try
from pellucid.apps.studio.session import Session
from pellucid.core.checks import number_in_words, whole_in_words
from pellucid.core.errors import ArgumentError
from pellucid.core.packing import pack
from pellucid.models.model import Model
from pellucid.nn.layers.outputs.classification import ClassifyingOutput

MOST_TO_TRY = 100
NOTHING_TO_READ = "the original picture shows nothing to read"


def routes(session: Session) -> list[BaseRoute]:
    async def read(request: Request) -> Response:
        model, confidence = session.model(_name(session, request.query_params)), _confidence(request.query_params)
        content = await request.body()
        return JSONResponse(await run_in_threadpool(read_picture, session, model, content, confidence))

    def sample(request: Request) -> Response:
        asked = request.query_params
        model = session.model(_name(session, asked))
        word = asked.get("sample") or default_sample(session, model)
        return JSONResponse(read_sample(session, model, find_sample(session, model, word), _confidence(asked)))

    def digits(request: Request) -> Response:
        model = session.model(_name(session, request.query_params))
        count = whole_in_words(request.query_params.get("count", "10"), "count", 1, MOST_TO_TRY)
        found = [find_sample(session, model, word) for word in words_to_try(session, model, count)]
        shown = [{"sample": one.word, "label": _label(model, one), "seen": pack(one.x)} for one in found]
        return JSONResponse({"samples": shown})

    return [
        Route("/api/read", read, methods=["POST"]),
        Route("/api/sample", sample),
        Route("/api/digits", digits),
    ]


def read_picture(session: Session, model: Model, content: bytes, confidence: float | None = None) -> dict[str, Any]:
    """The Reading of the bytes of a picture file; raises `DataError` if it is none."""
    begin = time.perf_counter()
    if model.pipeline is None:
        raise ArgumentError("this model reads no pictures: it has no pipeline to prepare them.")
    with session.preparing:
        prepared = model.pipeline.prepare(content)
    sample = Sample(word_of(session, prepared.pixels, prepared.doubt), prepared.pixels)
    return _answer(model, sample, prepared.doubt, confidence, begin)


def read_sample(session: Session, model: Model, sample: Sample, confidence: float | None = None) -> dict[str, Any]:
    """The Reading of a known sample, with its ``truth`` if that is known."""
    begin = time.perf_counter()
    doubt = _doubt(session, model, sample)
    return {**_answer(model, sample, doubt, confidence, begin), "truth": _label(model, sample)}


def _doubt(session: Session, model: Model, sample: Sample) -> str | None:
    """Why the sample may show nothing to read, as its pipeline says."""
    if sample.label is not None or model.pipeline is None or model.pipeline.reads_tables:
        return None
    with session.preparing:
        found = model.pipeline.prepare(sample.x).doubt
    return found or (NOTHING_TO_READ if sample.is_doubtful else None)


def _answer(model: Model, sample: Sample, doubt: str | None, confidence: float | None, begin: float) -> dict[str, Any]:
    is_of_labels = isinstance(model.network.output, ClassifyingOutput)
    says = _labels(model, sample, doubt, confidence) if is_of_labels else _values(model, sample, doubt, confidence)
    spent = {"milliseconds": 1000 * (time.perf_counter() - begin)}
    return {"sample": sample.word, "seen": pack(sample.x), **says, **spent}


def _values(model: Model, sample: Sample, doubt: str | None, confidence: float | None) -> dict[str, Any]:
    """The answer of a regression, and its interval with the confidence that was asked for."""
    x = sample.x[None]
    ends = (None, None) if confidence is None else (end.ravel().tolist() for end in model.predict_interval(x, confidence))
    low, high = ends
    values = np.ravel(model.network.predict(x)).tolist()
    return {"answers": "values", "values": values, "low": low, "high": high, "doubt": doubt}


def _labels(model: Model, sample: Sample, doubt: str | None, confidence: float | None) -> dict[str, Any]:
    """The answer of a classification, and its set of labels with the confidence that was asked for."""
    (prediction,) = model.predictions(sample.x[None], [doubt], confidence=confidence)
    temperature = model.temperature
    return {
        "answers": "labels",
        "label": prediction.label,
        "probability": prediction.probability,
        "probabilities": prediction.probabilities.tolist(),
        "uncalibrated": model.network.predict_proba(sample.x[None])[0].tolist(),
        "temperature": None if temperature is None else temperature.value,
        "doubt": prediction.doubt,
        "set": None if prediction.set is None else list(prediction.set),
        "set_in_words": prediction.set_in_words() or None,
        "is_sure": None if prediction.set is None else prediction.is_sure,
    }


def _label(model: Model, sample: Sample) -> Any:
    return None if sample.label is None else model.labels[sample.label]


def _name(session: Session, asked: QueryParams) -> str:
    """The name of the model that was asked for, else of the first."""
    return asked.get("model") or next(iter(session.models), "")


def _confidence(asked: QueryParams) -> float | None:
    """The confidence that was asked for; that it lies between 0 and 1 is checked where it is used."""
    text = asked.get("confidence", "")
    return number_in_words(text, "confidence") if text else None
