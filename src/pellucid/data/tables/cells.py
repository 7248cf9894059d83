"""What the text of a cell means as a number. One format holds for a whole column; what does not fit it is no number."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MISSING = frozenset(
    (
        *("na", "n/a", "n.a.", "#n/a", "#na", "<na>", "nan", "null", "#null!", "none", "nil", "missing", "unknown", "unk"),
        *("k.a.", "?", "-", "--", ".", "*", "#value!", "#div/0!"),
    )
)  # in a column of numbers or dates, in any case; in a column of words they are words
USUAL_MARKS = frozenset(form(mark) for mark in MISSING for form in (str.lower, str.upper, str.capitalize, str)) | {"NaN"}
PLAIN_CHARACTERS = b"0123456789+-.eE\n"
LEADING_ZERO = re.compile(rb"(?m)^[+-]?0[0-9]")
GROUPED = re.compile(rb"(?m)^[+-]?[1-9][0-9]{0,2}(?:\.[0-9]{3})+$")  # 1.234 or, with the signs exchanged, 1,234
MAYBE_A_NUMBER = re.compile("[0-9.,' \u00a0\u202fEe+-]*[0-9][0-9.,' \u00a0\u202fEe+-]*")
SPACES_OF_THOUSANDS = re.compile("[ \u00a0\u202f]")
AFFIXES = "%$€£¥"
LONGEST_DECIMAL = 17  # characters: 15 digits, a sign, a point
POWERS = 10 ** np.arange(16)


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


class QuickNumbers(NamedTuple):
    """Cells that are all numbers of one decimal sign without signs between thousands, or missing.

    values   (n,), NaN where a cell is missing
    joined   the cells in lines, with a decimal point, empty where one is missing
    decimal  the sign that stood there; the point where none did
    marked   how many cells have a mark, such as NA, in place of a value
    """

    values: NDArray[np.float64]
    joined: bytes
    decimal: str
    marked: int


def quick_numbers(cells: Sequence[str]) -> QuickNumbers | None:
    """All cells as numbers at once, if they are all numbers that look alike, or missing; None if any is something else."""
    quick = _quick_numbers(cells)
    if quick is not None or not (marks := USUAL_MARKS.intersection(cells)):
        return quick
    marked = ["" if cell in marks else cell for cell in cells]
    quick = _quick_numbers(marked)
    return None if quick is None else quick._replace(marked=marked.count("") - cells.count(""))


def _quick_numbers(cells: Sequence[str]) -> QuickNumbers | None:
    joined, decimal = "\n".join(cells).encode(errors="replace"), "."
    if joined.count(b"\n") >= max(1, len(cells)):  # a line break within a cell
        return None
    if other := joined.translate(None, PLAIN_CHARACTERS):
        if other.strip(b",") or b"." in joined:
            return None
        joined, decimal = joined.replace(b",", b"."), ","
        cells = joined.decode().split("\n")
    if not cells:
        return QuickNumbers(np.zeros(0), joined, decimal, 0)
    values = _short_decimals(joined) if b"e" not in joined and b"E" not in joined else None
    if values is None:
        values = _floats(joined, cells)
    return None if values is None else QuickNumbers(values, joined, decimal, 0)


def _floats(joined: bytes, cells: Sequence[str]) -> NDArray[np.float64] | None:
    """Finite numbers with a decimal point, NaN for an empty cell; None if any cell is something else."""
    if LEADING_ZERO.search(joined):
        return None
    try:
        values = np.array([float(cell) if cell else math.nan for cell in cells])
    except ValueError:
        return None
    return None if np.isinf(values).any() else values


def _short_decimals(joined: bytes) -> NDArray[np.float64] | None:
    """The same for lines of at most 15 digits without an exponent, a position of all lines at once; None for others, too.

    The digits as a whole number and the power of ten are exact in float64, so that their quotient is rounded as by
    ``float`` (Clinger 1990).
    """
    characters = np.frombuffer(b"\n" * LONGEST_DECIMAL + joined + b"\n\n\n", np.uint8)
    ends = np.flatnonzero(characters[LONGEST_DECIMAL:-2] == ord("\n"))  # where a window of LONGEST_DECIMAL ends with a line
    begins = np.concatenate([[0], ends[:-1] + 1])
    if (width := int((ends - begins).max())) > LONGEST_DECIMAL:
        return None
    lengths = (ends - begins).astype(np.int8)
    whole = np.zeros(len(ends), np.int64)  # of all digits, with a 0 in place of the point
    digits, points, decimals = np.zeros((3, len(ends)), np.int8)
    for left in reversed(range(width)):  # characters to the right of this one
        character = characters[LONGEST_DECIMAL - 1 - left :][ends]
        is_inside = lengths > left
        digit = character - np.uint8(ord("0"))  # more than 9 for what is none
        is_digit = (digit < 10) & is_inside
        is_point = (character == ord(".")) & is_inside
        whole *= 10
        whole += digit * is_digit
        digits += is_digit
        points += is_point
        decimals += is_point * np.int8(left)
    starts = begins + LONGEST_DECIMAL
    is_negative = characters[starts] == ord("-")
    is_signed = is_negative | (characters[starts] == ord("+"))
    is_number = (digits > 0) & (digits <= 15) & (points <= 1) & (digits + points + is_signed == lengths)
    starts = starts + is_signed
    has_leading_zero = (characters[starts] == ord("0")) & (characters[starts + 1] - np.uint8(ord("0")) < 10)
    if not (is_number & ~has_leading_zero | (lengths == 0)).all():
        return None
    power = POWERS[decimals]
    before_point = np.where(points > 0, whole // (10 * power), 0)
    whole -= before_point * (9 * power)  # without the 0 of the point
    values = whole / power * np.where(is_negative, -1.0, 1.0)
    return np.where(lengths == 0, np.nan, values)


def parse_numbers(
    cells: Sequence[str], number_format: NumberFormat
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
    """The numbers of cells (n,), NaN where there is none; which are missing; which are refused, being no number."""
    quick = None if number_format.affix else quick_numbers(cells)
    if quick is not None and _is_read_alike(quick, number_format):
        return quick.values, np.isnan(quick.values), np.zeros(len(cells), np.bool_)
    meanings = {text: number_format.number(text) for text in set(cells)}
    missing_texts = {text for text, number in meanings.items() if number is None and is_missing(text)}
    numbers = [meanings[cell] for cell in cells]
    values = np.array([math.nan if number is None else number for number in numbers], np.float64)
    missing = np.array([cell in missing_texts for cell in cells], np.bool_)
    return values, missing, np.isnan(values) & ~missing


def _is_read_alike(quick: QuickNumbers, number_format: NumberFormat) -> bool:
    """Whether the quick way has read what the format says."""
    return b"." not in quick.joined or quick.decimal == number_format.decimal


def is_missing(text: str) -> bool:
    """Whether a cell of a column of numbers or dates is empty or says that there is nothing."""
    text = text.strip()
    return not text or text.casefold() in MISSING
