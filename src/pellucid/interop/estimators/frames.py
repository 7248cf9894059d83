"""Frames with columns that are no numbers, or with missing values: read by the pipeline of tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.core.errors import DataError
from pellucid.core.shapes import Array, Label
from pellucid.data.tables.account import Account
from pellucid.data.tables.columns import CategoryColumn, Column, NumberColumn
from pellucid.data.tables.table import column_of, inspect_table, open_rows, read_columns, translate
from pellucid.data.tables.table_pipeline import TablePipeline


def is_frame(X: Any) -> bool:
    """Whether this is a frame of pandas or polars."""
    return hasattr(X, "columns") and (hasattr(X, "iloc") or hasattr(X, "get_columns"))


def check_frame(X: Any) -> None:
    """Raise `ValueError` for what is no frame."""
    if not is_frame(X):
        raise ValueError(
            f"this estimator was fitted on a frame with words or missing values; it answers for a frame with the same "
            f"columns, not for {type(X).__name__}."
        )


def needs_pipeline(X: Any) -> bool:
    """Whether this is a frame that no array of numbers can be made of: with words, categories or dates, or with a missing
    value. A frame of numbers alone is taken as scikit-learn takes it, as an array."""
    if not is_frame(X):
        return False
    columns = [X.iloc[:, k] for k in range(X.shape[1])] if hasattr(X, "iloc") else X.get_columns()
    return any(map(_is_no_number, columns))


def _is_no_number(column: Any) -> bool:
    if hasattr(column, "is_null"):  # polars
        is_number = column.dtype.is_numeric() or str(column.dtype) == "Boolean"
        return not is_number or bool(column.is_null().any()) or (column.dtype.is_float() and bool(column.is_nan().any()))
    kind = getattr(column.dtype, "kind", "O")
    return kind not in "biuf" or bool(column.isna().any())


def fit_pipeline(X: Any, training: NDArray[np.int64], targets: Sequence[Column]) -> tuple[TablePipeline, Array]:
    """The pipeline of a frame, fitted on the training rows, and the numbers (n, D) of all rows.

    Raises `DataError`, which is a ValueError, for a frame that cannot be learned from.
    """
    inspection = inspect_table(open_rows(X))
    columns: dict[str, Column] = {}
    for profile, kind in zip(inspection.profiles, inspection.kinds, strict=True):
        if kind.question:
            raise DataError(f"{kind.question}.")
        if not kind.is_dropped:
            columns[profile.name] = column_of(profile, kind)
    if not columns:
        raise DataError("the frame has no column to learn from: each is constant, empty, an identifier or free text.")
    values = read_columns(inspection.rows, columns).values
    fitted = {name: one.fit(values[name][training]) for name, one in columns.items()}
    pipeline = TablePipeline(tuple(fitted.values()), targets[0], tuple(targets[1:]))
    return pipeline, pipeline.encode([translate(one, fitted[name], values[name]) for name, one in columns.items()])


def encode(pipeline: TablePipeline, X: Any) -> Array:
    """The numbers (n, D) of the rows of a frame, by a fitted pipeline."""
    rows = open_rows(X)
    parts = []
    for chunk in rows.chunks(Account()):
        cells = dict(zip(rows.names, chunk.columns, strict=True))
        parts.append(pipeline.encode([one.values for one in pipeline.read(cells)]))
    return np.concatenate(parts)


def target_columns(y: Any, features: Sequence[str], labels: Sequence[Label] | None) -> tuple[Column, ...]:
    """How the targets are called in the model: as their series or frame, else "target", or "target 1" and so on (with a
    sign where a feature is called so)."""
    several = np.shape(y)[1] if np.ndim(y) == 2 else 1
    if several == 1:
        given = [getattr(y, "name", None) or "target"]
    else:
        given = list(y.columns) if is_frame(y) else [f"target {number}" for number in range(1, several + 1)]
    names: list[str] = []
    for name in map(str, given):
        while name in features or name in names:
            name += "'"
        names.append(name)
    if labels is None:
        return tuple(map(NumberColumn, names))
    return (CategoryColumn(names[0], tuple(str(label) for label in labels)),)
