"""Kinds of columns: what a column holds, why this is believed, what must be asked, and how a target of a kind is read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from pellucid.core.checks import one_of
from pellucid.core.display.text import counted, percent
from pellucid.core.errors import ArgumentError, DataError
from pellucid.data.tables import KINDS
from pellucid.data.tables.cells import FORMATS, PLAIN, UNAFFIXED, NumberFormat
from pellucid.data.tables.columns import CategoryColumn, Column, NumberColumn
from pellucid.data.tables.dates import ORDERS
from pellucid.data.tables.profile import ColumnProfile

DROPPED = ("identifier", "text", "constant")  # columns that nothing is learned from, unless their kind is stated
STATED = "as stated"  # why a column has its kind, if nobody looked at its cells
MOST = 0.9  # of the cells must be numbers for a column of numbers, dates for one of dates
CODES = 0.01  # of the cells begin with a zero, as 02139: then the column holds codes, also where 10115 could be a number
MOST_CLASSES = 20  # a target of whole numbers from 0 or 1 without a gap has classes, if there are no more than this
FEW = 20  # rows; with fewer, that all cells differ says nothing
MOST_CATEGORIES = 1000  # of a column in which most words differ
TEXT_WORDS = 3.5  # words a cell on average, from which on a column of different cells is text
IN_WORDS = {"yes_no": "yes or no", "ordered": "an ordered category", "identifier": "an identifier", "text": "free text"}
IN_WORDS |= {"constant": "constant"} | {kind: f"a {kind}" for kind in ("number", "count", "category", "date")}
YES_NO = tuple(
    frozenset(pair.split())
    for pair in ("0 1", "yes no", "true false", "y n", "t f", "on off", "ja nein", "oui non", "si no", "sí no", "0.0 1.0")
)
NAME_OF_IDENTIFIER = re.compile(
    r"(?i)^(id|uid|uuid|guid|index|key|row|row_?(id|number|num)|unnamed: 0)$|[_ \-.]id$|^id[_ \-.]"
)
NAME_IN_CAPITALS = re.compile(r"[a-z]I[dD]$")  # customerId, PassengerID


@dataclass(frozen=True)
class ColumnKind:
    """A kind, and why; how its cells are read; and a question where that cannot be known.

    levels  of an ordered column, from the lowest to the highest
    """

    kind: str
    why: str
    number_format: NumberFormat = PLAIN
    date_order: str = "ymd"
    levels: tuple[str, ...] = field(default=())
    question: str | None = None

    @property
    def in_words(self) -> str:
        """As in "it is a number"."""
        return IN_WORDS[self.kind]

    @property
    def is_stated(self) -> bool:
        """Whether it was stated, and not decided by the cells."""
        return self.why == STATED

    @property
    def is_dropped(self) -> bool:
        return self.kind in DROPPED


def decide(
    profile: ColumnProfile,
    stated: str | Sequence[str] | None = None,
    *,
    decimal: str | None = None,
    date_order: str | None = None,
) -> ColumnKind:
    """The kind of a column: as ``stated``, a name or the levels of an ordered column; else by what all its cells hold.

    decimal     the decimal sign, "." or ",", where the numbers themselves do not tell
    date_order  "dmy" or "mdy", where no day above 12 tells
    """
    if decimal not in (None, ".", ","):
        raise ArgumentError(f'decimal is "." or ",", not {decimal!r}.')
    if date_order not in (None, "dmy", "mdy"):
        raise ArgumentError(f'date_order is "dmy" or "mdy", not {date_order!r}.')
    if stated is not None:
        return _stated(profile, stated, decimal, date_order)
    distinct, filled = profile.distinct, profile.filled
    if not filled:
        return ColumnKind("constant", "all cells are empty")
    if distinct == 1 and not profile.empty:
        return ColumnKind("constant", "all cells are equal")
    if distinct == 1:
        return ColumnKind("yes_no", f"one value or nothing: {percent(profile.empty / profile.count)} are empty")
    if distinct == 2 and _texts(profile) in YES_NO:
        return ColumnKind("yes_no", f"two values: {' and '.join(sorted(_texts(profile)))}")
    number_format, numbers = _number_format(profile, decimal)
    order, dates = _date_order(profile, date_order)
    understood = filled - profile.marked
    if understood and numbers >= MOST * understood and profile.zero_first < CODES * understood:
        return _of_numbers(profile, number_format, numbers / understood, decimal)
    if understood and dates >= MOST * understood:
        question = None if date_order else _question_of_dates(profile)
        why = f"{percent(dates / understood)} of the cells are dates: {order}"
        why += "; a year of two digits is from 1969 to 2068" if profile.short_years else ""
        return ColumnKind("date", why, date_order=order, question=question)
    return _of_words(profile)


def _of_numbers(profile: ColumnProfile, number_format: NumberFormat, share: float, decimal: str | None) -> ColumnKind:
    question = None if decimal else _question_of_numbers(profile)
    is_plain = number_format == PLAIN
    is_whole = is_plain and profile.whole
    if is_whole and profile.all_differ and not profile.empty:
        if profile.rising and profile.low in (0, 1) and profile.count >= FEW:
            return ColumnKind("identifier", f"it numbers the rows from {profile.low:g} to {profile.high:g}")
        if _is_named_identifier(profile.name):
            return ColumnKind("identifier", "whole numbers that are all different, and its name says so")
    if is_whole and profile.rounded and len(f"{profile.low:.0f}") == len(f"{profile.high:.0f}"):
        return _of_words(profile)  # all of one length: codes
    why = f"{percent(share)} of the cells are numbers" + ("" if is_plain else f" ({number_format.in_words()})")
    why += f"; {profile.rounded:,} are beyond 2^53, and rounded" if profile.rounded else ""
    if is_whole and profile.low >= 0:
        return ColumnKind("count", f"{why}, all whole, from {profile.low:g} to {profile.high:g}", number_format)
    return ColumnKind("number", why, number_format, question=question)


def _of_words(profile: ColumnProfile) -> ColumnKind:
    """Words, or numbers that are codes: with leading zeros, or too long to be told apart as numbers."""
    distinct, filled = profile.distinct, profile.filled
    words = profile.words / filled
    if profile.all_differ and filled >= FEW and words < TEXT_WORDS:
        return ColumnKind("identifier", "words or codes that are all different")
    if words >= TEXT_WORDS and distinct > filled / 2 and filled >= FEW:
        return ColumnKind("text", f"{words:.0f} words a cell on average, {percent(distinct / filled)} of the cells differ")
    if profile.values is None or (distinct > MOST_CATEGORIES and distinct > filled / 2):
        return ColumnKind("text", f"words or codes of which {distinct:,} differ, too many for a category")
    codes = ", codes that begin with 0 among them" if profile.zero_first else ""
    codes += ", whole numbers beyond 2^53, which are codes" if profile.rounded else ""
    return ColumnKind("category", counted(distinct, "value") + codes)


def _stated(profile: ColumnProfile, stated: str | Sequence[str], decimal: str | None, date_order: str | None) -> ColumnKind:
    if not isinstance(stated, str):
        levels = tuple(map(str, stated))
        if len(set(levels)) != len(levels) or len(levels) < 2:
            raise ArgumentError(f"the levels of {profile.name!r} must be two or more different values, not {stated!r}.")
        return ColumnKind("ordered", STATED, levels=levels)
    kind = one_of(stated, KINDS, f"kind of the column {profile.name!r}")
    if kind == "ordered":
        raise ArgumentError(f"the column {profile.name!r} is ordered: give its levels, from low to high.")
    number_format, _ = _number_format(profile, decimal)
    question = None
    if kind in ("number", "count"):
        question = None if decimal else _question_of_numbers(profile)
    elif kind == "date":
        question = None if date_order else _question_of_dates(profile)
    order, _ = _date_order(profile, date_order)
    return ColumnKind(kind, STATED, number_format, order, question=question)


def _number_format(profile: ColumnProfile, decimal: str | None) -> tuple[NumberFormat, int]:
    """The format in which most cells are numbers; of several with the stated decimal sign; of these the simplest."""
    best = max(profile.formats.values(), default=0)
    fitting = [one for one, count in profile.formats.items() if count == best > 0]
    fitting = [one for one in fitting if one.decimal == decimal] or fitting
    return min(fitting, key=lambda one: (_rank(one), FORMATS.index(one)), default=PLAIN), best


def _rank(number_format: NumberFormat) -> int:
    bare = number_format._replace(affix="")
    return UNAFFIXED.index(bare)


def _question_of_numbers(profile: ColumnProfile) -> str | None:
    """What must be asked where a comma may stand before decimals or between thousands: 1,234."""
    best, _ = _number_format(profile, None)
    other, _ = _number_format(profile, "." if best.decimal == "," else ",")
    if (best.decimal == "." and not best.thousands) or other.decimal == best.decimal:
        return None
    example = profile.examples.get("," + best.affix)
    if example is None:
        return None
    numbers = [one.number(example) for one in (best, other)]
    if None in numbers or numbers[0] == numbers[1]:
        return None
    return (
        f"is {example!r} in the column {profile.name!r} {numbers[0]} or {numbers[1]}? Say "
        "which sign is the decimal one: --decimal , or --decimal . (decimal=)"
    )


def _date_order(profile: ColumnProfile, stated: str | None) -> tuple[str, int]:
    """The order in which most cells are dates; and how many are. Where days do not tell, or tell both, the stated one."""
    counts = {order: profile.orders[order] for order in ORDERS}
    best = max(counts, key=lambda order: counts[order])
    if best not in ("dmy", "mdy") or not _is_doubtful(profile):
        return best, counts[best]
    return (stated, counts[stated]) if stated else (best, profile.slashed)


def _is_doubtful(profile: ColumnProfile) -> bool:
    """Whether no day above 12 tells days from months, or some say so and some the opposite."""
    dmy, mdy = profile.orders["dmy"], profile.orders["mdy"]
    return dmy == mdy > 0 or (dmy < profile.slashed and mdy < profile.slashed)


def _may_begin_with_years(profile: ColumnProfile) -> bool:
    """Whether all dates have years of two digits which may be days: 24.12.31."""
    return 0 < profile.short_years == profile.years_first == profile.slashed


def _question_of_dates(profile: ColumnProfile) -> str | None:
    """What must be asked where it is doubtful whether the day, the month or the year is first."""
    order, _ = _date_order(profile, None)
    if order not in ("dmy", "mdy") or not (_is_doubtful(profile) or _may_begin_with_years(profile)):
        return None
    ask = "Say which it is: --date-order dmy or --date-order mdy (date_order=)"
    if _may_begin_with_years(profile):
        return (
            f"does {profile.examples['dmy']!r} in the column {profile.name!r} begin with the day, the month or the year? "
            f"{ask}; if it is the year, write it with four digits"
        )
    if profile.orders["dmy"] < profile.slashed:
        return f"dates in the column {profile.name!r} are written with the day first and with the month first. {ask}"
    example = profile.examples["dmy"]
    return (
        f"is {example!r} in the column {profile.name!r} written with the day or with the month first? No day above 12 "
        f"tells. {ask}"
    )


def _texts(profile: ColumnProfile) -> frozenset[str]:
    """The distinct texts in lower case, without the empty one; none if there are very many."""
    return frozenset(text.casefold() for text in (profile.values or ()) if text)


def _is_named_identifier(name: str) -> bool:
    return bool(NAME_OF_IDENTIFIER.search(name) or NAME_IN_CAPITALS.search(name))


def target_names(target: str | Sequence[str]) -> tuple[str, ...]:
    """The names of one target or of several, each once."""
    names = (target,) if isinstance(target, str) else tuple(target)
    if not names or len(set(names)) < len(names):
        raise ArgumentError(f"target is the name of a column, or names of several, each once; not {target!r}.")
    return names


def in_order(value: str) -> tuple[bool, float, str]:
    """Numbers by value, then words by letters."""
    number = PLAIN.number(value)
    return (True, 0.0, value) if number is None else (False, number, value)


def target_column_of(profile: ColumnProfile, kind: ColumnKind, *, is_alone: bool) -> Column:
    """What reads a target: a `CategoryColumn` for classes, a `NumberColumn` for a regression, and for one of several."""
    if kind.kind == "constant":
        raise DataError(f"the target {profile.name!r} cannot be learned: {kind.why}.")
    if kind.kind == "ordered":
        return CategoryColumn(profile.name, kind.levels)
    if kind.kind == "date":
        raise DataError(f"the target {profile.name!r} is a date; expected numbers or classes.")
    are_classes = kind.kind not in ("number", "count") or (is_alone and not kind.is_stated and _counts_up(profile))
    if are_classes and not is_alone:
        raise DataError(
            f"several targets are columns of numbers; {profile.name!r} is {kind.in_words}. Train a model of its own on it, "
            f"or say that it is a number: --kind {profile.name}=number (kinds=)."
        )
    if not are_classes:
        return NumberColumn(profile.name, *kind.number_format)
    if profile.values is None or (kind.kind in ("identifier", "text") and profile.distinct == profile.filled):
        raise DataError(f"the target {profile.name!r} cannot be learned as classes: {kind.why}.")
    return CategoryColumn(profile.name, tuple(sorted(filter(None, profile.values), key=in_order)))


def _counts_up(profile: ColumnProfile) -> bool:
    """Whether whole numbers from 0 or 1 on come, none left out, and few."""
    few = profile.whole and profile.distinct <= MOST_CLASSES and profile.low in (0, 1)
    return few and profile.high - profile.low + 1 == profile.distinct
