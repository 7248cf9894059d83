"""All that a page says about the columns of a table: importance, contributions, and the what-if curves of a few."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.core import random
from pellucid.core.shapes import Array
from pellucid.data.tables.columns import CategoryColumn
from pellucid.data.tables.table_pipeline import TablePipeline
from pellucid.models.model import Model
from pellucid.models.value_names import answer_names, first_explained
from pellucid.reports.columns.contributions import Contributions, contributions_of
from pellucid.reports.columns.curves import ColumnCurves, curves_of, range_of
from pellucid.reports.columns.importance import PermutationImportance

MOST_CURVES = 6  # of the most important columns
CURVE_ROWS = 200  # whose curves are averaged
MOST_VALUES = 12  # of a category: those that come most often
MOST_CLASSES = 4  # that are shown: those with the highest mean probability


@dataclass(frozen=True)
class ColumnFindings:
    """importance     of each column on the test rows
    contributions  of each column to the answers of some of them
    curves         of the most important columns, for some of them
    answers        what the numbers of the curves are: a label each, or the name of the target; with its place in them
    means          (K,) of the answers for the rows of the curves as they are
    """

    importance: PermutationImportance
    contributions: Contributions
    curves: tuple[ColumnCurves, ...]
    answers: tuple[tuple[str, int], ...]
    means: NDArray[np.float64]


def column_findings(model: Model, x: Array, importance: PermutationImportance) -> ColumnFindings:
    """The findings for test rows x (N, D) in the network's form, on which the importance was measured."""
    pipeline = model.pipeline
    assert isinstance(pipeline, TablePipeline)
    order = random.permutation(random.key(0, random.Purpose.PERMUTE), len(x))
    rows = x[np.sort(order[:CURVE_ROWS])]
    places = {column.name: k for k, column in enumerate(pipeline.columns)}
    curves = tuple(
        curves_of(model, rows, places[one.column], _values(model, x, places[one.column]))
        for one in importance.columns[:MOST_CURVES]
    )
    if model.labels:
        means = model.predict_proba(rows).mean(axis=0, dtype=np.float64)
        shown = [1] if len(model.labels) == 2 else np.argsort(-means, kind="stable")[:MOST_CLASSES].tolist()
        answers = tuple((str(model.labels[k]), k) for k in shown)
    else:
        means = np.atleast_1d(model.network.predict(rows).mean(axis=0, dtype=np.float64))
        k = first_explained(model.network.output)
        answers = ((answer_names(pipeline, model.network.output)[k], k),)
    return ColumnFindings(importance, contributions_of(model, x), curves, answers, means)


def _values(model: Model, x: Array, k: int) -> NDArray[np.float64]:
    """The values that are tried: all of the range; of a category with many, those that come most often in x."""
    assert isinstance(model.pipeline, TablePipeline)
    column, values = model.pipeline.columns[k], range_of(model, k)
    if not isinstance(column, CategoryColumn) or len(values) <= MOST_VALUES:
        return values
    numbers = x[:, model.pipeline.sources == k]
    if column.is_embedded:
        known = numbers[numbers >= 0].astype(np.int64)
        often = np.bincount(known, minlength=len(values))
    else:
        often = numbers.sum(axis=0)
    return values[np.sort(np.argsort(-often, kind="stable")[:MOST_VALUES])]
