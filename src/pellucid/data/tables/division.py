"""Lines divided into records of cells, by the rules of CSV where they hold, and as they stand where they do not."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pellucid.data.tables.source import LONGEST_LINE

SPACES = " \t\r"  # around a cell; no part of it
STRAY_QUOTES = "its quotes do not fit the rules of CSV; they were read as they stand"
STRAY_RETURN = "it holds a carriage return outside of quotes, and may be two rows"
csv.field_size_limit(max(LONGEST_LINE, csv.field_size_limit()))


class Divided(NamedTuple):
    """The cells of a record, and its lines: from ``begin`` up to ``end``, without it.

    fault  why it could not be divided by the rules of CSV, and was divided as it stands: `STRAY_QUOTES`, `STRAY_RETURN`
    """

    cells: list[str]
    begin: int
    end: int
    fault: str = ""


def divide(
    lines: Sequence[str], delimiter: str, end: str, width: int | None = None, is_last: bool = True
) -> Iterator[Divided]:
    """The records of lines; a blank line is one without cells.

    end      between lines, as it stands inside of cells in quotes
    width    of the table, if it is known
    is_last  otherwise more lines follow, and a record that may go on there is left out
    """
    at = 0
    while at < len(lines):
        first = at
        reader = csv.reader(
            (lines[k] + end for k in range(first, len(lines))),
            delimiter=delimiter,
            skipinitialspace=delimiter not in " \t",
            strict=True,
        )
        try:
            for cells in reader:
                begin, at = at, first + reader.line_num
                if at - begin > 1 and width is not None and _are_rows(lines[begin:at], delimiter, width):
                    yield from (_as_it_stands(lines, k, delimiter) for k in range(begin, at))
                else:
                    yield Divided(cells, begin, at)
        except csv.Error:
            is_open = not is_last and first + reader.line_num >= len(lines)
            if is_open and sum(map(len, lines[at:])) <= LONGEST_LINE:
                return
            yield _as_it_stands(lines, at, delimiter)
            at += 1


def _as_it_stands(lines: Sequence[str], k: int, delimiter: str) -> Divided:
    line = lines[k]
    is_quoted = '"' in line
    fault = STRAY_QUOTES if is_quoted else STRAY_RETURN if "\r" in line.rstrip("\r") else ""
    return Divided(line.split(delimiter), k, k + 1, fault)


def _are_rows(lines: Sequence[str], delimiter: str, width: int) -> bool:
    """Whether lines that quotes join are, each by itself, rows of the table: then two stray quotes have joined them.

    In a table of two columns a text over two or three lines looks like this by chance (an address: street, town).
    """
    if width < 2 or (width == 2 and len(lines) < 4):
        return False
    return all(line.count(delimiter) == width - 1 for line in lines)
