"""The text of a CSV file, a column at a time: much sooner than row by row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence


def csv_lines(columns: Sequence[Sequence[object]]) -> Iterator[str]:
    """The lines of rows, each with its line break; a column holds texts, or numbers, which are written as Python does."""
    return (f"{line}\n" for line in map(",".join, zip(*map(_cells, columns), strict=True)))


def _cells(column: Sequence[object]) -> Iterator[str]:
    if str not in set(map(type, column)):
        return map(repr, column)
    written = {cell: _quoted(cell) if isinstance(cell, str) else repr(cell) for cell in set(column)}
    return map(written.__getitem__, column)


def _quoted(text: str) -> str:
    """In quotes where the rules of CSV ask for them."""
    cell = io.StringIO()
    csv.writer(cell, lineterminator="\n").writerow([text, ""])
    return cell.getvalue().removesuffix(",\n")
