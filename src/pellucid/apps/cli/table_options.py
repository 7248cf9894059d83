"""The options that say how a table is read, of all commands that read one."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pellucid.apps.cli.named_data import NAMED_TABLES
from pellucid.core.errors import ArgumentError
from pellucid.data.photos.csv_listing import names_pictures
from pellucid.data.photos.listing import SUFFIXES
from pellucid.data.tables import KINDS

if TYPE_CHECKING:
    from pellucid.data.tables.table import Rows

F = TypeVar("F", bound=Callable[..., Any])

READING = (
    click.option("--names", metavar="A,B,...", help="The names of the columns, for a file without a header."),
    click.option("--delimiter", metavar="SIGN", help="What stands between cells, where it is not recognised."),
    click.option("--encoding", metavar="NAME", help="The encoding of the text, where it is not UTF-8: windows-1252, ..."),
)
ACCOUNT = click.option(
    "--account", type=click.Path(), metavar="FILE", help="Write a CSV file of everything refused or repaired."
)
OPTIONS = (
    click.option(
        "--kind",
        multiple=True,
        metavar="COLUMN=KIND",
        help=f"The kind of a column where the rules decide wrongly: {', '.join(KINDS)}; or its levels from low to high, "
        "as in size=S<M<L. Repeat for more columns.",
    ),
    click.option("--drop", multiple=True, metavar="COLUMN", help="Learn nothing from this column; repeat for more."),
    *READING,
    click.option("--decimal", type=click.Choice([".", ","]), help="The decimal sign, where the numbers do not tell."),
    click.option("--date-order", type=click.Choice(["dmy", "mdy"]), help="Day or month first, where the days do not tell."),
)


def table_options(command: F) -> F:
    """Add the options for a table to learn from to a command."""
    return _with_options(command, OPTIONS)


def reading_options(command: F) -> F:
    """Add the options for a table whose columns are known from a model."""
    return _with_options(command, READING)


def _with_options(command: F, options: Sequence[Callable[[F], F]]) -> F:
    for option in reversed(options):
        command = option(command)
    return command


def is_table(data: str, given: Mapping[str, Any]) -> bool:
    """Whether these data are a table, and no folder or listing of pictures."""
    return "target" in given or data in NAMED_TABLES or _may_be_a_table(data)


def _may_be_a_table(data: str) -> bool:
    """Whether a file is neither a picture, by its name, nor a listing of pictures."""
    return os.path.isfile(data) and Path(data).suffix.lower() not in SUFFIXES and not names_pictures(data)


def refuse_options(given: dict[str, Any], reason: str) -> None:
    """Raise `ArgumentError` if any of these options is given; None and False are not."""
    wrong = [f"--{name.replace('_', '-')}" for name, value in given.items() if value]
    if wrong:
        raise ArgumentError(f"{reason}; leave {', '.join(wrong)} out.")


def kinds_from_words(words: Sequence[str]) -> dict[str, str | list[str]]:
    """``("zip=category", "size=S<M<L")`` as name -> kind or levels."""
    kinds: dict[str, str | list[str]] = {}
    for word in words:
        name, equals, kind = word.partition("=")
        if not (name and equals and kind):
            raise ArgumentError(f"--kind is COLUMN=KIND such as zip=category, not {word!r}.")
        kinds[name] = kind.split("<") if "<" in kind else kind
    return kinds


def rows_of(data: str, given: Mapping[str, Any]) -> Rows:
    """The rows of a table, a file or one known by name, opened as ``names``, ``delimiter`` and ``encoding`` say."""
    from pellucid.apps.cli.shown_rows import ShownRows
    from pellucid.data.tables.table import open_rows

    source = NAMED_TABLES[data]() if data in NAMED_TABLES else data
    names = given.get("names")
    columns = None if names is None else next(csv.reader([names]))
    rows = open_rows(source, names=columns, delimiter=given.get("delimiter"), encoding=given.get("encoding"))
    return ShownRows(rows, source)
