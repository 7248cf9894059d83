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
        "rows": [_row(row, p, _line(kind, row, total)) for row, p in zip(rows, _calibrated(look), strict=True)],
        "maximum": None if kind != "softmax" else float(look.trace.answer.softmax["maximum"][0]),
        "total": total,
        "temperature": None if look.model.temperature is None else look.model.temperature.value,
    }


def scores(look: Look) -> tuple[list[Score], float | None]:
    """A row for each label, or each value of a regression; and what the exponentials add up to. All as the network itself
    has it, whose loss training descends; with the temperature of the model there is `_calibrated`."""
    answer, z, labels = look.trace.answer, look.trace.layers[-1].output, look.model.labels
    if answer.kind == "identity" or answer.probabilities is None:
        return [Score(v, float(score)) for v, score in enumerate(z[0])], None
    z = np.concatenate([-z, z], axis=1) if answer.kind == "sigmoid" else z
    columns = {"score": z[0], "probability": answer.probabilities[0]}
    if answer.kind == "softmax":
        columns |= {"shifted": answer.softmax["shifted"][0], "exponential": answer.softmax["exponentials"][0]}
    rows = [Score(label, **{name: float(own[k]) for name, own in columns.items()}) for k, label in enumerate(labels)]
    return rows, float(answer.softmax["total"][0]) if answer.kind == "softmax" else None


def _calibrated(look: Look) -> list[float | None]:
    """The probabilities of the model; None for each row where it has no temperature."""
    z, temperature = look.trace.layers[-1].output, look.model.temperature
    if temperature is None:
        return [None] * max(len(look.model.labels), z.shape[1])
    both = np.concatenate([np.zeros_like(z), z], axis=1) if look.trace.answer.kind == "sigmoid" else z
    probabilities: list[float | None] = temperature.probabilities(both)[0].tolist()
    return probabilities


def _row(score: Score, calibrated: float | None, line: str | None) -> dict[str, Any]:
    steps = {name: getattr(score, name) for name in ("label", "score", "shifted", "exponential", "probability")}
    return steps | {"calibrated": calibrated, "line": line}


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
