"""The legend of shape letters, and the array types that go with it.

    B  batch (samples)          D  features into a layer      U  units out of a layer
    C  channels                 H  W  height and width        K  classes
    V  values of a regression   P  all parameters             N  samples of a data set

Shapes are written ``(B, D)``. The gradient of the loss with respect to ``x`` is called ``dx`` and has the shape of ``x``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pellucid.core.errors import ArgumentError, ShapeError, UnknownNameError

Array: TypeAlias = NDArray[np.floating[Any]]
AnyArray: TypeAlias = NDArray[Any]
Shape: TypeAlias = tuple[int, ...]


def size_of(shape: Shape) -> int:
    """The number of elements of an array of this shape."""
    return math.prod(shape)


def describe(array: AnyArray) -> str:
    """How an error message names an array: ``float32 (60000, 28, 28)``."""
    return f"{array.dtype} {array.shape}"


def batch_letters(shape: Shape) -> str:
    """The shape of a batch with its first axis as a letter: ``(B, 28, 28)``."""
    return "(" + ", ".join(["B", *map(str, shape)]) + ("," if not shape else "") + ")"


def as_numbers(values: object, what: str, expected: str) -> AnyArray:
    """``values`` as an array of real numbers, or a `ShapeError` that names ``what`` and says what is ``expected``."""
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise ShapeError(f"{what} has masked values; {expected}: fill them in first.")
    try:
        array = np.asarray(values)
    except (ValueError, TypeError):
        raise ShapeError(f"{what} has rows of different lengths; {expected}.") from None
    is_real = np.issubdtype(array.dtype, np.number) and not np.iscomplexobj(array)
    if not is_real and array.dtype != np.bool_:
        raise ShapeError(f"{what} is {describe(array)}; {expected}.")
    return array


def positive_integer(value: object, what: str) -> int:
    """``value`` as an int of at least 1, or an `ArgumentError` that names ``what``."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ArgumentError(f"{what} must be a whole number of at least 1, not {value!r}.")
    return int(value)


def number_between(
    value: object, what: str, low: float, high: float = math.inf, *, open_low: bool = False, open_high: bool = False
) -> float:
    """``value`` as a finite float in [low, high] (or without an end), or an `ArgumentError` that names ``what``."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise ArgumentError(f"{what} must be a number, not {value!r}.")
    try:
        number = float(value)
    except OverflowError:  # a whole number beyond all floats
        number = math.inf if value > 0 else -math.inf
    above = number > low if open_low else number >= low
    below = number < high if open_high or high == math.inf else number <= high
    if not (above and below):
        left = "(" if open_low else "["
        right = ")" if open_high or high == math.inf else "]"
        raise ArgumentError(f"{what} must be in {left}{low:g}, {high:g}{right}, not {value!r}.")
    return number


def instance_of(value: object, kind: type, what: str) -> None:
    """Nothing if ``value`` is a ``kind``, else an `ArgumentError` that names ``what``."""
    if not isinstance(value, kind):
        raise ArgumentError(f"{what} must be of the kind {kind.__name__}, not {value!r}.")


def one_of(name: object, names: Sequence[str], what: str) -> str:
    """``name`` if it is in the closed vocabulary ``names``, else an `UnknownNameError` with the nearest one."""
    if isinstance(name, str) and name in names:
        return name
    from difflib import get_close_matches

    near = get_close_matches(str(name), names, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise UnknownNameError(f"unknown {what} {name!r}; the known ones are {', '.join(names)}.{hint}")
