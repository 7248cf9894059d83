"""A row of a table in an explanation: from its cells to the numbers of the network, and what each column contributes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from pellucid.core.checks import positive_integer
from pellucid.core.display.document import Block, Sums, Table, Words
from pellucid.core.display.numbers import written
from pellucid.core.display.text import counted
from pellucid.core.errors import ArgumentError
from pellucid.data.tables.table import Rows, open_rows
from pellucid.data.tables.table_pipeline import TablePipeline, as_texts
from pellucid.inspection.arithmetic.cells import CellNumbers, as_terms
from pellucid.inspection.attribution.categories import UNSEEN
from pellucid.inspection.attribution.result import INTEGRATED_GRADIENTS, Attribution
from pellucid.models.labelled_table import row_of
from pellucid.models.model import Model
from pellucid.models.table_answers import are_columns
from pellucid.models.value_names import answer_names, score_name
from pellucid.reports.explanation.other_cells import OtherCells, other_cells

MOST_COLUMNS = 20
MOST_NUMBERS = 3  # of a column in the table


@dataclass(frozen=True)
class ExplainedRow:
    """target         what is answered: a target, or a quantile of it
    score          of a regression what is a sum over the columns: the target, or the logarithm of a count; else None
    cells          of the columns that the network learned from
    contributions  of each column to the score: the sum over its numbers
    other_cells    what other cells would change, in the columns that contribute most
    """

    target: str
    score: str | None
    cells: tuple[CellNumbers, ...]
    contributions: tuple[float, ...]
    other_cells: tuple[OtherCells, ...]


def cells_to_explain(pipeline: TablePipeline, source: Any, number: int | None) -> tuple[list[list[str]], str]:
    """The cell of each column, and what the row is called: of a mapping of names to values, or of a row of a table.

    Raises `DataError` for a row that is not there or cannot be used, or lacks a column; `ArgumentError` without a number.
    """
    names = [column.name for column in pipeline.columns]
    if isinstance(source, Mapping) and not are_columns(source):
        if number is not None:
            raise ArgumentError("row= names a row of a table; a mapping of names to values is one row, so leave it out.")
        pipeline.prepare(source)  # an unknown name is an error
        return [as_texts(name, [source.get(name)]) for name in names], "the row"
    rows: Rows = source if hasattr(source, "chunks") else open_rows(source)
    if number is None:
        raise ArgumentError(f"{rows.name} has many rows; say by its number which one to explain: --row 17, or row=17.")
    positive_integer(number, "row")
    cells = row_of(rows, number)
    pipeline.read(cells)  # a column that is not there is an error
    return [cells[name] for name in names], f"{rows.name}, row {number:,}"


def all_different(names: Sequence[str]) -> tuple[str, ...]:
    """The names, but for those that came before, which get a number."""
    seen: dict[str, None] = {}
    for name in names:
        numbered = (f"{name} ({k})" for k in range(2, len(names) + 2))
        seen[next(each for each in chain([name], numbered) if each not in seen)] = None
    return tuple(seen)


def explained_row(
    model: Model, cells: tuple[CellNumbers, ...], values: Sequence[float], attribution: Attribution, output: int
) -> ExplainedRow:
    """The contributions of the numbers of one row, summed to their columns; and what other cells than its ``values`` would
    change. Of a regression those to this ``output``."""
    assert isinstance(model.pipeline, TablePipeline)
    ends = np.cumsum([len(cell.numbers) for cell in cells])[:-1]
    sums = tuple(float(part.sum()) for part in np.split(attribution.contributions[0], ends))
    others = other_cells(model, attribution.x, values, sums, output)
    if model.labels:
        return ExplainedRow(model.pipeline.target.name, None, cells, sums, others)
    last = model.network.output
    target, score = answer_names(model.pipeline, last)[output], score_name(model.pipeline, last, output)
    return ExplainedRow(target, score, cells, sums, others)


def from_cells(row: ExplainedRow) -> Iterator[Block]:
    """The text of each cell, its value, and the numbers that the network sees, with the arithmetic."""
    order = sorted(_largest(row))
    shown = [row.cells[k] for k in order]
    rows = tuple((cell.column, cell.kind, cell.text, cell.value, _numbers(cell)) for cell in shown)
    yield Table("The cells of the row", ("column", "kind", "cell", "value", "numbers"), rows)
    left = len(row.cells) - len(shown)
    if left:
        yield Words(f"and {counted(left, 'more column')}, which contribute less.")
    if any(cell.kind in ("number", "date") for cell in shown):
        yield Words(
            "z = (value - center) / scale: the center is the median of the training rows, the scale the distance of "
            "their quartiles. x = z / sqrt(1 + (z / 3)^2) stays between -3 and 3."
        )
    for cell in shown:
        yield Sums(cell.arithmetic)


def _numbers(cell: CellNumbers) -> str:
    """All numbers of a column, or those that are not 0, by name."""
    if len(cell.numbers) <= MOST_NUMBERS:
        return ", ".join(map(written, cell.numbers))
    others = [number for number in cell.numbers if number]
    shown = ", ".join(map(written, others[:MOST_NUMBERS])) + (", ..." if len(others) > MOST_NUMBERS else "")
    return f"{shown or '0'} ({len(cell.numbers):,} in all)"


def contributed(row: ExplainedRow, attribution: Attribution) -> Iterator[Block]:
    """The score as a sum over the columns, the constants of the network and the gap."""
    order, score, gap = _largest(row), float(attribution.score[0]), float(attribution.gap[0])
    names = [row.cells[k].column for k in order]
    cells = [row.cells[k].text for k in order]
    numbers = [row.contributions[k] for k in order]
    if len(order) < len(row.cells):
        names.append(f"{counted(len(row.cells) - len(order), 'other column')}")
        numbers.append(sum(row.contributions) - sum(numbers))
        cells.append("")
    is_integrated = attribution.method == INTEGRATED_GRADIENTS
    names += ["where it is counted from" if is_integrated else "biases", "gap"]
    numbers += [float(attribution.bias[0]), gap]
    terms, total = as_terms(numbers, score)
    terms[-1] = terms[-1] if float(terms[-1]) else f"{gap:+.1e}"
    lines = tuple(zip(names, [*cells, "", ""], terms, strict=True))
    what = "in units of the score" if row.score is None else f"in units of {row.score}"
    zeros = "a row whose numbers are all 0: the center of each number, and none of the values of a category"
    origin = zeros if np.isin(attribution.baseline, (0.0, UNSEEN)).all() else "the mean of the training rows"
    yield Words(f"The answer as a sum over the columns, {what}, counted from {origin}.")
    yield Table("What each column contributes", ("column", "cell", "contribution"), (*lines, ("sum", "", total)))
    if row.score is None:
        compared = "" if attribution.against is None else " minus that of the runner-up"
        yield Words(f"The sum is the score of the answer{compared}.")
    steps = f", {attribution.steps[0]} steps" if is_integrated else ""
    relative = float(attribution.relative_gap[0])
    yield Words(
        f"Method: {attribution.method.replace('_', ' ')}{steps}; completeness gap {gap:.1e}, {relative:.1e} relative."
    )


def _largest(row: ExplainedRow) -> list[int]:
    """The columns with the largest contributions, for or against, the largest first."""
    order = np.argsort(-np.abs(row.contributions), kind="stable")[:MOST_COLUMNS]
    return [int(k) for k in order]
