"""``pellucid inspect``: what is in a table, or in a folder of pictures? Nothing is trained."""

from __future__ import annotations

import os
from typing import Any

import click

from pellucid.apps.cli.named_data import check_is_there
from pellucid.apps.cli.table_options import ACCOUNT, kinds_from_words, rows_of, table_options
from pellucid.apps.cli.terminal import say, write_json
from pellucid.core.checks import one_of


@click.command("inspect")
@click.argument("data", type=click.Path())
@table_options
@click.option("--target", metavar="COLUMN", help="The column to predict: also look for what gives it away.")
@ACCOUNT
@click.option("--json", "as_json", is_flag=True, help="Write one JSON document to standard output.")
def command(
    data: str, account: str | None, as_json: bool, kind: tuple[str, ...], drop: tuple[str, ...], target: str | None,
    decimal: str | None, date_order: str | None, **reading: Any,
) -> None:  # fmt: skip
    """Say what is in DATA, a table or a folder of pictures; nothing is trained.

    Of a table: the account of every row and cell, the kind of each column and why, how many numbers a network gets of
    it, and what looks suspicious.
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
    overview = look_at(inspection, drop, target)
    if account is not None:
        overview.account.write_csv(account)
    if as_json:
        write_json(overview.as_data())
    else:
        say("\n".join(overview.in_words()))
    return None


def _inspect_folder(data: str, as_json: bool) -> None:
    """What became of every file in a folder of pictures."""
    from pellucid.data.photos.folder import folder

    report = folder(data).report
    if as_json:
        write_json(report.as_data())
    else:
        say(report)
