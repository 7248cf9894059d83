"""Rows of a table with their true targets, in the form that a model takes: to judge it on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pellucid.core.display.text import counted
from pellucid.core.errors import DataError
from pellucid.core.shapes import AnyArray, Array
from pellucid.data.tables.account import Account
from pellucid.data.tables.columns import CategoryColumn, NumberColumn, OrderedColumn
from pellucid.data.tables.table import Rows, Table, labels_of, read_columns, translate
from pellucid.data.tables.table_pipeline import TablePipeline


class LabelledRows(NamedTuple):
    """The network's input x (n, D), class numbers or numbers y (n,), of several targets (n, V), row numbers (n,), and the
    account."""

    x: Array
    y: AnyArray
    rows: NDArray[np.int64]
    account: Account


def labelled_rows(pipeline: TablePipeline, rows: Rows) -> LabelledRows:
    """Read as the model learned to read: the same columns and formats. A row without a target, or with one that did not
    come in training, is refused. Raises `DataError` for a column that is not there."""
    targets = pipeline.targets
    check_columns(rows, [one.name for one in (*pipeline.columns, *targets)])
    read = read_columns(rows, {one.name: one for one in (*pipeline.columns, *targets)}, [one.name for one in targets])
    numbers = [read.values[one.name] for one in targets]
    y = numbers[0] if len(targets) == 1 else np.stack(numbers, axis=1)
    x = pipeline.encode([read.values[one.name] for one in pipeline.columns])
    return LabelledRows(x, y if labels_of(targets[0]) is None else y.astype(np.int64), read.rows, read.account)


def check_columns(rows: Rows, names: Sequence[str]) -> None:
    """Raise `DataError` if one of these columns is not there."""
    missing = [name for name in names if name not in rows.names]
    if missing:
        raise DataError(
            f"{rows.name} has no column {', '.join(map(repr, missing[:5]))}, which the model needs; it has "
            f"{', '.join(map(repr, rows.names[:20]))}."
        )


def as_numbers(table: Table) -> Table:
    """The table whose target of a few whole numbers are numbers, and no classes; any other table as it is."""
    kind = table.kinds[table.target.name]
    if kind.kind not in ("number", "count") or not isinstance(table.target, CategoryColumn):
        return table
    target = NumberColumn(table.target.name, *kind.number_format)
    return replace(table, target=target, labels=None, y=target.read(table.target.values).values[table.y])


def rows_of_table(pipeline: TablePipeline, table: Table) -> LabelledRows:
    """The same of a table that was read before. Raises `DataError` for a column that is not there, or was read as another
    kind than the model's."""
    ours, theirs = (", ".join(column.name for column in columns) for columns in (table.targets, pipeline.targets))
    if ours != theirs:
        raise DataError(
            f"the target of {table.name} is {ours!r}, that of the model {theirs!r}; read the table with that one."
        )
    if isinstance(pipeline.target, NumberColumn):
        table = as_numbers(table)
    columns, values = table.by_name()
    for known in (*pipeline.columns, *pipeline.targets):
        if known.name not in columns:
            raise DataError(
                f"{table.name} has no column {known.name!r}, which the model needs; it has "
                f"{', '.join(map(repr, list(columns)[:20]))}."
            )
        given = columns[known.name]
        levels = [one.levels for one in (given, known) if isinstance(one, OrderedColumn)]
        if type(given) is not type(known) or len(set(levels)) > 1:
            raise DataError(
                f"the column {known.name!r} of {table.name} is of the kind {given.kind}, the model learned it as "
                f"{known.kind}; say its kind by kinds=, or give the file in place of the table."
            )
    x = pipeline.encode([translate(columns[known.name], known, values[known.name]) for known in pipeline.columns])
    if pipeline.further_targets:
        return LabelledRows(x, table.y, table.rows, table.account)
    y = translate(table.target, pipeline.target, values[table.target.name])
    used = ~np.isnan(y)  # a class that did not come in training
    if not used.any():
        raise DataError(f"no row of {table.name} has a class that the model knows.")
    answers = y[used] if labels_of(pipeline.target) is None else y[used].astype(np.int64)
    return LabelledRows(x[used], answers, table.rows[used], table.account)


def cells_of(rows: Rows, numbers: Collection[int]) -> dict[int, tuple[str, ...]]:
    """The cells of the rows with these numbers, as they stand in the table; rows that cannot be used are left out."""
    wanted, found = np.array(sorted(numbers), np.int64), {}
    for chunk in rows.chunks(Account()):
        for place in np.flatnonzero(np.isin(chunk.rows, wanted)).tolist():
            found[int(chunk.rows[place])] = tuple(cells[place] for cells in chunk.columns)
        if len(found) == len(wanted):
            break
    return found


def row_of(rows: Rows, number: int) -> dict[str, list[str]]:
    """The cell of each column in one row, in a list as a column reads it. Raises `DataError` for a row that is not there or
    cannot be used, and says why."""
    account = Account()
    for chunk in rows.chunks(account):
        for place in np.flatnonzero(chunk.rows == number).tolist():
            cells = zip(rows.names, chunk.columns, strict=True)
            return {name: (type(of) if isinstance(of, list) else list)([of[place]]) for name, of in cells}
    rules = [entry.rule for entry in account.entries if entry.row == number]
    if rules:
        raise DataError(f"row {number:,} of {rows.name} cannot be used: {rules[0]}.")
    raise DataError(f"there is no row {number:,}; {rows.name} has {counted(account.rows_in, 'row')}.")
