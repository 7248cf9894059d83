"""The cells of one row as the page moves them: what each column takes, where its training rows lay, what a cell means.

A cell is a number or null (missing) for a column of numbers, else a text: a date as 2024-02-29, "" where it is missing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.core.checks import short
from pellucid.core.errors import ArgumentError
from pellucid.core.shapes import Array
from pellucid.data.tables.columns import (
    CLIP,
    DAY,
    CategoryColumn,
    Column,
    DateColumn,
    NumberColumn,
    OrderedColumn,
    Values,
    date_in_words,
)
from pellucid.data.tables.table_pipeline import TablePipeline, as_texts
from pellucid.models.model import Model
from pellucid.models.table_front import edges_of

Cells = dict[str, Any]
STEPS = 200  # of a slider over the training rows, at least
UNKNOWN = 2.0  # scales to each side of the center, where the range of the training rows is not known
UNSEEN = "a value that did not come in training"
IN_ORDER = {"ymd": "%Y-%m-%d", "dmy": "%d.%m.%Y", "mdy": "%m/%d/%Y", "d month y": "%d %B %Y", "month d y": "%B %d %Y"}


def pipeline_of(model: Model) -> TablePipeline:
    """The pipeline of a model of tables; raises `ArgumentError` for another one."""
    if not isinstance(model.pipeline, TablePipeline):
        raise ArgumentError("this network does not read rows of a table; choose one that was trained on a table.")
    return model.pipeline


def controls(model: Model) -> list[dict[str, Any]]:
    """A Control (web/src/pages/table/types.ts) for each column."""
    columns, known = pipeline_of(model).columns, _edges(model)
    return [_control(column, edges) for column, edges in zip(columns, known, strict=True)]


def cells_of(model: Model, texts: Mapping[str, list[str]]) -> Cells:
    """The cells of a row of a table, for the columns of the model. Raises `DataError` for a column that is not there."""
    pipeline = pipeline_of(model)
    read = pipeline.read(texts)
    return {one.name: _cell(one, values, texts[one.name]) for one, values in zip(pipeline.columns, read, strict=True)}


def row_of_cells(model: Model, cells: object) -> dict[str, Any]:
    """The cells as a row that a model takes: dates are written in the order of their column."""
    if not isinstance(cells, Mapping):
        raise ArgumentError('cells are an object such as {"rooms": 5, "sea": "near"}.')
    row = dict(cells)
    for name, cell in row.items():
        if not (cell is None or isinstance(cell, str | int | float)):
            raise ArgumentError(f"the cell of {name!r} is a number, a text or null, not {short(cell)}.")
    for column in pipeline_of(model).columns:
        if isinstance(column, DateColumn) and row.get(column.name):
            row[column.name] = _date_in_order(row[column.name], column.order)
    return row


def texts_of(model: Model, row: Mapping[str, Any]) -> list[list[str]]:
    """The cells of a row as each column reads them."""
    return [as_texts(column.name, [row.get(column.name)]) for column in pipeline_of(model).columns]


def notes(model: Model, texts: list[list[str]]) -> dict[str, str]:
    """By column what the reader should know of a cell: whether it is missing, was not understood, or lies beyond the
    training rows."""
    found = {}
    for column, edges, text in zip(pipeline_of(model).columns, _edges(model), texts, strict=True):
        read = column.read(text)
        note = _note(column, edges, read, column.encode(read.values)[0])
        if note:
            found[column.name] = note
    return found


def _note(column: Column, edges: tuple[float, ...], read: Values, numbers: Array) -> str | None:
    if read.refused[0]:
        nothing = "it adds nothing" if isinstance(column, CategoryColumn) else "it counts as missing"
        return f"{read.rule}: {nothing}"
    if read.missing[0]:
        if isinstance(column, CategoryColumn):
            return "missing" if "" in column.values else "missing, as in no training row: it adds nothing"
        middle = " the middle counts" if isinstance(column, NumberColumn) else " 0 counts"
        return f"missing:{middle}" if column.has_gaps else f"missing, as in no training row:{middle}"  # type: ignore[attr-defined]
    if edges and not edges[0] <= numbers[0] <= edges[-1]:
        return "beyond the training rows' range"
    return None


def _control(column: Column, edges: tuple[float, ...]) -> dict[str, Any]:
    shown: dict[str, Any] = {"name": column.name, "kind": column.kind}
    if isinstance(column, CategoryColumn):
        values = [value for value in column.values if value]
        return shown | {"values": values, "unseen": _unseen(column), "start": values[0] if values else ""}
    if isinstance(column, OrderedColumn):
        return shown | {"values": list(column.levels), "start": column.levels[len(column.levels) // 2]}
    assert isinstance(column, NumberColumn | DateColumn)
    low, high = _range(column, edges)
    shown["is_known"] = bool(edges)
    if isinstance(column, DateColumn):
        first, middle, last = (date_in_words(math.floor(day) * DAY) for day in (low, column.center, high))
        return shown | {"low": first, "high": last, "start": middle}
    step, fine = _steps(low, high, _are_whole(column, edges))
    low, high = (_rounded(number, fine) for number in (low, high))
    return shown | {"low": low, "high": high, "step": step, "start": _rounded(column.center, step)}


def _unseen(column: CategoryColumn) -> str:
    """A text that is none of the column's values."""
    text = UNSEEN
    while text in column.values:
        text += "."
    return text


def _edges(model: Model) -> Iterator[tuple[float, ...]]:
    """Of each column the edges of the bins of its first number: the first is the least of the training rows, the last the
    largest; () where they are not known."""
    pipeline = pipeline_of(model)
    first = np.searchsorted(pipeline.sources, np.arange(len(pipeline.columns)))
    for column, place in zip(pipeline.columns, first, strict=True):
        has_range = isinstance(column, NumberColumn | DateColumn)
        yield edges_of(model.network.layers, int(place)) if has_range else ()


def _range(column: NumberColumn | DateColumn, edges: tuple[float, ...]) -> tuple[float, float]:
    """From the least to the largest of the training rows; if they are not known, around the center."""
    if not edges:
        return column.center - UNKNOWN * column.scale, column.center + UNKNOWN * column.scale
    low, high = _values(column, np.array([edges[0], edges[-1]]))
    return float(low), float(high)


def _values(column: NumberColumn | DateColumn, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the column encodes as x: where x = z / sqrt(1 + (z / 3)^2), z = x / sqrt(1 - (x / 3)^2)."""
    return np.asarray(column.center + column.scale * x / np.sqrt(np.maximum(1 - (x / CLIP) ** 2, 1e-9)))


def _are_whole(column: NumberColumn, edges: tuple[float, ...]) -> bool:
    """Whether the edges are whole numbers, those in the middle, which float32 tells exactly enough."""
    x = np.array(edges)
    values = _values(column, x[np.abs(x) < CLIP / 2])
    return bool(len(values)) and bool((np.abs(values - np.round(values)) < min(0.1, 1e-5 * column.scale)).all())


def _steps(low: float, high: float, is_whole: bool) -> tuple[float, float]:
    """The step of a slider, and the finer one that its ends are rounded to; both powers of ten."""
    step = 10.0 ** math.floor(math.log10((high - low) / STEPS))
    return (max(step, 1.0), 1.0) if is_whole else (step, step / 10)


def _rounded(number: float, step: float) -> float:
    """The nearest multiple of a step."""
    return float(f"{round(number / step) * step:.12g}")


def _cell(column: Column, read: Values, texts: list[str]) -> Any:
    value = float(read.values[0])
    if isinstance(column, NumberColumn):
        return texts[0] if read.refused[0] else None if math.isnan(value) else value
    if isinstance(column, DateColumn):
        return texts[0] if read.refused[0] else "" if math.isnan(value) else date_in_words(value)
    if isinstance(column, OrderedColumn) and not math.isnan(value):
        return column.levels[int(value)]
    if isinstance(column, CategoryColumn) and not math.isnan(value):
        return column.values[int(value)]
    return texts[0]


def _date_in_order(text: object, order: str) -> object:
    """A date as 2024-02-29 in the order of its column; what is none stays, and the column refuses it."""
    try:
        date = datetime.fromisoformat(str(text)).replace(tzinfo=None)
    except ValueError:
        return text
    time = date.strftime(" %H:%M:%S") if date != datetime.combine(date, datetime.min.time()) else ""
    return date.strftime(IN_ORDER[order]) + time
