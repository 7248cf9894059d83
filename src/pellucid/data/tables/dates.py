"""Dates in cells: one order of day, month and year for a whole column, proven by a day above 12."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
from numpy.typing import NDArray

from pellucid.data.tables.cell_texts import CellTexts, _native
from pellucid.data.tables.cells import EMPTY, OTHER, look_at_others

ORDERS_OF_DIGITS = ("ymd", "dmy", "mdy")  # native/tables/cells.hpp: DateOrder
ORDERS = (*ORDERS_OF_DIGITS, "d month y", "month d y")
NAMES = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
MONTHS = {name[:length]: k for k, name in enumerate(NAMES, 1) for length in (3, 4, len(name))}
TIME = (
    r"(?:[T ](?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?"
    r"(?: ?(?P<zone>Z|UTC|[+-](?:0\d|1[0-4]):?[0-5]\d))?)?"
)
NAMED_MONTH = r"(?P<name>[A-Za-z]{3,9})\.?"
PATTERNS = {
    "ymd": r"(?P<y>\d{4})(?P<s>[-/.])(?P<m>\d{1,2})(?P=s)(?P<d>\d{1,2})",
    "dmy": r"(?P<d>\d{1,2})(?P<s>[-/.])(?P<m>\d{1,2})(?P=s)(?P<y>\d{4})",
    "mdy": r"(?P<m>\d{1,2})(?P<s>[-/])(?P<d>\d{1,2})(?P=s)(?P<y>\d{4})",  # with points the day is first everywhere
    "d month y": rf"(?P<d>\d{{1,2}})[ -]{NAMED_MONTH}[ -](?P<y>\d{{4}})",
    "month d y": rf"{NAMED_MONTH} (?P<d>\d{{1,2}}),? (?P<y>\d{{4}})",
}
MAYBE_A_DATE = re.compile(r".{0,15}\d{4}.*", re.ASCII)


@cache
def _pattern(order: str) -> re.Pattern[str]:
    return re.compile(PATTERNS[order] + TIME, re.ASCII)


def orders_of(text: str) -> list[str]:
    """The orders in which a text is a date."""
    if not MAYBE_A_DATE.fullmatch(text):
        return []
    return [order for order in ORDERS if date_of(text, order) is not None]


def date_of(text: str, order: str) -> datetime | None:
    """The date and time, without a zone in UTC, that a text is in this order; None if it is none."""
    match = _pattern(order).fullmatch(text)
    if match is None:
        return None
    part = match.groupdict()
    month = part.get("m") or _month(part["name"])
    if month is None:
        return None
    hour, minute, second = (int(part[name] or 0) for name in ("hour", "minute", "second"))
    if part["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if part["half"] in "pP" else 0)
    microsecond = int((part["fraction"] or "").ljust(6, "0")[:6])
    try:
        date = datetime(int(part["y"]), int(month), int(part["d"]), hour, minute, second, microsecond, tzinfo=UTC)
        return date - _offset(part["zone"])
    except (ValueError, OverflowError):
        return None


def _month(name: str) -> int | None:
    """The number of a month by its English name, whole or its beginning."""
    return MONTHS.get(name.casefold())


def _offset(zone: str | None) -> timedelta:
    """How far a zone such as +01:00 is before UTC."""
    if zone in (None, "Z", "UTC"):
        return timedelta()
    minutes = int(zone[1:3]) * 60 + int(zone[-2:])
    return timedelta(minutes=-minutes if zone[0] == "-" else minutes)


def read_dates(cells: CellTexts, order: str) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Seconds since 1970 of cells (n,) that are dates of digits, NaN for the others; and what each cell is: ``WHOLE``,
    ``EMPTY``, or ``OTHER``, which must be looked at by itself and may still be a date."""
    values, kinds = np.full(len(cells), math.nan), np.full(len(cells), OTHER, np.uint8)
    if _native is not None and order in ORDERS_OF_DIGITS:
        _native.read_dates(cells.content, cells.begins, cells.ends, ORDERS_OF_DIGITS.index(order), values, kinds)
    kinds[cells.are_empty] = EMPTY
    return values, kinds


def parse_dates(cells: Sequence[str], order: str) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Seconds since 1970 of cells (n,), NaN where there are none; which are missing; which are refused, being no date."""

    def seconds(text: str) -> float | None:
        date = date_of(text, order)
        return None if date is None else date.timestamp()

    texts = CellTexts.of(cells)
    return look_at_others(texts, *read_dates(texts, order), seconds)
