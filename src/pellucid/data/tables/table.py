"""A table to learn from: its columns with their kinds, its target, and the account of every row and cell."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from pellucid.core.checks import one_of
from pellucid.core.errors import ArgumentError, DataError
from pellucid.core.machine import ALONE, Threads
from pellucid.core.shapes import AnyArray
from pellucid.core.suggestions import suggests_arguments
from pellucid.data.tables.account import Account
from pellucid.data.tables.cell_texts import CellTexts
from pellucid.data.tables.columns import (
    CategoryColumn,
    Column,
    DateColumn,
    NumberColumn,
    Numbers,
    OrderedColumn,
    Values,
    Words,
)
from pellucid.data.tables.dialect import Dialect, find_dialect
from pellucid.data.tables.frames import NO_OFFSET, binary_rows, frame_rows
from pellucid.data.tables.kinds import ColumnKind, decide, in_order, target_column_of, target_names
from pellucid.data.tables.profile import ColumnProfile
from pellucid.data.tables.records import Chunk, read_chunks
from pellucid.data.tables.source import Source
from pellucid.data.tables.table_pipeline import MANY, TablePipeline

CSV_OPTIONS = ("names", "delimiter", "encoding")
Kinds = Mapping[str, str | Sequence[str]]


class Rows(Protocol):
    """Where rows come from: a file, a frame, a dict of columns. They can be read more than once."""

    @property
    def name(self) -> str:
        """What it is called in messages."""

    @property
    def names(self) -> tuple[str, ...]:
        """Those of the columns, all different."""

    def chunks(self, account: Account) -> Iterator[Chunk]:
        """All rows that can be used, from the first on; what cannot be used goes into the account."""


@dataclass(frozen=True)
class FileRows:
    """The rows of a CSV file."""

    source: Source
    dialect: Dialect

    @property
    def name(self) -> str:
        return self.source.name

    @property
    def names(self) -> tuple[str, ...]:
        return self.dialect.names

    def chunks(self, account: Account) -> Iterator[Chunk]:
        account.notes[:] = self.dialect.notes
        return read_chunks(self.source, self.dialect, account)


@dataclass(frozen=True)
class Inspection:
    """What is in a table: a profile and a kind for each column. Nothing was trained, nothing left out."""

    rows: Rows
    profiles: tuple[ColumnProfile, ...]
    kinds: tuple[ColumnKind, ...]
    account: Account

    @property
    def questions(self) -> list[str]:
        """What cannot be known from the cells, and must be said."""
        return [kind.question for kind in self.kinds if kind.question]


@dataclass(frozen=True)
class Table:
    """``pl.datasets.table("houses.csv", target="price")``: rows to learn from.

    columns  those that are learned from, not yet fitted; ``values`` (n,) of each, NaN where there is none
    target   how the target is read; ``y`` (n,) its class numbers, or its numbers for a regression; ``labels`` of the
             classes, or None
    kinds    of every column in the file by name, also of those that are dropped
    rows     their numbers in the file, from 1
    further_targets  of several targets, all numbers, those behind the first; ``y`` is then (n, V)
    source   where the rows came from; they can be read again
    """

    name: str
    columns: tuple[Column, ...]
    values: tuple[NDArray[np.float64], ...]
    target: Column
    y: AnyArray
    labels: tuple[str | int, ...] | None
    kinds: Mapping[str, ColumnKind]
    rows: NDArray[np.int64]
    account: Account = field(repr=False)
    further_targets: tuple[Column, ...] = ()
    source: Rows | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.y)

    @property
    def targets(self) -> tuple[Column, ...]:
        """What is to be predicted, column by column."""
        return (self.target, *self.further_targets)

    def take(self, rows: NDArray[np.int64]) -> Table:
        """The table of these rows alone."""
        values = tuple(one[rows] for one in self.values)
        return replace(self, values=values, y=self.y[rows], rows=self.rows[rows])

    def by_name(self) -> tuple[dict[str, Column], dict[str, NDArray[np.float64]]]:
        """The columns and their values (n,), the targets among them."""
        columns = {column.name: column for column in (*self.columns, *self.targets)}
        values = (*self.values, *self.y.astype(np.float64).reshape(len(self), -1).T)
        return columns, dict(zip(columns, values, strict=True))

    def of_each_target(self) -> Iterator[Table]:
        """The table with one target alone, for each of them."""
        if not self.further_targets:
            yield self
            return
        for v, target in enumerate(self.targets):
            yield replace(self, target=target, further_targets=(), y=self.y[:, v])

    def without(self, names: Collection[str]) -> Table:
        """The table without these columns."""
        kept = [k for k, column in enumerate(self.columns) if column.name not in names]
        return replace(self, columns=tuple(self.columns[k] for k in kept), values=tuple(self.values[k] for k in kept))

    def pipeline(self, rows: NDArray[np.int64]) -> TablePipeline:
        """The pipeline with what is measured of these rows, the training rows."""
        fitted = tuple(one.fit(values[rows]) for one, values in zip(self.columns, self.values, strict=True))
        return TablePipeline(fitted, self.target, self.further_targets)

    def encode(self, pipeline: TablePipeline) -> AnyArray:
        """The network's input (n, D) by a fitted pipeline of this table."""
        translated = [
            translate(one, fitted, values)
            for one, fitted, values in zip(self.columns, pipeline.columns, self.values, strict=True)
        ]
        return pipeline.encode(translated)


def translate(column: Column, fitted: Column, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values of a column as those of the fitted one: the codes of categories are renumbered, all else stays."""
    if not isinstance(column, CategoryColumn):
        return values
    codes = np.append(fitted.read(column.values).values, np.nan)
    return np.asarray(codes[np.where(np.isnan(values), -1, values).astype(int)])


def open_rows(
    source: Any, *, names: Sequence[str] | None = None, delimiter: str | None = None, encoding: str | None = None
) -> Rows:
    """The rows of a file, of a frame, or of a dict of columns; ``names``, ``delimiter`` and ``encoding`` are for CSV."""
    is_path = isinstance(source, str | os.PathLike)
    rows = binary_rows(source) if is_path else frame_rows(source)
    if rows is not None:
        if stated := [name for name, one in zip(CSV_OPTIONS, (names, delimiter, encoding), strict=True) if one is not None]:
            raise ArgumentError(f"{stated[0]} is for a CSV file; {rows.name} is none.")
        return rows
    if is_path:
        opened = Source.open(source, encoding)
        return FileRows(opened, find_dialect(opened, delimiter, names))
    hint = "; call collect() first" if hasattr(source, "collect") else ""
    raise DataError(
        "a table is the path of a CSV, Parquet or Arrow file, a frame of pandas or polars, a dict of columns or an Arrow "
        f"table, not {type(source).__name__}{hint}."
    )


def inspect_table(
    rows: Rows, *, kinds: Kinds | None = None, decimal: str | None = None, date_order: str | None = None
) -> Inspection:
    """Look at every cell, and decide on the kind of each column."""
    kinds = kinds or {}
    for name in kinds:
        one_of(name, rows.names, "column")
    account = Account()
    profiles = tuple(map(ColumnProfile, rows.names))
    types: dict[str, set[type]] = {name: set() for name in rows.names}  # of the lists of cells: `Words`, `Numbers`, or any

    def add(profile: ColumnProfile, cells: Sequence[str]) -> None:
        empty = profile.empty
        profile.add(cells)
        if profile.empty - empty < len(cells):
            types[profile.name].add(type(cells))

    with Threads() as threads:
        for chunk in rows.chunks(account):
            threads.map(add, profiles, chunk.columns, is_small=len(chunk.rows) < MANY)
    decided = []
    for profile in profiles:
        if types[profile.name] == {Words} and profile.name not in kinds:
            profile.formats.clear()  # "02" and "2" of a frame's texts are no numbers
        sign = None if types[profile.name] == {Numbers} else decimal
        decided.append(decide(profile, kinds.get(profile.name), decimal=sign, date_order=date_order))
    return Inspection(rows, profiles, tuple(decided), account)


@suggests_arguments
def table(
    source: Any,
    target: str | Sequence[str],
    *,
    kinds: Kinds | None = None,
    drop: Sequence[str] = (),
    names: Sequence[str] | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    decimal: str | None = None,
    date_order: str | None = None,
) -> Table:
    """Read a table to learn ``target`` from its other columns. Nothing is lost without a line in ``table.account``.

    source      the path of a CSV file (also packed by gzip or zstd), of a Parquet or an Arrow (Feather) file; a frame of
                pandas or polars; a dict of columns; an Arrow table. The types of a frame hold: its texts are words
    target      the name of the column to predict: words or yes and no become classes, numbers a regression; whole numbers
                from 0 or 1 on are classes if no more than 20 come and none is left out (``kinds={"quality": "number"}``
                says otherwise). Or the names of several columns of numbers
    kinds       name -> kind, where the rules decide wrongly: see `pellucid.data.tables.kinds`; or the levels of an ordered
                column, from low to high
    drop        columns that are not to be learned from
    names       of the columns, for a file without a header
    decimal     the decimal sign, "." or ","; date_order: "dmy" or "mdy". Asked for only where the cells do not tell
    encoding    where it is not UTF-8; delimiter: where it is not recognised

    Rows without a target are refused. Raises `DataError` for what is no such table, and with a question where the cells
    do not tell what is meant.
    """
    rows = open_rows(source, names=names, delimiter=delimiter, encoding=encoding)
    for name in (*target_names(target), *drop):
        one_of(name, rows.names, "column")
    return read_table(inspect_table(rows, kinds=kinds, decimal=decimal, date_order=date_order), target, drop)


def read_table(inspection: Inspection, target: str | Sequence[str], drop: Sequence[str] = ()) -> Table:
    """The typed columns of a table that was looked at."""
    targets = target_names(target)
    target = targets[0] if len(targets) == 1 else ", ".join(targets)
    kinds = dict(zip(inspection.rows.names, inspection.kinds, strict=True))
    used = [name for name, kind in kinds.items() if name in targets or not (kind.is_dropped or name in drop)]
    if asked := [question for name in used if (question := kinds[name].question)]:
        raise DataError("; ".join(asked) + ".")
    if len(used) <= len(targets):
        raise DataError(
            f"{inspection.rows.name} has no column to learn {target!r} from: " + _why_none(kinds, targets, drop)
        )
    profiles = {profile.name: profile for profile in inspection.profiles}
    of_targets = {name: target_column_of(profiles[name], kinds[name], is_alone=len(targets) == 1) for name in targets}
    columns = {name: of_targets[name] if name in targets else column_of(profiles[name], kinds[name]) for name in used}
    read = read_columns(inspection.rows, columns, targets)
    numbers = [read.values.pop(name) for name in targets]
    target_column, y = _with_known_classes(of_targets[targets[0]], numbers[0])
    if len(targets) > 1:
        y = np.stack(numbers, axis=1)
    labels = labels_of(target_column)
    if labels is not None and len(labels) == 1:
        raise DataError(f"the target {target!r} cannot be learned: all rows that have one have {labels[0]!r}.")
    learned = tuple(column for name, column in columns.items() if name not in targets)
    parts = (inspection.rows.name, learned, tuple(read.values.values()), target_column)
    further = tuple(of_targets[name] for name in targets[1:])
    return Table(*parts, y, labels, kinds, read.rows, read.account, further, inspection.rows)


class ReadColumns(NamedTuple):
    """The values of columns by name, the numbers of their rows, and the account."""

    values: dict[str, NDArray[np.float64]]
    rows: NDArray[np.int64]
    account: Account


def read_columns(rows: Rows, columns: Mapping[str, Column], targets: Sequence[str] = ()) -> ReadColumns:
    """The values of ``columns``; all cells are counted, also those of other columns. Rows that lack one of the ``targets``
    are refused."""
    account = Account()
    kept: dict[str, list[NDArray[np.float64]]] = {name: [] for name in columns}
    numbers: list[NDArray[np.int64]] = []
    with Threads() as threads:
        for chunk in rows.chunks(account):
            used, values = read_chunk(chunk, rows.names, columns, targets, account, threads)
            numbers.append(chunk.rows[used])
            for name, one in values.items():
                kept[name].append(one[used])
    if not account.rows_used:
        raise DataError(f"no row of {rows.name} has a value of the target {', '.join(map(repr, targets))}.")
    joined = {name: np.concatenate(kept.pop(name)) for name in columns}  # a column at a time, so that one is there twice
    return ReadColumns(joined, np.concatenate(numbers), account)


def column_of(profile: ColumnProfile, kind: ColumnKind) -> Column:
    """What reads a column of this kind."""
    if kind.kind in ("number", "count"):
        return NumberColumn(profile.name, *kind.number_format)
    if kind.kind == "ordered":
        return OrderedColumn(profile.name, kind.levels)
    if kind.kind == "date":
        return DateColumn(profile.name, kind.date_order)
    if profile.values is None:
        raise DataError(
            f"the column {profile.name!r} has more than 100,000 different values; drop it (--drop, drop=), or say that "
            "it is text or an identifier."
        )
    return CategoryColumn(profile.name, tuple(sorted(profile.values, key=in_order)))


def read_chunk(
    chunk: Chunk,
    names: Sequence[str],
    columns: Mapping[str, Column],
    targets: Sequence[str],
    account: Account,
    threads: Threads = ALONE,
) -> tuple[NDArray[np.bool_], dict[str, NDArray[np.float64]]]:
    """Which rows have all targets, and the values of the columns; the account has what is missing or refused."""
    cells = dict(zip(names, chunk.columns, strict=True))
    texts = [cells[name] for name in columns]
    found = threads.map(lambda column, of: column.read(of), columns.values(), texts, is_small=len(chunk.rows) < MANY)
    read = dict(zip(columns, found, strict=True))
    used = np.ones(len(chunk.rows), np.bool_)
    for target in targets:
        has_none = np.isnan(read[target].values)
        for place in np.flatnonzero(used & has_none).tolist():
            no_use = f"its {target} cannot be used: {read[target].rule}"
            rule = f"it has no {target}" if read[target].missing[place] else no_use
            account.refuse_row(*_place(chunk, place), cells[target][place], rule)
        used &= ~has_none
    count_cells(chunk, names, read, used, account)
    return used, {name: one.values for name, one in read.items()}


def count_cells(
    chunk: Chunk, names: Sequence[str], read: Mapping[str, Values], used: NDArray[np.bool_], account: Account
) -> None:
    """Enter the cells of the rows in use: missing ones, and those that were refused. A column that is not ``read`` has
    missing cells where it is empty."""
    incomplete = np.zeros(len(chunk.rows), np.bool_)
    account.cells_in += int(used.sum()) * len(names)
    for name, cells in zip(names, chunk.columns, strict=True):
        missing = read[name].missing if name in read else CellTexts.of(cells).are_empty
        account.cells_missing += int((missing & used).sum())
        incomplete |= missing
        if name in read:
            incomplete |= read[name].refused
            for place in np.flatnonzero(read[name].refused & used).tolist():
                row, offset = _place(chunk, place)
                account.refuse_cell(row, name, offset, cells[place], read[name].rule)
    account.rows_with_missing += int((incomplete & used).sum())


def _place(chunk: Chunk, place: Any) -> tuple[int, int | None]:
    offset = int(chunk.offsets[place])
    return int(chunk.rows[place]), None if offset == NO_OFFSET else offset


def labels_of(target: Column) -> tuple[str | int, ...] | None:
    """The classes of a target, or None for a regression."""
    return target.values if isinstance(target, CategoryColumn) else None


def _with_known_classes(target: Column, values: NDArray[np.float64]) -> tuple[Column, AnyArray]:
    """The target with only the classes that come, and its values: class numbers of them, or numbers."""
    if not isinstance(target, CategoryColumn):
        return target, values
    fitted = target.fit(values)
    return fitted, translate(target, fitted, values).astype(np.int64)


def _why_none(kinds: Mapping[str, ColumnKind], targets: Sequence[str], drop: Sequence[str]) -> str:
    others = {name: kind for name, kind in kinds.items() if name not in targets}
    reasons = [f"{name} is {'dropped' if name in drop else kind.in_words}" for name, kind in others.items()]
    return (", ".join(reasons[:10]) or "there is no other column") + "."
