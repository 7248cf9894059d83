"""Split conformal prediction: sets and intervals that contain the truth with a chosen probability, for any network.

Each of n held-out samples gets a score s, which is larger the worse the answer fits the truth:

    classes   s = -log p_y              a set: the labels with s <= q     (Sadinle, Lei, Wasserman, JASA 114, 2019)
    numbers   s = |y - predicted|       an interval: predicted - q .. predicted + q

    q = the k-th smallest of the n scores, k = ceil((n + 1) confidence)

If a new sample comes from the same distribution, its score has each of the n + 1 ranks among them with equal probability;
so it is at most q with a probability of at least ``confidence`` (and, without ties, of at most 1 / (n + 1) more). k <= n
needs n >= 1 / (1 - confidence) - 1. Vovk, Gammerman, Shafer, "Algorithmic learning in a random world", 2005; Angelopoulos,
Bates, "A gentle introduction to conformal prediction and distribution-free uncertainty quantification", 2021.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pellucid.core.checks import number_between, positive_integer
from pellucid.core.errors import ArgumentError
from pellucid.core.shapes import AnyArray, Array

KEPT = 1000  # scores at most
MOST = 1 << 48  # samples: their ranks, times KEPT, fit into 64 bits
ROUNDING = 1e-9  # for (n + 1) confidence that should be a whole number


@dataclass(frozen=True)
class ConformalScores:
    """The scores of ``count`` calibration samples, ascending; of many samples, scores of evenly spread ranks.

    ``scores[j]`` has the rank ceil((j + 1) count / len(scores)). A quantile between two of them is the upper one, so that
    coverage is never less than the confidence.
    """

    count: int
    scores: tuple[float, ...]

    def __post_init__(self) -> None:
        if positive_integer(self.count, "the number of conformal scores") > MOST:
            raise ArgumentError(f"{self.count} conformal scores are too many; at most {MOST} are possible.")
        if not isinstance(self.scores, tuple) or not 1 <= len(self.scores) <= min(self.count, KEPT):
            raise ArgumentError(f"1 to {min(self.count, KEPT)} conformal scores are expected, not {self.scores!r:.60}.")
        scores = tuple(number_between(score, "a conformal score", 0.0) for score in self.scores)
        if any(a > b for a, b in pairwise(scores)):
            raise ArgumentError("conformal scores must be in ascending order.")
        object.__setattr__(self, "scores", scores)

    @classmethod
    def of(cls, scores: Array) -> ConformalScores:
        """From all scores (N,), in any order."""
        ordered, kept = np.sort(scores.astype(np.float64)), min(len(scores), KEPT)
        return cls(len(ordered), tuple(ordered[_ranks(len(ordered), kept) - 1].tolist()))

    def can_give(self, confidence: float) -> bool:
        """Whether there are enough samples for this confidence in (0, 1)."""
        return _rank(self.count, confidence) <= self.count

    def quantile(self, confidence: float) -> float:
        """q for this confidence in (0, 1); raises `ArgumentError` if there are too few samples for it."""
        if isinstance(confidence, int | float) and 1 < confidence < 100:
            raise ArgumentError(f"confidence is a part of 1: for {confidence:g}% write {confidence / 100:g}.")
        wanted = number_between(confidence, "confidence", 0.0, 1.0, open_low=True, open_high=True)
        if not self.can_give(wanted):
            needed = math.ceil(1 / (1 - wanted) - 1 - ROUNDING)
            most = math.floor(1000 * self.count / (self.count + 1)) / 10
            raise ArgumentError(
                f"{self.count} samples for calibration are too few for a confidence of {100 * wanted:.6g}%, which needs "
                f"{needed:,} at least; calibrate with more, or ask for {most}% or less."
            )
        return self.scores[int(np.searchsorted(_ranks(self.count, len(self.scores)), _rank(self.count, wanted)))]


def class_scores(logits: Array) -> NDArray[np.float64]:
    """-log p (N, K) of every class, from logits: s = log sum_j exp(z_j) - z_k."""
    z = logits.astype(np.float64)
    z -= z.max(axis=1, keepdims=True)
    scores: NDArray[np.float64] = np.log(np.exp(z).sum(axis=1, keepdims=True)) - z
    return scores


def prediction_sets(logits: Array, q: float) -> NDArray[np.bool_]:
    """(N, K): whether each class is in the set of each sample. A set is empty if no class fits well enough."""
    return class_scores(logits) <= q


def with_most_probable(sets: NDArray[np.bool_], logits: Array) -> NDArray[np.bool_]:
    """The same sets (N, K), each with the most probable class added, so that none is empty. Coverage can only rise."""
    filled = sets.copy()
    filled[np.arange(len(logits)), logits.argmax(axis=1)] = True
    return filled


@dataclass(frozen=True)
class Coverage:
    """Sets on test samples: the share that contains the truth, their mean size, and how many are empty or full (`unsure`).

    ``by_chance`` is the 5 % quantile of ``covered`` if test samples are like the calibration samples.
    """

    confidence: float
    covered: float
    mean_size: float
    unsure: int
    by_chance: float

    @property
    def in_words(self) -> str:
        """What it means if less is covered than ``confidence``; else nothing."""
        if self.covered >= self.confidence:
            return ""
        return "within chance" if self.covered >= self.by_chance else "less than chance explains: samples of another kind?"


def coverage(sets: NDArray[np.bool_], y: AnyArray, confidence: float, calibrated_on: int) -> Coverage:
    """Of sets (N, K) for this confidence, with the true classes y (N,) and the number of samples calibrated on."""
    sizes = sets.sum(axis=1)
    unsure = int(((sizes == 0) | (sizes == sets.shape[1])).sum())
    covered, least = float(sets[np.arange(len(y)), y].mean()), _least_by_chance(len(y), calibrated_on, confidence)
    return Coverage(confidence, covered, float(sizes.mean()), unsure, least)


def _least_by_chance(tested: int, count: int, confidence: float) -> float:
    """The 5 % quantile of the share covered of ``tested`` samples: j of them with the beta-binomial probability

    p_j = C(m, j) B(j + k, m - j + n + 1 - k) / B(k, n + 1 - k)
    p_(j+1) / p_j = (m - j) (j + k) / ((j + 1) (m - j + n - k))
    """
    j, k = np.arange(tested), _rank(count, confidence)
    terms = np.zeros(tested + 1)
    terms[1:] = np.cumsum(np.log((tested - j) * (j + k) / ((j + 1.0) * (tested - j + count - k))))
    cumulative = np.cumsum(np.exp(terms - terms.max()))
    return float(np.searchsorted(cumulative, 0.05 * cumulative[-1])) / tested


def _rank(count: int, confidence: float) -> int:
    """k = ceil((n + 1) confidence)."""
    return max(1, math.ceil((count + 1) * confidence - ROUNDING))


def _ranks(count: int, kept: int) -> NDArray[np.int64]:
    """The ranks, in 1..count, of the scores that are kept: ceil((j + 1) count / kept)."""
    return -(-np.arange(1, kept + 1, dtype=np.int64) * count // kept)
