"""From the scores of a network to the probabilities that a model says, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pellucid.core.display.numbers import FINE, written
from pellucid.inspection.trace.answer import LossTrace
from pellucid.inspection.trace.trace import Trace
from pellucid.models.model import Model
from pellucid.models.prediction import CONFIDENCE_IN_DOUBT
from pellucid.reports.explanation.findings import Score


def scores_of(model: Model, trace: Trace) -> tuple[tuple[Score, ...], float | None]:
    """A row for each label (of a regression, for each value), and what the exponentials of a softmax add up to.

    With a temperature the steps are those of z / T, so that the probability is the one that `Model.predict` says.
    """
    answer, z = trace.answer, trace.layers[-1].output
    if answer.kind == "identity" or answer.probabilities is None:
        return tuple(Score(value, float(score)) for value, score in enumerate(z[0])), None
    is_softmax = answer.kind == "softmax"
    z = z if is_softmax else np.concatenate([-z, z], axis=1)
    columns: dict[str, Sequence[Any]] = {"label": model.labels, "score": z[0].tolist()}
    columns["probability"] = answer.probabilities[0].tolist()
    if model.temperature is not None:
        columns["untempered"] = columns["probability"]
        both = z if is_softmax else z / 2  # sigmoid(z) is softmax(-z / 2, z / 2)
        columns["probability"] = model.temperature.probabilities(both)[0].tolist()
        z = z / model.temperature.value
        columns["scaled"] = z[0].tolist()
    total = None
    if is_softmax:
        shifted = z - z.max(axis=1, keepdims=True)
        exponentials = np.exp(shifted)
        columns |= {"shifted": shifted[0].tolist(), "exponential": exponentials[0].tolist()}
        total = float(exponentials.sum())
    rows = zip(*columns.values(), strict=True)
    return tuple(Score(**dict(zip(columns, row, strict=True))) for row in rows), total


def probability_line(score: Score, total: float | None) -> str:
    """Where the probability of a label comes from; ``total`` is that of the softmax, None for a yes or no."""
    return sigmoid_line(score) if total is None else softmax_line(score, total)


def softmax_line(score: Score, total: float) -> str:
    """The probability of one label: its exponential, divided by the sum of all."""
    assert score.exponential is not None
    assert score.probability is not None
    return f"p({score.label}) = {written(score.exponential, FINE)} / {written(total, FINE)} = {written(score.probability)}"


def sigmoid_line(score: Score) -> str:
    """The probability of class 1."""
    assert score.probability is not None
    z = score.score if score.scaled is None else score.scaled
    shown = written(-z, FINE)
    return (
        f"p({score.label}) = 1 / (1 + e^{f'({shown})' if shown.startswith('-') else shown}) = {written(score.probability)}"
    )


def loss_line(loss: LossTrace, probability: float | None) -> str:
    """``loss = -log(0.9) = 0.1054``, from the probability of the target; of a regression or smoothed targets the number."""
    value = written(loss.value)
    if probability is None or loss.smoothing:
        return f"loss = {value}"
    return f"loss = -log({written(probability)}) = {value}"


def doubt_line(score: Score, labels: int, probability: float) -> str:
    """What a doubt makes of the probability of the answer."""
    assert score.probability is not None
    kept, rest = written(CONFIDENCE_IN_DOUBT), written(1 - CONFIDENCE_IN_DOUBT)
    return f"in doubt: {kept} * {written(score.probability)} + {rest} / {labels} = {written(probability)}"
