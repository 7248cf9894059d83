"""From the scores of a network to the probabilities that a model says, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pellucid.core.display.equation import MOST_DIGITS, Arithmetic, applied, equation
from pellucid.core.display.numbers import DIGITS, FINE, written
from pellucid.core.shapes import Label
from pellucid.inspection.trace.answer import OF_VALUES, LossTrace
from pellucid.inspection.trace.trace import Trace
from pellucid.models.model import Model
from pellucid.models.prediction import CONFIDENCE_IN_DOUBT
from pellucid.models.value_names import answer_names
from pellucid.reports.explanation.findings import Score

E = Arithmetic("e", np.float64(np.e))


def scores_of(model: Model, trace: Trace) -> tuple[tuple[Score, ...], float | None]:
    """A row for each label (of a regression, for each value), and what the exponentials of a softmax add up to.

    With a temperature the steps are those of z / T, so that the probability is the one that `Model.predict` says.
    """
    answer, z = trace.answer, trace.logits
    if answer.kind in OF_VALUES or answer.probabilities is None:
        names: Sequence[Label] = answer_names(model.pipeline, model.network.output) or range(z.shape[1])
        return tuple(Score(name, float(score)) for name, score in zip(names, z[0], strict=True)), None
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
    own, p = score.exponential, score.probability
    return f"p({score.label}) = {equation(lambda n: n(own, FINE) / n(total, FINE), p, _digits(p))}"


def sigmoid_line(score: Score) -> str:
    """The probability of class 1."""
    assert score.probability is not None
    z, p = score.score if score.scaled is None else score.scaled, score.probability
    return f"p({score.label}) = {equation(lambda n: n(1) / (n(1) + E ** n(-z, FINE)), p, _digits(p))}"


def loss_line(loss: LossTrace, probability: float | None) -> str:
    """``loss = -log(0.9) = 0.1054``, from the probability of the target; of a regression or smoothed targets the number."""
    if not probability or loss.smoothing:
        return f"loss = {written(loss.value)}"
    return f"loss = {equation(lambda n: -applied(np.log, n(probability)), loss.value)}"


def doubt_line(score: Score, labels: int, probability: float) -> str:
    """What a doubt makes of the probability of the answer."""
    assert score.probability is not None
    own, kept, rest = score.probability, CONFIDENCE_IN_DOUBT, 1 - CONFIDENCE_IN_DOUBT
    return f"in doubt: {equation(lambda n: n(kept) * n(own) + n(rest) / n(labels), probability)}"


def _digits(probability: float) -> int:
    """How many digits of a probability are shown: so many that only a certain one is 1."""
    return next((d for d in range(DIGITS, MOST_DIGITS) if written(probability, d) != "1"), DIGITS)
