"""Checks of arguments: each returns the checked value, or raises an error that names it and says what is expected.

First those of the Python interface; then those of what a page sends, in JSON or in a URL.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

import numpy as np

from pellucid.core.errors import ArgumentError, ShapeError, UnknownNameError
from pellucid.core.shapes import AnyArray, describe

Check = Callable[[Any, str], Any]

LONGEST = 60  # characters of a value in an error message
NUMBERS = (Real, Decimal, np.bool_)  # what an array of objects may hold
MISSING = ("NoneType", "NAType", "NaTType")  # the types of None, and of what pandas writes for a missing value


def as_numbers(values: object, what: str, expected: str) -> AnyArray:
    """``values`` as an array of real numbers, or a `ShapeError` that names ``what`` and says what is ``expected``."""
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise ShapeError(f"{what} has masked values; {expected}: fill them in first.")
    try:
        array = np.asarray(values.to_numpy() if hasattr(values, "to_numpy") else values)
    except (ValueError, TypeError):
        raise ShapeError(f"{what} has rows of different lengths; {expected}.") from None
    if array.dtype == object and array.ndim in (1, 2):
        array = _unpacked(array, getattr(values, "columns", None), what, expected)
    is_real = np.issubdtype(array.dtype, np.number) and not np.iscomplexobj(array)
    if not is_real and array.dtype != np.bool_:
        raise ShapeError(f"{what} is {describe(array)}; {expected}.")
    return array


def _unpacked(array: AnyArray, columns: Any, what: str, expected: str) -> AnyArray:
    """The numbers in an array of objects (N,) or (N, D), which a table with columns of several types gives; ``columns`` are
    its names."""
    kinds = set(map(type, array.flat))
    wrong = {kind for kind in kinds if not issubclass(kind, NUMBERS)}
    if wrong:
        place, value = next((place, value) for place, value in np.ndenumerate(array) if type(value) in wrong)
        where = f"{what}[{', '.join(map(str, place))}]"
        if array.ndim == 2 and columns is not None:
            where = f"{what}[{place[0]}], column {str(columns[place[1]])!r},"
        if type(value).__name__ in MISSING:
            raise ShapeError(f"{where} has no value ({short(value)}); fill it in, or leave out the sample or the column.")
        raise ShapeError(f"{where} is {short(value)}, not a number; {expected}.")
    are_whole = bool not in kinds and all(issubclass(kind, Integral) for kind in kinds)
    try:
        return array.astype(np.int64 if are_whole else np.float64)
    except OverflowError:
        raise ShapeError(f"{what} holds a whole number of too many digits; {expected}.") from None


def plain_list(values: Any) -> Any:
    """An array, an index of pandas or a tuple as a list of plain names and numbers; anything else as it is."""
    given = values.tolist() if hasattr(values, "tolist") else values
    if not isinstance(given, list | tuple):
        return values
    return [item.item() if isinstance(item, np.generic) else item for item in given]


def positive_integer(value: object, what: str) -> int:
    """``value`` as an int of at least 1, or an `ArgumentError` that names ``what``."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ArgumentError(f"{what} must be a whole number of at least 1, not {value!r}.")
    return int(value)


def check_seed(value: object) -> int:
    """``value`` as an int of 64 bits with a sign, or an `ArgumentError`: no two seeds stand for the same chance."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ArgumentError(f"seed must be a whole number, not {value!r}.")
    if not -(1 << 63) <= value < 1 << 63:
        raise ArgumentError(f"seed must be from -2**63 to 2**63 - 1, not {short(int(value))}.")
    return int(value)


def number_between(
    value: object, what: str, low: float, high: float = math.inf, *, open_low: bool = False, open_high: bool = False
) -> float:
    """``value`` as a finite float in [low, high], or an `ArgumentError` that names ``what``; an open end is left out."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise ArgumentError(f"{what} must be a number, not {value!r}.")
    try:
        number = float(value)
    except OverflowError:  # an integer too large for a float
        number = math.inf if value > 0 else -math.inf
    above = number > low if open_low else number >= low
    below = number < high if open_high or high == math.inf else number <= high
    if not (above and below):
        left = "(" if open_low else "["
        right = ")" if open_high or high == math.inf else "]"
        raise ArgumentError(f"{what} must be in {left}{low:g}, {high:g}{right}, not {value!r}.")
    return number


def instance_of(value: object, kind: type, what: str) -> None:
    """Raise an `ArgumentError` that names ``what`` unless ``value`` is a ``kind``."""
    if not isinstance(value, kind):
        is_class = isinstance(value, type) and issubclass(value, kind)
        hint = " Add parentheses: make an object of the class." if is_class else ""
        raise ArgumentError(f"{what} must be of type {kind.__name__}, not {value!r}.{hint}")


def one_of(name: object, names: Collection[str], what: str) -> str:
    """``name`` if it is one of ``names``, else an `UnknownNameError` that suggests one.

    For some kinds of names, such as "activation", it may be a synonym, in any spelling; this gives the one of ``names``.
    """
    if isinstance(name, str) and name in names:
        return name
    from pellucid.core.vocabulary import explained, translated

    ours = translated(name, names, what)
    if ours is None:
        raise UnknownNameError(f"unknown {what} {name!r}{explained(name, names, what)}")
    return ours


def whole(low: int, high: int) -> Check:
    """A whole number in [low, high]."""

    def check(value: Any, name: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ArgumentError(f"{name} must be a whole number from {low:,} to {high:,}, not {short(value)}.")
        return value

    return check


def number(low: float, high: float, *, open_low: bool = False) -> Check:
    """A number in [low, high], or with ``open_low`` in (low, high]."""

    def check(value: Any, name: str) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ArgumentError(f"{name} must be a number, not {short(value)}.")
        if isinstance(value, int) and abs(value) > 10**LONGEST:
            raise ArgumentError(f"{name} must be at most {high:g}, not {short(value)}.")
        return number_between(value, name, low, high, open_low=open_low)

    return check


def name_of(known: Collection[str]) -> Check:
    """One of these names."""

    def check(value: Any, name: str) -> str:
        return one_of(value if isinstance(value, str) and len(value) < LONGEST else short(value), list(known), name)

    return check


def flag(value: Any, name: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise ArgumentError(f"{name} must be true or false, not {short(value)}.")
    return value


def whole_in_words(text: str, name: str, low: int, high: int) -> int:
    """The whole number in [low, high] in a part of a URL."""
    if not re.fullmatch(r"[0-9]{1,10}", text) or not low <= int(text) <= high:
        raise ArgumentError(f"{name} is a whole number from {low} to {high}, not {text[:40]!r}.")
    return int(text)


def number_in_words(text: str, name: str) -> float:
    """The finite number in a part of a URL."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ArgumentError(f"{name} is a number, not {text[:40]!r}.")
    return value


def short(value: Any) -> str:
    """A value, shortened for an error message."""
    text = repr(value) if not isinstance(value, int) or abs(value) < 10**LONGEST else "a number of many digits"
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
