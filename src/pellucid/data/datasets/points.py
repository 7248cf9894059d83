"""Points in the plane, on which one can watch how a decision boundary is learned.

Each set is a function of (samples, seed): coordinates in about [-1, 1], the classes in turn. ``noise`` is the standard
deviation of the Gaussian noise that is added to each coordinate.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.core.random import key, normal, uniform
from pellucid.core.shapes import Array

Float32 = NDArray[np.float32]

LETTERS = ("A", "B", "C", "D")  # the names of classes
EXTENT = 1.3  # half the side of the square that is shown
TURNS = 1.5  # of each spiral
_PURPOSE = 0x504F494E  # keeps these random numbers apart from those of a training with the same seed


@dataclass(frozen=True)
class Points:
    """x (N, 2) float32 and class numbers y (N,); ``labels`` names the classes."""

    x: Float32
    y: NDArray[np.int64]
    labels: tuple[str, ...]

    @property
    def extent(self) -> float:
        """Half the side of the square around the origin that shows them all."""
        return max(EXTENT, math.ceil(10 * float(np.abs(self.x).max(initial=0.0))) / 10)


def circles(y: NDArray[np.int64], u: Array) -> Array:
    """A disc, and a ring around it."""
    radius = np.where(y == 0, 0.5 * np.sqrt(u[0]), 0.75 + 0.25 * u[0])
    return _at(radius, 2 * np.pi * u[1])


def moons(y: NDArray[np.int64], u: Array) -> Array:
    """Two half circles that reach into each other."""
    side = np.where(y == 0, -0.5, 0.5)
    return (_at(np.ones(len(y)), np.pi * (u[0] + y)) + np.stack([side, side / 2], axis=1)) / 1.5


def spirals(y: NDArray[np.int64], u: Array) -> Array:
    """Two arms from the middle outwards, of `TURNS` turns each."""
    return _at(0.05 + 0.95 * u[0], 2 * np.pi * TURNS * u[0] + np.pi * y)


def blobs(y: NDArray[np.int64], u: Array) -> Array:
    """Three Gaussian clusters."""
    spread = np.sqrt(-2 * np.log(1 - u[0]))  # the radius of a normal distribution in the plane
    return _at(np.full(len(y), 0.65), np.pi / 2 + 2 * np.pi * y / 3) + 0.12 * _at(spread, 2 * np.pi * u[1])


def xor(y: NDArray[np.int64], u: Array) -> Array:
    """The four quadrants: one class where both coordinates have the same sign, the other elsewhere."""
    across = np.where(u[0] < 0.5, -1, 1) * (0.06 + 0.94 * np.abs(2 * u[0] - 1))
    side = np.where(y == 0, np.sign(across), -np.sign(across))
    return np.stack([across, side * (0.06 + 0.94 * u[1])], axis=1)


SETS: dict[str, tuple[Callable[[NDArray[np.int64], Array], Array], int]] = {
    "circles": (circles, 2),
    "moons": (moons, 2),
    "spirals": (spirals, 2),
    "blobs": (blobs, 3),
    "xor": (xor, 2),
}


def generated(name: str, samples: int, noise: float, seed: int) -> Points:
    """The set of this name."""
    place, classes = SETS[name]
    y = np.arange(samples) % classes
    x = place(y, uniform(key(seed, _PURPOSE, 0), (2, samples)))
    x = x + noise * normal(key(seed, _PURPOSE, 1), (samples, 2))
    return Points(x.astype(np.float32), y, LETTERS[:classes])


def drawn(points: Sequence[tuple[float, float, int]]) -> Points:
    """Points that the user drew: x1, x2 and class."""
    x = np.array([point[:2] for point in points], np.float32).reshape(-1, 2)
    y = np.array([point[2] for point in points], np.int64)
    return Points(x, y, LETTERS[: max(2, int(y.max(initial=0)) + 1)])


def _at(radius: Array, angle: Array) -> Array:
    """(N, 2): from polar coordinates."""
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
