"""Calibration: when a classifier says 90 %, is it right nine times out of ten?

Answers are sorted by the probability that was claimed into bins of equal width. In each bin the mean claim (*confidence*)
is compared with the part of right answers (*accuracy*); the expected calibration error is the mean of their distance:

    ECE = sum_b (n_b / N) |accuracy_b - confidence_b|

Guo, Pleiss, Sun, Weinberger, "On calibration of modern neural networks", ICML 2017. The Brier score looks at all
probabilities of a sample, not only at that of the answer, and rewards telling classes apart as well as honesty:

    Brier = mean_n sum_k (p_nk - [k = y_n])^2        for two classes the half of it: mean_n (p_n1 - y_n)^2

Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather Review 78, 1950.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.core import random
from pellucid.core.shapes import AnyArray, Array
from pellucid.evaluation.bootstrap import HIGH, LOW, RESAMPLES, interval, resampled_means
from pellucid.evaluation.metrics import wilson_interval

BINS = 10


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

    @property
    def interval(self) -> tuple[float, float]:
        """Where the accuracy on all such answers lies, with 95 % confidence."""
        return wilson_interval(self.right, self.count)


def reliability(claimed: Array, right: NDArray[np.bool_], bins: int = BINS) -> list[Bin]:
    """The bins that hold answers, from the claimed probability of each answer (N,) and whether it was right (N,)."""
    number = _number(claimed, bins)
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


def calibration_error_interval(
    claimed: Array, right: NDArray[np.bool_], bins: int = BINS, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[float, float]:
    """Where the ECE on all such samples lies, with 95 % confidence at least; by the bootstrap, never below 0.

    Distances never cancel, so that chance makes an ECE too large, and once more when samples are drawn again. The interval
    therefore reaches as far below the ECE as the resamples rise above it: [2 ECE - q, q], with q their 97.5 % quantile; and
    down to 0 if chance alone explains the ECE (`honest_band`).
    """
    number = _number(claimed, bins)
    gaps = np.zeros((len(claimed), bins))  # of each answer, in the column of its bin: their sums are n_b (acc_b - conf_b)
    gaps[np.arange(len(claimed)), number] = right - claimed.astype(np.float64)
    errors = np.abs(resampled_means(gaps, resamples, seed)).sum(axis=1)
    error = float(np.abs(gaps.mean(axis=0)).sum())
    high = max(float(np.quantile(errors, HIGH)), error)
    by_chance = error <= honest_band(claimed, bins, resamples, seed).error
    return 0.0 if by_chance else max(0.0, 2 * error - high), min(1.0, high)


@dataclass(frozen=True)
class Band:
    """Where chance alone would put the accuracy of each bin, and the ECE, if every claim came true.

    ``accuracies`` has (low, high) for each bin of `reliability`, ``error`` is what the ECE stays below, 95 times in 100.
    """

    accuracies: list[tuple[float, float]]
    error: float


def honest_band(claimed: Array, bins: int = BINS, resamples: int = RESAMPLES, seed: int = 0) -> Band:
    """The `Band` of these claims (N,), from answers that are right as often as they claim, drawn many times.

    That is consistency resampling (Broecker, Smith, "Increasing the reliability of reliability diagrams", Weather and
    Forecasting 22, 2007), with the claims held fast. The right answers of a bin are drawn at its mean claim.
    """
    number = _number(claimed, bins)
    counts = np.bincount(number, minlength=bins)
    held = np.flatnonzero(counts)
    confidences = (np.bincount(number, weights=claimed, minlength=bins)[held] / counts[held]).clip(0.0, 1.0)
    accuracies = np.stack(
        [
            _drawn_shares(int(n), float(p), resamples, random.key(seed, random.Purpose.BOOTSTRAP, int(b), bins))
            for b, n, p in zip(held, counts[held], confidences, strict=True)
        ],
        axis=1,
    )
    errors = np.abs(accuracies - confidences) @ (counts[held] / len(claimed))
    low, high = np.quantile(accuracies, [LOW, HIGH], axis=0)
    return Band([(float(a), float(b)) for a, b in zip(low, high, strict=True)], float(np.quantile(errors, 0.95)))


def brier_score(probabilities: Array, y: AnyArray) -> float:
    """The Brier score of probabilities (N, K) for the true classes y (N,): 0 for an oracle, at most 2, or 1 for two."""
    return float(_brier_terms(probabilities, y).mean())


def brier_interval(probabilities: Array, y: AnyArray, resamples: int = RESAMPLES, seed: int = 0) -> tuple[float, float]:
    """Where the Brier score on all such samples lies, with 95 % confidence, by the bootstrap."""
    return interval(resampled_means(_brier_terms(probabilities, y)[:, None], resamples, seed)[:, 0])


def _brier_terms(probabilities: Array, y: AnyArray) -> NDArray[np.float64]:
    errors = probabilities.astype(np.float64)
    errors[np.arange(len(y)), y] -= 1.0
    return (errors**2).sum(axis=1) / (2.0 if errors.shape[1] == 2 else 1.0)


def _number(claimed: Array, bins: int) -> NDArray[np.int64]:
    """The bin of each claim."""
    return np.clip(np.ceil(claimed * bins).astype(np.int64) - 1, 0, bins - 1)


def _drawn_shares(count: int, p: float, resamples: int, key: random.Key) -> NDArray[np.float64]:
    """(R,): shares of ``count`` answers of which each is right with probability p; one draw a resample.

    A uniform number picks the count whose cumulative probability (binomial) first reaches it.
    """
    terms = np.zeros(count + 1)  # log of C(n, k) p^k (1 - p)^(n - k), by its ratios
    if p in (0.0, 1.0):
        return np.full(resamples, p)
    k = np.arange(count)
    terms[1:] = np.cumsum(np.log((count - k) / (k + 1)) + np.log(p / (1 - p)))
    cumulative = np.cumsum(np.exp(terms - terms.max()))
    draws = random.uniform(key, (resamples,)) * cumulative[-1]
    return np.minimum(np.searchsorted(cumulative, draws, side="right"), count) / count
