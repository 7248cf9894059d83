"""Sections as text for a terminal, and as Markdown."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable
from typing import TypeAlias

from pellucid.core.display.document import Block, Picture, Section, Series, Sums, Table, Words
from pellucid.core.display.text import aligned, printable
from pellucid.core.shapes import AnyArray

Draw: TypeAlias = Callable[[AnyArray], str]

SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")


def as_text(title: str, sections: Iterable[Section], draw: Draw, width: int | None = None) -> str:
    """Title and sections, with tables aligned; ``draw`` turns a picture into text. Sentences and arithmetic are wrapped
    between words, to lines of at most ``width`` characters (None: they are not).

    Control characters are escaped, so a label can neither control the terminal nor start a new line.
    """
    parts = ("\n".join([printable(part.title), *(_text(block, draw, width) for block in part.blocks)]) for part in sections)
    return "\n\n".join([printable(title), *parts])


def as_markdown(title: str, sections: Iterable[Section], draw: Draw) -> str:
    """The same in Markdown: tables, and arithmetic and small pictures as code."""
    parts = [f"# {_escaped(title)}"]
    for section in sections:
        parts.append(f"## {_escaped(section.title)}")
        parts.extend(_markdown(block, draw) for block in section.blocks)
    return "\n\n".join(parts)


def _text(block: Block, draw: Draw, width: int | None = None) -> str:
    if isinstance(block, Words):
        return _wrapped(block.text, width, "  ")
    if isinstance(block, Picture):
        return draw(block.pixels) if block.lines is None else block.lines
    if isinstance(block, Sums):
        return "\n".join(_wrapped(line, width, "      ") for line in block.lines)
    if isinstance(block, Series):
        block = block.table()
    return "\n".join(f"  {line}" for line in aligned([block.header, *block.rows]))


def _wrapped(text: str, width: int | None, indent: str) -> str:
    """The text, indented by two spaces; further lines by ``indent``."""
    shown = printable(text)
    if width is None or len(shown) + 2 <= width:
        return f"  {shown}"
    wrapper = textwrap.TextWrapper(width, "  ", indent, break_long_words=False, break_on_hyphens=False)
    return wrapper.fill(shown)


def _markdown(block: Block, draw: Draw) -> str:
    if isinstance(block, Words):
        return _escaped(block.text)
    if isinstance(block, Series):
        block = block.table()
    if isinstance(block, Table):
        rules = ("---", *("---:" for _ in block.header[1:]))
        rows = [block.header, rules, *block.rows]
        return "\n".join(f"| {' | '.join(cell if row is rules else _escaped(cell) for cell in row)} |" for row in rows)
    lines = _text(block, draw).splitlines() if isinstance(block, Picture) else map(printable, block.lines)
    return "\n".join(["```text", *lines, "```"])


def _escaped(text: str) -> str:
    """Text on one line, with all Markdown and HTML escaped."""
    return SPECIAL.sub(r"\\\1", printable(text))
