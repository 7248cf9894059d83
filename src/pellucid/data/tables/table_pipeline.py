"""The pipeline of a table: from the cells of a row to the numbers that a network takes, learned from training rows only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from pellucid.core.checks import short
from pellucid.core.display.text import counted
from pellucid.core.errors import DataError
from pellucid.core.machine import ALONE, Threads
from pellucid.core.shapes import Array, Shape
from pellucid.data.pipeline import Pipeline, Prepared
from pellucid.data.tables.columns import Column, Numbers, Values, Words
from pellucid.data.tables.division import SPACES
from pellucid.nn import catalogue

THREE_DECIMALS = re.compile(r"(?m)(?<=\.[0-9]{3})$")  # 1.234 becomes 1.2340, whose point is none between thousands
NO_NUMBER = re.compile("(?m)^(?:None|nan)$")
MANY = 1000  # rows; for fewer, threads do not pay
NUMBERS = (int, float, Decimal, np.integer, np.floating)


@catalogue.register
@dataclass(frozen=True)
class TablePipeline(Pipeline):
    """The columns that the network learns from, in order, each with what was measured of it; and how the target is read, or
    of several the first and the ``further_targets``."""

    reads_tables: ClassVar[bool] = True

    columns: tuple[Column, ...]
    target: Column
    further_targets: tuple[Column, ...] = ()

    def __str__(self) -> str:
        """In a line; `learned` of each column says the rest."""
        width = counted(self.output_shape[0], "number")
        targets = ", ".join(repr(column.name) for column in self.targets)
        what = "the target" if len(self.targets) == 1 else "the targets"
        return f"table of {counted(len(self.columns), 'column')} ({width}) with {what} {targets}"

    @property
    def targets(self) -> tuple[Column, ...]:
        """What is predicted, column by column."""
        return (self.target, *self.further_targets)

    @property
    def output_shape(self) -> Shape:
        """(the sum of the columns' widths,)."""
        return (sum(column.width for column in self.columns),)

    @property
    def parts(self) -> tuple[str, ...]:
        """A name for each number of the network's input."""
        return tuple(part for column in self.columns for part in column.parts)

    @property
    def sources(self) -> NDArray[np.int64]:
        """For each number of the network's input the index of its column."""
        return np.repeat(np.arange(len(self.columns)), [column.width for column in self.columns])

    def encode(self, values: Sequence[NDArray[np.float64]], threads: Threads = ALONE) -> Array:
        """The network's input (n, D) of the values of each column (n,), float32."""
        ends = np.cumsum([column.width for column in self.columns]).tolist()
        encoded = np.empty((len(values[0]), ends[-1]), np.float32)

        def encode(column: Column, of_column: NDArray[np.float64], end: int) -> None:
            encoded[:, end - column.width : end] = column.encode(of_column)

        threads.map(encode, self.columns, values, ends, is_small=len(encoded) < MANY)
        return encoded

    def read(self, cells: Mapping[str, Sequence[str]], threads: Threads = ALONE) -> list[Values]:
        """The values of each column, from texts by name. Raises `DataError` for a column that is not there."""
        missing = [column.name for column in self.columns if column.name not in cells]
        if missing:
            raise DataError(
                f"the table has no column {', '.join(map(repr, missing[:5]))}, which the model was trained on; "
                f"it has {', '.join(map(repr, list(cells)[:20]))}."
            )
        texts = [cells[column.name] for column in self.columns]
        return threads.map(lambda column, of: column.read(of), self.columns, texts, is_small=len(texts[0]) < MANY)

    def prepare(self, source: Any) -> Prepared:
        """One row, as a mapping of names to values. A column that is not there counts as missing; an unknown name is an
        error. The doubt names the cells that were not understood."""
        if not isinstance(source, Mapping):
            raise DataError(f"a row is a mapping of names to values, such as {{'rooms': 5}}, not {type(source).__name__}.")
        names = [column.name for column in self.columns]
        known = {*names, *(column.name for column in self.targets)}
        unknown = [str(name) for name in source if name not in known]
        if unknown:
            raise DataError(f"no column is called {unknown[0]!r}; the model was trained on {', '.join(map(repr, names))}.")
        values = self.read({name: as_texts(name, [source.get(name)]) for name in names})
        bad = [name for name, one in zip(names, values, strict=True) if one.refused[0]]
        doubt = f"{', '.join(bad)} was not understood" if bad else None
        return Prepared(self.encode([one.values for one in values])[0], doubt)


def as_texts(name: str, values: Sequence[object]) -> list[str]:
    """The values of a column as the texts of cells: `Words` if all are texts, `Numbers` if all are numbers, or missing.
    Raises `DataError` with the name of the column for what is no cell."""
    types = set(map(type, values)) - {type(None)}
    try:
        if types <= {int, float}:
            return Numbers(_texts_of_numbers(values))
        if types == {str}:
            return Words("" if value is None else value.strip(SPACES) for value in values)  # type: ignore[attr-defined]
        texts = list(map(as_text, values))
    except ValueError as error:  # a `DataError`, or a number of too many digits
        raise DataError(f"the column {name!r}: {error}") from None
    types = {type(value) for value, text in zip(values, texts, strict=True) if text}
    if all(issubclass(one, str) for one in types):
        return Words(texts)
    return Numbers(texts) if all(issubclass(one, NUMBERS) and one is not bool for one in types) else texts


def as_text(value: object) -> str:
    """A value as the text of a cell: nothing for None, NaN and the like; "true" and "false"; a number exactly; a date as
    2024-12-31 13:00:00; of a span of time the seconds; else what Python writes. Raises `DataError` for several values."""
    if is_nothing(value):
        return ""
    if isinstance(value, str):
        return value.strip(SPACES)
    if isinstance(value, np.datetime64):
        return str(value)
    if isinstance(value, np.timedelta64):
        value = value / np.timedelta64(1, "s")
    if isinstance(value, np.generic | np.ndarray) and value.ndim == 0:
        value = value.item()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, timedelta):
        value = value.total_seconds()
    if isinstance(value, NUMBERS):
        return _of_number(value)
    if isinstance(value, Iterable):
        raise DataError(f"a cell holds one number, text or date, not {short(value)} ({type(value).__name__}).")
    return str(value)


def _of_number(value: object) -> str:
    return THREE_DECIMALS.sub("0", str(value))


def _texts_of_numbers(values: Sequence[object]) -> list[str]:
    """The same for many: numbers, None and NaN."""
    lines = "\n".join(map(repr, values))
    return THREE_DECIMALS.sub("0", NO_NUMBER.sub("", lines)).split("\n") if lines else []


def is_nothing(value: object) -> bool:
    """Whether a value stands for none: None, NaN, NaT, or pandas' NA, of which not even equality with itself is known."""
    try:
        return value is None or bool(value != value)
    except TypeError:  # it cannot be asked
        return not isinstance(value, Iterable)
    except ValueError:  # an array
        return False
