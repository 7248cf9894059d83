"""Sections as one HTML page."""

from __future__ import annotations

from collections.abc import Iterable

from pellucid.explanation.blocks import Block, Picture, Section, Sums, Words
from pellucid.html.markup import Markup, element, joined, table
from pellucid.html.page import page
from pellucid.html.pictures import picture


def as_html(title: str, sections: Iterable[Section]) -> str:
    """The whole page."""
    parts = (element("section", element("h2", part.title), *map(_block, part.blocks)) for part in sections)
    return page(title, element("main", joined([element("h1", title), *parts], "\n")), "pellucid.explanation")


def _block(block: Block) -> Markup:
    if isinstance(block, Words):
        return element("p", block.text)
    if isinstance(block, Sums):
        return element("pre", *(element("code", line, class_="line") for line in block.lines))
    if isinstance(block, Picture):
        return element("figure", picture(block.pixels, block.description), element("figcaption", block.description))
    return table(block.caption, block.header, block.rows)
