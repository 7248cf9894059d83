"""The rows of a table as ``pellucid train`` divides them: to learn from, to validate on, and to test on."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from pellucid.apps.cli.job import TrainJob
from pellucid.core.checks import number_between
from pellucid.core.display.text import counted
from pellucid.core.errors import ArgumentError
from pellucid.data.tables.table import Rows as TableRows
from pellucid.data.tables.table import Table
from pellucid.models.table_split import FEWEST_HELD_OUT, Rows, TableSplit
from pellucid.models.train_table import divide_table


class TableParts(NamedTuple):
    """The rows that are not tested on, those that are or None, and of the former which are learned from and which are held
    out for validation; ``notes`` say how, where it is not at random."""

    table: Table
    test: Table | None
    division: Rows
    notes: list[str]


def divided(
    table: Table, validation: float | None, job: TrainJob, seed: int, test_rows: TableRows | None = None
) -> TableParts:
    """The parts by ``--test FRACTION``, ``--split`` and the share for validation; the notes say what ``test_rows``, another
    table to test on, share with this one."""
    by = TableSplit.of(table, job.given.get("split", "random"))
    fraction, test, notes = _test_fraction(job.given), None, []
    if by is not None and (fraction or validation) and (left_out := by.left_out()):
        notes.append(left_out)
    if by is not None and test_rows is not None:
        notes.append(by.beside(table, test_rows))
    if fraction is not None:
        learn, held_out = parts = divide_table(table, fraction, seed + 1, by)
        if not len(held_out):
            raise ArgumentError(
                f"--test {fraction:g} would hold fewer than {FEWEST_HELD_OUT} out of {counted(len(table), 'row')}; give a "
                "larger fraction, or another table."
            )
        notes += [] if by is None else [by.in_words(parts, "for the test")]
        table, test, by = table.take(learn), table.take(held_out), None if by is None else by.take(learn)
    division = divide_table(table, validation, seed, by)
    if by is not None and validation:
        notes.append(by.in_words(division, "for validation"))
    return TableParts(table, test, division, notes)


def is_test_file(given: dict[str, Any]) -> bool:
    """Whether ``--test`` names a table."""
    return "test" in given and os.path.exists(given["test"])


def _test_fraction(given: dict[str, Any]) -> float | None:
    test = given.get("test")
    if test is None or is_test_file(given):
        return None
    try:
        return number_between(float(test), "--test", 0.0, 1.0, open_low=True, open_high=True)
    except ValueError:
        raise ArgumentError(f"--test is a table that exists, or a fraction such as 0.2; {test!r} is neither.") from None
