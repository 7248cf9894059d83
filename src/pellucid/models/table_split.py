"""Which rows of a table are held out: any, the latest, or whole groups, so that nothing held out was known before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pellucid.core import random
from pellucid.core.checks import one_of
from pellucid.core.display.text import counted
from pellucid.core.errors import ArgumentError, DataError
from pellucid.data.tables.account import Account
from pellucid.data.tables.columns import Column, DateColumn, NumberColumn, date_in_words
from pellucid.data.tables.table import Rows as TableRows
from pellucid.data.tables.table import Table

Rows = tuple[NDArray[np.int64], NDArray[np.int64]]  # to learn from, and held out
FEWEST_HELD_OUT = 10  # rows; a judgement on fewer would choose an epoch at random
NAMED = 10  # rows that are left out


@dataclass(frozen=True)
class TableSplit:
    """``split="time:date"`` or ``"group:customer"``: a column by which the rows of a table are divided.

    reads   how a time is read; None for groups
    values  (n,) of each row of the table its time, or the number of its group; NaN where it has none
    numbers (n,) of the rows in their file
    """

    column: str
    reads: Column | None
    values: NDArray[np.float64]
    numbers: NDArray[np.int64]

    @classmethod
    def of(cls, table: Table, text: str) -> TableSplit | None:
        """That of "time:COLUMN" or "group:COLUMN"; None for "random". The column may be one that nothing is learned from.

        Raises `ArgumentError` for another word, `DataError` for a column that is no time.
        """
        if text == "random":
            return None
        kind, colon, column = text.partition(":")
        if kind not in ("time", "group") or not colon or not column:
            raise ArgumentError(f"a split is random, time:COLUMN or group:COLUMN, not {text!r}.")
        assert table.source is not None
        one_of(column, table.source.names, "column")
        if column in [target.name for target in table.targets]:
            raise ArgumentError(
                f"{text} would divide the rows by what is to be predicted; name a column that is known before, or random."
            )
        _, place = np.unique(table.rows, return_inverse=True)  # the rows are read in the order of the file
        if kind == "group":
            return cls(column, None, _groups(table, column)[place], table.rows)
        reads = _time_column(table, column)
        values = np.concatenate([reads.read(cells).values[used] for cells, used in _cells(table, column)])
        if np.isnan(values).all():
            raise DataError(
                f"the column {column!r} cannot say what came first: it holds no dates and no numbers. If it does, say so: "
                f"--kind {column}=date (kinds=)."
            )
        return cls(column, reads, values[place], table.rows)

    def take(self, rows: NDArray[np.int64]) -> TableSplit:
        """The split of these rows of the table alone."""
        return replace(self, values=self.values[rows], numbers=self.numbers[rows])

    def divide(self, fraction: float, seed: int) -> Rows:
        """(rows to learn from, rows held out), about this ``fraction`` of them: no group is on both sides, and no row that
        is learned from is as late as one held out. A row without a time or group is on neither. None are held out if they
        would be fewer than ten; then all are learned from."""
        known = ~np.isnan(self.values)
        values = self.values[known]
        is_held_out = _latest(values, fraction) if self.reads else _some_groups(values, fraction, seed)
        if is_held_out.sum() < FEWEST_HELD_OUT:
            return np.arange(len(known)), np.arange(0)
        places = np.flatnonzero(known)
        return places[~is_held_out], places[is_held_out]

    def in_words(self, division: Rows, purpose: str) -> str:
        """How the rows were divided, in a sentence; ``purpose`` says what for."""
        training, held_out = division
        sizes = counted(len(training), "row"), counted(len(held_out), "row")
        if not len(held_out):
            return f"split by {self.column}, {purpose}: too few rows to hold some out"
        if self.reads is None:
            groups = [len(np.unique(self.values[rows])) for rows in division]
            return (
                f"split by {self.column}, {purpose}: {counted(groups[0], 'group')} ({sizes[0]}) to learn from, "
                f"{groups[1]:,} other ({sizes[1]}) held out"
            )
        begin = self._time(float(self.values[held_out].min()))
        return (
            f"split by {self.column}, {purpose}: {sizes[0]} before {begin} to learn from, {sizes[1]} from then on held out"
        )

    def left_out(self) -> str | None:
        """The rows without a time or group, which are neither learned from nor held out; None if there are none."""
        rows = self.numbers[np.isnan(self.values)]
        if not len(rows):
            return None
        shown = ", ".join(f"{row:,}" for row in rows[:NAMED]) + (", ..." if len(rows) > NAMED else "")
        have, are = ("has", "is") if len(rows) == 1 else ("have", "are")
        return f"{counted(len(rows), 'row')} {have} no {self.column}, and {are} left out: {shown}"

    def beside(self, table: Table, test: TableRows) -> str:
        """What the rows of another table, to test on, share with this one, in a sentence: the groups, or the time."""
        if self.column not in test.names:
            return f"split by {self.column} is for validation alone: {test.name} has no such column to compare"
        reads, last = self.reads, float(np.nanmax(self.values))
        if reads is None:
            known = {cells[k] for cells, used in _cells(table, self.column) for k in np.flatnonzero(used).tolist()} - {""}
            what = f"of a {self.column} that is learned from, too"
        else:
            what = f"not later than {self._time(last)}, the last {self.column} that is learned from"
        shared = rows = 0
        for chunk in test.chunks(Account()):
            cells = chunk.columns[test.names.index(self.column)]
            rows += len(cells)
            shared += (
                sum(cell in known for cell in cells) if reads is None else int((reads.read(cells).values <= last).sum())
            )
        are = "is" if shared == 1 else "are"
        return f"split by {self.column}, {test.name}: {shared or 'none'} of {counted(rows, 'row')} {are} {what}"

    def _time(self, value: float) -> str:
        return date_in_words(value) if isinstance(self.reads, DateColumn) else f"{value:.15g}"


def _latest(values: NDArray[np.float64], fraction: float) -> NDArray[np.bool_]:
    """The rows from that time on which brings their number nearest to the fraction; `DataError` for a single time."""
    times, counts = np.unique(values, return_counts=True)
    if len(times) == 1:
        raise DataError("all rows have the same time, so that none is later than another.")
    later = counts[::-1].cumsum()[::-1][1:]  # rows from each time on, but for the first
    begin = times[1:][np.abs(later - fraction * len(values)).argmin()]
    return np.asarray(values >= begin)


def _some_groups(values: NDArray[np.float64], fraction: float, seed: int) -> NDArray[np.bool_]:
    """The rows of groups, in an order by chance, each taken if it brings the number of rows nearer to the fraction; never
    all groups. Raises `DataError` for a single group."""
    groups, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    if len(groups) == 1:
        raise DataError("all rows are of one group, so that none can be held out.")
    wanted, held, taken = fraction * len(values), 0, np.zeros(len(groups), np.bool_)
    for group in random.permutation(random.key(seed, random.Purpose.SPLIT), len(groups)):
        if abs(held + counts[group] - wanted) < abs(held - wanted) and taken.sum() < len(groups) - 1:
            held, taken[group] = held + int(counts[group]), True
    return np.asarray(taken[place.reshape(-1)])


def _time_column(table: Table, column: str) -> Column:
    """What reads a column of times: dates, or else numbers."""
    kind = table.kinds[column]
    if kind.question:
        raise DataError(f"{kind.question}.")
    if kind.kind == "date":
        return DateColumn(column, kind.date_order)
    return NumberColumn(column, *kind.number_format)


def _groups(table: Table, column: str) -> NDArray[np.float64]:
    """The number of the group of each row in the order of the file: that of its text; NaN for an empty cell."""
    numbers: dict[str, float] = {"": np.nan}
    found: list[float] = []
    for cells, used in _cells(table, column):
        found += [numbers.setdefault(cells[k], float(len(numbers))) for k in np.flatnonzero(used).tolist()]
    return np.array(found)


def _cells(table: Table, column: str) -> Iterator[tuple[Sequence[str], NDArray[np.bool_]]]:
    """The cells of a column, read once more, and which of them are of rows of the table."""
    assert table.source is not None
    place = table.source.names.index(column)
    for chunk in table.source.chunks(Account()):
        yield chunk.columns[place], np.isin(chunk.rows, table.rows)
