"""What looks wrong in a table before anything is trained, each with its evidence. Named, never dropped unasked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pellucid.core import random
from pellucid.core.display.text import counted, percent
from pellucid.data.tables.columns import CategoryColumn, Column

PLACEHOLDERS = (-1.0, -9.0, -99.0, -999.0, -9999.0, -99999.0, 99.0, 999.0, 9999.0, 99999.0, 999999.0)
OFTEN = 0.002  # of the rows; a placeholder that comes more rarely is not told from a value
BINS = 64  # quantiles, within which the target is guessed from one column alone
LARGEST = 1e100  # what lies beyond is cut to it, so that no square is infinite
ALONE = 0.9  # of what there is to explain; a column that explains more of it alone is suspected to hold the answer


class Suspect(NamedTuple):
    """What is suspected of a column (or of the rows: None), and by which evidence."""

    column: str | None
    what: str
    evidence: str

    def __str__(self) -> str:
        return f"{self.column or 'rows'}: {self.what} ({self.evidence})"


def find_suspects(
    columns: Mapping[str, Column], values: Mapping[str, NDArray[np.float64]], target: str | None = None
) -> list[Suspect]:
    """All suspects among columns of values (n,), NaN where there are none; with a ``target`` also what concerns it."""
    found = [one for name in columns if (one := placeholder(name, columns[name], values[name])) is not None]
    found += equal_columns(values)
    found += repeated_rows(values)
    if target is not None and target in values:
        known = ~np.isnan(values[target])
        inputs = {name: one[known] for name, one in values.items() if name != target}
        y = values[target][known]
        found += contradictions(inputs, y) if inputs else []
        found += [one for name in inputs if (one := gives_away(name, inputs[name], columns[target], y))]
    return found


def placeholder(name: str, column: Column, values: NDArray[np.float64]) -> Suspect | None:
    """A number such as -999 that stands far from all others, and may mean that there is none."""
    if isinstance(column, CategoryColumn):
        return None
    present = values[~np.isnan(values)]
    for number in PLACEHOLDERS:
        count = int((present == number).sum())
        others = present[present != number]
        if count < max(2, OFTEN * len(values)) or len(np.unique(others)) < 2:
            continue
        low, high = others.min(), others.max()
        gap = low - number if number < low else number - high
        if gap > high / 2 - low / 2 and gap > 1:
            beyond = f"all others lie from {low:g} to {high:g}"
            return Suspect(name, f"{number:g} may mean that there is no value", f"{counted(count, 'cell')}; {beyond}")
    return None


def equal_columns(values: Mapping[str, NDArray[np.float64]]) -> list[Suspect]:
    """Columns that hold what another column holds."""
    alike: dict[int, list[str]] = {}
    found = []
    for name, one in values.items():
        others = alike.setdefault(int(_hashes({name: one}).sum()), [])
        first = next((other for other in others if np.array_equal(values[other], one, equal_nan=True)), None)
        if first is None:
            others.append(name)
        else:
            found.append(Suspect(name, f"it is equal to {first}", counted(len(one), "row")))
    return found


def repeated_rows(values: Mapping[str, NDArray[np.float64]]) -> list[Suspect]:
    """Rows that come again, in all columns: on both sides of a split the test would be no test."""
    hashes = _hashes(values)
    repeated = len(hashes) - len(np.unique(hashes))
    if not repeated:
        return []
    share = percent(repeated / len(hashes))
    return [Suspect(None, f"{counted(repeated, 'row')} {'is' if repeated == 1 else 'are'} there before", f"{share} of all")]


def contradictions(inputs: Mapping[str, NDArray[np.float64]], target: NDArray[np.float64]) -> list[Suspect]:
    """Rows that are equal in all columns but the target: no model can be right on all of them."""
    _, group = np.unique(_hashes(inputs), return_inverse=True)
    _, answer = np.unique(target, return_inverse=True)
    different = np.bincount(np.unique(np.stack([group, answer]), axis=1)[0])  # targets of each group
    rows = int((different[group] > 1).sum())
    if not rows:
        return []
    what = f"{counted(rows, 'row')} share their inputs with a row of another target"
    return [Suspect(None, what, f"{percent(rows / len(target))} of all")]


def gives_away(name: str, values: NDArray[np.float64], target: Column, y: NDArray[np.float64]) -> Suspect | None:
    """A column that alone tells nearly all of the target: measured on half of the rows, with what the others say."""
    if len(y) < 2 * BINS:
        return None
    share = explained_alone(values, y, isinstance(target, CategoryColumn))
    if share < ALONE:
        return None
    what = "errors of the most frequent class" if isinstance(target, CategoryColumn) else "variance"
    return Suspect(name, "it gives the target away", f"alone it explains {percent(share)} of the {what}, on held-out rows")


def explained_alone(values: NDArray[np.float64], y: NDArray[np.float64], is_classes: bool) -> float:
    """How much one column (n,) explains of y (n,): 1 - error / error of a constant, by the answer that fits best within
    each of 64 quantiles (or values) of one half of the rows, tested on the other half."""
    values, y = np.clip(values, -LARGEST, LARGEST), np.clip(y, -LARGEST, LARGEST)
    edges = np.unique(np.nanquantile(values, np.linspace(0, 1, BINS + 1))) if not np.isnan(values).all() else np.zeros(1)
    distinct = np.unique(values[~np.isnan(values)])
    if len(distinct) <= BINS:
        edges = distinct
    cell = np.where(np.isnan(values), 0, np.searchsorted(edges, values, side="right") + 1)
    order = random.permutation(random.key(0, random.Purpose.SPLIT), len(y))  # rows may alternate in some way
    learn, test = order[::2], order[1::2]
    if is_classes:
        codes = y.astype(int)
        counts = np.zeros((cell.max() + 1, codes.max() + 1))
        np.add.at(counts, (cell[learn], codes[learn]), 1)
        constant = counts.sum(axis=0).argmax()
        guess = np.where(counts.sum(axis=1) > 0, counts.argmax(axis=1), constant)
        error, base = (guess[cell[test]] != codes[test]).mean(), (constant != codes[test]).mean()
    else:
        count = np.bincount(cell[learn], minlength=cell.max() + 1)
        mean = y[learn].mean()
        means = np.where(count > 0, np.bincount(cell[learn], y[learn], cell.max() + 1) / np.maximum(count, 1), mean)
        error, base = ((means[cell[test]] - y[test]) ** 2).mean(), ((mean - y[test]) ** 2).mean()
    return float(1 - error / base) if base > 0 else 0.0


def _hashes(values: Mapping[str, NDArray[np.float64]]) -> NDArray[np.uint64]:
    """A hash (n,) of each row."""
    rows = np.zeros(len(next(iter(values.values()))), np.uint64)
    for one in values.values():
        bits = (one + 0.0).view(np.uint64)  # + 0.0: of -0 the bits of 0
        bits = np.where(np.isnan(one), np.uint64(1), bits)
        rows = (rows ^ bits) * np.uint64(0x9E3779B97F4A7C15)
        rows ^= rows >> np.uint64(29)
    return rows
