"""What one column alone tells of the target: nearly all, which gives it away, or anything, where it should tell nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pellucid.core import random
from pellucid.core.display.text import percent
from pellucid.data.tables.columns import CategoryColumn, Column
from pellucid.data.tables.suspects.suspect import Suspect

BINS = 64  # quantiles, within which the target is guessed from one column alone
LARGEST = 1e100  # what lies beyond is cut to it, so that no square is infinite
ALONE = 0.9  # of what there is to explain; a column that explains more of it alone is suspected to hold the answer
SOMETHING = 0.05  # of it; an identifier that explains more than this, and more than chance would, is suspected
BEYOND_CHANCE = 4.0  # standard errors
MOST_ROWS = 100_000  # more would not move the shares
DIGITS = re.compile(r"\d+")
MOST_DIGITS = 15  # a whole number of so many is exact in float64


def gives_away(name: str, values: NDArray[np.float64], target: Column, y: NDArray[np.float64]) -> Suspect | None:
    """A column that alone tells nearly all of the target: measured on half of the rows, with what the others say."""
    if len(y) < 2 * BINS:
        return None
    share = explained_alone(values, y, isinstance(target, CategoryColumn))
    if share < ALONE:
        return None
    evidence = f"alone it explains {percent(share)} of the {_explained_by(target)}, on held-out rows"
    return Suspect("gives_away", name, "it gives the target away", evidence, {"explained": share})


def identifier_predicts(name: str, values: NDArray[np.float64], target: Column, y: NDArray[np.float64]) -> Suspect | None:
    """An identifier whose numbers tell something of the target, as in a file that is sorted by it."""
    known = ~np.isnan(values)
    if known.sum() < 2 * BINS:
        return None
    errors, base = _errors_alone(values[known], y[known], isinstance(target, CategoryColumn))
    share, gain = _share(errors, base), (base - errors) / (base.mean() or 1.0)
    if share < SOMETHING or gain.mean() < BEYOND_CHANCE * gain.std() / np.sqrt(len(gain)):
        return None
    evidence = (
        f"its numbers alone explain {percent(share)} of the {_explained_by(target)}, on held-out rows; the rows may be "
        "sorted by the target, or numbered by time"
    )
    return Suspect("identifier_predicts", name, "an identifier that predicts the target", evidence, {"explained": share})


def identifier_numbers(cells: Sequence[str]) -> NDArray[np.float64]:
    """The digits of each cell (n,) as one number, the last 15 of them: 17 of C-017; NaN where there are none."""
    digits = ("".join(DIGITS.findall(cell))[-MOST_DIGITS:] for cell in cells)
    return np.array([float(each) if each else np.nan for each in digits], np.float64)


def explained_alone(values: NDArray[np.float64], y: NDArray[np.float64], is_classes: bool) -> float:
    """How much one column (n,) explains of y (n,): 1 - error / error of a constant, by the answer that fits best within
    each of 64 quantiles (or values) of one half of the rows, tested on the other half."""
    return _share(*_errors_alone(values, y, is_classes))


def _share(errors: NDArray[np.float64], base: NDArray[np.float64]) -> float:
    return float(1 - errors.mean() / base.mean()) if base.mean() > 0 else 0.0


def _errors_alone(
    values: NDArray[np.float64], y: NDArray[np.float64], is_classes: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The error of each tested row, by the column and by a constant: 0 or 1 for classes, squares for numbers."""
    order = _shuffled(len(y))  # rows may alternate in some way
    values, y = np.clip(values[order], -LARGEST, LARGEST), np.clip(y[order], -LARGEST, LARGEST)
    edges = np.unique(np.nanquantile(values, np.linspace(0, 1, BINS + 1))) if not np.isnan(values).all() else np.zeros(1)
    distinct = np.unique(values[~np.isnan(values)])
    if len(distinct) <= BINS:
        edges = distinct
    cell = np.where(np.isnan(values), 0, np.searchsorted(edges, values, side="right") + 1)
    learn, test = slice(0, None, 2), slice(1, None, 2)
    if is_classes:
        codes = y.astype(int)
        counts = np.zeros((cell.max() + 1, codes.max() + 1))
        np.add.at(counts, (cell[learn], codes[learn]), 1)
        constant = counts.sum(axis=0).argmax()
        guess = np.where(counts.sum(axis=1) > 0, counts.argmax(axis=1), constant)
        return (guess[cell[test]] != codes[test]).astype(float), (constant != codes[test]).astype(float)
    count = np.bincount(cell[learn], minlength=cell.max() + 1)
    mean = y[learn].mean()
    means = np.where(count > 0, np.bincount(cell[learn], y[learn], cell.max() + 1) / np.maximum(count, 1), mean)
    return (means[cell[test]] - y[test]) ** 2, (mean - y[test]) ** 2


@lru_cache(maxsize=1)
def _shuffled(count: int) -> NDArray[np.int64]:
    """The same rows in the same random order for each column."""
    return random.permutation(random.key(0, random.Purpose.SPLIT), count)[:MOST_ROWS]


def _explained_by(target: Column) -> str:
    return "errors of the most frequent class" if isinstance(target, CategoryColumn) else "variance"
