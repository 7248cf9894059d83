"""For two classes: the metrics at other thresholds than 50 %."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pellucid.core.shapes import AnyArray, Array

THRESHOLDS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


@dataclass(frozen=True)
class Threshold:
    """The metrics if class 1 is predicted where its probability is at least ``threshold``; None where one divides by zero.

    precision = true positives / predicted positives;  recall = true positives / positives;
    specificity = true negatives / negatives;  f1 = 2 precision recall / (precision + recall);
    positive = predicted positives.
    """

    threshold: float
    precision: float | None
    recall: float | None
    specificity: float | None
    f1: float | None
    positive: int


def threshold_table(probability: Array, y: AnyArray, thresholds: Sequence[float] = THRESHOLDS) -> list[Threshold]:
    """A row for each threshold, from the probability of class 1 (N,) and the true classes y (N,), 0 and 1."""
    return [_row(float(threshold), probability >= threshold, y == 1) for threshold in thresholds]


def _row(threshold: float, said: AnyArray, truth: AnyArray) -> Threshold:
    right, positive, true = int((said & truth).sum()), int(said.sum()), int(truth.sum())
    right_no, false = int(np.logical_not(said | truth).sum()), len(truth) - true
    return Threshold(
        threshold,
        right / positive if positive else None,
        right / true if true else None,
        right_no / false if false else None,
        2 * right / (positive + true) if positive + true else None,
        positive,
    )
