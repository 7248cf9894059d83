"""What a model did with test samples: every figure that the report shows, computed once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.core.errors import ArgumentError
from pellucid.core.shapes import AnyArray, Array
from pellucid.evaluation.metrics import ClassFigures, class_figures, confusion_matrix, wilson_interval
from pellucid.evaluation.trust import Trust
from pellucid.models.model import Model, trust_of
from pellucid.nn.layers.outputs.classification import ClassifyingOutput


@dataclass(frozen=True)
class Findings:
    """Samples x (N, ...), their true classes y (N,), what the model made of them, and the mean loss of the network."""

    labels: tuple[str, ...]
    x: AnyArray
    y: NDArray[np.int64]
    trust: Trust
    loss: float
    files: tuple[str, ...] | None = None

    @property
    def probabilities(self) -> Array:
        """(N, K), with the model's temperature."""
        return self.trust.probabilities

    @cached_property
    def predicted(self) -> NDArray[np.int64]:
        """The most probable class of each sample (N,)."""
        return np.asarray(self.probabilities.argmax(axis=1), np.int64)

    @property
    def claimed(self) -> Array:
        """The probability of the answer that was given (N,)."""
        return self.trust.claimed

    @property
    def count(self) -> int:
        return len(self.y)

    @cached_property
    def right(self) -> int:
        """How many answers are right."""
        return int((self.predicted == self.y).sum())

    @property
    def accuracy(self) -> float:
        return self.right / self.count

    @property
    def interval(self) -> tuple[float, float]:
        """Where the accuracy on all such pictures lies, with 95 % confidence."""
        return wilson_interval(self.right, self.count)

    @cached_property
    def confusion(self) -> NDArray[np.int64]:
        """(K, K): row = true class, column = predicted class."""
        return confusion_matrix(self.y, self.predicted, len(self.labels))

    @cached_property
    def classes(self) -> list[ClassFigures]:
        return class_figures(self.confusion)

    @cached_property
    def mistakes(self) -> NDArray[np.intp]:
        """The wrong answers, those given with the highest probability first."""
        wrong = np.flatnonzero(self.predicted != self.y)
        return wrong[np.argsort(-self.claimed[wrong], kind="stable")]

    @cached_property
    def confusions(self) -> list[tuple[int, int, int]]:
        """(times, true class, predicted class) of all that was confused, the most frequent first."""
        wrong = self.confusion - np.diag(np.diag(self.confusion))
        true, predicted = np.nonzero(wrong)
        found = [(int(wrong[t, p]), int(t), int(p)) for t, p in zip(true, predicted, strict=True)]
        return sorted(found, key=lambda each: (-each[0], each[1], each[2]))

    @property
    def commonest(self) -> int:
        """The class with the most samples."""
        return int(self.confusion.sum(axis=1).argmax())

    def name(self, index: int) -> str:
        """What a sample is called: its file, or its number."""
        return f"sample {index:,}" if self.files is None else self.files[index]


def judge(model: Model, x: Any, y: Any, files: Sequence[str] | None = None) -> Findings:
    """Let the model answer for samples x (N, ...) with class numbers y (N,).

    Raises `ArgumentError` for a regression, or another number of ``files`` than samples; `ShapeError` for other arrays.
    """
    output = model.network.output
    if not isinstance(output, ClassifyingOutput):
        raise ArgumentError("class figures need a classification; this model is a regression.")
    inputs = model.network.input.check(x)
    targets = output.check_targets(y, len(inputs))
    if targets.ndim != 1:
        raise ArgumentError(f"a report needs class numbers as targets, shape ({len(inputs)},), not {targets.shape}.")
    if files is not None and len(files) != len(inputs):
        raise ArgumentError(f"files names {len(files)} files; there are {len(inputs)} samples.")
    labels = tuple(str(label) for label in model.labels)
    loss = model.network.evaluate(inputs, targets)["loss"]
    return Findings(
        labels, inputs, targets, trust_of(model, [inputs], targets), loss, None if files is None else tuple(files)
    )
