"""Which pictures a CSV file names, and of which class they are."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pellucid.core.display.text import printable
from pellucid.core.errors import DataError
from pellucid.data.photos.listing import Listing, as_label
from pellucid.data.photos.parts import NOT_READ, Part, parts_of

_COLUMNS = (("file", "filename", "path", "image"), ("label", "class"), ("split",))


class _Row(NamedTuple):
    """What one line says of a file; empty where it says nothing."""

    line: int
    file: str
    label: str
    split: str


def list_csv(path: Path) -> Listing:
    """The files that a CSV file names, with paths from its own folder.

    The first line names the columns: file (or filename, path, image), label (or class) and, if there is one, split, which
    is train or test. Columns are separated by commas, semicolons or tabs, with or without spaces; the parts of a path by
    slashes or backslashes. A file outside of the folder is a problem.
    Raises DataError for what is no such CSV file.
    """
    listing = Listing(path, path.parent)
    name = printable(str(path))
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline()
            file.seek(0)
            lines = csv.reader(file, delimiter=max(",;\t", key=header.count), skipinitialspace=True, strict=True)
            columns = _columns(next(lines, []), name)
            rows = [_row_of(cells, columns, lines.line_num) for cells in lines if cells]
    except OSError as error:
        raise DataError(f"{name} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{name} is not UTF-8 text ({error.reason}); save it as CSV in UTF-8.") from error
    except csv.Error as error:
        raise DataError(f"{name} is no CSV file that can be read: line {lines.line_num}: {error}.") from error
    _check_splits(rows, name)
    parts = {**parts_of(row.split for row in rows if row.split), "": "train"}
    for row in rows:
        _add(listing, row, parts[row.split])
    if not listing.entries and not listing.problems:
        raise DataError(f"{name} names no files; expected a line with file and label for each picture.")
    return listing.in_order()


def names_pictures(path: str) -> bool:
    """Whether a file begins as a listing of pictures does: with the names of a column of files and one of labels."""
    try:
        with open(path, encoding="utf-8-sig", errors="replace") as file:
            header = file.readline(10_000)
        _columns(next(csv.reader([header], delimiter=max(",;\t", key=header.count), skipinitialspace=True), []), path)
    except (OSError, DataError, csv.Error):
        return False
    return True


def _columns(header: Sequence[str], name: str) -> tuple[int, int, int | None]:
    """The places of file, label and split in a row."""
    names = [column.strip().casefold() for column in header]
    file, label, split = (next((names.index(n) for n in known if n in names), None) for known in _COLUMNS)
    if file is None or label is None:
        came = ", ".join(printable(column) for column in header)[:100] or "nothing"
        raise DataError(
            f"the first line of {name} is {came}; expected the names of the columns, file and label among them."
        )
    return file, label, split


def _row_of(cells: Sequence[str], columns: tuple[int, int, int | None], line: int) -> _Row:
    file, label, split = (cells[place] if place is not None and place < len(cells) else "" for place in columns)
    return _Row(line, file, label.strip(), split.strip())


def _check_splits(rows: Sequence[_Row], name: str) -> None:
    """Raise DataError for parts that are numbers: 1 is the part to learn from in some sets, that to test with in others."""
    for row in rows:
        if row.split.casefold() in ("true", "false", "yes", "no") or row.split.replace(".", "").isdecimal():
            raise DataError(
                f"{name} gives the split {row.split!r} in line {row.line}; which part is meant differs from set to set. "
                "Write train and test in that column."
            )


def _as_meant(file: str, root: Path) -> str:
    """The path as it stands there; if there is none, without spaces around it; then with backslashes as on Windows."""
    trimmed = file.strip()
    slashed = trimmed.replace("\\", "/")
    return next((path for path in (file, trimmed, slashed) if os.path.lexists(root / path)), slashed)


def _add(listing: Listing, row: _Row, part: Part | None) -> None:
    if not row.file.strip():
        return listing.note(f"line {row.line}", "missing", "the line names no file")
    file = _as_meant(row.file, listing.root)
    inside = os.path.relpath(os.path.normpath(listing.root / file), listing.root).replace(os.sep, "/")
    if not row.label:
        return listing.note(inside, "no label", f"line {row.line} gives it no label")
    if part == "validation":
        return listing.note(inside, "loose", NOT_READ)
    if part is None:
        return listing.note(inside, "no label", f"line {row.line} gives it the split {row.split!r}, neither train nor test")
    listing.labels.add(as_label(row.label))
    if "\0" not in inside and not listing.holds(listing.root / inside):
        return listing.note(inside, "link", "it lies outside of the folder of the CSV file; it is not read")
    return listing.add(inside, as_label(row.label), part)
