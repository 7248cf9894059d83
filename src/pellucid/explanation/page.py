"""Sections as one HTML page that needs no other file and no network, and in which nothing runs."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files as resources
from string import Template

from pellucid.explanation.blocks import Block, Picture, Section, Sums, Words
from pellucid.html.markup import Markup, element, joined, table, text
from pellucid.html.pictures import picture
from pellucid.version import __version__


def as_html(title: str, sections: Iterable[Section]) -> str:
    """The whole page."""
    parts = (element("section", element("h2", part.title), *map(_block, part.blocks)) for part in sections)
    return _resource("page.html").substitute(
        style=_resource("page.css").template, title=text(title), sections=joined(parts, "\n"), version=text(__version__)
    )


def _block(block: Block) -> Markup:
    if isinstance(block, Words):
        return element("p", block.text)
    if isinstance(block, Sums):
        return element("pre", *(element("code", line, class_="line") for line in block.lines))
    if isinstance(block, Picture):
        return element("figure", picture(block.pixels, block.description), element("figcaption", block.description))
    return table(block.caption, block.header, block.rows)


def _resource(name: str) -> Template:
    return Template(resources("pellucid.explanation").joinpath(name).read_text("utf-8"))
