"""What if a cell of this row were another? The answer along the values of the columns that contribute most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.core.display.chart import round_ticks, short_labels
from pellucid.core.display.document import Block, Series, Words
from pellucid.core.display.numbers import plain
from pellucid.core.display.text import percent
from pellucid.core.shapes import Array
from pellucid.models.model import Model
from pellucid.reports.columns.curves import ColumnCurves, curves_of, range_of, ticks_of

MOST_CURVES = 4  # of the columns with the largest contributions
MOST_NAMES = 12  # values of a category: those that change the answer most
SHARES = {0.0: "0%", 0.25: "25%", 0.5: "50%", 0.75: "75%", 1.0: "100%"}


@dataclass(frozen=True, eq=False)
class OtherCells:
    """The answers of one row for other cells of a column.

    curves  the answers (1, S, K)
    now     the answer (K,) for the row as it is
    k       which of the K numbers is followed: the probability of ``label``, the answer; or the number of a regression
    labels  of all classes, or ()
    here    the place of the cell as it is among the values; None if it holds no value
    """

    curves: ColumnCurves
    now: Array
    k: int
    labels: tuple[str, ...]
    here: int | None

    @property
    def numbers(self) -> tuple[float, ...]:
        """(S,): the number that is followed."""
        return tuple(map(float, self.curves.answers[0, :, self.k]))

    @property
    def answers(self) -> tuple[str, ...]:
        """(S,): the labels that would be the answers, or ()."""
        best = self.curves.answers[0].argmax(axis=1)
        return tuple(self.labels[int(b)] for b in best) if self.labels else ()

    def to_data(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        answers = {"label": self.labels[self.k], "answers": list(self.answers)} if self.labels else {}
        return {"column": self.curves.column, "values": list(self.curves.names), "numbers": list(self.numbers), **answers}


def other_cells(
    model: Model, x: Array, values: Sequence[float], contributions: Sequence[float], output: int
) -> tuple[OtherCells, ...]:
    """What other cells would change for one row x (1, D), in the columns that contribute most to its answer; ``values``
    are those of its cells, NaN where there is none. Of a regression this ``output`` is followed."""
    order = np.argsort(-np.abs(contributions), kind="stable")[:MOST_CURVES].tolist()
    now = model.predict_proba(x)[0] if model.labels else np.atleast_1d(model.network.predict(x)[0])
    followed = int(now.argmax()) if model.labels else output
    return tuple(_of_column(model, x, k, values[k], now, followed) for k in order)


def _of_column(model: Model, x: Array, k: int, own: float, now: Array, followed: int) -> OtherCells:
    values = range_of(model, k)
    if not np.isnan(own):
        values = np.unique(np.append(values, own))
    curves = curves_of(model, x, k, values)
    if curves.is_of_names and len(values) > MOST_NAMES:
        change = np.abs(curves.answers[0, :, followed] - now[followed])
        chosen = values[np.argsort(-change, kind="stable")[: MOST_NAMES - 1]]
        values = np.unique(chosen if np.isnan(own) else np.append(chosen, own))
        curves = curves_of(model, x, k, values)
    here = None if np.isnan(own) else int(np.searchsorted(values, own))
    return OtherCells(curves, now, followed, tuple(map(str, model.labels)), here)


def of_other_cells(found: Sequence[OtherCells], target: str) -> Iterator[Block]:
    """A curve or bars for each column."""
    what = f"the probability of {found[0].labels[found[0].k]}" if found[0].labels else target
    yield Words(
        f"How {what} changes if one cell of this row holds another value and all others stay as they are; for the columns "
        "that contribute most. It says what the model would answer, not what would happen."
    )
    for one in found:
        yield _series(one, target)


def _series(one: OtherCells, target: str) -> Series:
    curves, numbers, now = one.curves, one.numbers, float(one.now[one.k])
    is_classes = bool(one.labels)
    written = [percent(number) if is_classes else plain(number) for number in numbers]
    header = (curves.column, *((f"probability of {one.labels[one.k]}", "answer") if is_classes else (target,)))
    rows = tuple(zip(curves.names, written, *([one.answers] if is_classes else []), strict=True))
    if curves.is_of_names:
        return Series(f"Other values of {curves.column}", header, rows, numbers, now, one.here)
    y_ticks = SHARES if is_classes else short_labels(round_ticks(min(numbers), max(numbers)))
    axes = tuple(map(float, curves.values)), ticks_of(curves), y_ticks
    return Series(f"Other values of {curves.column}", header, rows, numbers, now, one.here, *axes)
