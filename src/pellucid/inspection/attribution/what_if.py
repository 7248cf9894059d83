"""What-if curves: the answer as one column of a table changes, and all others stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.core.checks import as_numbers
from pellucid.core.display.text import counted
from pellucid.core.errors import ArgumentError, ShapeError
from pellucid.core.shapes import Array
from pellucid.core.suggestions import suggests_arguments
from pellucid.executors.logits import answer
from pellucid.inspection.attribution.case import check_columns, check_network
from pellucid.nn.layers.outputs.classification import ClassifyingOutput
from pellucid.nn.layers.outputs.regression import Regression
from pellucid.nn.stack import Stack

ROWS = 1 << 16  # answered at once


@dataclass(frozen=True, eq=False)
class WhatIf:
    """``answers`` (B, S, K) for S ``values`` of a ``column``: probabilities of K classes, or the K values of a regression.

    Each sample has its curve ``answers[b]`` (individual conditional expectation, Goldstein et al. 2015); their mean is the
    `partial_dependence` (Friedman 2001).
    """

    column: str
    values: Array
    answers: Array

    @property
    def partial_dependence(self) -> Array:
        """(S, K): the mean of the curves of all samples."""
        return self.answers.mean(axis=0)

    def __str__(self) -> str:
        """A line for each value: the mean answer."""
        head = f"{self.column}, mean answer of {counted(len(self.answers), 'sample')}"
        lines = [(f"{value:.6g}", row) for value, row in zip(self.values, self.partial_dependence, strict=True)]
        width = max(len(value) for value, _ in lines)
        return "\n".join([head, *(f"{value:>{width}}  " + "  ".join(f"{p:.4f}" for p in row) for value, row in lines)])


@suggests_arguments
def what_if(network: Stack, x: Any, column: int | str, values: Any, *, columns: Sequence[str] | None = None) -> WhatIf:
    """The answers for samples x (B, D) with each of the ``values`` (S,) put into one column, all else equal.

    ``column`` is a number, or a name if ``columns`` gives those of all D. The values are in units of x. A curve says what
    the network would answer, not what would happen: it may lead through samples that cannot exist.
    """
    stack = check_network(network)
    if len(stack.input.shape) != 1:
        raise ShapeError(f"what_if takes tables (B, D); this network takes samples of the shape {stack.input.shape}.")
    table = stack.input.check(x)
    names = check_columns(columns, stack)
    place = _place(column, names, stack.input.shape[0])
    expected = "numbers are expected, of the shape (S,)"
    given = as_numbers(values, "values", expected)
    if given.ndim != 1 or given.size == 0:
        raise ShapeError(f"values has the shape {given.shape}; {expected}.")
    if not np.isfinite(given).all():
        raise ShapeError("values holds NaN or infinity; the network answers for finite numbers.")
    unit = 1 / 255 if table.dtype == np.uint8 else 1.0  # bytes become the numbers that the network reads
    answers = _answers(stack, table * np.asarray(unit, np.float64), place, given * unit)
    return WhatIf(names[place] if names else str(place), given.astype(np.float64), answers)


def _answers(stack: Stack, table: Array, place: int, values: Array) -> Array:
    """(B, S, K), in blocks of samples."""
    probabilities = isinstance(stack.output, ClassifyingOutput)
    step = max(1, ROWS // len(values))
    blocks = []
    for start in range(0, len(table), step):
        rows = np.repeat(table[start : start + step], len(values), axis=0)
        rows[:, place] = np.tile(values, len(rows) // len(values))
        found = answer(stack, rows, probabilities=probabilities)
        found = stack.output.answers(found) if isinstance(stack.output, Regression) else found
        blocks.append(found.reshape(-1, len(values), found.shape[1]))
    return np.concatenate(blocks)


def _place(column: object, names: tuple[str, ...] | None, count: int) -> int:
    if isinstance(column, str):
        if names is None:
            raise ArgumentError(f"column is {column!r}, but the columns have no names: pass columns=[...].")
        if column not in names:
            raise ArgumentError(f"there is no column {column!r}; the columns are {', '.join(names)}.")
        return names.index(column)
    if isinstance(column, bool) or not isinstance(column, int | np.integer) or not 0 <= column < count:
        raise ArgumentError(f"column is a name, or a number from 0 to {count - 1}, not {column!r}.")
    return int(column)
