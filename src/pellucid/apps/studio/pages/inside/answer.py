"""The end of the road for the page: scores, probabilities and the loss, term by term and in a line of arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.apps.studio.pages.inside.traces import Look
from pellucid.core.display.numbers import written
from pellucid.reports.explanation.findings import Score
from pellucid.reports.explanation.scores import scores_of, sigmoid_line, softmax_line


def answer_data(look: Look) -> dict[str, Any]:
    """As studio/src/pages/inside/types.ts describes it (Answer)."""
    rows, total = scores_of(look.model, look.trace)
    kind = look.trace.answer.kind
    first = np.asarray(look.trace.answer.predictions[0])
    best = 0 if kind == "identity" else int(first)
    return {
        "kind": kind,
        "best": best,
        "label": first.tolist() if kind == "identity" else look.model.labels[best],
        "rows": [vars(row) | {"line": _line(kind, row, total)} for row in rows],
        "total": total,
        "temperature": None if look.model.temperature is None else look.model.temperature.value,
    }


def _line(kind: str, row: Score, total: float | None) -> str | None:
    if kind == "softmax" and total is not None:
        return softmax_line(row, total)
    return sigmoid_line(row) if kind == "sigmoid" else None


def loss_data(look: Look) -> dict[str, Any] | None:
    """The loss against the target (Loss in types.ts); None of a look that goes forward only."""
    loss = look.trace.loss
    if loss is None:
        return None
    terms = loss.terms
    return {
        "name": type(loss.loss).__name__,
        "value": loss.value,
        "targets": loss.smoothed[0].tolist(),
        "terms": None if terms is None else terms[0].tolist(),
        "line": _loss_line(look),
    }


def _loss_line(look: Look) -> str:
    loss, answer = look.trace.loss, look.trace.answer
    assert loss is not None
    smoothing = getattr(loss.loss, "label_smoothing", 0.0)
    if answer.probabilities is None or smoothing:
        return f"loss = {written(loss.value)}" + (f", with label smoothing {written(smoothing)}" if smoothing else "")
    k = int(look.question.target)
    return f"loss = -log({written(float(answer.probabilities[0, k]))}) = {written(loss.value)}"
