"""How well a model does on test samples: all metrics, computed once for the commands, `--json` and the report pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.core.display.text import percent
from pellucid.core.errors import ArgumentError
from pellucid.core.shapes import AnyArray, Array, Label
from pellucid.data.samples import Samples
from pellucid.evaluation.conformal import Coverage, coverage, prediction_sets, with_most_probable
from pellucid.evaluation.evaluate import evaluate
from pellucid.evaluation.metrics import ClassFigures, auc, class_figures, confusion_matrix, r2, wilson_interval
from pellucid.evaluation.temperature import probabilities
from pellucid.evaluation.trust import Trust
from pellucid.evaluation.values import LevelFigures, ValueFigures, level_figures, mean_of_figures, value_figures
from pellucid.executors.logits import logit_blocks
from pellucid.mathematics.losses import PinballLoss
from pellucid.models.model import Model
from pellucid.models.network import checked_samples
from pellucid.models.value_names import target_names
from pellucid.nn.layers.outputs.classification import ClassifyingOutput
from pellucid.nn.layers.outputs.regression import Regression

SET_CONFIDENCE = 0.9  # of the sets and intervals that are judged
MISTAKES_IN_DATA = 10


@dataclass(frozen=True)
class Judgement:
    """The test samples, and the mean loss and the metrics of the network on them; ``noun`` says what one is called."""

    samples: Samples
    metrics: dict[str, float]
    noun: str

    @property
    def count(self) -> int:
        return len(self.samples)

    @property
    def loss(self) -> float:
        return self.metrics["loss"]


@dataclass(frozen=True)
class Mistake:
    """A wrong answer: the row of its sample, its file if it has one, the true and the predicted label."""

    index: int
    file: str | None
    label: Label
    predicted: Label
    probability: float
    probability_of_label: float


@dataclass(frozen=True)
class ClassJudgement(Judgement):
    """Of a classifier, also a binary one; ``files`` has a name for each row of the samples."""

    labels: tuple[Label, ...]
    trust: Trust
    files: tuple[str, ...] | None = None

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The labels as text."""
        return tuple(str(label) for label in self.labels)

    @property
    def right(self) -> int:
        """The number of right answers."""
        return int(self.trust.right.sum())

    @property
    def accuracy(self) -> float:
        return self.right / self.count

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % confidence interval of the accuracy."""
        return wilson_interval(self.right, self.count)

    @cached_property
    def auc(self) -> float | None:
        """For two classes that both came, the area under the ROC curve; else None."""
        p = self.trust.probabilities
        if p.shape[1] != 2:
            return None
        with np.errstate(divide="ignore"):
            return auc(p[:, 1] / p[:, 0], self.trust.y == 1)  # the odds still differ where p is 1 within rounding

    @cached_property
    def confusion(self) -> NDArray[np.int64]:
        """(K, K): row = true class, column = predicted class."""
        return confusion_matrix(self.trust.y, self.trust.predicted, len(self.labels))

    @cached_property
    def classes(self) -> list[ClassFigures]:
        return class_figures(self.confusion)

    @property
    def mean_recall(self) -> float:
        """The mean over the classes that have samples."""
        recalls = [row.recall for row in self.classes if row.recall is not None]
        return sum(recalls) / len(recalls)

    @property
    def commonest(self) -> int:
        """The class with the most samples."""
        return int(self.confusion.sum(axis=1).argmax())

    @property
    def guessing(self) -> float:
        """The accuracy of always naming the commonest class."""
        return self.classes[self.commonest].support / self.count

    @property
    def is_better_than_guessing(self) -> bool:
        """Whether the accuracy is clearly above that of always naming the commonest class."""
        return self.interval[0] > self.guessing

    @property
    def against_guessing(self) -> str:
        """What the accuracy is beside that of always naming the commonest class."""
        guess = f"Calling every {self.noun} “{self.names[self.commonest]}” would be right for {percent(self.guessing)}"
        if self.guessing == 1:
            return f"{guess}: only one class was tested, so nothing shows whether the network tells classes apart."
        is_worse = self.interval[1] < self.guessing
        judgement = "worse" if is_worse else "not clearly better than that"
        return f"{guess}; the network is {'clearly better' if self.is_better_than_guessing else judgement}."

    @property
    def confusions(self) -> list[tuple[int, int, int]]:
        """(times, true class, predicted class) of each confusion, the most frequent first."""
        wrong = self.confusion - np.diag(np.diag(self.confusion))
        true, predicted = np.nonzero(wrong)
        found = [(int(wrong[t, p]), int(t), int(p)) for t, p in zip(true, predicted, strict=True)]
        return sorted(found, key=lambda each: (-each[0], each[1], each[2]))

    def name(self, row: int) -> str:
        """The name of the sample in this row: its file, or its number."""
        return f"sample {row:,}" if self.files is None else self.files[row]

    def worst_mistakes(self, most: int) -> list[Mistake]:
        """The wrong answers with the highest probabilities, highest first."""
        wrong = np.flatnonzero(~self.trust.right)
        return [self._mistake(i) for i in wrong[np.argsort(-self.trust.claimed[wrong], kind="stable")][:most]]

    def _mistake(self, i: int) -> Mistake:
        row, p = int(self.samples.rows[i]), self.trust.probabilities[i]
        true, predicted = int(self.trust.y[i]), int(self.trust.predicted[i])
        file = None if self.files is None else self.files[row]
        return Mistake(row, file, self.labels[true], self.labels[predicted], float(p[predicted]), float(p[true]))

    def as_data(self) -> dict[str, Any]:
        """Everything as plain data."""
        trust, temperature, coverage = self.trust, self.trust.temperature, self.trust.coverage
        mistakes = map(asdict, self.worst_mistakes(MISTAKES_IN_DATA))
        data: dict[str, Any] = {
            "samples": self.count,
            "loss": self.loss,
            "accuracy": self.accuracy,
            **({} if self.auc is None else {"auc": self.auc}),
            "confidence": self.interval,
            "labels": self.labels,
            "confusion": self.confusion,
            "classes": [
                {"label": label, "precision": row.precision, "recall": row.recall, "f1": row.f1, "samples": row.support}
                for label, row in zip(self.labels, self.classes, strict=True)
            ],
            "worst_mistakes": [{name: each[name] for name in each if each[name] is not None} for each in mistakes],
            "trust": {
                "samples": self.count,
                "calibration_error": trust.calibration_error,
                "calibration_error_interval": trust.calibration_error_interval,
                "calibration_error_by_chance": trust.band.error,
                "verdict": trust.verdict,
                "brier_score": trust.brier,
                "brier_score_interval": trust.brier_interval,
                "temperature": temperature and asdict(temperature),
                "coverage": coverage and asdict(coverage) | {"in_words": coverage.in_words},
            },
        }
        if trust.thresholds:
            data["trust"]["thresholds"] = {"label": self.labels[1], "rows": [asdict(row) for row in trust.thresholds]}
        return data


@dataclass(frozen=True)
class RegressionJudgement(Judgement):
    """Of a regression: ``predicted`` values (N, V), and the ``reach`` of the 90 % prediction interval of each value to each
    side (empty without conformal scores).

    names             of the values, if they are targets of a table
    levels, quantiles of quantiles what was said of each level, (N, K); the value that is judged is that nearest to 0.5
    """

    predicted: NDArray[np.float64]
    reach: tuple[float, ...]
    names: tuple[str, ...] = ()
    levels: tuple[float, ...] = ()
    quantiles: NDArray[np.float64] | None = None

    @cached_property
    def y(self) -> NDArray[np.float64]:
        """The true values (N, V)."""
        return self.samples.y[self.samples.rows]

    @cached_property
    def residuals(self) -> NDArray[np.float64]:
        """y - predicted (N, V)."""
        return self.y - self.predicted

    @property
    def rmse(self) -> float:
        return float(np.sqrt((self.residuals**2).mean()))

    @property
    def mean_residual(self) -> float:
        """Above 0 if the predictions are too small on average."""
        return float(self.residuals.mean())

    @property
    def mae(self) -> float:
        return float(np.abs(self.residuals).mean())

    @property
    def r2(self) -> float | None:
        """The share of the variance that is explained; None where the true values do not vary."""
        value = r2(self.y, self.predicted)
        return None if np.isnan(value) else value

    @cached_property
    def of_values(self) -> list[ValueFigures]:
        """The figures of each value."""
        return value_figures(self.y, self.predicted, self.names)

    @property
    def of_levels(self) -> list[LevelFigures]:
        """The figures of each quantile; none without quantiles."""
        return [] if self.quantiles is None else level_figures(self.y, self.quantiles, self.levels)

    def worst(self, most: int) -> list[int]:
        """The places of the samples that are furthest off, in any of their values, the worst first."""
        return np.argsort(-self._off.max(axis=1), kind="stable")[:most].tolist()

    def worst_value(self, place: int) -> int:
        """Which value of this sample is furthest off."""
        return int(self._off[place].argmax())

    @cached_property
    def _off(self) -> NDArray[np.float64]:
        """The sizes of the residuals (N, V); of several values in units of their standard deviations."""
        off, deviations = np.abs(self.residuals), self.y.std(axis=0)
        return off if off.shape[1] == 1 else off / np.where(deviations > 0, deviations, 1)

    @property
    def middle(self) -> int:
        """The place of the level that is judged as the answer."""
        return PinballLoss(self.levels).middle

    def as_data(self) -> dict[str, Any]:
        """Everything as plain data; the intervals are those of the samples that were held out from training. Of several
        values the figures are means over them."""
        return {
            "samples": self.count,
            "loss": self.loss,
            "rmse": mean_of_figures(self.of_values).rmse,
            "mae": self.mae,
            "r2": self.r2,
            "mean_residual": self.mean_residual,
            **self._values_as_data(),
            "intervals": [
                {**self._named(v), "confidence": SET_CONFIDENCE, "reach": reach, "covered": covered}
                for v, (reach, covered) in enumerate(zip(self.reach, self.covered, strict=True))
            ],
        }

    def _values_as_data(self) -> dict[str, Any]:
        """The figures of each of several values, or of each quantile."""
        if self.levels:
            return {"quantiles": [asdict(row) for row in self.of_levels]}
        if self.y.shape[1] == 1:
            return {}
        figures = ({name: value for name, value in asdict(row).items() if name != "name"} for row in self.of_values)
        return {"targets": [{**self._named(v), **each} for v, each in enumerate(figures)]}

    def _named(self, v: int) -> dict[str, str]:
        """Which of several values it is."""
        return {"target": self.of_values[v].name} if self.y.shape[1] > 1 else {}

    @property
    def covered(self) -> tuple[float, ...]:
        """For each value with an interval, the share of the samples inside it."""
        return tuple(float((np.abs(self.residuals[:, v]) <= reach).mean()) for v, reach in enumerate(self.reach))


def judge_classes(
    model: Model, x: Any, y: Any, *, rows: NDArray[np.int64] | None = None, files: Sequence[str] | None = None
) -> ClassJudgement:
    """Judge a classifier on samples x (N, ...) with class numbers y (N,), or on some ``rows`` of them.

    Samples are gathered in blocks, so that x may be larger than memory.

    Raises `ArgumentError` for a regression, or another number of ``files`` than samples; `ShapeError` for other arrays.
    """
    output = model.network.output
    if not isinstance(output, ClassifyingOutput):
        raise ArgumentError("class figures need a classification; this model is a regression.")
    samples = checked_samples(model.network, x, y, rows=rows)
    if samples.y.ndim != 1:
        raise ArgumentError(f"a report needs class numbers as targets, shape ({len(samples.x)},), not {samples.y.shape}.")
    if files is not None and len(files) != len(samples.x):
        raise ArgumentError(f"files names {len(files)} files; there are {len(samples.x)} samples.")
    metrics, outputs = _answers(model, samples)
    logits, temperature = output.class_logits(outputs), model.temperature
    p, true = probabilities(logits, 1.0 if temperature is None else temperature.value), samples.y[samples.rows]
    trust = Trust(p, true, temperature, _coverage(model, logits, true))
    names = None if files is None else tuple(files)
    return ClassJudgement(samples, metrics, _noun(model, "picture"), tuple(model.labels), trust, names)


def judge_regression(model: Model, x: Any, y: Any) -> RegressionJudgement:
    """Judge a regression on samples x (N, ...) with true values y, (N,) or (N, V)."""
    samples = checked_samples(model.network, x, y)
    metrics, outputs = _answers(model, samples)
    able = [scores for scores in model.conformal_scores if scores.can_give(SET_CONFIDENCE)]  # all of them, or none
    reach = tuple(scores.quantile(SET_CONFIDENCE) for scores in able)
    output, logits = model.network.output, outputs.astype(np.float64)
    predicted, names = output.values(logits).astype(np.float64), target_names(model.pipeline)
    found = RegressionJudgement(samples, metrics, _noun(model, "sample"), predicted, reach, names)
    if isinstance(output, Regression) and output.levels:
        found = replace(found, levels=output.levels, quantiles=output.answers(logits).astype(np.float64))
    return found


def _answers(model: Model, samples: Samples) -> tuple[dict[str, float], Array]:
    """Loss and metrics, and the logits (N, num_outputs), by one forward pass."""
    blocks = list(logit_blocks(model.network, samples))
    return evaluate(model.network, samples, blocks), np.concatenate(blocks)


def _noun(model: Model, otherwise: str) -> str:
    """What a sample of this model is called."""
    return "row" if model.pipeline is not None and model.pipeline.reads_tables else otherwise


def _coverage(model: Model, logits: Array, y: AnyArray) -> Coverage | None:
    """The coverage of sets of labels, if there are enough conformal scores for them."""
    for scores in model.conformal_scores:
        if scores.can_give(SET_CONFIDENCE):
            sets = with_most_probable(prediction_sets(logits, scores.quantile(SET_CONFIDENCE)), logits)
            return coverage(sets, y, SET_CONFIDENCE, scores.count)
    return None
