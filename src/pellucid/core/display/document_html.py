"""Sections as HTML: a page of its own, or a part of a notebook."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pellucid.core.display.document import Block, Picture, Section, Sums, Words
from pellucid.core.display.html_page import page, resource
from pellucid.core.display.markup import Markup, element, joined, table, text
from pellucid.core.display.notebook import framed
from pellucid.core.display.pictures import picture

ARROW = re.compile(r"\S+ -&gt; \S+")


def as_html(title: str, sections: Iterable[Section]) -> str:
    """A complete HTML page."""
    body = element("main", joined([element("h1", title), *_parts(sections)], "\n"))
    return page(title, body, resource("pellucid.core.display", "document.css"))


def as_notebook(title: str, sections: Iterable[Section]) -> str:
    """The same for a notebook."""
    return framed(element("h2", title), *_parts(sections))


def _parts(sections: Iterable[Section]) -> Iterable[Markup]:
    return (element("section", element("h2", part.title), *map(_block, part.blocks)) for part in sections)


def _block(block: Block) -> Markup:
    if isinstance(block, Words):
        return element("p", block.text)
    if isinstance(block, Sums):
        return element("pre", *(element("code", _unbroken(line), class_="line") for line in block.lines))
    if isinstance(block, Picture):
        caption = [block.description] if block.scale is None else [block.description, _scale(block.scale)]
        return element("figure", picture(block.pixels, block.description), element("figcaption", *caption))
    return table(block.caption, block.header, block.rows)


def _unbroken(line: str) -> Markup:
    """A line that does not break around an arrow: ``relu -> 2.78``."""
    return Markup(ARROW.sub(r'<span class="whole">\g<0></span>', text(line)))


def _scale(largest: str) -> Markup:
    """The color scale of a map, with the numbers at its ends."""
    ends = (element("span", f"-{largest}"), element("span", class_="colors"), element("span", largest))
    return element("span", *ends, class_="scale")
