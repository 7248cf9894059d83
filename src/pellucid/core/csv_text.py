"""The text of a CSV file, a column at a time: much sooner than row by row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_native: Any
try:
    import pellucid._native as _native
except ImportError:  # then Python writes all numbers
    _native = None


def csv_text(columns: Sequence[Sequence[object] | NDArray[Any]]) -> str:
    """Rows, each with its line break; a column holds texts, or numbers, which are written as Python does."""
    lines = list(map(",".join, zip(*map(_cells, columns), strict=True)))
    return "\n".join([*lines, ""]) if lines else ""


def number_texts(values: NDArray[Any], digits: int | None = None) -> list[str]:
    """Floats (n,) as Python writes them, each by the fewest digits that only this number of its type has: 173.69, not
    173.69000244140625; or rounded to so many ``digits``."""
    if not len(values):
        return []
    if hasattr(_native, "number_texts") and values.dtype in (np.float32, np.float64):
        text: bytes = _native.number_texts(np.ascontiguousarray(values), digits or 0)
        return text.decode().split("\n")
    return [repr(float(f"{value:.{digits}g}" if digits else str(value))) for value in values]


def _cells(column: Sequence[object] | NDArray[Any]) -> Iterator[str]:
    if isinstance(column, np.ndarray):
        return iter(number_texts(column)) if column.dtype.kind == "f" else map(repr, column.tolist())
    if str not in set(map(type, column)):
        return map(repr, column)
    written = {cell: _quoted(cell) if isinstance(cell, str) else repr(cell) for cell in set(column)}
    return map(written.__getitem__, column)


def _quoted(text: str) -> str:
    """In quotes where the rules of CSV ask for them."""
    cell = io.StringIO()
    csv.writer(cell, lineterminator="\n").writerow([text, ""])
    return cell.getvalue().removesuffix(",\n")
