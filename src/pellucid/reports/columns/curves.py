"""What-if curves of the columns of a table: the answers as the cell of one column changes, and all others stay.

The curve of one row is its individual conditional expectation (Goldstein et al. 2015); the mean of those of many rows is
the partial dependence (Friedman 2001).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.core.display.chart import round_ticks
from pellucid.core.shapes import Array
from pellucid.data.tables.columns import (
    CLIP,
    DAY,
    CategoryColumn,
    Column,
    DateColumn,
    NumberColumn,
    OrderedColumn,
    date_in_words,
)
from pellucid.data.tables.table_pipeline import TablePipeline
from pellucid.models.model import Model
from pellucid.models.table_front import edges_of

POINTS = 25  # of a column whose training values are not known
SCALES = 2.0  # to each side of its center, then
MANY_EDGES = 10  # then the outermost ones, the extremes, are left out
BLOCK = 1 << 16  # rows that are answered at once
DIGITS = 6
NUMBER_TICKS, DATE_TICKS = 4, 3  # of an axis


@dataclass(frozen=True, eq=False)
class ColumnCurves:
    """The answers (B, S, K) for B rows and S values of a column, in order: probabilities of K classes, or K numbers.

    values  (S,) numbers, seconds of dates, or the places of categories and levels
    names   (S,) the values in words
    is_of_names  whether they are names, and no numbers; ``is_of_dates`` whether they are dates
    """

    column: str
    values: NDArray[np.float64]
    names: tuple[str, ...]
    is_of_names: bool
    is_of_dates: bool
    answers: Array

    @property
    def mean(self) -> Array:
        """The partial dependence (S, K)."""
        return self.answers.mean(axis=0)


def curves_of(model: Model, x: Array, k: int, values: NDArray[np.float64]) -> ColumnCurves:
    """The curves of column ``k`` for rows x (B, D) in the network's form."""
    pipeline = model.pipeline
    assert isinstance(pipeline, TablePipeline)
    column = pipeline.columns[k]
    encoded, places = column.encode(values), np.flatnonzero(pipeline.sources == k)
    step = max(1, BLOCK // len(values))
    blocks = []
    for start in range(0, len(x), step):
        rows = np.repeat(x[start : start + step], len(values), axis=0)
        rows[:, places] = np.tile(encoded, (len(rows) // len(values), 1))
        answers = model.predict_proba(rows) if model.labels else model.network.predict(rows)
        blocks.append(answers.reshape(-1, len(values), answers.shape[1] if answers.ndim > 1 else 1))
    names = tuple(in_words(column, float(value)) for value in values)
    is_of_names = isinstance(column, CategoryColumn | OrderedColumn)
    is_of_dates = isinstance(column, DateColumn)
    return ColumnCurves(column.name, values, names, is_of_names, is_of_dates, np.concatenate(blocks))


def range_of(model: Model, k: int) -> NDArray[np.float64]:
    """The values (S,) of column ``k`` that came in training, in order: of a category or an ordered column all of them; of
    numbers and dates the edges between the bins of the network's encoding, without the extremes; where it has none, evenly
    spaced ones around the center."""
    pipeline = model.pipeline
    assert isinstance(pipeline, TablePipeline)
    column = pipeline.columns[k]
    if isinstance(column, CategoryColumn | OrderedColumn):
        return np.arange(float(len(column.values if isinstance(column, CategoryColumn) else column.levels)))
    assert isinstance(column, NumberColumn | DateColumn)
    edges = np.array(edges_of(model.network.layers, int(np.flatnonzero(pipeline.sources == k)[0])))
    if len(edges) > MANY_EDGES:
        edges = edges[1:-1]
    if len(edges):
        edges = np.clip(edges, -CLIP + 1e-4, CLIP - 1e-4)
        z = edges / np.sqrt(1 - (edges / CLIP) ** 2)  # of x = z / sqrt(1 + (z / 3)^2)
    else:
        z = np.linspace(-SCALES, SCALES, POINTS)
    values = column.center + column.scale * z
    if isinstance(column, DateColumn):
        values = values * DAY if column.has_time else np.round(values) * DAY
    return np.unique([float(f"{value:.{DIGITS}g}") for value in values] if isinstance(column, NumberColumn) else values)


def ticks_of(curves: ColumnCurves) -> dict[float, str]:
    """A few values with their names, for the axis of a chart: round numbers, or dates."""
    low, high = float(curves.values[0]), float(curves.values[-1])
    if curves.is_of_dates:
        days = np.unique(np.round(np.linspace(low, high, DATE_TICKS) / DAY)) * DAY
        return {float(day): date_in_words(float(day)) for day in days}
    return {tick: f"{tick:,.6g}" for tick in round_ticks(low, high, NUMBER_TICKS) if low <= tick <= high}


def in_words(column: Column, value: float) -> str:
    """A value of a column as text."""
    if isinstance(column, CategoryColumn):
        return column.values[int(value)] or "(missing)"
    if isinstance(column, OrderedColumn):
        return column.levels[int(value)]
    return date_in_words(value) if isinstance(column, DateColumn) else f"{value:.{DIGITS}g}"
