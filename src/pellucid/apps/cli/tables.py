"""Tables in the commands: which data are one, training on it, and the judgement of its model."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import Any

from pellucid.apps.cli.job import TrainJob, check_engine, train_and_save
from pellucid.apps.cli.judgement import bounds_in_words, show_figures, show_probabilities, show_recalls
from pellucid.apps.cli.table_options import kinds_from_words, rows_of
from pellucid.apps.cli.table_parts import divided, is_test_file
from pellucid.apps.cli.terminal import say
from pellucid.core.checks import one_of
from pellucid.core.display.text import counted, printable
from pellucid.core.errors import ArgumentError
from pellucid.data.tables.overview import dropped, possible_targets
from pellucid.data.tables.suspects.find import find_suspects
from pellucid.data.tables.suspects.suspect import Suspect, suspects_in_words
from pellucid.data.tables.suspects.two_tables import compare_tables
from pellucid.data.tables.table import Rows, Table, inspect_table, read_table
from pellucid.models.counter_run import with_counter_runs
from pellucid.models.labelled_table import check_columns, labelled_rows
from pellucid.models.model import Model
from pellucid.models.target_notes import target_notes
from pellucid.models.train_table import TableTraining, with_numbers
from pellucid.reports.judgement import ClassJudgement, RegressionJudgement, judge_classes, judge_regression
from pellucid.training.recipes.table_rules import HELD_OUT

MOST_SUSPECTS = 20  # that are named before training


def table_of(data: str, given: dict[str, Any]) -> Table:
    """Read the table; without a target, name the columns that could be one."""
    rows = rows_of(data, given)
    for name in given.get("drop", ()):
        one_of(name, rows.names, "column")
    kinds = kinds_from_words(given.get("kind", ()))
    targets = _targets(given["target"], rows.names) if "target" in given else ()
    inspection = inspect_table(rows, kinds=kinds, decimal=given.get("decimal"), date_order=given.get("date_order"))
    if "target" not in given:
        raise ArgumentError(
            f"say by --target COLUMN what is to be predicted; in {rows.name} it could be "
            f"{', '.join(map(printable, possible_targets(inspection)))}."
        )
    return read_table(inspection, targets, given.get("drop", ()))


def _targets(text: str, names: Sequence[str]) -> tuple[str, ...]:
    """``a,b`` as the names of two columns, unless one is called so."""
    found = (text,) if text in names else tuple(next(csv.reader([text])))
    return tuple(one_of(name, names, "column") for name in found)


def train_on_table(job: TrainJob, changes: dict[str, Any]) -> None:
    """Train on a table by the rules or as options say, and judge the model on rows that it did not learn from."""
    loss = job.given.get("loss")
    table = with_numbers(table_of(job.data, job.given), loss, job.resumed)
    if "account" in job.given:
        table.account.write_csv(job.given["account"])
    say("\n".join(table.account.in_words()), err=True)
    test_rows = rows_of(job.given["test"], job.given) if is_test_file(job.given) else None
    if test_rows is not None:
        check_columns(test_rows, list(table.by_name()[0]))  # before the training, not after it
    _show_suspects(table, test_rows)
    seed = job.resumed.network.seed if job.resumed else job.seed
    table, test, division, notes = divided(table, changes.get("validation", HELD_OUT) or None, job, seed, test_rows)
    training = TableTraining(table, division, changes, seed, loss, job.resumed)
    options = job.fit_options(training.recipe)
    check_engine(training.network, options, job.run)
    notes += target_notes(table, is_balanced=training.recipe.class_weight is not None, loss=loss)
    for note in [*notes, *([training.units.in_words] if training.units else [])]:
        say(note, err=True)
    if job.resumed is None:
        say(f"chosen by rules, since no option says otherwise:\n{training.recipe.in_words()}", err=True)
    model, seconds = train_and_save(job, training.network, training.fit, options, table.labels)
    say(f"trained in {seconds:.1f} s", err=True)
    if test_rows is not None:
        found = labelled_rows(training.pipeline, test_rows)
        say("\n".join(found.account.in_words()), err=True)
        show_judgement(job.out, judge(model, found.x, found.y), model, "test row")
    elif test is not None:
        x = test.encode(training.pipeline)
        show_judgement(job.out, judge(model, x, test.y), model, "test row")
    elif len(division[1]):
        held_out = division[1]
        show_judgement(job.out, judge(model, training.x[held_out], table.y[held_out]), model, "held-out row")
        say("They also decided which epoch is kept, so the figure flatters; rows of --test would tell more.")
    else:
        say(f"{job.out}: trained on all {counted(len(table), 'row')}; none is left to judge it on")


def _show_suspects(table: Table, test: Rows | None) -> None:
    """What looks wrong before training, with the evidence of a quick network; also between the table and its test."""
    found: list[Suspect] = []
    for one in table.of_each_target():
        suspects = [*dropped(one.kinds), *find_suspects(*one.by_name(), one.target.name)]
        suspects += [] if test is None else compare_tables(*one.by_name(), test, one.target.name)
        found += [suspect for suspect in with_counter_runs(suspects, one) if suspect not in found]
    if found:
        lines = suspects_in_words(found, MOST_SUSPECTS)
        say("\n".join([*lines, "Nothing is left out unasked; --drop COLUMN leaves a column out."]), err=True)


def judge(model: Model, x: Any, y: Any) -> ClassJudgement | RegressionJudgement:
    """The judgement of a model of either kind."""
    return judge_classes(model, x, y) if model.labels else judge_regression(model, x, y)


def show_judgement(out: str, found: ClassJudgement | RegressionJudgement, model: Model, what: str) -> None:
    """The figures in one line, and what can be said of probabilities or intervals."""
    count = counted(found.count, what)
    if isinstance(found, ClassJudgement):
        say(f"{out}: {found.accuracy:.2%} of {count} right{bounds_in_words(found)}, loss {found.loss:.4f}")
        show_probabilities(found, model)
        show_recalls(found)
        return
    if found.levels or found.y.shape[1] > 1:
        say(f"{out}: on {count}")
        show_figures(found)
        return
    r2 = f", r2 {found.metrics['r2']:.3f}" if "r2" in found.metrics else ""
    say(f"{out}: on {count} rmse {found.rmse:.6g}, mae {found.metrics['mae']:.6g}{r2}")
    if found.reach:
        reach, held = found.reach[0], found.covered[0]
        say(f"intervals for 90% confidence reach {reach:.6g} to each side; they hold {held:.1%} of these rows")
