"""Tables that are no text: frames of pandas and polars, dicts of columns, Arrow tables, files of Parquet and Arrow.

Each value becomes the text that a cell of a CSV file would hold, exactly, and is then read like one: one road serves all
tables. Neither pandas nor polars is imported; a frame is known by what it offers.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from pellucid.core.checks import short
from pellucid.core.display.text import printable
from pellucid.core.errors import DataError, MissingDependencyError
from pellucid.data.tables.account import Account
from pellucid.data.tables.records import Chunk
from pellucid.data.tables.table_pipeline import as_text, as_texts

ROWS_AT_ONCE = 1 << 14
NO_OFFSET = -1  # of a row that stands in no file of text
PARQUET, ARROW_FILE, ARROW_STREAM, OLD_FEATHER = b"PAR1", b"ARROW1", b"\xff\xff\xff\xff", b"FEA1"
Part = Sequence[Sequence[object]]  # the values of some rows, by column


@dataclass(frozen=True)
class FrameRows:
    """The rows of a frame, of columns, or of a binary file. ``parts`` gives the values from the first row on, each time."""

    name: str
    names: tuple[str, ...]
    parts: Callable[[], Iterator[Part]]
    notes: tuple[str, ...] = ()

    def chunks(self, account: Account) -> Iterator[Chunk]:
        account.notes[:] = self.notes
        for part in self.parts():
            texts: list[list[str]] = [as_texts(name, values) for name, values in zip(self.names, part, strict=True)]
            count = len(texts[0])
            rows = np.arange(account.rows_in + 1, account.rows_in + 1 + count)
            account.rows_in += count
            yield Chunk(rows, np.full(count, NO_OFFSET), texts)


def frame_rows(source: Any) -> FrameRows | None:
    """The rows of a frame of pandas or polars, of a mapping of names to columns, or of whatever offers itself as an Arrow
    table; None for what is none of these. The index of a pandas frame is no column."""
    if isinstance(source, Mapping):
        return _of_columns("the dict", list(source), list(source.values()))
    if hasattr(source, "iloc") and hasattr(source, "columns"):  # pandas
        return _of_columns("the frame", list(source.columns), [source.iloc[:, k] for k in range(source.shape[1])])
    if hasattr(source, "get_columns"):  # polars
        return _of_columns("the frame", list(source.columns), source.get_columns())
    if hasattr(source, "__arrow_c_stream__"):
        pa = _arrow()
        try:
            table = pa.table(source)
        except pa.ArrowInvalid:  # one column alone
            return None
        return _of_batches("the Arrow table", table.schema, table.num_rows, lambda: iter(table.to_batches()))
    return None


def binary_rows(path: str | os.PathLike[str]) -> FrameRows | None:
    """The rows of a Parquet or Arrow (Feather) file, read part by part; None for any other file, or none."""
    if not os.path.isfile(path):  # to open a pipe would wait for whoever writes into it
        return None
    try:
        with open(path, "rb") as file:
            magic = file.read(6)
    except OSError:
        return None
    name = printable(os.fspath(path))
    if magic.startswith(OLD_FEATHER):
        raise DataError(f"{name} is a Feather file of version 1, which is no longer in use; save it as Parquet or CSV.")
    for start, of_file in ((PARQUET, _of_parquet), (ARROW_FILE, _of_arrow_file), (ARROW_STREAM, _of_arrow_stream)):
        if magic.startswith(start):
            return _undamaged(name, partial(of_file, name, os.fspath(path)))
    return None


def _of_columns(name: str, names: Sequence[object], columns: Sequence[Any]) -> FrameRows:
    """Rows of columns that can be cut: sequences, arrays, series."""
    known = _checked_names(name, names)
    lengths = [_length(one, column) for one, column in zip(known, columns, strict=True)]
    for one, length in zip(known, lengths, strict=True):
        if length != lengths[0]:
            raise DataError(
                f"the columns of {name} must be equally long: {known[0]!r} has {lengths[0]:,} values, {one!r} {length:,}."
            )
    _check_has_rows(name, lengths[0])

    def parts() -> Iterator[Part]:
        for start in range(0, lengths[0], ROWS_AT_ONCE):
            yield [_values(column, start) for column in columns]

    return FrameRows(name, known, parts)


def _checked_names(name: str, names: Sequence[object]) -> tuple[str, ...]:
    """The names as texts, all different. Numbers are names too: those that pandas gives by itself."""
    if not names:
        raise DataError(f"{name} has no columns.")
    for one in names:
        if isinstance(one, bool) or not isinstance(one, str | int | np.integer) or one == "":
            raise DataError(f"the name of a column is a text or a whole number, not {short(one)}: rename it in {name}.")
    texts = tuple(map(str, names))
    if len(set(texts)) < len(texts):
        again, _ = Counter(texts).most_common(1)[0]
        raise DataError(f"two columns of {name} are called {again!r}: rename one of them.")
    return texts


def _length(name: str, column: Any) -> int:
    """How many values a column has. Raises `DataError` for what is no column."""
    is_flat = getattr(column, "ndim", 1) == 1
    if not is_flat or isinstance(column, str | bytes | Mapping) or not hasattr(column, "__getitem__"):
        what = type(column).__name__ if is_flat else f"an array of {column.ndim} axes"
        raise DataError(f"the column {name!r} must be a list, an array of one axis or a series, not {what}.")
    return len(column)


def _check_has_rows(name: str, count: int) -> None:
    if not count:
        raise DataError(f"{name} has no rows; expected a row for each sample.")


def _values(column: Any, start: int) -> Sequence[object]:
    """The values of some rows as objects of Python. Those of a category are words, also where they are numbers."""
    part = getattr(column, "iloc", column)[start : start + ROWS_AT_ONCE]
    if isinstance(part, np.ndarray):
        return list(part) if part.dtype.kind in "mM" else part.tolist()  # tolist makes numbers of nanoseconds
    if hasattr(part, "to_pylist"):
        return _arrow_values(part)
    values = part.to_list() if hasattr(part, "to_list") else list(part)
    return list(map(as_text, values)) if str(getattr(part, "dtype", "")) == "category" else values


def _arrow() -> Any:
    try:
        import pyarrow
    except ImportError:
        raise MissingDependencyError(
            'a Parquet or Arrow table needs one more package: pip install "pellucid[tables]".'
        ) from None
    return pyarrow


def _of_parquet(name: str, path: str) -> FrameRows:
    _arrow()
    from pyarrow.parquet import ParquetFile

    with ParquetFile(path) as file:
        schema, count = file.schema_arrow, file.metadata.num_rows

    def batches() -> Iterator[Any]:
        with ParquetFile(path) as file:
            yield from file.iter_batches(ROWS_AT_ONCE)

    return _of_batches(name, schema, count, batches)


def _of_arrow_file(name: str, path: str) -> FrameRows:
    ipc = _arrow().ipc

    def batches() -> Iterator[Any]:
        with _arrow().memory_map(path) as mapped, ipc.open_file(mapped) as file:
            for k in range(file.num_record_batches):
                yield file.get_batch(k)

    with _arrow().memory_map(path) as mapped, ipc.open_file(mapped) as file:
        schema = file.schema
    return _of_batches(name, schema, _count(batches()), batches)


def _of_arrow_stream(name: str, path: str) -> FrameRows:
    ipc = _arrow().ipc

    def batches() -> Iterator[Any]:
        with _arrow().OSFile(path) as file, ipc.open_stream(file) as stream:
            yield from stream

    with _arrow().OSFile(path) as file, ipc.open_stream(file) as stream:
        schema = stream.schema
    return _of_batches(name, schema, _count(batches()), batches)


def _count(batches: Iterator[Any]) -> int:
    return sum(batch.num_rows for batch in batches)


def _of_batches(name: str, schema: Any, count: int, batches: Callable[[], Iterator[Any]]) -> FrameRows:
    """Rows of Arrow's record batches, without the columns that held the index of a pandas frame."""
    index = _pandas_index(schema)
    kept = [k for k, one in enumerate(schema.names) if one not in index]
    names = _checked_names(name, [schema.names[k] for k in kept])
    _check_has_rows(name, count)
    notes = tuple(f"{one!r} is the index of a pandas frame, and no column" for one in schema.names if one in index)

    def parts() -> Iterator[Part]:
        opened = batches()
        while (batch := _undamaged(name, partial(next, opened, None))) is not None:
            for start in range(0, batch.num_rows, ROWS_AT_ONCE):
                part = batch.slice(start, ROWS_AT_ONCE)
                yield [_arrow_values(part.column(k)) for k in kept]

    return FrameRows(name, names, parts, notes)


def _pandas_index(schema: Any) -> list[str]:
    """The columns that pandas wrote for its index; the usual one, 0, 1, 2 ..., it does not write."""
    described = (schema.metadata or {}).get(b"pandas")
    columns = json.loads(described)["index_columns"] if described else []
    return [one for one in columns if isinstance(one, str)]


def _arrow_values(array: Any) -> Sequence[object]:
    """The values of an Arrow array; of nanoseconds the microseconds, which is what Python's dates hold."""
    types, kind = _arrow().types, array.type
    if types.is_dictionary(kind):
        return list(map(as_text, _arrow_values(array.cast(kind.value_type))))
    if getattr(kind, "unit", None) == "ns":
        pa = _arrow()
        if types.is_timestamp(kind):
            coarse = pa.timestamp("us", kind.tz)
        else:
            coarse = pa.duration("us") if types.is_duration(kind) else pa.time64("us")
        array = array.cast(coarse, safe=False)
    try:
        values: list[object] = array.to_pylist()
        return values
    except (ValueError, OverflowError) as error:
        raise DataError(f"a value of the type {kind} cannot be read: {error}.") from None


def _undamaged(name: str, read: Callable[[], Any]) -> Any:
    """What ``read`` gives. Raises `DataError` where the bytes of the file are not what they should be."""
    try:
        return read()
    except (_arrow().ArrowException, OSError, EOFError) as error:
        raise DataError(f"{name} cannot be read, it is damaged or cut off: {str(error).rstrip('.')}.") from None
