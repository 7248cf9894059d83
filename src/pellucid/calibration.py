"""Calibration: when a classifier says 90 %, is it right nine times out of ten?

Answers are sorted by the probability that was claimed into bins of equal width. In each bin the mean claim (*confidence*)
is compared with the part of right answers (*accuracy*); the expected calibration error is the mean of their distance:

    ECE = sum_b (n_b / N) |accuracy_b - confidence_b|

Guo, Pleiss, Sun, Weinberger, "On calibration of modern neural networks", ICML 2017.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.shapes import Array


@dataclass(frozen=True)
class Bin:
    """The answers with a claimed probability in (low, high]: how many, how many of them right, and the mean claim."""

    low: float
    high: float
    count: int
    right: int
    confidence: float

    @property
    def accuracy(self) -> float:
        return self.right / self.count


def reliability(claimed: Array, right: NDArray[np.bool_], bins: int = 10) -> list[Bin]:
    """The bins that hold answers, from the claimed probability of each answer (N,) and whether it was right (N,)."""
    number = np.clip(np.ceil(claimed * bins).astype(np.int64) - 1, 0, bins - 1)
    counts, rights = np.bincount(number, minlength=bins), np.bincount(number[right], minlength=bins)
    sums = np.bincount(number, weights=claimed, minlength=bins)
    return [
        Bin(b / bins, (b + 1) / bins, int(counts[b]), int(rights[b]), float(sums[b] / counts[b]))
        for b in np.flatnonzero(counts)
    ]


def expected_calibration_error(bins: list[Bin]) -> float:
    """ECE in 0..1: how far claims and truth are apart, on average over the answers; 0 for no answers."""
    total = sum(each.count for each in bins)
    return sum(each.count * abs(each.accuracy - each.confidence) for each in bins) / total if total else 0.0
