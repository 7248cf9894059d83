"""The account of a table: what became of each row and each cell, so that nothing is lost without a word."""

from __future__ import annotations

import csv
import io
import os
import tempfile
import weakref
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import IO, Any, NamedTuple

from pellucid.core.checks import short
from pellucid.core.display.text import counted, printable
from pellucid.core.files import check_replaceable, write_whole

SHOWN = 10  # entries in words and in JSON
KEPT = 10_000  # entries in memory; all later ones wait in a temporary file
LONGEST_VALUE = 200  # characters of a value


class Entry(NamedTuple):
    """One row or cell that did not enter the table as it stands in the file.

    column  None for a whole row
    offset  where its row begins in the file, in bytes; None for a table that comes from no file
    value   the text as it stands, shortened
    rule    what was done, and why
    refused whether it was left out; otherwise it was repaired
    """

    row: int
    column: str | None
    offset: int | None
    value: str
    rule: str
    refused: bool

    def as_data(self) -> dict[str, Any]:
        return self._asdict()

    def __str__(self) -> str:
        where = f"row {self.row:,}" + ("" if self.column is None else f", {printable(self.column)}")
        at = "" if self.offset is None else f" (byte {self.offset:,})"
        return f"{where}{at}: {short(self.value)} {'refused' if self.refused else 'repaired'}: {printable(self.rule)}"


@dataclass
class Account:
    """Rows and cells that came in; each was used, or refused by a rule with a name. Rows count from 1, without the header.

    Used are all that were not refused: rows that are whole, have missing cells, or were repaired; cells with a value that
    was understood, and missing ones. The cells of a refused row are not counted again among the cells. A blank line is no
    row.

    entries            the first ones
    refused_in_column  how many cells were refused in each column
    """

    rows_in: int = 0
    rows_with_missing: int = 0
    rows_repaired: int = 0
    rows_refused: int = 0
    cells_in: int = 0
    cells_missing: int = 0
    cells_repaired: int = 0
    cells_refused: int = 0
    blank_lines: int = 0
    refused_in_column: Counter[str] = field(default_factory=Counter)
    rules: Counter[tuple[str, bool]] = field(default_factory=Counter)
    entries: list[Entry] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _later: IO[str] | None = field(default=None, repr=False, compare=False)

    @property
    def rows_used(self) -> int:
        """All but the refused ones."""
        return self.rows_in - self.rows_refused

    @property
    def cells_used(self) -> int:
        """All but the refused ones; missing ones are among them."""
        return self.cells_in - self.cells_refused

    def refuse_row(self, row: int, offset: int | None, value: str, rule: str) -> None:
        self.rows_refused += 1
        self._enter(Entry(row, None, offset, value[:LONGEST_VALUE], rule, True))

    def repair_row(self, row: int, offset: int | None, value: str, rule: str) -> None:
        self.rows_repaired += 1
        self._enter(Entry(row, None, offset, value[:LONGEST_VALUE], rule, False))

    def refuse_cell(self, row: int, column: str, offset: int | None, value: str, rule: str) -> None:
        """The cell counts as missing from here on; its row stays."""
        self.cells_refused += 1
        self.refused_in_column[column] += 1
        self._enter(Entry(row, column, offset, value[:LONGEST_VALUE], rule, True))

    def repair_cell(self, row: int, column: str, offset: int | None, value: str, rule: str) -> None:
        self.cells_repaired += 1
        self._enter(Entry(row, column, offset, value[:LONGEST_VALUE], rule, False))

    def as_data(self) -> dict[str, Any]:
        """For JSON: ``used + refused = in``, for rows and for cells; what is repaired or missing is among the used."""
        return {
            "rows": {
                "in": self.rows_in,
                "used": self.rows_used,
                "repaired": self.rows_repaired,
                "missing": self.rows_with_missing,
                "refused": self.rows_refused,
            },
            "cells": {
                "in": self.cells_in,
                "used": self.cells_used,
                "repaired": self.cells_repaired,
                "missing": self.cells_missing,
                "refused": self.cells_refused,
            },
            "rules": [{"rule": rule, "refused": refused, "count": n} for (rule, refused), n in self.rules.most_common()],
            "entries": [entry.as_data() for entry in self.entries[:SHOWN]],
            "notes": self._all_notes(),
        }

    def in_words(self) -> list[str]:
        """Two lines of counts, a line for each rule, the first entries."""
        without = "missing or refused cells" if self.cells_refused else "missing cells"
        lines = [
            f"{counted(self.rows_in, 'row')} in: {self.rows_used:,} used ({self.rows_repaired:,} of them repaired, "
            f"{self.rows_with_missing:,} with {without}), {self.rows_refused:,} refused",
            f"{counted(self.cells_in, 'cell')} in: {self.cells_used:,} used ({self.cells_repaired:,} of them repaired, "
            f"{self.cells_missing:,} missing), {self.cells_refused:,} refused",
        ]
        lines += [
            f"  {n:,} {'refused' if refused else 'repaired'}: {printable(rule)}"
            for (rule, refused), n in self.rules.most_common()
        ]
        lines += [f"    {entry}" for entry in self.entries[:SHOWN]]
        total = sum(self.rules.values())
        if total > SHOWN:
            lines.append(f"    ... and {total - SHOWN:,} more (--account FILE writes them all)")
        return lines + self._all_notes()

    def write_csv(self, path: str | os.PathLike[str]) -> None:
        """All entries as a CSV file. Raises `OutputError` if it cannot be written, or would replace another file."""
        check_replaceable(os.fspath(path), ",".join(Entry._fields).encode(), "an account of a table")
        write_whole(path, self._lines_of_csv())

    def _lines_of_csv(self) -> Iterator[bytes]:
        line = io.StringIO()
        writer = csv.writer(line, lineterminator="\n")
        for row in chain([Entry._fields], self._rows_of_csv()):
            writer.writerow(row)
            yield line.getvalue().encode(errors="backslashreplace")
            line.seek(0)
            line.truncate()

    def _rows_of_csv(self) -> Iterator[tuple[Any, ...]]:
        for entry in self.entries:
            yield tuple("" if value is None else value for value in entry)
        if self._later is not None:
            self._later.seek(0)
            yield from map(tuple, csv.reader(self._later))
            self._later.seek(0, os.SEEK_END)

    def _all_notes(self) -> list[str]:
        blank = [f"{counted(self.blank_lines, 'blank line')} passed over"] if self.blank_lines else []
        return [*self.notes, *blank]

    def _enter(self, entry: Entry) -> None:
        self.rules[entry.rule, entry.refused] += 1
        if len(self.entries) < KEPT:
            self.entries.append(entry)
            return
        if self._later is None:
            self._later = tempfile.TemporaryFile("w+", encoding="utf-8", errors="surrogatepass", newline="")  # noqa: SIM115
            weakref.finalize(self, self._later.close)
        csv.writer(self._later).writerow(entry)
