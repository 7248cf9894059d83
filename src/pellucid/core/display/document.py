"""The parts of a document: the same blocks become text, Markdown and HTML, so that all show the same digits."""

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
    """Columns of text; the first names the row. ``caption`` is shown in HTML only."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Picture:
    """A picture uint8 (H, W) or (H, W, 3).

    ``lines`` shows it as text (None: draw the pixels). ``scale``, of a map: the number shown in full orange; its negative
    is full blue.
    """

    pixels: AnyArray
    description: str
    lines: str | None = None
    scale: str | None = None


Block: TypeAlias = Words | Sums | Table | Picture


@dataclass(frozen=True)
class Section:
    """A title and its blocks."""

    title: str
    blocks: Sequence[Block]
