"""``pellucid explain``: why this answer?"""

from __future__ import annotations

import sys
from collections.abc import Callable

import click

from pellucid.cli.output import check_page, picture_as_text, say, write_json
from pellucid.errors import ArgumentError
from pellucid.explanation.blocks import Section
from pellucid.explanation.explain import explain
from pellucid.explanation.explanation import Explanation
from pellucid.explanation.neuron_table import neuron_section
from pellucid.explanation.render import as_text
from pellucid.model import load
from pellucid.writing import write_whole


@click.command("explain")
@click.argument("model", type=click.Path())
@click.argument("picture", type=click.Path())
@click.option("--neuron", metavar="NAME", help="One neuron in full: dense_1[17], or conv2d_1[3]@5,7 (row, column).")
@click.option("--step", is_flag=True, help="Walk forward and backward; Enter goes on, q ends.")
@click.option("--markdown", is_flag=True, help="The page in Markdown.")
@click.option("--html", metavar="FILE", type=click.Path(), help="The page as one HTML file.")
@click.option("--json", "as_json", is_flag=True, help="All numbers as one JSON document on standard output.")
@click.option("--label", help="The right answer, whose loss --step follows backward (default: the network's answer).")
@click.option("--top", type=click.IntRange(min=1), default=3, show_default=True, help="How many neurons of a layer.")
def command(
    model: str,
    picture: str,
    neuron: str | None,
    step: bool,
    markdown: bool,
    html: str | None,
    as_json: bool,
    label: str | None,
    top: int,
) -> None:
    """Show the road of PICTURE through MODEL on a page, with the arithmetic of the strongest neurons of each layer, the
    scores, and what would have changed the answer.

    A model that takes arrays explains one sample in a .npy file.
    """
    given = {"--step": step, "--markdown": markdown, "--html": html is not None, "--json": as_json}
    asked = [name for name, is_given in given.items() if is_given]
    if neuron is not None and asked != ["--json"]:
        asked.append("--neuron")
    if len(asked) > 1:
        raise ArgumentError(f"{' and '.join(asked)} are different forms of an explanation; choose one.")
    if html is not None:
        check_page(html)
    found = explain(load(model), picture, label=label, top=top)
    if neuron is not None:
        one = found.neuron(neuron)
        if as_json:
            write_json(one.to_data())
        else:
            say(as_text(one.name, [neuron_section(one)], picture_as_text))
    elif step:
        _walk(found)
    elif as_json:
        write_json(found.to_data())
    elif html is not None:
        write_whole(html, found.to_html().encode("utf-8"))
        say(f"{html} is written", err=True)
    else:
        page: Callable[..., str] = found.to_markdown if markdown else found.to_text
        say(page(picture_as_text))


def _walk(found: Explanation) -> None:
    """One section after the other; a line of input goes on, q or its end stops."""
    sections: list[Section] = found.steps()
    for number, section in enumerate(sections, start=1):
        say(as_text(f"[{number}/{len(sections)}]", [section], picture_as_text))
        if number < len(sections):
            say("Enter: go on, q: end", err=True)
            answer = sys.stdin.readline() if sys.stdin is not None else ""
            if not answer or answer.strip().lower() in ("q", "quit"):
                return
