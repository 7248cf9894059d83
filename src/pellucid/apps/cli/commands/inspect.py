"""``pellucid inspect``: what is in a table, or in a folder of pictures? No model is made."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from pellucid.apps.cli.named_data import check_is_there
from pellucid.apps.cli.table_options import ACCOUNT, kinds_from_words, rows_of, table_options
from pellucid.apps.cli.terminal import say, write_json
from pellucid.core.checks import one_of
from pellucid.core.errors import DataError

if TYPE_CHECKING:
    from pellucid.data.tables.overview import Overview
    from pellucid.data.tables.table import Inspection


@click.command("inspect")
@click.argument("data", type=click.Path())
@table_options
@click.option("--target", metavar="COLUMN", help="The column to predict: also look for what gives it away.")
@click.option("--test", metavar="FILE", help="A second table, to test on: also look for what lies between the two.")
@ACCOUNT
@click.option("--json", "as_json", is_flag=True, help="Write one JSON document to standard output.")
def command(
    data: str, account: str | None, as_json: bool, kind: tuple[str, ...], drop: tuple[str, ...], target: str | None,
    test: str | None, decimal: str | None, date_order: str | None, **reading: Any,
) -> None:  # fmt: skip
    """Say what is in DATA, a table or a folder of pictures; no model is made.

    Of a table: the account of every row and cell, the kind of each column and why, how many numbers a network gets of
    it, and what looks suspicious. Where a column alone predicts the --target, a small network is trained for a second or
    two, with it and without it, as evidence.
    """
    check_is_there(data)
    if os.path.isdir(data):
        return _inspect_folder(data, as_json)
    from pellucid.data.tables.overview import look_at
    from pellucid.data.tables.table import inspect_table

    rows = rows_of(data, reading)
    for name in (*drop, *([] if target is None else [target])):
        one_of(name, rows.names, "column")
    inspection = inspect_table(rows, kinds=kinds_from_words(kind), decimal=decimal, date_order=date_order)
    overview = look_at(inspection, drop, target, None if test is None else rows_of(test, reading))
    if target is not None:
        overview = _with_counter_runs(overview, inspection, target, drop)
    if account is not None:
        overview.account.write_csv(account)
    if as_json:
        write_json(overview.as_data())
    else:
        say("\n".join(overview.in_words()))
    return None


def _with_counter_runs(overview: Overview, inspection: Inspection, target: str, drop: tuple[str, ...]) -> Overview:
    """The overview with the evidence of a quick network; as it is where nothing can learn this target."""
    if not any(one.kind == "gives_away" for one in overview.suspects):
        return overview
    from pellucid.data.tables.table import read_table
    from pellucid.models.counter_run import with_counter_runs

    try:
        table = read_table(inspection, target, drop)
    except DataError:  # which training will say
        return overview
    return replace(overview, suspects=tuple(with_counter_runs(overview.suspects, table)))


def _inspect_folder(data: str, as_json: bool) -> None:
    """What became of every file in a folder of pictures."""
    from pellucid.data.photos.folder import folder

    report = folder(data).report
    if as_json:
        write_json(report.as_data())
    else:
        say(report)
