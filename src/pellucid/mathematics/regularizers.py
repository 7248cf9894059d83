"""Regularizers: a penalty on large weights, added to the loss to reduce overfitting.

Training minimizes the objective  L + sum over the weights of penalty(w). Biases and the parameters of batch normalization
have no penalty. ``fit(regularizer=...)`` sets the penalty for all layers; a layer's own regularizer replaces it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from pellucid.core.checks import instance_of, number_between, one_of
from pellucid.core.shapes import Array


class Regularizer(ABC):
    """The interface: the penalty of an array of weights, and its gradient."""

    @abstractmethod
    def penalty(self, w: Array) -> float:
        """The penalty of these weights: what is added to the loss."""

    @abstractmethod
    def gradient(self, w: Array) -> Array:
        """d penalty / dw, in the shape of ``w``."""

    def __add__(self, other: Regularizer) -> Regularizer:
        """Both penalties together: ``L1(1e-5) + L2(1e-4)``."""
        if not isinstance(other, Regularizer):
            return NotImplemented
        return Sum(self, other)


@dataclass(frozen=True)
class L1(Regularizer):
    """penalty = strength * sum |w|; gradient = strength * sign(w), 0 at 0. Drives small weights to zero (Lasso)."""

    strength: float

    def __post_init__(self) -> None:
        number_between(self.strength, "L1(strength)", 0.0)

    def penalty(self, w: Array) -> float:
        return self.strength * float(np.abs(w).sum(dtype=np.float64))

    def gradient(self, w: Array) -> Array:
        return self.strength * np.sign(w)


@dataclass(frozen=True)
class L2(Regularizer):
    """penalty = strength * sum w^2; gradient = 2 * strength * w. There is no factor 1/2 (as in Keras)."""

    strength: float

    def __post_init__(self) -> None:
        number_between(self.strength, "L2(strength)", 0.0)

    def penalty(self, w: Array) -> float:
        wide = w.astype(np.float64).ravel()
        return self.strength * float(wide @ wide)

    def gradient(self, w: Array) -> Array:
        return (2 * self.strength) * w


@dataclass(frozen=True)
class Sum(Regularizer):
    """Two penalties together (elastic net, for L1 and L2)."""

    first: Regularizer
    second: Regularizer

    def __post_init__(self) -> None:
        instance_of(self.first, Regularizer, "Sum(first)")
        instance_of(self.second, Regularizer, "Sum(second)")

    def penalty(self, w: Array) -> float:
        return self.first.penalty(w) + self.second.penalty(w)

    def gradient(self, w: Array) -> Array:
        return self.first.gradient(w) + self.second.gradient(w)


REGULARIZERS: dict[str, Regularizer] = {"l1": L1(0.01), "l2": L2(0.01), "l1_l2": L1(0.01) + L2(0.01)}  # as in Keras


def regularizer(choice: str | Regularizer | None) -> Regularizer | None:
    """The regularizer of that name, with a strength of 0.01, or the given one itself."""
    if isinstance(choice, str):
        return REGULARIZERS[one_of(choice, REGULARIZERS, "regularizer")]
    if choice is not None:
        instance_of(choice, Regularizer, "regularizer")
    return choice
