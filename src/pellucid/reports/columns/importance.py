"""Permutation importance: how much worse the answers become when the cells of one column are shuffled."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pellucid.core import random
from pellucid.core.checks import check_seed, positive_integer
from pellucid.core.display.markup import element, table
from pellucid.core.display.notebook import framed
from pellucid.core.display.numbers import plain
from pellucid.core.display.text import aligned, counted
from pellucid.core.errors import ArgumentError
from pellucid.core.shapes import AnyArray, Array
from pellucid.core.suggestions import suggests_arguments
from pellucid.executors.logits import answer
from pellucid.models.model import Model, check_model, table_pipeline_of

PERMUTATIONS = 5
MOST_ROWS, MOST_CELLS, FEWEST_ROWS = 10_000, 200_000, 1000  # of the test: a few seconds' work
Z = 1.959963984540054  # standard deviations of a 95 % interval


@dataclass(frozen=True)
class ColumnImportance:
    """The ``importance`` of a column, with its 95 % interval from ``low`` to ``high``."""

    column: str
    importance: float
    low: float
    high: float


@dataclass(frozen=True)
class PermutationImportance:
    """``print`` it, or use its numbers.

    columns       the most important first
    metric        "accuracy", whose fall the importance is; or "rmse", whose rise it is, in units of the target; of several
                  targets in units of their standard deviations
    score         the metric on the rows as they are
    rows          that were answered, of ``rows_in_all``
    permutations  of each column
    targets       how many numbers are predicted; 1 for classes
    """

    columns: tuple[ColumnImportance, ...]
    metric: str
    score: float
    rows: int
    rows_in_all: int
    permutations: int
    targets: int = 1

    @property
    def in_words(self) -> str:
        """What was done, in a sentence."""
        what = "How far the accuracy falls" if self.metric == "accuracy" else "How far the rmse rises"
        if self.targets > 1:
            what += ", in standard deviations of the targets,"
        of = counted(self.rows_in_all, "row")
        rows = of if self.rows == self.rows_in_all else f"a sample of {self.rows:,} of {of}"
        times = counted(self.permutations, "permutation")
        return (
            f"{what} when the cells of one column are shuffled among the rows: the mean of {times} of {rows}, with 95% "
            "intervals."
        )

    @property
    def unit(self) -> str:
        """What the importance is, in words."""
        return "fall of the accuracy, in points" if self.metric == "accuracy" else "rise of the rmse"

    def written(self, number: float) -> str:
        """An importance as text: percentage points of accuracy, or units of the target."""
        return f"{100 * number:.2f}" if self.metric == "accuracy" else plain(number)

    def as_data(self) -> dict[str, Any]:
        """Everything as plain data."""
        return asdict(self)

    def __str__(self) -> str:
        return "\n".join([self.in_words, *aligned([self._header, *self._rows()])])

    def _repr_html_(self) -> str:
        return framed(element("p", self.in_words), table("Permutation importance", self._header, self._rows()))

    @property
    def _header(self) -> tuple[str, ...]:
        return "column", self.unit, "from", "to"

    def _rows(self) -> list[tuple[str, ...]]:
        return [(one.column, *map(self.written, (one.importance, one.low, one.high))) for one in self.columns]


@suggests_arguments
def permutation_importance(
    model: Model,
    data: Any,
    *,
    permutations: int = PERMUTATIONS,
    max_rows: int | None = None,
    seed: int = 0,
) -> PermutationImportance:
    """How important each column of a table is to this model: how far the accuracy falls, or the rmse rises, on these rows
    when the cells of the column are permuted (Breiman 2001; Fisher, Rudin and Dominici 2019).

    data          rows that the model has not learned from, with the target: a `Table`, or what ``pl.datasets.table`` takes
    permutations  of each column; the importance is their mean
    max_rows      a sample of so many rows is taken of more; default: 10,000, fewer for a table of more than 20 columns

    The 95 % intervals say how much it would vary with other rows of the same kind. It is the model that is asked, not the
    world: columns that say the same share their importance, since each replaces the other.

    Raises `DataError` for rows that the model cannot be judged on.
    """
    check_model(model)
    pipeline = table_pipeline_of(model)
    if pipeline is None:
        raise ArgumentError("permutation importance is about the columns of a table; this model was trained on none.")
    from pellucid.data.tables.table import Table, open_rows
    from pellucid.models.labelled_table import labelled_rows, rows_of_table

    rows = rows_of_table(pipeline, data) if isinstance(data, Table) else labelled_rows(pipeline, open_rows(data))
    return importance_of(model, rows.x, rows.y, permutations=permutations, max_rows=max_rows, seed=seed)


def importance_of(
    model: Model,
    x: Array,
    y: AnyArray,
    *,
    permutations: int = PERMUTATIONS,
    max_rows: int | None = None,
    seed: int = 0,
) -> PermutationImportance:
    """The same for rows x (N, D) in the network's form, with class numbers or numbers y (N,).

    A column is encoded row by row, so permuting its numbers in x is permuting its cells.
    """
    pipeline = table_pipeline_of(model)
    assert pipeline is not None
    positive_integer(permutations, "permutations")
    order = random.permutation(random.key(check_seed(seed), random.Purpose.PERMUTE), len(x))
    by_rule = min(MOST_ROWS, max(FEWEST_ROWS, MOST_CELLS // len(pipeline.columns)))
    chosen = np.sort(order[: by_rule if max_rows is None else positive_integer(max_rows, "max_rows")])
    of, x, y = len(x), x[chosen], y[chosen]
    errors = _errors(model, x, y)
    compare = _fall_of_accuracy if model.labels else _rise_of_rmse
    found = [
        ColumnImportance(column.name, *compare(errors, permuted))
        for column, permuted in zip(pipeline.columns, _permuted(model, x, y, errors, permutations, seed), strict=True)
    ]
    score = 1 - errors.mean() if model.labels else math.sqrt(errors.mean())
    return PermutationImportance(
        tuple(sorted(found, key=lambda one: -one.importance)),
        "accuracy" if model.labels else "rmse",
        float(score),
        len(x),
        of,
        permutations,
        1 if model.labels else len(pipeline.targets),
    )


class _Permuted(NamedTuple):
    """With the cells of a column permuted, as means over the permutations: the error of each row (n,), which got the cell
    of another; and by how much the error of the row that got its cell rose (n,)."""

    got: NDArray[np.float64]
    gave: NDArray[np.float64]

    @property
    def influence(self) -> NDArray[np.float64]:
        """What each row (n,) adds to the mean: a mean over pairs of rows varies by both of them (Hoeffding 1948)."""
        return self.got + self.gave - self.gave.mean()


def _permuted(
    model: Model, x: Array, y: AnyArray, before: NDArray[np.float64], permutations: int, seed: int
) -> Iterator[_Permuted]:
    """The errors for each column; ``before`` are those of the rows as they are."""
    pipeline = table_pipeline_of(model)
    assert pipeline is not None
    sources, changed = pipeline.sources, x.copy()
    for k in range(len(pipeline.columns)):
        places = np.flatnonzero(sources == k)
        got, gave = np.zeros(len(x)), np.zeros(len(x))
        for r in range(permutations):
            order = random.permutation(random.key(seed, random.Purpose.PERMUTE, k, r), len(x))
            changed[:, places] = x[np.ix_(order, places)]
            errors = _errors(model, changed, y)
            got += errors
            gave[order] += errors - before
        changed[:, places] = x[:, places]
        yield _Permuted(got / permutations, gave / permutations)


def _errors(model: Model, x: Array, y: AnyArray) -> NDArray[np.float64]:
    """The error of each row (n,): 1 for a wrong class; the squared error of a number, of several, each in units of its
    standard deviation, their mean. Of quantiles the one nearest to 0.5 is judged."""
    if model.labels:
        return np.asarray(model.network.predict(x) != y, np.float64)
    y = y.reshape(len(x), -1)
    off = model.network.output.values(answer(model.network, x)).astype(np.float64) - y
    deviations = y.std(axis=0) if y.shape[1] > 1 else np.ones(1)
    return np.asarray((off / np.where(deviations > 0, deviations, 1)) ** 2).mean(axis=1)


def _fall_of_accuracy(errors: NDArray[np.float64], permuted: _Permuted) -> tuple[float, float, float]:
    """(mean d, low, high) of d = permuted - errors: a difference of paired shares, whose interval is that of Wald with half
    a row added to each kind of pair (Agresti and Min, Statistics in Medicine 24, 2005). So it is not empty where no answer
    changed."""
    d, count = permuted.influence - errors, len(errors) + 2
    middle = float(d.sum()) / count
    reach = Z * math.sqrt((float(d @ d) + 1) / count - middle**2) / math.sqrt(count)
    return float(permuted.got.mean() - errors.mean()), middle - reach, middle + reach


def _rise_of_rmse(errors: NDArray[np.float64], permuted: _Permuted) -> tuple[float, float, float]:
    """(sqrt(mean permuted) - sqrt(mean errors), low, high); by the delta method it varies as the mean over the rows of

    permuted / (2 sqrt(mean permuted)) - errors / (2 sqrt(mean errors))
    """
    after, before = math.sqrt(permuted.got.mean()), math.sqrt(errors.mean())
    part = permuted.influence / (2 * after or 1.0) - errors / (2 * before or 1.0)
    reach = Z * float(part.std()) / math.sqrt(len(part))
    return after - before, after - before - reach, after - before + reach
