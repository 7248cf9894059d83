"""What a page is made of: the same blocks become text, Markdown and HTML, so that all of them show the same digits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pellucid.core.shapes import AnyArray


@dataclass(frozen=True)
class Words:
    """A sentence or two."""

    text: str


@dataclass(frozen=True)
class Sums:
    """Lines of arithmetic."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Columns of text; the first names the row. ``caption`` says what they are, where there is more than text."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Picture:
    """A picture uint8 (H, W) or (H, W, 3).

    ``lines`` shows it where there is only text, None leaves that to whoever writes it. ``scale``: the number that its full
    colors stand for, blue for minus and orange for plus, of a map.
    """

    pixels: AnyArray
    description: str
    lines: str | None = None
    scale: str | None = None


Block: TypeAlias = Words | Sums | Table | Picture


@dataclass(frozen=True)
class Section:
    """A part of the page."""

    title: str
    blocks: Sequence[Block]
