"""Random numbers as functions: each depends on where it is used, never on what was drawn before.

A `Key` is 64 bits folded from (seed, purpose, step, layer, ...). The number that belongs to element ``i`` under a key is
a hash of the key and ``i``. So a dropout mask or an augmentation can be computed again for any past step, in any order,
on any number of threads, and in any language that has 32-bit integers.

    key     k <- splitmix64(k + part), once for each part of the path
    bits    x <- mix(mix(i * 0x9E3779B1 + low(k)) ^ high(k))
    mix     x ^= x >> 16;  x *= 0x21F0AAAD;  x ^= x >> 15;  x *= 0xD35A2D97;  x ^= x >> 15

Sources: splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014); the constants of
``mix`` are those found by C. Wellons' search for low-bias 32-bit integer hashes.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NewType

import numpy as np
from numpy.typing import DTypeLike, NDArray

from pellucid.core.shapes import size_of

Key = NewType("Key", int)

_MASK64 = (1 << 64) - 1


class Purpose(IntEnum):
    """What random numbers are used for: the first part of every path, so that no two uses share numbers."""

    INITIALIZE = 1
    SHUFFLE = 2
    SPLIT = 3
    DROPOUT = 4
    AUGMENT = 5
    GRADCHECK = 6
    BOOTSTRAP = 7
    PERMUTE = 8


def _splitmix64(value: int) -> int:
    value = (value + 0x9E3779B97F4A7C15) & _MASK64
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK64
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK64
    return value ^ (value >> 31)


def key(seed: int, *path: int) -> Key:
    """The key of a path: ``key(seed, Purpose.DROPOUT, step, layer)``."""
    value = _splitmix64(seed & _MASK64)
    for part in path:
        value = _splitmix64((value + part) & _MASK64)
    return Key(value)


def _mix(x: NDArray[np.uint32]) -> None:
    """Scramble in place: every input bit flips every output bit about half of the time."""
    shifted = x >> np.uint32(16)
    x ^= shifted
    x *= np.uint32(0x21F0AAAD)
    np.right_shift(x, np.uint32(15), out=shifted)
    x ^= shifted
    x *= np.uint32(0xD35A2D97)
    np.right_shift(x, np.uint32(15), out=shifted)
    x ^= shifted


def bits(key: Key, count: int) -> NDArray[np.uint32]:
    """32 random bits for each of the elements 0 .. count-1."""
    x = np.arange(count, dtype=np.uint32)
    x *= np.uint32(0x9E3779B1)
    x += np.uint32(key & 0xFFFFFFFF)
    _mix(x)
    x ^= np.uint32(key >> 32)
    _mix(x)
    return x


def uniform(key: Key, shape: tuple[int, ...], dtype: DTypeLike = np.float64) -> NDArray[np.floating]:
    """Uniform numbers in [0, 1) with 24 random bits, exact in float32 and float64 alike."""
    values = (bits(key, size_of(shape)) >> np.uint32(8)).astype(dtype)
    values *= values.dtype.type(2.0**-24)
    return values.reshape(shape)


def normal(key: Key, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Standard normal numbers in float64, by the Box-Muller transform of two uniform ones."""
    pairs = (uniform(key, (2, size_of(shape))) + 2.0**-25).astype(np.float64)
    radius: NDArray[np.float64] = np.sqrt(-2.0 * np.log(pairs[0]))
    return (radius * np.cos(2.0 * np.pi * pairs[1])).reshape(shape)


def permutation(key: Key, count: int) -> NDArray[np.int64]:
    """An order of 0 .. count-1: the elements sorted by their 32 random bits, equal bits by index."""
    pairs = bits(key, count).astype(np.uint64) << np.uint64(32)  # bits above, index below: integers sort fast
    pairs |= np.arange(count, dtype=np.uint64)
    pairs.sort()
    return (pairs & np.uint64(0xFFFFFFFF)).astype(np.int64)
