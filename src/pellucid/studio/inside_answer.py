"""The end of the road for the page: scores, probabilities and the loss, term by term and in a line of arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.explanation.arithmetic import sigmoid_line, softmax_line
from pellucid.explanation.findings import Score
from pellucid.studio.inside_traces import Look
from pellucid.trace.neuron import written


def answer_data(look: Look) -> dict[str, Any]:
    """As studio/src/pages/inside/types.ts describes it (Answer)."""
    rows, total = scores(look)
    kind = look.trace.answer.kind
    first = np.asarray(look.trace.answer.predictions[0])
    best = 0 if kind == "identity" else int(first)
    return {
        "kind": kind,
        "best": best,
        "label": first.tolist() if kind == "identity" else look.model.labels[best],
        "rows": [vars(row) | {"line": _line(kind, rows, k, total)} for k, row in enumerate(rows)],
        "maximum": None if kind != "softmax" else float(look.trace.answer.softmax["maximum"][0]),
        "total": total,
        "temperature": None if look.model.temperature is None else look.model.temperature.value,
    }


def scores(look: Look) -> tuple[list[Score], float | None]:
    """A row for each label, or each value of a regression; and what the exponentials add up to."""
    answer, z, labels = look.trace.answer, look.trace.layers[-1].output, look.model.labels
    if answer.kind == "identity" or answer.probabilities is None:
        return [Score(v, float(score)) for v, score in enumerate(z[0])], None
    probabilities = answer.probabilities[0].tolist()
    calibrated: list[Any] = [None] * len(labels)
    if look.model.temperature is not None:
        both = np.concatenate([np.zeros_like(z), z], axis=1) if answer.kind == "sigmoid" else z
        calibrated = look.model.temperature.probabilities(both)[0].tolist()
    if answer.kind == "sigmoid":
        score = float(z[0, 0])
        return [Score(labels[k], (-score, score)[k], None, None, probabilities[k], calibrated[k]) for k in range(2)], None
    steps = (answer.softmax[name][0].tolist() for name in ("shifted", "exponentials"))
    rows = zip(labels, z[0].tolist(), *steps, probabilities, calibrated, strict=True)
    return [Score(*row) for row in rows], float(answer.softmax["total"][0])


def _line(kind: str, rows: list[Score], k: int, total: float | None) -> str | None:
    if kind == "softmax" and total is not None:
        return softmax_line(rows[k], total)
    return sigmoid_line(rows[k]) if kind == "sigmoid" else None


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
