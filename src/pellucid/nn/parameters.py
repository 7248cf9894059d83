"""Parameters: one flat vector, with a named, shaped view for each array in it.

Gradients and the optimizer's slots have the same layout, so an update is a few operations on long vectors, and a
checkpoint is a handful of vectors.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from pellucid.core.checks import as_numbers, one_of
from pellucid.core.errors import ShapeError
from pellucid.core.shapes import Array, size_of
from pellucid.nn.layers.base import ParameterSpec


@dataclass(frozen=True)
class Slot:
    """Where one array lies in the flat vector."""

    spec: ParameterSpec
    start: int
    stop: int


class Layout:
    """Where each array of a network lies in the flat vector: full name ("dense_1.weight") -> `Slot`."""

    def __init__(self, specs: Sequence[tuple[str, ParameterSpec]]) -> None:
        self.slots: dict[str, Slot] = {}
        start = 0
        for name, spec in specs:
            self.slots[name] = Slot(spec, start, start + size_of(spec.shape))
            start = self.slots[name].stop
        self.size = start

    def view(self, vector: Array, name: str) -> Array:
        """The named array as a view into ``vector`` (P,)."""
        slot = self.slots[name]
        return vector[slot.start : slot.stop].reshape(slot.spec.shape)


class Parameters(Mapping[str, Array]):
    """A mapping from name to array, in layer order, over one flat ``vector`` (P,).

    The arrays are views: changing one in place changes the network. ``parameters[name] = array`` copies into it, and
    raises `ShapeError` when the shape differs or a number is not finite.
    """

    def __init__(self, layout: Layout, dtype: DTypeLike) -> None:
        self.layout = layout
        self.refresh: Callable[[], None] | None = None
        self.times_given = 0  # how often somebody has asked for the vector, or a view of it, and so may have changed it
        self._vector: Array = np.zeros(layout.size, dtype=dtype)

    @property
    def vector(self) -> Array:
        """All numbers (P,), up to date: an executor that keeps them elsewhere sets ``refresh``, which is called first."""
        refresh = self.refresh
        if refresh is not None:
            refresh()
        self.times_given += 1
        return self._vector

    def references(self) -> int:
        """How many objects hold the vector; each view of it is one. `ALONE` if there is only this one."""
        return sys.getrefcount(self._vector)

    def __getstate__(self) -> dict[str, Any]:
        return {"layout": self.layout, "refresh": None, "times_given": 0, "_vector": self.vector}

    def __getitem__(self, name: str) -> Array:
        return self.layout.view(self.vector, one_of(name, list(self.layout.slots), "parameter"))

    def __setitem__(self, name: str, values: ArrayLike) -> None:
        view = self[name]
        given = as_numbers(values, name, f"numbers are expected, of the shape {view.shape}")
        if given.shape != view.shape:
            raise ShapeError(f"{name} has the shape {view.shape}; the given array has {given.shape}.")
        with np.errstate(over="ignore"):
            array = given.astype(view.dtype)
        minimum = self.layout.slots[name].spec.minimum
        if not np.isfinite(array).all():
            raise ShapeError(f"{name} can only hold finite {view.dtype} numbers; the given array has others.")
        if minimum is not None and (array < minimum).any():
            raise ShapeError(f"{name} can only hold numbers of at least {minimum:g}; the given array has {array.min():g}.")
        view[...] = array

    def __contains__(self, name: object) -> bool:
        return name in self.layout.slots

    def __iter__(self) -> Iterator[str]:
        return iter(self.layout.slots)

    def __len__(self) -> int:
        return len(self.layout.slots)

    def __repr__(self) -> str:
        rows = "\n".join(f"  {name}  {slot.spec.shape}" for name, slot in self.layout.slots.items())
        return f"{self.layout.size:,} numbers ({self.vector.dtype}) in {len(self)} arrays\n{rows}"


ALONE = Parameters(Layout([]), np.float32).references()
