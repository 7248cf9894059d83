"""The answers of a model for the rows of a table: read with an account, encoded and answered chunk by chunk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, overload

import numpy as np
from numpy.typing import NDArray

from pellucid.core.csv_text import csv_text, number_texts
from pellucid.core.errors import DataError
from pellucid.core.machine import ALONE, Threads
from pellucid.core.shapes import AnyArray, Array, Label
from pellucid.data.pipeline import Pipeline
from pellucid.data.tables.account import Account
from pellucid.data.tables.records import Chunk
from pellucid.data.tables.table import Rows, count_cells, open_rows
from pellucid.data.tables.table_pipeline import TablePipeline, as_texts
from pellucid.models.network import Network
from pellucid.models.prediction import Prediction
from pellucid.models.value_names import answer_names

RESERVED = ("row", "value", "label", "low", "high", "not_understood")  # columns of answers that are not called by targets


class AnsweringModel(Protocol):
    """What is needed of a `Model` to answer, which itself answers for tables by this module."""

    @property
    def pipeline(self) -> Pipeline | None: ...
    @property
    def network(self) -> Network: ...
    @property
    def labels(self) -> tuple[Label, ...]: ...
    def answers(self, x: Any, confidence: float | None) -> tuple[Array, Array | NDArray[np.bool_] | None]: ...


@dataclass(frozen=True)
class NumberPrediction:
    """The answer of a regression for one row, in the units of the target; ``interval`` holds the true value with
    ``confidence``, if that was asked for."""

    value: float
    interval: tuple[float, float] | None = None
    confidence: float | None = None

    def __str__(self) -> str:
        if self.interval is None:
            return f"{self.value:.6g}"
        low, high = self.interval
        return f"{self.value:.6g} ({low:.6g} to {high:.6g} with {100 * (self.confidence or 0):.6g}% confidence)"


@dataclass(frozen=True)
class NumbersPrediction:
    """The answer of a regression of several targets, or of quantiles, for one row: ``values`` by name, and ``intervals`` of
    the targets with ``confidence``, if that was asked for."""

    values: dict[str, float]
    intervals: dict[str, tuple[float, float]] | None = None
    confidence: float | None = None

    def __str__(self) -> str:
        answers = ", ".join(f"{name}: {value:.6g}" for name, value in self.values.items())
        if self.intervals is None:
            return answers
        spans = ", ".join(f"{name} {low:.6g} to {high:.6g}" for name, (low, high) in self.intervals.items())
        return f"{answers} ({spans} with {100 * (self.confidence or 0):.6g}% confidence)"


@dataclass(frozen=True)
class TableAnswers(Sequence["Prediction | NumberPrediction | NumbersPrediction"]):
    """The answers for the rows of a table that could be used, in order; ``answers[0]`` is one as an object.

    rows           their numbers in the table, from 1
    probabilities  (N, K) of ``labels``; or ``values`` (N,) of a regression, of several targets or of quantiles (N, K),
                   called ``names``
    intervals      with ``confidence`` (N, 2), or of several targets (N, V, 2), or sets (N, K) of labels, if that was asked
                   for; those of quantiles are around the one that is nearest to 0.5
    not_understood (N,) how many cells of each row were neither understood nor missing
    """

    target: str
    rows: NDArray[np.int64]
    labels: tuple[Label, ...]
    probabilities: Array | None
    values: Array | None
    not_understood: NDArray[np.int64]
    account: Account = field(repr=False)
    confidence: float | None = None
    intervals: Array | NDArray[np.bool_] | None = None
    names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> Prediction | NumberPrediction | NumbersPrediction: ...
    @overload
    def __getitem__(self, index: slice) -> list[Prediction | NumberPrediction | NumbersPrediction]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [self[k] for k in range(*index.indices(len(self)))]
        if self.values is not None and self.values.ndim == 2:
            return self._numbers(self.values[index], None if self.intervals is None else self.intervals[index])
        if self.values is not None:
            interval = (
                None if self.intervals is None else (float(self.intervals[index, 0]), float(self.intervals[index, 1]))
            )
            return NumberPrediction(float(self.values[index]), interval, self.confidence)
        assert self.probabilities is not None
        p = self.probabilities[index]
        best = int(p.argmax())
        held = None if self.intervals is None else self.intervals[index]
        names = None if held is None else tuple(self.labels[k] for k in np.argsort(-p, kind="stable") if held[k])
        return Prediction(self.labels[best], float(p[best]), p, self.labels, None, None, self.confidence, names)

    def _numbers(self, values: Array, ends: Array | None) -> NumbersPrediction:
        intervals = None
        if ends is not None:
            of = self.names if ends.ndim == 2 else (self.target,)  # quantiles have one
            intervals = {name: (float(low), float(high)) for name, (low, high) in zip(of, np.atleast_2d(ends), strict=True)}
        return NumbersPrediction(dict(zip(self.names, values.tolist(), strict=True)), intervals, self.confidence)

    def columns(self) -> dict[str, list[Any]]:
        """For each row: ``row``, its number; ``label`` with its ``probability`` (and a ``set`` of labels, the most probable
        first), or ``value`` (with ``low`` and ``high``); of several targets or quantiles a column for each, by name (and
        "NAME low", "NAME high"); and ``not_understood``."""
        return {name: _as_list(column) for name, column in self._columns().items()}

    def _columns(self) -> dict[str, list[Any] | AnyArray]:
        columns: dict[str, Any] = {"row": self.rows}
        if self.values is not None and self.values.ndim == 2:
            names = [f"{name} (value)" if name in RESERVED else name for name in self.names]
            columns |= dict(zip(names, self.values.T, strict=True))
            if self.intervals is not None and self.intervals.ndim == 3:
                for v, name in enumerate(names):
                    columns[f"{name} low"], columns[f"{name} high"] = map(_nine_digits, self.intervals[:, v].T)
            elif self.intervals is not None:
                columns["low"], columns["high"] = map(_nine_digits, self.intervals.T)
        elif self.values is not None:
            columns["value"] = self.values
            if self.intervals is not None:
                columns["low"], columns["high"] = map(_nine_digits, self.intervals.T)
        else:
            assert self.probabilities is not None
            p = self.probabilities
            columns["label"] = [self.labels[k] for k in p.argmax(axis=1).tolist()]
            columns["probability"] = p.max(axis=1).astype(float).round(6)
            if self.intervals is not None:
                orders = np.argsort(-p, axis=1, kind="stable").tolist()
                columns["set"] = [
                    [self.labels[k] for k in order if held[k]] for order, held in zip(orders, self.intervals, strict=True)
                ]
        return columns | {"not_understood": self.not_understood}

    def to_csv(self) -> str:
        """The `columns` as CSV: the answer has the name of the target, and ``|`` stands between the labels of a set."""
        columns = self._columns()
        if "set" in columns:
            columns["set"] = ["|".join(map(str, labels)) for labels in columns["set"]]
        named = {"label": self.target, "value": (*self.names, self.target)[0], "not_understood": "cells not understood"}
        header = csv_text([[named.get(name, name)] for name in columns])
        return header + csv_text(list(columns.values()))

    def as_data(self) -> list[dict[str, Any]]:
        """The `columns`, row by row, for JSON."""
        columns = self.columns()
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def answer_table(model: AnsweringModel, source: Any, confidence: float | None = None, **reading: Any) -> Any:
    """What `Model.predict` gives for a model of tables: a `Prediction` or `NumberPrediction` for one row, a mapping of
    names to values; a list of them for a list of mappings; `TableAnswers` for a table, such as the path of a file."""
    pipeline = model.pipeline
    assert isinstance(pipeline, TablePipeline)
    if isinstance(source, Mapping) and not are_columns(source):
        return answer_rows(model, [source], confidence)[0]
    if isinstance(source, list | tuple) and all(isinstance(row, Mapping) for row in source):
        return answer_rows(model, source, confidence)[:] if source else []
    return answers_of(model, open_rows(source, **reading), confidence)


def answer_rows(model: AnsweringModel, rows: Sequence[Mapping[str, Any]], confidence: float | None) -> TableAnswers:
    """The answers for rows that are mappings; a name that no column has is an error, a missing one a missing value."""
    pipeline = model.pipeline
    assert isinstance(pipeline, TablePipeline)
    names, targets = ([column.name for column in columns] for columns in (pipeline.columns, pipeline.targets))
    for row in rows:
        unknown = [str(name) for name in row if name not in names and name not in targets]
        if unknown:
            raise DataError(
                f"no column is called {unknown[0]!r}; the model was trained on {', '.join(map(repr, names[:20]))}."
            )
    cells = {name: as_texts(name, [row.get(name) for row in rows]) for name in names}
    numbers = np.arange(1, len(rows) + 1)
    chunk = Chunk(numbers, np.full(len(rows), -1), [cells[name] for name in names])
    account = Account(rows_in=len(rows))
    return _together(model, numbers, [_answered(model, names, chunk, account, confidence)], account, confidence)


def answers_of(model: AnsweringModel, rows: Rows, confidence: float | None = None) -> TableAnswers:
    """The answers for all rows of a table that can be used."""
    pipeline = model.pipeline
    assert isinstance(pipeline, TablePipeline)
    account, numbers, parts = Account(), [], []
    with Threads() as threads:
        for chunk in rows.chunks(account):
            numbers.append(chunk.rows)
            parts.append(_answered(model, rows.names, chunk, account, confidence, threads))
    return _together(model, np.concatenate(numbers), parts, account, confidence)


class _Answered(NamedTuple):
    """Of some rows: the probabilities (n, K) or values (n, ...), how many cells of each were not understood, and intervals
    (n, ..., 2) or sets (n, K), if a confidence was asked for."""

    answers: Array
    refused: NDArray[np.int64]
    intervals: Array | NDArray[np.bool_] | None


def _answered(
    model: AnsweringModel,
    names: Sequence[str],
    chunk: Chunk,
    account: Account,
    confidence: float | None,
    threads: Threads = ALONE,
) -> _Answered:
    """Read, encode and answer a chunk, so that no more of a long table is in memory than that."""
    pipeline = model.pipeline
    assert isinstance(pipeline, TablePipeline)
    found = pipeline.read(dict(zip(names, chunk.columns, strict=True)), threads)
    read = dict(zip([one.name for one in pipeline.columns], found, strict=True))
    count_cells(chunk, names, read, np.ones(len(chunk.rows), np.bool_), account)
    refused = np.asarray(sum(one.refused.astype(np.int64) for one in found))
    x = pipeline.encode([one.values for one in found], threads)
    answers, intervals = model.answers(x, confidence)
    return _Answered(answers, refused, intervals)


def _together(
    model: AnsweringModel,
    rows: NDArray[np.int64],
    parts: Sequence[_Answered],
    account: Account,
    confidence: float | None,
) -> TableAnswers:
    assert isinstance(model.pipeline, TablePipeline)
    answers, refused = (np.concatenate([part[k] for part in parts]) for k in (0, 1))
    intervals = None if confidence is None else np.concatenate([part.intervals for part in parts])
    target = ", ".join(column.name for column in model.pipeline.targets)
    if model.labels:
        return TableAnswers(target, rows, model.labels, answers, None, refused, account, confidence, intervals)
    names = answer_names(model.pipeline, model.network.output)
    return TableAnswers(target, rows, (), None, answers, refused, account, confidence, intervals, names)


def _as_list(column: list[Any] | AnyArray) -> list[Any]:
    """Floats by their shortest texts: 173.69, not 173.69000244140625."""
    if isinstance(column, list):
        return column
    return list(map(float, number_texts(column))) if column.dtype.kind == "f" else column.tolist()


def _nine_digits(values: Array) -> NDArray[np.float64]:
    return np.array(number_texts(values, 9), np.float64)


def are_columns(source: Mapping[str, Any]) -> bool:
    """Whether a mapping holds columns, sequences of values, and not one row."""
    return any(map(_is_column, source.values()))


def _is_column(value: object) -> bool:
    """Whether this is a sequence of values; a moment of pandas and an array without axes are single ones."""
    if isinstance(value, np.ndarray):
        return value.ndim > 0
    return isinstance(value, list | tuple) or (hasattr(value, "to_numpy") and hasattr(value, "__len__"))
