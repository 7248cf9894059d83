"""Which columns of a table matter: their importance, and what they contribute to the answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from pellucid.core.display.bars import Scale
from pellucid.core.display.markup import Markup, element, folded, joined, section, table
from pellucid.core.display.numbers import plain
from pellucid.core.display.text import counted
from pellucid.reports.columns.contributions import ColumnContribution, Contributions
from pellucid.reports.columns.findings import ColumnFindings
from pellucid.reports.columns.importance import ColumnImportance, PermutationImportance

T = TypeVar("T")
SHOWN = 20  # columns; the others are folded away


def columns(found: ColumnFindings) -> Markup:
    """The section with a bar for each column, with its interval."""
    shared = (
        "Columns that say the same share their importance: while one is shuffled, the others stand in for it. A column "
        "without importance is not needed beside the others; without them it may be. All of this is about the model, not "
        "about causes."
    )
    return section(
        "columns",
        "Which columns matter",
        element("p", f"{found.importance.in_words} The small figures are the intervals, as are the lines across the bars."),
        *_importance(found.importance),
        element("p", shared),
        element("h3", "What the columns contribute"),
        *_contributions(found.contributions),
    )


def _folding(lines: Callable[[Sequence[T]], Markup], columns: Sequence[T]) -> list[Markup]:
    """The table of the first columns, and below it, to be opened, that of the others."""
    left = len(columns) - SHOWN
    others = [folded(f"{counted(left, 'more column')}", lines(columns[SHOWN:]))] if left > 0 else []
    return [lines(columns[:SHOWN]), *others]


def _importance(found: PermutationImportance) -> list[Markup]:
    scale = Scale.of(*(end for one in found.columns for end in (one.low, one.high)))

    def lines(columns: Sequence[ColumnImportance]) -> Markup:
        rows = (
            (
                one.column,
                _with_interval(*map(found.written, (one.importance, one.low, one.high))),
                scale.bar(one.importance, interval=(one.low, one.high)),
            )
            for one in columns
        )
        return table("Importance of each column", ("column", found.unit, ""), rows)

    return _folding(lines, found.columns)


def _contributions(found: Contributions) -> list[Markup]:
    rows = counted(found.rows, "row") if found.rows == found.rows_in_all else f"a sample of {found.rows:,} rows"
    words = (
        "Each score is a sum over the columns, counted from the mean row (for a category of more than 64 values, from none "
        f"of them). Below, the mean size of what a column gives, for or against, on {rows}, in {found.unit}. The sum of a "
        "single row is shown by pellucid explain --row."
    )
    method = f"Method: {found.method.replace('_', ' ')}"
    gap = f"{method}; the sums miss the scores by {found.gap:.1e} at most, {found.relative_gap:.1e} relative."
    scale = Scale.of(*(one.high for one in found.columns))

    def lines(columns: Sequence[ColumnContribution]) -> Markup:
        shown = (
            (
                one.column,
                _with_interval(*map(plain, (one.size, one.low, one.high))),
                scale.bar(one.size, interval=(one.low, one.high)),
            )
            for one in columns
        )
        return table("Mean size of the contributions", ("column", "mean size", ""), shown)

    return [element("p", words), *_folding(lines, found.columns), element("p", gap, class_="note")]


def _with_interval(number: str, low: str, high: str) -> Markup:
    return joined([number, element("small", f"{low} to {high}")])
