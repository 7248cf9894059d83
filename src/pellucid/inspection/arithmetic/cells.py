"""From the cell of a table to the numbers that the network sees, with the arithmetic between them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from pellucid.core.display.numbers import DIGITS, written
from pellucid.data.tables.columns import (
    DAY,
    WEEKDAYS,
    CategoryColumn,
    Column,
    DateColumn,
    NumberColumn,
    OrderedColumn,
    date_in_words,
)

MOST_DIGITS = 17  # of a float64
NOTHING = 1e-12  # a sine of 2 pi may be so small by rounding, where it is 0


@dataclass(frozen=True)
class CellNumbers:
    """A cell on its way to the network.

    text        as it stands in the table
    value       what it was read as, in words
    numbers     that the network sees of it; ``parts`` names each
    arithmetic  how they come about, a line for each that is not 0; every line holds to the digits that it shows
    """

    column: str
    kind: str
    text: str
    value: str
    numbers: tuple[float, ...]
    parts: tuple[str, ...]
    arithmetic: tuple[str, ...]


def cell_numbers(column: Column, cell: list[str]) -> CellNumbers:
    """The way of one cell through this column, in a list as the column reads it."""
    read = column.read(cell)
    value = float(read.values[0])
    numbers = tuple(column.encode(read.values)[0].tolist())
    if read.refused[0]:
        words = f"not understood: {read.rule}"
    elif read.missing[0]:
        words = "missing"
    else:
        words = _value_in_words(column, value)
    lines = tuple(_arithmetic(column, value, numbers))
    return CellNumbers(column.name, column.kind, cell[0], words, numbers, column.parts, lines)


def _value_in_words(column: Column, value: float) -> str:
    if isinstance(column, CategoryColumn):
        return column.values[int(value)]
    if isinstance(column, OrderedColumn):
        return column.levels[int(value)]
    return date_in_words(value) if isinstance(column, DateColumn) else exactly(value)


def _arithmetic(column: Column, value: float, numbers: tuple[float, ...]) -> Iterator[str]:
    if isinstance(column, CategoryColumn):
        yield _one_of(column, numbers)
    elif math.isnan(value):
        yield from _of_nothing(column, numbers)
    elif isinstance(column, NumberColumn):
        yield from _scaled(column.name, value, column, numbers[0])
    elif isinstance(column, OrderedColumn):
        last = len(column.levels) - 1
        x = _agreeing(2 * value / last - 1, numbers[0])[0]
        yield f"{column.name}: x = 2 * {value:.0f} / {last} - 1 = {x}, as level {value:.0f} of 0 to {last}"
    elif isinstance(column, DateColumn):
        yield from _date(column, value, numbers)


def _of_nothing(column: Column, numbers: tuple[float, ...]) -> Iterator[str]:
    """Of a missing value: 0, what the median gives; and a 1 that says so, if values were missing in training."""
    center = f", as for the center {exactly(column.center)}" if isinstance(column, NumberColumn) else ""
    yield f"{column.parts[0]}: x = 0{center}"
    if numbers[-1]:
        yield f"[{column.parts[-1]}] = 1"


def _one_of(column: CategoryColumn, numbers: tuple[float, ...]) -> str:
    """One-hot: which number is 1. Embedded: the place among the values."""
    if column.is_embedded:
        place = int(numbers[0])
        where = f"place {place:,} of 0 to {len(column.values) - 1:,}" if place >= 0 else "none of those in training"
        return f"{column.name}: {place}, {where}, of which an Embedding makes a vector"
    if not any(numbers):
        return f"{column.name}: none of the values that it had in training; all {len(numbers):,} numbers are 0"
    others = len(numbers) - 1
    rest = f"; the {others:,} others are 0" if others > 1 else "; the other is 0" if others else ""
    return f"[{column.parts[int(np.argmax(numbers))]}] = 1{rest}"


def _scaled(name: str, value: float, column: NumberColumn | DateColumn, number: float) -> Iterator[str]:
    """z = (value - center) / scale;  x = z / sqrt(1 + (z / 3)^2)."""
    z = (value - column.center) / column.scale
    x, digits = _agreeing(_clipped(z), number)
    shown = _with_digits_for(z, _clipped, x, digits)
    sign, center = ("+" if column.center < 0 else "-"), exactly(abs(column.center))
    yield f"{name}: z = ({exactly(value)} {sign} {center}) / {exactly(column.scale)} = {shown}"
    base = f"({shown})" if shown.startswith("-") else shown
    yield f"{name}: x = {shown} / sqrt(1 + ({base} / 3)^2) = {x}"


def _date(column: DateColumn, seconds: float, numbers: tuple[float, ...]) -> Iterator[str]:
    """The time as a number of days since 1970, and the parts of the date."""
    date = np.datetime64(int(seconds // DAY), "D").item()
    yield f"{column.name}: {date_in_words(seconds)} is {exactly(seconds / DAY)} days after 1970-01-01"
    yield from _scaled(column.parts[0], seconds / DAY, column, numbers[0])
    turn = 2 * math.pi * (date.month - 1) / 12
    computed = (math.sin(turn), math.cos(turn), (date.day - 1) / 15 - 1)
    sine, cosine, day = (_agreeing(own, number)[0] for own, number in zip(computed, numbers[1:4], strict=True))
    yield f"{column.parts[1]} = sin(2 pi * {date.month - 1} / 12) = {sine}"
    yield f"{column.parts[2]} = cos(2 pi * {date.month - 1} / 12) = {cosine}"
    yield f"{column.parts[3]} = {date.day - 1} / 15 - 1 = {day}"
    yield f"{column.name}: {WEEKDAYS[date.weekday()]} = 1; the 6 other days are 0"
    if column.has_time:
        hours = seconds % DAY / 3600
        turn = 2 * math.pi * hours / 24
        for name, function, at in (("sin", math.sin, 11), ("cos", math.cos, 12)):
            yield f"{column.parts[at]} = {name}(2 pi * {exactly(hours)} / 24) = {_agreeing(function(turn), numbers[at])[0]}"


def exactly(number: float) -> str:
    """The shortest text that is this number and no other: 35, 0.1."""
    return repr(number).removesuffix(".0")


def _clipped(z: float) -> float:
    return z / math.sqrt(1 + (z / 3) ** 2)


def _agreeing(computed: float, seen: float) -> tuple[str, int]:
    """A number with at most four digits, as it is in float64 and as the network sees it in float32; and how many digits."""
    if abs(computed) < NOTHING and abs(seen) < NOTHING:
        return "0", 1
    for digits in range(DIGITS, 1, -1):
        if written(computed, digits) == written(seen, digits):
            return written(seen, digits), digits
    return written(seen, 1), 1


def _with_digits_for(number: float, function: Callable[[float], float], result: str, digits: int) -> str:
    """The number with as few digits as still give this result, but four at least."""
    for count in range(DIGITS, MOST_DIGITS):
        text = written(number, count)
        if written(function(float(text)), digits) == result:
            return text
    return exactly(number)


def as_terms(numbers: list[float], total: float) -> tuple[list[str], str]:
    """The terms of a sum and their total as texts, so that what is written adds up to it: the terms have as many decimals
    as that takes, the total six digits."""
    size = math.floor(math.log10(abs(total))) if total else 0
    decimals = max(0, 5 - size)
    shown = f"{total:.{decimals}f}"
    for more in range(1, MOST_DIGITS):
        terms = [f"{number:+.{decimals + more}f}" for number in numbers]
        if f"{math.fsum(map(float, terms)):.{decimals}f}" == shown:
            break
    return terms, shown
