"""``pellucid predict`` for a model of tables: a line for each row, and the account."""

from __future__ import annotations

import os
import sys

import click

from pellucid.apps.cli.terminal import say, write_json
from pellucid.core.display.text import counted
from pellucid.core.errors import OutputError
from pellucid.core.files import check_replaceable, write_whole
from pellucid.data.tables.account import Entry
from pellucid.data.tables.table import Rows
from pellucid.models.model import Model
from pellucid.models.table_answers import answers_of


def predict_table(
    model: Model,
    rows: Rows,
    *,
    confidence: float | None,
    out: str | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Answer for every row of the table that can be used. The answers go to ``out`` or to standard output as CSV, or to
    standard output as JSON; the account to standard error, and all of it to the file ``account``."""
    answers = answers_of(model, rows, confidence)
    say("\n".join(answers.account.in_words()), err=True)
    if account is not None:
        answers.account.write_csv(account)
    if out is not None:
        write_whole(out, answers.to_csv().encode())
        say(f"{counted(len(answers), 'answer')} in {out}", err=True)
    if as_json:
        write_json({"data": rows.name, "target": answers.target, **answers.account.as_data(), "answers": answers.as_data()})
    elif out is None and sys.stdout.isatty():
        say(answers.to_csv().rstrip("\n"))
    elif out is None:
        click.echo(answers.to_csv(), nl=False)  # as it is, also what would command a terminal


def check_account_place(account: str | None) -> None:
    """Raise `OutputError` if the account cannot be written there, or would take the place of something else."""
    if account is not None:
        check_replaceable(account, ",".join(Entry._fields).encode(), "an account")


def check_places(table: str, out: str | None, account: str | None) -> None:
    """Raise `OutputError` if the answers or the account cannot be written there, or would take the place of something."""
    check_account_place(account)
    if out is None:
        return
    for name, other in (("table", table), ("account", account)):
        if other is not None and os.path.realpath(out) == os.path.realpath(other):
            raise OutputError(f"--out {out} is the {name} too; choose another name.")
    check_replaceable(out, b"row,", "a file of predictions")
