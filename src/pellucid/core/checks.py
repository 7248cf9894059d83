"""Checks of what a page sends, as JSON or in an address: each gives the value as it is meant, or raises an `ArgumentError`
that names it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection
from typing import Any

from pellucid.core.errors import ArgumentError
from pellucid.core.shapes import number_between, one_of

Check = Callable[[Any, str], Any]

LONGEST = 60  # of a value that is repeated in an error


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
    """The whole number in [low, high] that a part of an address spells."""
    if not re.fullmatch(r"[0-9]{1,10}", text) or not low <= int(text) <= high:
        raise ArgumentError(f"{name} is a whole number from {low} to {high}, not {text[:40]!r}.")
    return int(text)


def number_in_words(text: str, name: str) -> float:
    """The finite number that a part of an address spells."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ArgumentError(f"{name} is a number, not {text[:40]!r}.")
    return value


def short(value: Any) -> str:
    """A value as an error repeats it."""
    text = repr(value) if not isinstance(value, int) or abs(value) < 10**LONGEST else "a number of many digits"
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
