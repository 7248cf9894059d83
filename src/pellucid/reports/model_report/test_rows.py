"""The rows of a table that a model was judged on: the worst mistakes as they stand in the file, and the account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from pellucid.core.display.markup import Markup, element, joined, section, table
from pellucid.core.display.text import counted, percent
from pellucid.reports.judgement import ClassJudgement, RegressionJudgement

if TYPE_CHECKING:
    from pellucid.data.tables.account import Account

Answer: TypeAlias = tuple[int, tuple[str, ...]]
"""The place of a sample, and what is said of it."""
SHOWN = 24
MOST_COLUMNS = 20


@dataclass(frozen=True)
class TestRows:
    """names    of the columns that are shown
    numbers  the number in the file of each sample
    cells    row number -> its cells, of those that are shown
    account  what became of every row and cell
    """

    names: tuple[str, ...]
    numbers: Sequence[int]
    cells: Mapping[int, Sequence[str]]
    account: Account


def wrong_rows(found: ClassJudgement, rows: TestRows) -> Markup:
    """The section with the wrong answers that were surest."""
    count = found.count - found.right
    if count == 0:
        return section("mistakes", "Its worst mistakes", element("p", f"It made none on {counted(found.count, 'row')}."))
    these = "This is it" if count == 1 else "These are all of them" if count <= SHOWN else f"These are the {SHOWN} surest"
    words = f"{counted(count, 'answer is', 'answers are')} wrong. {these}, with the cells as they stand in the table."
    answers = (
        (mistake.index, (str(mistake.label), str(mistake.predicted), percent(mistake.probability)))
        for mistake in found.worst_mistakes(SHOWN)
    )
    shown = _table("Wrong answers, the surest first", ("is", "said", "claimed"), answers, rows)
    return section("mistakes", "Its worst mistakes", element("p", words), *shown)


def far_rows(found: RegressionJudgement, rows: TestRows) -> Markup:
    """The section with the answers that were furthest off."""
    worst = found.worst(SHOWN)
    several = found.y.shape[1] > 1
    answers = (
        (place, (*([found.names[v]] if several else []), f"{found.y[place, v]:.6g}", f"{found.predicted[place, v]:.6g}",
                 f"{found.residuals[place, v]:+.4g}"))
        for place in worst
        for v in [found.worst_value(place)]
    )  # fmt: skip
    words = f"The {counted(len(worst), 'answer')} furthest off, with the cells as they stand in the table."
    header = (*(["target"] if several else []), "is", "said", "residual")
    shown = _table("Answers furthest off", header, answers, rows)
    return section("mistakes", "Its worst mistakes", element("p", words), *shown)


def account(rows: TestRows) -> Markup:
    """The section on what became of every row and cell."""
    first, second, *others = rows.account.in_words()
    lines = [element("pre", joined(others, "\n"))] if others else []
    return section("data", "What became of the data", element("p", first, "."), element("p", second, "."), *lines)


def _table(caption: str, header: tuple[str, ...], answers: Iterable[Answer], rows: TestRows) -> list[Markup]:
    """The number of a row in the file, what was said of it, and its cells."""
    names = rows.names[:MOST_COLUMNS]
    lines = []
    for place, said in answers:
        number = rows.numbers[place]
        lines.append((f"{number:,}", *said, *rows.cells[number][: len(names)]))
    shown = [table(caption, ("row", *header, *names), lines, class_="words")]
    left = len(rows.names) - len(names)
    return [*shown, element("p", f"{counted(left, 'more column is', 'more columns are')} not shown.")] if left else shown
