"""The input layer: what a sample looks like, and how pixels become numbers."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from pellucid.core.checks import as_numbers, positive_integer
from pellucid.core.errors import ArgumentError, ShapeError
from pellucid.core.shapes import AnyArray, Array, Shape, batch_letters, describe, size_of
from pellucid.nn.layers.base import Context, Gradients, Layer, Named

MAX_VALUES = 1 << 28


class InputCache(NamedTuple):
    scale: float


@dataclass(frozen=True, init=False)
class Input(Layer):
    """``Input(28, 28)`` for images, ``Input(4)`` for tables.

    uint8 means pixels: y = x / 255. Floating-point numbers pass unchanged: y = x.
    """

    place = "first"

    shape: Shape

    def __init__(self, *sizes: int, shape: Sequence[int] | None = None) -> None:
        given = tuple(shape) if shape is not None else sizes
        if not given or (shape is not None and sizes):
            raise ArgumentError("Input needs the shape of one sample: Input(28, 28) for images, Input(4) for tables.")
        object.__setattr__(self, "shape", tuple(positive_integer(size, "each size of Input") for size in given))
        if np.prod(self.shape, dtype=np.float64) > MAX_VALUES:
            raise ArgumentError(f"Input{self.shape} has more than {MAX_VALUES:,} values a sample.")

    def output_shape(self, input_shape: Shape) -> Shape:
        return self.shape

    def forward(self, parameters: Named, x: AnyArray, context: Context) -> tuple[Array, InputCache]:
        if x.dtype == np.uint8:
            return np.multiply(x, 1 / 255, dtype=context.dtype, order="C"), InputCache(1 / 255)
        # Sums of NumPy add in the order of memory: one layout for all, so that equal numbers give equal bits.
        y = np.ascontiguousarray(x, context.dtype)
        return y if y.flags.aligned else y.copy(), InputCache(1.0)

    def backward(self, parameters: Named, cache: InputCache, dy: Array) -> tuple[Array, Gradients]:
        """dx = dy / 255 for pixels, dy for numbers."""
        return dy * cache.scale, {}

    def check(self, x: Any, what: str = "x") -> AnyArray:
        """``x`` as an array that `forward` takes, or an error that says what was given, what is expected and what to do."""
        expected = batch_letters(self.shape)
        array = as_numbers(x, what, f"numbers are expected, of the shape {expected}")
        if array.shape == self.shape:
            raise ShapeError(f"{what} is one sample {array.shape}; a batch {expected} is expected: pass {what}[None].")
        if array.shape[1:] != self.shape or array.ndim == 0:
            raise ShapeError(f"{what} has the shape {array.shape}; the network expects {expected}.{self._hint(array)}")
        if len(array) == 0:
            raise ShapeError(f"{what} has no samples: its shape is {array.shape}.")
        if array.dtype == np.uint8:
            return array
        if array.dtype == np.bool_ or np.issubdtype(array.dtype, np.integer):
            if len(self.shape) > 1:
                raise ShapeError(
                    f"{what} is {describe(array)}; images are uint8 pixels (0 to 255) or floating-point numbers. "
                    f"Convert with {what}.astype('uint8') if they are pixels, or divide by their largest value."
                )
            return array.astype(np.float64)
        bad = first_non_finite(array)
        if bad is not None:
            column = _column(x, array[bad]) if array.ndim == 2 else ""
            raise ShapeError(
                f"{what}[{bad}] holds NaN or infinity, or a number beyond float32{column}; remove or fill in such samples "
                "first."
            )
        return array

    def warn_about_scale(self, x: AnyArray) -> None:
        """Warn where training would silently fail: numbers that are not scaled, or bytes that are not pixels.

        Looks at the first samples only. uint8 up to 15 is hardly pixels; numbers beyond 100 are not scaled.
        """
        largest = float(np.abs(x[:4096]).max(initial=0))
        if x.dtype == np.uint8 and 0 < largest <= 15:
            what = f"x is uint8, so it is read as pixels and divided by 255, but its largest value is {largest:g}"
            warnings.warn(f"{what}. If these are not pixels, pass x.astype('float32').", stacklevel=4)
        elif x.dtype != np.uint8 and largest > 100:
            of_images, of_tables = "pass pixels as uint8, which are divided by 255", "standardise each column"
            how = of_images if len(self.shape) > 1 else f"{of_tables}, as Rescale.fit(x) after Input does"
            what = f"x holds numbers as large as {largest:g}; networks learn from numbers of about 1"
            warnings.warn(f"{what}. To scale them, {how}.", stacklevel=4)

    def _hint(self, array: AnyArray) -> str:
        """How to bring it into the form of a batch, where that leaves every number at its place in the sample."""
        given, wanted, values = array.shape[1:], self.shape, size_of(self.shape)
        order = axes_for(given, wanted)
        if order is not None:
            other = f", or begin the network with Input{given}" if given[-1] == wanted[-1] else ""
            return f" Its axes have another order: use {_call('x.transpose', 0, *(axis + 1 for axis in order))}{other}."
        order = axes_for(array.shape, wanted)
        if order is not None:
            return f" One sample is {_call('x.transpose', *order)}[None]."
        order = axes_for(array.shape[:-1], wanted)
        if order is not None:
            return f" The samples lie along its last axis: use {_call('x.transpose', array.ndim - 1, *order)}."
        if array.ndim > 1 and array.size and size_of(given) == values:
            return self._hint_to_reshape(given)
        if _are_parts(array.shape, wanted):
            return f" One sample is {_call('x.reshape', 1, *wanted)}."
        return ""

    def _hint_to_reshape(self, given: Shape) -> str:
        use = _call("x.reshape", -1, *self.shape)
        if len(given) == 1 and len(self.shape) == 3 and self.shape[2] > 1:
            height, width, channels = self.shape
            planes = f"{_call('x.reshape', -1, channels, height, width)}.transpose(0, 2, 3, 1)"
            return f" Use {use} if the channels of a pixel stand together, or {planes} if each channel stands by itself."
        return f" Use {use}." if _are_parts(given, self.shape) else ""


def axes_for(shape: Shape, wanted: Shape) -> tuple[int, ...] | None:
    """The transposition that gives an array of this shape the ``wanted`` one; None if there is none.

    Channels first become channels last, also where a picture is as wide as it has channels. Otherwise axes of the same size
    stay in their order, such as height before width.
    """
    if (*shape[1:], *shape[:1]) == wanted != shape:
        return (*range(1, len(shape)), 0)
    if sorted(shape) != sorted(wanted):
        return None
    left = list(range(len(shape)))
    return tuple(left.pop([shape[axis] for axis in left].index(size)) for size in wanted)


def _are_parts(shape: Shape, wanted: Shape) -> bool:
    """Whether one shape only cuts the axes of the other into parts, so that `reshape` leaves neighbours together."""
    bounds = [{size_of(sizes[:end]) for end in range(1, len(sizes) + 1)} | {1} for sizes in (shape, wanted)]
    return size_of(shape) == size_of(wanted) and (bounds[0] <= bounds[1] or bounds[0] >= bounds[1])


def _call(name: str, *numbers: int) -> str:
    return f"{name}({', '.join(map(str, numbers))})"


def _column(table: Any, sample: Array) -> str:
    """The first column of a sample that is not finite in float32, in brackets: its name, or its number if it has none."""
    with np.errstate(over="ignore"):
        number = int(np.argmin(np.isfinite(sample.astype(np.float32))))
    names = getattr(table, "columns", None)
    return f" (column {number if names is None else repr(str(names[number]))})"


def first_non_finite(array: Array) -> int | None:
    """The index of the first sample with a number that is not finite in float32, or None; in blocks, to save memory."""
    for start in range(0, len(array), 4096):
        block = array[start : start + 4096]
        with np.errstate(over="ignore"):
            finite = np.isfinite(block.astype(np.float32, copy=False))
        if not finite.all():
            return start + int(np.argmin(finite.reshape(len(block), -1).all(axis=1)))
    return None
