"""The numbers of a trace, and their comparison with the expected ones."""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Iterable
from typing import Any

LIMIT = 1e-11  # rounding errors are about 1e-15
TINY = 1e-300  # numbers near the smallest one, 5e-324, have few digits: errors are measured against at least this

Record = dict[str, Any]
Shape = tuple[int, ...]
Sized = tuple[float, float]  # a number, and the size against which its error is measured


class Numbers:
    """An array: its shape, and its numbers row by row."""

    def __init__(self, shape: Shape, flat: list[float]) -> None:
        self.shape, self.flat = shape, flat

    @property
    def last(self) -> int:
        return self.shape[-1] if self.shape else 1

    def rows(self) -> list[list[float]]:
        """The numbers of each index of the first axis: the samples of a batch."""
        size = len(self.flat) // (self.shape[0] or 1)
        return [self.flat[start : start + size] for start in range(0, len(self.flat), size)]

    def features(self) -> list[list[float]]:
        """The numbers of each index of the last axis."""
        return [self.flat[c :: self.last] for c in range(self.last)]


def numbers(written: Any) -> Numbers:
    """An array, written as nested lists or packed in base64: at least one number, and all finite."""
    if isinstance(written, dict):
        return unpacked(written["shape"], base64.b64decode(written["float64"], validate=True))
    if not isinstance(written, list):
        if type(written) not in (int, float) or not math.isfinite(written):
            raise ValueError(f"a finite number is expected, not {written!r:.60}")
        return Numbers((), [float(written)])
    parts = [numbers(item) for item in written]
    if len({part.shape for part in parts}) != 1:
        raise ValueError("rows of different lengths, or none")
    return Numbers((len(parts), *parts[0].shape), [number for part in parts for number in part.flat])


def unpacked(shape: Any, raw: bytes) -> Numbers:
    """An array from its bytes."""
    if not isinstance(shape, list) or not all(type(size) is int and size > 0 for size in shape):
        raise ValueError(f"a shape of whole numbers from 1 is expected, not {shape!r:.60}")
    if 8 * math.prod(shape) != len(raw):
        raise ValueError(f"{len(raw)} packed bytes do not fill the shape {tuple(shape)}")
    flat = list(struct.unpack(f"<{len(raw) // 8}d", raw))
    if not all(map(math.isfinite, flat)):
        raise ValueError("packed numbers that are not finite")
    return Numbers(tuple(shape), flat)


class Checker:
    """Compares numbers, counts them, and collects the faults."""

    def __init__(self) -> None:
        self.count = 0
        self.worst = (0.0, "nothing")
        self.faults: list[str] = []
        self.done: set[str] = set()

    def compare(self, path: str, written: Any, expected: Iterable[Sized]) -> None:
        """Compare an array, or one number, with the expected ones, in the order in which they are written."""
        self.done.add(path)
        found, wanted = numbers(written).flat, list(expected)
        if len(found) != len(wanted):
            self.faults.append(f"{path} has {len(found)} numbers, {len(wanted)} are expected")
            return
        self.count += len(found)
        errors = [difference(a, value, size) for a, (value, size) in zip(found, wanted, strict=True)]
        if not errors:
            return
        at = max(range(len(errors)), key=errors.__getitem__)
        self.worst = max(self.worst, (errors[at], path))
        if errors[at] > LIMIT:
            self.faults.append(f"{path}, number {at}: {found[at]!r} is written, {wanted[at][0]!r} is right")

    def same(self, path: str, written: Any, source: Any, origin: str) -> None:
        """Check that an array equals ``source``; only the shape may differ."""
        self.done.add(path)
        found, wanted = numbers(written).flat, numbers(source).flat
        self.count += len(found)
        if found != wanted:
            self.faults.append(f"{path} is not {origin}")


def difference(found: float, value: float, size: float) -> float:
    """0 for equal numbers, else their difference divided by the size; infinite if the right number is not finite."""
    if found == value:
        return 0.0
    scale = max(abs(value), size, TINY)
    return abs(found - value) / scale if math.isfinite(scale) else math.inf


def total(terms: Iterable[float], divisor: float = 1.0) -> Sized:
    """A sum (or a mean), and that of the magnitudes of its terms."""
    terms = list(terms)
    return math.fsum(terms) / divisor, math.fsum(map(abs, terms)) / divisor


def exact(values: Iterable[float]) -> list[Sized]:
    """Numbers whose errors are measured against themselves."""
    return [(value, abs(value)) for value in values]
