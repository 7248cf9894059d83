"""How far the probabilities of a classifier can be trusted: metrics on test samples, and what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pellucid.evaluation.calibration import (
    Band,
    Bin,
    brier_interval,
    brier_score,
    calibration_error_interval,
    expected_calibration_error,
    honest_band,
    reliability,
)
from pellucid.evaluation.conformal import Coverage
from pellucid.evaluation.metrics import wilson_interval
from pellucid.evaluation.temperature import Temperature
from pellucid.evaluation.thresholds import Threshold, threshold_table

ROUGH = 0.10  # samples that leave room for a larger error are too few


@dataclass(frozen=True)
class Trust:
    """Probabilities (N, K) of test samples, and their true classes y (N,).

    ``temperature`` is the one they were computed with; ``coverage`` that of the sets for 90 % confidence, if there are any.
    """

    probabilities: NDArray[np.float64]
    y: NDArray[np.int64]
    temperature: Temperature | None = None
    coverage: Coverage | None = None

    @cached_property
    def claimed(self) -> NDArray[np.float64]:
        """The probability of each answer (N,)."""
        return self.probabilities.max(axis=1)

    @property
    def mean_claim(self) -> float:
        return float(self.claimed.mean())

    @cached_property
    def predicted(self) -> NDArray[np.int64]:
        """The most probable class of each sample (N,)."""
        return np.asarray(self.probabilities.argmax(axis=1), np.int64)

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        """Whether each answer is right (N,)."""
        return np.asarray(self.predicted == self.y)

    @cached_property
    def bins(self) -> list[Bin]:
        return reliability(self.claimed, self.right)

    @cached_property
    def band(self) -> Band:
        return honest_band(self.claimed)

    @property
    def calibration_error(self) -> float:
        return expected_calibration_error(self.bins)

    @cached_property
    def calibration_error_interval(self) -> tuple[float, float]:
        return calibration_error_interval(self.claimed, self.right)

    @cached_property
    def brier(self) -> float:
        return brier_score(self.probabilities, self.y)

    @cached_property
    def brier_interval(self) -> tuple[float, float]:
        return brier_interval(self.probabilities, self.y)

    @cached_property
    def thresholds(self) -> list[Threshold]:
        """For two classes, the metrics at several thresholds; else empty."""
        return threshold_table(self.probabilities[:, 1], self.y) if self.probabilities.shape[1] == 2 else []

    @property
    def is_by_chance(self) -> bool:
        """Whether chance alone explains the calibration error."""
        return self.calibration_error <= self.band.error

    @property
    def is_rough(self) -> bool:
        """Whether the samples are too few to tell: claim and accuracy may still differ by more than `ROUGH`."""
        low, high = wilson_interval(int(self.right.sum()), len(self.y))
        claim = self.mean_claim
        return max(self.calibration_error_interval[1], claim - low, high - claim) > ROUGH

    @cached_property
    def excess(self) -> float:
        """The mean claim minus the accuracy; 0 if chance alone explains it."""
        difference = self.mean_claim - float(self.right.mean())
        return difference if abs(difference) > honest_band(self.claimed, bins=1).error else 0.0

    @property
    def verdict(self) -> str:
        """What the calibration error means."""
        if self.is_by_chance:
            return "too few samples to tell" if self.is_rough else "no more than chance alone would show"
        if self.excess:
            return "overconfident" if self.excess > 0 else "underconfident"
        return self._where() or "overconfident in places, underconfident in others"

    def _where(self) -> str:
        """Which bins claim too much, and which too little, for chance alone to explain it."""
        pairs = list(zip(self.bins, self.band.accuracies, strict=True))
        high = [f"{each.low:.0%} to {each.high:.0%}" for each, (low, _) in pairs if each.accuracy < low]
        low = [f"{each.low:.0%} to {each.high:.0%}" for each, (_, most) in pairs if each.accuracy > most]
        said = [("overconfident", high), ("underconfident", low)]
        return ", ".join(f"{what} where it claims {' or '.join(where)}" for what, where in said if where)
