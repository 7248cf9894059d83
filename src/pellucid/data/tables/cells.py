"""What the text of a cell means as a number. One format holds for a whole column; what does not fit it is no number."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pellucid.data.tables.cell_texts import CellTexts, _native

MISSING = frozenset(
    (
        *("na", "n/a", "n.a.", "#n/a", "#na", "<na>", "nan", "null", "#null!", "none", "nil", "missing", "unknown", "unk"),
        *("k.a.", "?", "-", "--", ".", "*", "#value!", "#div/0!"),
    )
)  # in a column of numbers or dates, in any case; in a column of words they are words
MAYBE_A_NUMBER = re.compile("[0-9.,' \u00a0\u202fEe+-]*[0-9][0-9.,' \u00a0\u202fEe+-]*")
SPACES_OF_THOUSANDS = re.compile("[ \u00a0\u202f]")
AFFIXES = "%$€£¥"


class NumberFormat(NamedTuple):
    """How the numbers of a column are written: the decimal sign, what stands between thousands, a sign before or after."""

    decimal: str = "."
    thousands: str = ""
    affix: str = ""

    def number(self, text: str) -> float | None:
        """The finite number that a text is in this format, or None. A leading zero as in 02139 makes it none."""
        if self.affix:
            bare = without_affix(text, self.affix)
            if bare is None:
                return None
            text = bare
        if not _pattern(self.decimal, self.thousands).fullmatch(text):
            return None
        if self.thousands:
            text = SPACES_OF_THOUSANDS.sub("", text) if self.thousands == " " else text.replace(self.thousands, "")
        value = float(text.replace(self.decimal, "."))
        return value if math.isfinite(value) else None

    def in_words(self) -> str:
        words = [f"decimal {'comma' if self.decimal == ',' else 'point'}"]
        names = {",": "commas", ".": "points", " ": "spaces", "'": "apostrophes"}
        if self.thousands:
            words.append(f"{names[self.thousands]} between thousands")
        return ", ".join(words + ([f"with {self.affix}"] if self.affix else []))


PLAIN = NumberFormat()
UNAFFIXED = (
    PLAIN,
    *(NumberFormat(",", thousands) for thousands in ("", ".", " ", "'")),
    *(NumberFormat(".", thousands) for thousands in (",", " ", "'")),
)
FORMATS = (*UNAFFIXED, *(one._replace(affix=affix) for affix in AFFIXES for one in UNAFFIXED))


@cache
def _pattern(decimal: str, thousands: str) -> re.Pattern[str]:
    between = "[ \u00a0\u202f]" if thousands == " " else re.escape(thousands)
    grouped = f"[1-9][0-9]{{0,2}}(?:{between}[0-9]{{3}})+|" if thousands else ""
    point = re.escape(decimal)
    return re.compile(f"[+-]?(?:(?:{grouped}0|[1-9][0-9]*)(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]+)?")


def without_affix(text: str, affix: str) -> str | None:
    """The text without the sign before or after it, a minus in front staying: -$5 is -5; None if it has none."""
    minus = "-" if text.startswith(f"-{affix}") else ""
    text = text[len(minus) :]
    bare = text.removeprefix(affix) if text.startswith(affix) else text.removesuffix(affix)
    return None if bare == text else minus + bare.strip()


def formats_of(text: str) -> dict[NumberFormat, float]:
    """The formats in which a text is a number, and which number it is."""
    formats, affix = UNAFFIXED, next((sign for sign in AFFIXES if sign in text), "")
    if affix:
        bare = without_affix(text, affix)
        formats = tuple(one._replace(affix=affix) for one in UNAFFIXED) if bare is not None else ()
    elif not MAYBE_A_NUMBER.fullmatch(text):
        return {}
    return {one: number for one in formats if (number := one.number(text)) is not None}


WHOLE, POINTED, GROUPED, EMPTY, OTHER = range(5)  # native/tables/cells.hpp: Cell


def read_numbers(cells: CellTexts, decimal: str) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """The numbers of cells (n,) with this decimal sign and nothing between thousands, NaN where there is none; and what
    each cell is: a ``WHOLE`` number, a ``POINTED`` one, a ``GROUPED`` one, whose sign could stand between thousands
    (1.234), ``EMPTY``, or ``OTHER``, which must be looked at by itself and may still be a number."""
    values, kinds = np.full(len(cells), math.nan), np.full(len(cells), OTHER, np.uint8)
    if _native is not None:
        _native.read_numbers(cells.content, cells.begins, cells.ends, decimal, values, kinds)
        return values, kinds
    plain, other_sign = NumberFormat(decimal), NumberFormat("," if decimal == "." else ".", decimal)
    for k, text in enumerate(cells):
        number = plain.number(text) if text else None
        if number is not None:
            values[k] = number
            kinds[k] = WHOLE if decimal not in text else POINTED if other_sign.number(text) is None else GROUPED
    kinds[cells.are_empty] = EMPTY
    return values, kinds


def parse_numbers(
    cells: Sequence[str], number_format: NumberFormat
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
    """The numbers of cells (n,), NaN where there is none; which are missing; which are refused, being no number."""
    texts = CellTexts.of(cells)
    if number_format.affix:
        values, kinds = np.full(len(texts), math.nan), np.where(texts.are_empty, EMPTY, OTHER)
    else:
        values, kinds = read_numbers(texts, number_format.decimal)
    return look_at_others(texts, values, kinds, number_format.number)


def look_at_others(
    cells: CellTexts, values: NDArray[np.float64], kinds: NDArray[Any], meaning: Callable[[str], float | None]
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
    """The values (n,), with those that the ``OTHER`` cells mean, if anything; which are missing; which are refused."""
    missing, others = kinds == EMPTY, np.flatnonzero(kinds == OTHER)
    if len(others):
        texts, group = cells.at(others).groups()
        meanings = [meaning(text) for text in texts]
        values[others] = np.array([math.nan if value is None else value for value in meanings])[group]
        is_gap = [value is None and is_missing(text) for text, value in zip(texts, meanings, strict=True)]
        missing[others] = np.array(is_gap)[group]
    return values, missing, np.isnan(values) & ~missing


def is_missing(text: str) -> bool:
    """Whether a cell of a column of numbers or dates is empty or says that there is nothing."""
    text = text.strip()
    return not text or text.casefold() in MISSING
