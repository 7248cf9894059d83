"""Calibration: when a classifier says 90 %, is it right nine times out of ten?

Answers are put into bins of equal width by the probability that they claim. In each bin the mean claim (*confidence*) is
compared with the share of right answers (*accuracy*); the expected calibration error is the mean of the differences:

    ECE = sum_b (n_b / N) |accuracy_b - confidence_b|

Guo, Pleiss, Sun, Weinberger, "On calibration of modern neural networks", ICML 2017. The Brier score takes all
probabilities of a sample, not only that of the answer, and measures accuracy as well as calibration:

    Brier = mean_n sum_k (p_nk - [k = y_n])^2        for two classes half of it: mean_n (p_n1 - y_n)^2

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
    """The answers that claim a probability in (low, high]: how many, how many of them right, and the mean claim."""

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
        """The 95 % confidence interval of the accuracy."""
        return wilson_interval(self.right, self.count)


def reliability(claimed: Array, right: NDArray[np.bool_], bins: int = BINS) -> list[Bin]:
    """The bins that hold answers, from the probability that each claims (N,) and whether it is right (N,)."""
    number = _number(claimed, bins)
    counts, rights = np.bincount(number, minlength=bins), np.bincount(number[right], minlength=bins)
    sums = np.bincount(number, weights=claimed, minlength=bins)
    return [
        Bin(b / bins, (b + 1) / bins, int(counts[b]), int(rights[b]), float(sums[b] / counts[b]))
        for b in np.flatnonzero(counts)
    ]


def expected_calibration_error(bins: list[Bin]) -> float:
    """ECE, in 0..1; 0 for no answers."""
    total = sum(each.count for each in bins)
    return sum(each.count * abs(each.accuracy - each.confidence) for each in bins) / total if total else 0.0


def calibration_error_interval(
    claimed: Array, right: NDArray[np.bool_], bins: int = BINS, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[float, float]:
    """A confidence interval of the ECE, at least 95 %, by the bootstrap.

    Absolute differences never cancel, so chance makes the ECE of samples too large, and that of resamples larger still. The
    interval therefore reaches as far below the ECE as the resamples above it: [2 ECE - q, q], with q their 97.5 % quantile;
    and down to 0 if chance alone explains the ECE (`honest_band`).
    """
    number = _number(claimed, bins)
    gaps = np.zeros((len(claimed), bins))  # of each answer, in the column of its bin; they sum to n_b (acc_b - conf_b)
    gaps[np.arange(len(claimed)), number] = right - claimed.astype(np.float64)
    errors = np.abs(resampled_means(gaps, resamples, seed)).sum(axis=1)
    error = float(np.abs(gaps.mean(axis=0)).sum())
    high = max(float(np.quantile(errors, HIGH)), error)
    by_chance = error <= honest_band(claimed, bins, resamples, seed).error
    return 0.0 if by_chance else max(0.0, 2 * error - high), min(1.0, high)


@dataclass(frozen=True)
class Band:
    """What chance alone would show if the classifier were perfectly calibrated.

    ``accuracies`` has the 95 % interval (low, high) of each bin of `reliability`, ``error`` the 95 % quantile of the ECE.
    """

    accuracies: list[tuple[float, float]]
    error: float


def honest_band(claimed: Array, bins: int = BINS, resamples: int = RESAMPLES, seed: int = 0) -> Band:
    """The `Band` of these claims (N,), from simulated answers that are right as often as they claim.

    That is consistency resampling (Broecker, Smith, "Increasing the reliability of reliability diagrams", Weather and
    Forecasting 22, 2007), with fixed claims. Each answer of a bin is right with the probability of the bin's mean claim.
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
    """The Brier score of probabilities (N, K) for the true classes y (N,): 0 is perfect, 2 (two classes: 1) the worst."""
    return float(_brier_terms(probabilities, y).mean())


def brier_interval(probabilities: Array, y: AnyArray, resamples: int = RESAMPLES, seed: int = 0) -> tuple[float, float]:
    """The 95 % confidence interval of the Brier score, by the bootstrap."""
    return interval(resampled_means(_brier_terms(probabilities, y)[:, None], resamples, seed)[:, 0])


def _brier_terms(probabilities: Array, y: AnyArray) -> NDArray[np.float64]:
    errors = probabilities.astype(np.float64)
    errors[np.arange(len(y)), y] -= 1.0
    return (errors**2).sum(axis=1) / (2.0 if errors.shape[1] == 2 else 1.0)


def _number(claimed: Array, bins: int) -> NDArray[np.int64]:
    """The bin of each claim."""
    return np.clip(np.ceil(claimed * bins).astype(np.int64) - 1, 0, bins - 1)


def _drawn_shares(count: int, p: float, resamples: int, key: random.Key) -> NDArray[np.float64]:
    """(R,): the share of right answers among ``count``, each right with probability p, in each resample.

    Drawn from the binomial distribution by inverting its cumulative probability.
    """
    terms = np.zeros(count + 1)  # log of C(n, k) p^k (1 - p)^(n - k), from the ratios of neighbours
    if p in (0.0, 1.0):
        return np.full(resamples, p)
    k = np.arange(count)
    terms[1:] = np.cumsum(np.log((count - k) / (k + 1)) + np.log(p / (1 - p)))
    cumulative = np.cumsum(np.exp(terms - terms.max()))
    draws = random.uniform(key, (resamples,)) * cumulative[-1]
    return np.minimum(np.searchsorted(cumulative, draws, side="right"), count) / count
