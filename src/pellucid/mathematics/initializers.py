"""Initializers: how the parameters are drawn before the first step.

A layer keeps the variance of its signal when the variance of its weights is about 1 / fan. Three published scales:

    he      variance = 2 / fan_in                (He et al. 2015; for ReLU and its variants)
    glorot  variance = 2 / (fan_in + fan_out)    (Glorot and Bengio 2010; for tanh, sigmoid, identity)
    lecun   variance = 1 / fan_in                (LeCun et al. 1998; for SELU)

each as a normal (not truncated; std = sqrt(variance)) or a uniform distribution (on +- sqrt(3 variance)). For a weight of
shape (D, U), fan_in = D and fan_out = U; for a kernel (h, w, C, U), h w C and h w U. Random numbers come from
`pellucid.core.random`: the same key gives the same numbers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from pellucid.core import random
from pellucid.core.checks import number_between, one_of
from pellucid.core.errors import ArgumentError
from pellucid.core.shapes import Array, Shape, size_of


class Initializer(ABC):
    """The interface: draw an array in float64."""

    @abstractmethod
    def draw(self, shape: Shape, key: random.Key) -> Array:
        """An array of this shape; a pure function of (shape, key)."""


@dataclass(frozen=True)
class VarianceScaling(Initializer):
    """variance = scale / fan, with fan one of ``fan_in`` (D) and ``fan_average`` ((D + U) / 2)."""

    scale: float
    fan: str
    distribution: str

    def __post_init__(self) -> None:
        number_between(self.scale, "VarianceScaling(scale)", 0.0, open_low=True)
        one_of(self.fan, ("fan_in", "fan_average"), "fan")
        one_of(self.distribution, ("normal", "uniform"), "distribution")

    def draw(self, shape: Shape, key: random.Key) -> Array:
        fan_in, fan_out = size_of(shape[:-1]), size_of(shape[:-2]) * shape[-1]
        fan = fan_in if self.fan == "fan_in" else (fan_in + fan_out) / 2
        std = np.sqrt(self.scale / fan)
        if self.distribution == "normal":
            return std * random.normal(key, shape)
        return np.sqrt(3.0) * std * (2.0 * random.uniform(key, shape) - 1.0)


@dataclass(frozen=True)
class Constant(Initializer):
    """Every element is ``value``."""

    value: float = 0.0

    def __post_init__(self) -> None:
        number_between(self.value, "Constant(value)", -1e30, 1e30)

    def draw(self, shape: Shape, key: random.Key) -> Array:
        return np.full(shape, self.value, dtype=np.float64)


@dataclass(frozen=True)
class Normal(Initializer):
    """Normal numbers with this mean and standard deviation, whatever the shape."""

    mean: float = 0.0
    std: float = 1.0

    def __post_init__(self) -> None:
        number_between(self.mean, "Normal(mean)", -1e30, 1e30)
        number_between(self.std, "Normal(std)", 0.0, 1e30)

    def draw(self, shape: Shape, key: random.Key) -> Array:
        return self.mean + self.std * random.normal(key, shape)


@dataclass(frozen=True)
class RandomSigns(Initializer):
    """Every element is +1 or -1, each with probability 1/2."""

    def draw(self, shape: Shape, key: random.Key) -> Array:
        return np.where(random.uniform(key, shape) < 0.5, -1.0, 1.0)


@dataclass(frozen=True)
class Orthogonal(Initializer):
    """A matrix with orthonormal columns (or rows, when there are fewer rows), times ``gain`` (Saxe et al. 2014).

    Q of the QR decomposition of a normal matrix, with the signs of R's diagonal moved into it so that Q is uniform.
    """

    gain: float = 1.0

    def __post_init__(self) -> None:
        number_between(self.gain, "Orthogonal(gain)", 0.0, open_low=True)

    def draw(self, shape: Shape, key: random.Key) -> Array:
        rows, columns = size_of(shape[:-1]), shape[-1]
        tall = random.normal(key, (max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(tall)
        q = q * np.sign(np.diag(r))
        return self.gain * (q if rows >= columns else q.T).reshape(shape)


INITIALIZERS: dict[str, Initializer] = {
    "he_normal": VarianceScaling(2.0, "fan_in", "normal"),
    "he_uniform": VarianceScaling(2.0, "fan_in", "uniform"),
    "glorot_normal": VarianceScaling(1.0, "fan_average", "normal"),
    "glorot_uniform": VarianceScaling(1.0, "fan_average", "uniform"),
    "lecun_normal": VarianceScaling(1.0, "fan_in", "normal"),
    "lecun_uniform": VarianceScaling(1.0, "fan_in", "uniform"),
    "orthogonal": Orthogonal(),
    "random_signs": RandomSigns(),
    "zeros": Constant(0.0),
    "ones": Constant(1.0),
}


def initializer(choice: str | Initializer) -> Initializer:
    """The initializer of that name, or the given one itself; for an unknown name an `ArgumentError` with the known ones."""
    if isinstance(choice, Initializer):
        return choice
    if isinstance(choice, str):
        return INITIALIZERS[one_of(choice, list(INITIALIZERS), "initializer")]
    raise ArgumentError(f"an initializer is a name or an Initializer, not {choice!r}.")
