"""``pellucid evaluate`` for a model of tables: the account, the judgement, and the worst mistakes as rows of the table."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pellucid.apps.cli.judgement import bounds_in_words, show_figures, show_probabilities, show_tables
from pellucid.apps.cli.terminal import say, write_json, write_table
from pellucid.core.display.text import counted, printable
from pellucid.core.files import write_whole
from pellucid.data.tables.table import Rows
from pellucid.data.tables.table_pipeline import TablePipeline
from pellucid.models.labelled_table import LabelledRows, cells_of, labelled_rows
from pellucid.models.model import Model
from pellucid.reports.columns.importance import PermutationImportance, importance_of
from pellucid.reports.judgement import (
    MISTAKES_IN_DATA,
    ClassJudgement,
    RegressionJudgement,
    judge_classes,
    judge_regression,
)

MOST_COLUMNS = 20  # whose importance is shown; JSON has all


def evaluate_table(
    model: Model, path: str, rows: Rows, *, account: str | None, as_json: bool, page: str | None, command: str
) -> None:
    """Judge the model on all rows that have a target; ``command`` is named on the page as the one that made it."""
    pipeline = model.pipeline
    assert isinstance(pipeline, TablePipeline)
    test = labelled_rows(pipeline, rows)
    say("\n".join(test.account.in_words()), err=True)
    if account is not None:
        test.account.write_csv(account)
    found = (
        judge_classes(model, test.x, test.y, files=[str(number) for number in test.rows.tolist()])
        if model.labels
        else judge_regression(model, test.x, test.y)
    )
    importance = importance_of(model, test.x, test.y)
    if as_json:
        mistakes = _mistakes_as_data(found, test, rows)
        data = {**found.as_data(), "importance": importance.as_data(), "worst_mistakes": mistakes}
        targets = [column.name for column in pipeline.targets]
        target = targets[0] if len(targets) == 1 else targets
        write_json({"model": path, "data": rows.name, "target": target, **data, **test.account.as_data()})
    else:
        say(printable(f"{path} on {rows.name}: {counted(found.count, 'row')}"))
        _show_classes(found, model) if isinstance(found, ClassJudgement) else _show_values(found, test)
        _show_importance(importance)
        say(f"\nWhy an answer: {shlex.join(['pellucid', 'explain', path, rows.name])} --row N")
    if page is not None:
        write_whole(page, _page(found, model, test, rows, importance, command).encode())
        say(f"The report is in {page}.", err=True)


def _show_classes(found: ClassJudgement, model: Model) -> None:
    area = "" if found.auc is None else f"   auc {found.auc:.4f}"
    say(f"accuracy {found.accuracy:.2%}{bounds_in_words(found)}   loss {found.loss:.4f}{area}")
    show_probabilities(found, model)
    show_tables(found)


def _show_values(found: RegressionJudgement, test: LabelledRows) -> None:
    show_figures(found)
    several = found.y.shape[1] > 1
    lines = [
        (f"{test.rows[place]:,}", *([found.names[v]] if several else []),
         *(f"{value:.6g}" for value in (found.y[place, v], found.predicted[place, v])), f"{found.residuals[place, v]:+.4g}")
        for place in found.worst(MISTAKES_IN_DATA)
        for v in [found.worst_value(place)]
    ]  # fmt: skip
    write_table("Furthest off", ["row", *(["target"] if several else []), "true", "predicted", "residual"], lines)


def _show_importance(importance: PermutationImportance) -> None:
    """The most important columns, and how many there are besides."""
    left = len(importance.columns) - MOST_COLUMNS
    more = f"\nand {counted(left, 'more column')}, which matter less" if left > 0 else ""
    say(f"\n{replace(importance, columns=importance.columns[:MOST_COLUMNS])}{more}")


def _mistakes_as_data(found: ClassJudgement | RegressionJudgement, test: LabelledRows, rows: Rows) -> list[dict[str, Any]]:
    """The worst ones, each with the number and the cells of its row."""
    if isinstance(found, ClassJudgement):
        mistakes: list[dict[str, Any]] = [
            {
                "row": int(test.rows[each.index]),
                "label": each.label,
                "predicted": each.predicted,
                "probability": each.probability,
                "probability_of_label": each.probability_of_label,
            }
            for each in found.worst_mistakes(MISTAKES_IN_DATA)
        ]
    else:
        mistakes = [
            {"row": int(test.rows[place]), **_value_as_data(found, place)} for place in found.worst(MISTAKES_IN_DATA)
        ]
    cells = cells_of(rows, [each["row"] for each in mistakes])
    return [{**each, "cells": dict(zip(rows.names, cells[each["row"]], strict=True))} for each in mistakes]


def _value_as_data(found: RegressionJudgement, place: int) -> dict[str, Any]:
    """What is true and what was said; of several targets of the one that is furthest off."""
    v = found.worst_value(place)
    which = {"target": found.names[v]} if found.y.shape[1] > 1 else {}
    return {**which, "value": found.y[place, v], "predicted": found.predicted[place, v]}


def _page(
    found: ClassJudgement | RegressionJudgement,
    model: Model,
    test: LabelledRows,
    rows: Rows,
    importance: PermutationImportance,
    command: str,
) -> str:
    from pellucid.reports.columns.findings import column_findings
    from pellucid.reports.model_report.page import class_page, value_page
    from pellucid.reports.model_report.test_rows import SHOWN, TestRows

    worst = [m.index for m in found.worst_mistakes(SHOWN)] if isinstance(found, ClassJudgement) else found.worst(SHOWN)
    numbers = test.rows.tolist()
    cells = cells_of(rows, {numbers[place] for place in worst})
    order = _columns_first(model, rows.names)
    shown = {number: [row[k] for k in order] for number, row in cells.items()}
    judged = TestRows(tuple(rows.names[k] for k in order), numbers, shown, test.account)
    columns = column_findings(model, test.x, importance)
    if isinstance(found, ClassJudgement):
        return class_page(found, model, rows.name, None, command, judged, columns)
    return value_page(found, model, rows.name, command, judged, columns)


def _columns_first(model: Model, names: Sequence[str]) -> list[int]:
    """The places of the columns that the model learns from, then of the others; without the target."""
    assert isinstance(model.pipeline, TablePipeline)
    used = {column.name for column in model.pipeline.columns}
    targets = {column.name for column in model.pipeline.targets}
    others = [k for k, name in enumerate(names) if name not in used and name not in targets]
    return [k for k, name in enumerate(names) if name in used] + others
