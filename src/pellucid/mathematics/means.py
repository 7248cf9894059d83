"""Means over samples: weighted, and over batches of unequal size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pellucid.core.shapes import Array


class WeightedMeans:
    """Means over all samples, from the means and weights of batches; correct even if the last batch is smaller."""

    def __init__(self) -> None:
        self._sums: dict[str, float] = {}
        self._weight = 0.0
        self.samples = 0

    def add(self, means: dict[str, float], weight: float, samples: int) -> None:
        """Add the means of a batch of ``samples`` samples whose weights sum to ``weight``."""
        for name, mean in means.items():
            self._sums[name] = self._sums.get(name, 0.0) + mean * weight
        self._weight += weight
        self.samples += samples

    def to_data(self) -> dict[str, Any]:
        """What has been added, as plain data."""
        return {"sums": dict(self._sums), "weight": self._weight, "samples": self.samples}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> WeightedMeans:
        """The means whose data these are."""
        means = cls()
        means._sums = {str(name): float(total) for name, total in data["sums"].items()}
        means._weight, means.samples = float(data["weight"]), int(data["samples"])
        return means

    def means(self) -> dict[str, float]:
        """The means so far; 0 when all weights were 0."""
        return {name: total / self._weight if self._weight else 0.0 for name, total in self._sums.items()}


def weighted_mean(values: Array, weights: Array | None) -> float:
    """sum w v / sum w over the samples (N,); the mean without weights; 0 if all weights are 0."""
    if weights is None:
        return float(values.sum(dtype=np.float64)) / len(values)
    total = float(weights.sum(dtype=np.float64))
    return float(np.dot(values, weights)) / total if total else 0.0
