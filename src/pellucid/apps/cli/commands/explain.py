"""``pellucid explain``: why this answer?"""

from __future__ import annotations

import shlex
import shutil
import sys
from typing import Any

import click

from pellucid.apps.cli.named_models import open_model
from pellucid.apps.cli.photos.read_photos import check_is_of_photos, read_photos
from pellucid.apps.cli.table_options import reading_options, refuse_options, rows_of
from pellucid.apps.cli.terminal import check_page, picture_as_text, say, write_json
from pellucid.core.display.document import Section
from pellucid.core.display.document_text import as_text
from pellucid.core.errors import ArgumentError
from pellucid.core.files import check_replaceable, write_whole
from pellucid.models.model import table_pipeline_of
from pellucid.reports.explanation.explain import explain
from pellucid.reports.explanation.explanation import Explanation

TRACE_START = b'{"format":"pellucid-trace"'


@click.command("explain")
@click.argument("model", type=click.Path())
@click.argument("picture", type=click.Path(), metavar="PICTURE|TABLE")
@click.option("--row", type=click.IntRange(min=1), metavar="NUMBER", help="Of a table: the row to explain, from 1.")
@click.option("--neuron", metavar="NAME", help="One neuron in full: dense_1[17], or conv2d_1[3]@5,7 (row, column).")
@click.option("--step", is_flag=True, help="Walk through the layers, forward and backward. Enter: next, b: back, q: quit.")
@click.option("--markdown", is_flag=True, help="Write the page in Markdown.")
@click.option("--html", metavar="FILE", type=click.Path(), help="Write the page as one HTML file.")
@click.option("--json", "as_json", is_flag=True, help="Write all numbers as one JSON document to standard output.")
@click.option(
    "--trace", metavar="FILE", type=click.Path(), help="Write every number to a file that tools/check_trace.py can check."
)
@click.option(
    "--label",
    help="The right answer: --step, --neuron, --json and --trace follow its loss backward (default: the network's answer). "
    "Of several targets or quantiles: the one to explain.",
)
@click.option("--top", type=click.IntRange(min=1), default=3, show_default=True, help="How many neurons of each layer.")
@click.option(
    "--photos",
    type=click.Path(),
    metavar="FOLDER",
    help="The photos that the model has learned from: show those that PICTURE resembles most, with their labels.",
)
@reading_options
def command(
    model: str,
    picture: str,
    neuron: str | None,
    step: bool,
    markdown: bool,
    html: str | None,
    as_json: bool,
    trace: str | None,
    label: str | None,
    top: int,
    row: int | None,
    photos: str | None,
    **reading: Any,
) -> None:
    """Show how MODEL gets from PICTURE to its answer: the arithmetic of the strongest neurons of each layer, the scores,
    and what would have changed the answer.

    For a model that takes arrays, PICTURE is one sample in a .npy file. For a model of tables, it is a --row of a TABLE:
    from the text of its cells to the answer, and what each column contributes.
    """
    given = {"--step": step, "--markdown": markdown, "--html": html is not None, "--json": as_json}
    asked = [name for name, is_given in given.items() if is_given]
    if len(asked) > 1:
        raise ArgumentError(f"{' and '.join(asked)} are different forms of an explanation; choose one.")
    if neuron is not None and step:
        raise ArgumentError("--step walks through all layers, --neuron shows one neuron; choose one.")
    if html is not None:
        check_page(html)
    if trace is not None:
        check_replaceable(trace, TRACE_START, "a trace")
    loaded = open_model(model)
    if label is not None and loaded.labels and not (step or as_json or neuron or trace):
        raise ArgumentError(
            "--label has no effect on this page: it says whose loss is followed backward. Add --step, --neuron, --json or "
            "--trace, or leave it out."
        )
    source: Any = picture
    if table_pipeline_of(loaded) is not None:
        source = rows_of(picture, reading)
    else:
        refuse_options({"row": row, **reading}, f"{model} is no model of tables")
    learned = (
        None if photos is None else read_photos(photos, check_is_of_photos(loaded, photos, model), labels=loaded.labels)
    )
    found = explain(loaded, source, label=label, top=top, row=row, photos=learned)
    page = None if step or as_json else _page(found, neuron, markdown=markdown, html=html)
    if trace is not None:
        write_whole(trace, found.trace.to_json().encode("utf-8"))
        say(f"{trace} is written", err=True)
    if step:
        _walk(found)
    elif as_json:
        write_json(found.to_data() if neuron is None else found.neuron(neuron).to_data())
    elif page is not None and html is not None:
        write_whole(html, page.encode("utf-8"))
        say(f"{html} is written", err=True)
    else:
        say(page)


def _page(found: Explanation, neuron: str | None, *, markdown: bool, html: str | None) -> str:
    """The page in the form that was asked for."""
    if html is not None:
        return found.to_html(neuron, _command())
    if markdown:
        return found.to_markdown(picture_as_text, neuron, _command())
    return found.to_text(picture_as_text, neuron, _width())


def _command() -> str:
    return shlex.join(["pellucid", *sys.argv[1:]])


def _width() -> int | None:
    """The width of the terminal; None if the page goes elsewhere."""
    return shutil.get_terminal_size().columns if sys.stdout is not None and sys.stdout.isatty() else None


def _walk(found: Explanation) -> None:
    """Section by section: Enter goes on, b goes back, q or the end of input stops."""
    sections: list[Section] = found.steps()
    number = 0
    while True:
        say(as_text(f"[{number + 1}/{len(sections)}]", [sections[number]], picture_as_text, _width()))
        is_last = number == len(sections) - 1
        say("This is the last page. b: back, Enter or q: end" if is_last else "Enter: go on, b: back, q: end", err=True)
        typed = (sys.stdin.readline() if sys.stdin is not None else "").lower()
        if typed.strip() in ("b", "back"):
            number = max(0, number - 1)
        elif not typed or typed.strip() in ("q", "quit") or is_last:
            return
        else:
            number += 1
