"""Which pictures a CSV file names, and of which class they are."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path

from pellucid.core.display.text import printable
from pellucid.core.errors import DataError
from pellucid.data.photos.listing import NOT_READ, VALIDATION, Listing, Split, as_label

_FILE = ("file", "filename", "path", "image")
_LABEL = ("label", "class")
_SPLIT = ("split",)
_PARTS: dict[str, Split] = {"": "train", "train": "train", "training": "train", "test": "test", "testing": "test"}


def list_csv(path: Path) -> Listing:
    """The files that a CSV file names, with paths from its own folder.

    The first line names the columns: file (or filename, path, image), label (or class) and, if there is one, split, which
    is train or test. Columns are separated by commas, semicolons or tabs. A file outside of the folder is a problem.
    Raises DataError for what is no such CSV file.
    """
    listing = Listing(path, path.parent)
    name = printable(str(path))
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline()
            file.seek(0)
            lines = csv.reader(file, delimiter=max(",;\t", key=header.count), strict=True)
            columns = _columns(next(lines, []), name)
            for row in lines:
                if row:
                    _add(listing, row, columns, lines.line_num)
    except OSError as error:
        raise DataError(f"{name} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{name} is not UTF-8 text ({error.reason}); save it as CSV in UTF-8.") from error
    except csv.Error as error:
        raise DataError(f"{name} is no CSV file that can be read: line {lines.line_num}: {error}.") from error
    if not listing.entries and not listing.problems:
        raise DataError(f"{name} names no files; expected a line with file and label for each picture.")
    return listing.in_order()


def _columns(header: Sequence[str], name: str) -> tuple[int, int, int | None]:
    """The places of file, label and split in a row."""
    names = [column.strip().casefold() for column in header]
    file, label, split = (next((names.index(n) for n in known if n in names), None) for known in (_FILE, _LABEL, _SPLIT))
    if file is None or label is None:
        came = ", ".join(printable(column) for column in header)[:100] or "nothing"
        raise DataError(
            f"the first line of {name} is {came}; expected the names of the columns, file and label among them."
        )
    return file, label, split


def _add(listing: Listing, row: Sequence[str], columns: tuple[int, int, int | None], line: int) -> None:
    file, label, split = (row[place] if place is not None and place < len(row) else "" for place in columns)
    label, split = label.strip(), split.strip()
    if not file:
        return listing.note(f"line {line}", "missing", "the line names no file")
    inside = os.path.relpath(os.path.normpath(listing.root / file), listing.root).replace(os.sep, "/")
    if not label:
        return listing.note(inside, "no label", f"line {line} gives it no label")
    if split.casefold() in VALIDATION:
        return listing.note(inside, "loose", NOT_READ)
    part = _PARTS.get(split.casefold())
    if part is None:
        return listing.note(inside, "no label", f"line {line} gives it the split {split!r}, neither train nor test")
    listing.labels.add(as_label(label))
    if "\0" not in inside and not listing.holds(listing.root / inside):
        return listing.note(inside, "link", "it lies outside of the folder of the CSV file; it is not read")
    return listing.add(inside, as_label(label), part)
