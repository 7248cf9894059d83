"""How a table's text is divided: the delimiter, found from the file; and whether its first row names the columns."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice, pairwise
from typing import NamedTuple

from pellucid.core.checks import short
from pellucid.core.display.text import counted, percent
from pellucid.core.errors import ArgumentError, DataError
from pellucid.data.tables.cells import formats_of, is_missing
from pellucid.data.tables.division import SPACES, Divided, divide
from pellucid.data.tables.source import Source

DELIMITERS = (",", ";", "\t", "|")
LOOKED_AT = 1000  # records that decide on the delimiter; every later row is held to it, and to account
VALUE = re.compile(
    r"[+-]?(?:\d+(?:[.,]\d*)*|[.,]\d+)(?:[eE][+-]?\d+)?%?"  # a number in any format
    r"|\d{1,4}([-/.])\d{1,2}\1\d{1,4}(?:[T ].*)?"  # a date
)
SEPARATOR_LINE = re.compile(r'"?sep=(.)"?')  # the first line of some files, for Excel
SENTENCE = 3.5  # words a cell on average, from which on a single column is prose


class Dialect(NamedTuple):
    """The delimiter between cells; the header as it stands; the names of the columns, and what was changed for them; where
    the rows begin, in bytes.

    Cells may stand in double quotes, with "" for a quote inside; spaces around a cell are no part of it.
    """

    delimiter: str
    header: tuple[str, ...]
    names: tuple[str, ...]
    notes: tuple[str, ...]
    first_row: int

    @property
    def width(self) -> int:
        return len(self.names)


def find_dialect(source: Source, delimiter: str | None = None, names: Sequence[str] | None = None) -> Dialect:
    """The dialect by the first thousand records; ``names`` of the columns are given where there is no header.

    Raises `DataError` for what is no table with a header, `ArgumentError` for a wrong delimiter or wrong names.
    """
    start = source.beginning()
    if start.is_long:
        raise DataError(f"the first line of {source.name} has more than 16 MiB; expected a table with a row in each line.")
    end = source.line_end.decode()
    lines = start.content.decode().split(end)
    said = SEPARATOR_LINE.fullmatch(lines[0].strip(" \r\n"))
    first = 1 if said else 0  # line of the first record
    if said and delimiter is None:
        delimiter = said[1]
        _check_said(source.name, delimiter, lines[first:], end)
    candidates = DELIMITERS if delimiter is None else (_checked_delimiter(delimiter),)
    divided = {one: _first_records(lines[first:], one, end) for one in candidates}
    best = max(divided, key=lambda one: _fit(divided[one]))
    records = divided[best]
    if not records:
        raise DataError(f"{source.name} has no row with a value; expected a table with a header and rows.")

    def offset(line: int) -> int:
        return start.offset + source.size(end.join([*lines[:line], ""]).encode())

    if names is not None:
        return Dialect(best, (), _checked_names(source.name, names, len(records[0].cells)), (), offset(first))
    header, rows = tuple(records[0].cells), [record.cells for record in records[1:]]
    if len(header) == 1:
        _check_single_column(source.name, divided)
    _check_rows(source.name, header, rows, candidates)
    check_header(source.name, header, [cells for cells in rows if tuple(cells) != header])
    unique, notes = _unique(header)
    if records[0].fault:
        notes = (f"the header: {records[0].fault}", *notes)
    return Dialect(best, header, unique, notes, offset(first + records[0].end))


def check_header(name: str, names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Raise `DataError` if the first row looks like the others: numbers above numbers, or words that come again below."""
    if not rows:
        raise DataError(f"{name} has a header and no rows; expected a row for each sample.")
    columns = [[row[k] for row in rows if len(row) == len(names)] for k in range(len(names))]
    over_values = [names[k] for k, column in enumerate(columns) if _are_values(column)]
    if over_values:
        values = [cell for cell in over_values if VALUE.fullmatch(cell)]
        is_data = bool(values) and all(VALUE.fullmatch(cell) or is_missing(cell) for cell in over_values)
        is_data = is_data and not _count_on(values)
    else:
        again = sum(cell in set(column) for cell, column in zip(names, columns, strict=True) if cell)
        is_data = again * 2 > len(names)
    if is_data:
        raise DataError(
            f"{name} has no header: its first row is {short(', '.join(names))}. Write the names of the columns into the "
            "first line, or give them: --names a,b,c, or names=."
        )


def _are_values(column: Sequence[str]) -> bool:
    """Whether most cells that are not empty are numbers or dates."""
    others = [cell for cell in column if VALUE.fullmatch(cell) is None]
    values, words = len(column) - len(others), sum(not is_missing(cell) for cell in others)
    return values > 0 and values >= 9 * words


def _count_on(names: Sequence[str]) -> bool:
    """Whether they are whole numbers at equal distances, such as years: names of columns after all."""
    if len(names) < 3 or not all(name.isdecimal() for name in names):
        return False
    steps = {int(after) - int(before) for before, after in pairwise(names)}
    return len(steps) == 1 and steps != {0}


def _first_records(lines: Sequence[str], delimiter: str, end: str) -> list[Divided]:
    """The first records that are not blank, with spaces around cells removed."""
    records: list[Divided] = []
    for record in islice(divide(lines, delimiter, end), 10 * LOOKED_AT):
        cells = [cell.strip(SPACES) for cell in record.cells]
        if any(cells):
            records.append(record._replace(cells=cells))
            if len(records) > LOOKED_AT:
                break
    return records


def _fit(records: Sequence[Divided]) -> tuple[float, float]:
    """How well a delimiter fits: the share of records of the most frequent width, if that is more than 1, and half as good
    where the first record has another width; then that width. For one column: how many records have no delimiter."""
    if not records:
        return 0.0, 0.0
    (width, often), *_ = Counter(len(one.cells) for one in records).most_common(1)
    share = often / len(records)
    if width == 1:
        return 0.0, share
    return share if len(records[0].cells) == width else share / 2, width


def _check_said(name: str, said: str, lines: Sequence[str], end: str) -> None:
    """Raise `DataError` if the sign that the first line names divides no line, and another one divides the header."""
    if any(len(record.cells) > 1 for record in _first_records(lines, said, end)):
        return
    for other in DELIMITERS:
        records = _first_records(lines, other, end)
        if _fit(records)[0] > 0.5 and len(records[0].cells) > 1:
            raise DataError(
                f"the first line of {name} says that {said!r} stands between cells, but {other!r} does: correct or remove "
                f"that line, or name the sign: --delimiter {other!r}, or delimiter=."
            )


def _check_rows(name: str, header: Sequence[str], rows: Sequence[Sequence[str]], candidates: Sequence[str]) -> None:
    """Raise `DataError` if most rows do not have the width of the header, or one column is prose."""
    if not rows:
        return
    width = len(header)
    fitting = sum(len(row) == width or (len(row) > width and not any(row[width:])) for row in rows)
    if fitting * 2 < len(rows):
        (usual, often), *_ = Counter(map(len, rows)).most_common(1)
        if often * 2 > len(rows):
            raise DataError(
                f"the header of {name} has {counted(width, 'column')}, most rows have {usual:,}: remove what stands above "
                "the header, or correct it; or name the sign between cells: --delimiter, or delimiter=."
            )
        raise DataError(
            f"{name} is no table: only {percent(fitting / len(rows))} of its rows have as many cells as its first one, "
            f"{width:,}. Expected a header and rows of equal width; or name the sign between cells: --delimiter, or "
            "delimiter=."
        )
    if width == 1 and len(candidates) > 1 and _are_numbers_between_spaces(header[0], [row[0] for row in rows]):
        raise DataError(
            f"{name} is divided by spaces: each line holds {len(header[0].split())} words, below the first numbers. "
            "Put commas between them; or, if a single space stands between cells: --delimiter ' ', or delimiter=."
        )
    words = sum(len(row[0].split()) for row in (header, *rows))
    if width == 1 and words >= SENTENCE * (1 + len(rows)) and len(candidates) > 1:
        raise DataError(
            f"{name} is no table: no comma, semicolon, tab or vertical bar divides its lines. Expected a header and rows; "
            "or name the sign between cells: --delimiter, or delimiter=."
        )


def _check_single_column(name: str, divided: Mapping[str, Sequence[Divided]]) -> None:
    """Raise `DataError` if a delimiter divides the header alone: then every row lacks cells, or the header lacks quotes."""
    for delimiter, records in divided.items():
        widths = [len(record.cells) for record in records]
        if len(widths) > 1 and widths[0] > 1 == max(widths[1:]):
            raise DataError(
                f"the header of {name} has {widths[0]:,} columns, divided by {delimiter!r}, and its rows have 1: add "
                "what they lack; or, if it is the name of one column, put it between double quotes."
            )


def _are_numbers_between_spaces(header: str, rows: Sequence[str]) -> bool:
    """Whether each row holds as many numbers as the header words, more than one, and they are no single number (12 345)."""
    count = len(header.split())
    numbers = [row.split() for row in rows]
    if count < 2 or not all(len(row) == count and all(map(VALUE.fullmatch, row)) for row in numbers):
        return False
    return not all(formats_of(row) for row in rows)


def _checked_delimiter(delimiter: str) -> str:
    delimiter = {"\\t": "\t", "tab": "\t"}.get(delimiter, delimiter)
    if len(delimiter) != 1 or delimiter in '"\r\n\0' or delimiter.isalnum():
        raise ArgumentError(f"the delimiter is one sign such as , ; | or tab, not {delimiter!r}.")
    return delimiter


def _checked_names(table: str, names: Sequence[str], width: int) -> tuple[str, ...]:
    names = tuple(name.strip() for name in names)
    if len(names) != width:
        raise ArgumentError(f"the first row of {table} has {counted(width, 'cell')}, not {counted(len(names), 'name')}.")
    if "" in names or len(set(names)) < len(names):
        raise ArgumentError(f"the names of columns must differ, and none may be empty: {short(', '.join(names))}.")
    return names


def _unique(names: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names that are not empty and differ, and what was changed for it."""
    taken = set(names)
    found: dict[str, None] = {}
    next_number: dict[str, int] = {}
    notes: list[str] = []
    for k, name in enumerate(names):
        first = name or f"column {k + 1}"
        one = first
        while one in found or (one != name and one in taken):
            again = next_number.get(first, 2)
            one, next_number[first] = f"{first} ({again})", again + 1
        if one != name:
            what = f"the name {name!r} again" if name else "no name"
            notes.append(f"column {k + 1} has {what}: it is called {one!r}")
        found[one] = None
    return tuple(found), tuple(notes)
