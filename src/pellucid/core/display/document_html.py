"""Sections as HTML: a page of its own, or a part of a notebook."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pellucid.core.display.bars import Scale
from pellucid.core.display.chart import Chart
from pellucid.core.display.document import Block, Picture, Section, Series, Sums, Words
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
    if isinstance(block, Series):
        return _curve(block) if block.places else _bars(block)
    return table(block.caption, block.header, block.rows)


def _curve(series: Series) -> Markup:
    """The numbers as a line, with a dot at the value as it is."""
    x_ticks, y_ticks, places = dict(series.x_ticks), dict(series.y_ticks), series.places
    ends = (places[0], places[-1]) if places[-1] > places[0] else (places[0], places[0] + 1)
    chart = Chart(ends, (min(y_ticks), max(y_ticks)), series.header[0], x_ticks, y_ticks)
    chart.line(list(zip(places, series.numbers, strict=True)), "second")
    if series.here is not None:
        chart.dot(places[series.here], series.now, 4.0, "second", ", ".join(series.rows[series.here]))
    words = "; ".join(": ".join(row[:2]) for row in series.table().rows)
    figure = element("figure", element("figcaption", series.caption), chart.svg(series.caption, words))
    return element("div", figure, class_="charts")


def _bars(series: Series) -> Markup:
    """A row for each value, with a bar for how far its number is from the one as it is."""
    away = [number - series.now for number in series.numbers]
    scale = Scale.of(*away)
    bars = (element("td", "as it is") if k == series.here else scale.bar(number) for k, number in enumerate(away))
    rows = ((*row, bar) for row, bar in zip(series.rows, bars, strict=True))
    return table(series.caption, (*series.header, ""), rows)


def _unbroken(line: str) -> Markup:
    """A line that does not break around an arrow: ``relu -> 2.78``."""
    return Markup(ARROW.sub(r'<span class="whole">\g<0></span>', text(line)))


def _scale(largest: str) -> Markup:
    """The color scale of a map, with the numbers at its ends."""
    ends = (element("span", f"-{largest}"), element("span", class_="colors"), element("span", largest))
    return element("span", *ends, class_="scale")
