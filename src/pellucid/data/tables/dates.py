"""Dates in cells: one order of day, month and year for a whole column, proven by a day above 12. A year of two digits lies
between 1969 and 2068, as in POSIX; that it is the year and no day must be proven too."""

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
YEAR_FIRST = "yy m d"  # is never read; where it may be meant, the column asks
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
    "dmy": r"(?P<d>\d{1,2})(?P<s>[-/.])(?P<m>\d{1,2})(?P=s)(?P<y>\d{4}|\d{2})",
    "mdy": r"(?P<m>\d{1,2})(?P<s>[-/])(?P<d>\d{1,2})(?P=s)(?P<y>\d{4}|\d{2})",  # with points the day is first everywhere
    "d month y": rf"(?P<d>\d{{1,2}})[ -]{NAMED_MONTH}[ -](?P<y>\d{{4}}|\d{{2}})",
    "month d y": rf"{NAMED_MONTH} (?P<d>\d{{1,2}}),? (?P<y>\d{{4}})",
    YEAR_FIRST: r"(?P<y>\d{2})(?P<s>[-/.])(?P<m>\d{1,2})(?P=s)(?P<d>\d{1,2})",
}
SHORT_YEAR = re.compile(r"\d{1,2}([-/.])\d{1,2}\1\d{2}(?!\d).*", re.ASCII)
MAYBE_A_DATE = re.compile(r"(?:.{0,15}\d{4}|\d{1,2}[-/. ]\w{1,9}\.?[-/. ]\d{2}).*", re.ASCII)
LATEST_YEAR = 68  # of two digits in this century; from 69 on it is of the last one


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
    if month is None or _is_like_a_version(part):
        return None
    hour, minute, second = (int(part[name] or 0) for name in ("hour", "minute", "second"))
    if part["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if part["half"] in "pP" else 0)
    microsecond = int((part["fraction"] or "").ljust(6, "0")[:6])
    try:
        date = datetime(_year(part["y"]), int(month), int(part["d"]), hour, minute, second, microsecond, tzinfo=UTC)
        return date - _offset(part["zone"])
    except (ValueError, OverflowError):
        return None


def has_doubtful_year(text: str) -> tuple[bool, bool]:
    """Whether a date has a year of two digits; and whether it would also be a date if the year were first (24.12.31)."""
    is_short = SHORT_YEAR.fullmatch(text) is not None
    return is_short, is_short and date_of(text, YEAR_FIRST) is not None


def _year(digits: str) -> int:
    year = int(digits)
    return year if len(digits) == 4 else year + (2000 if year <= LATEST_YEAR else 1900)


def _is_like_a_version(part: dict[str, str]) -> bool:
    """Whether it is written as 1.10.45: with a year of two digits, day and month have two each, but between slashes."""
    return len(part["y"]) == 2 and part.get("s") in (".", "-") and len(part["d"] + part["m"]) < 4


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
