"""Gradient clipping: a bound on the gradient of the objective, applied before the optimizer's step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from pellucid.core.checks import number_between
from pellucid.core.shapes import Array


class Clipping(ABC):
    """The interface: change the flat gradient vector (P,) in place."""

    @abstractmethod
    def clip(self, g: Array) -> None:
        """Bound ``g`` in place."""


@dataclass(frozen=True)
class ClipByGlobalNorm(Clipping):
    """g <- g * min(1, maximum / ||g||), over all parameters at once (Pascanu et al. 2013)."""

    maximum: float = 1.0

    def __post_init__(self) -> None:
        number_between(self.maximum, "ClipByGlobalNorm(maximum)", 0.0, open_low=True)

    def clip(self, g: Array) -> None:
        largest = float(np.abs(g).max(initial=0.0))
        if largest == 0.0 or not np.isfinite(largest):
            return
        scaled = g / largest  # squares of huge or tiny numbers would overflow or underflow
        norm = largest * float(np.sqrt(np.dot(scaled, scaled)))
        if norm > self.maximum:
            g *= self.maximum / norm


@dataclass(frozen=True)
class ClipByValue(Clipping):
    """g <- min(max(g, -maximum), maximum), each element by itself."""

    maximum: float = 1.0

    def __post_init__(self) -> None:
        number_between(self.maximum, "ClipByValue(maximum)", 0.0, open_low=True)

    def clip(self, g: Array) -> None:
        np.clip(g, -self.maximum, self.maximum, out=g)
