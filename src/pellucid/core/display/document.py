"""The parts of a document: the same blocks become text, Markdown and HTML, so that all show the same digits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from pellucid.core.shapes import AnyArray

FEW = 9  # values of a series, as text


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


@dataclass(frozen=True)
class Series:
    """A number for each value of something, in order; ``now`` is the number as it is, and ``here`` the place of its value
    (None: it has none).

    As text it is a table of a few values; in HTML a curve, or bars where the values are names.

    header  the names of what a row holds: the value, the number, and maybe more
    rows    these in words
    places  of the values on the axis; () where they are names
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[float, ...]
    now: float
    here: int | None
    places: tuple[float, ...] = ()
    x_ticks: Mapping[float, str] = field(default_factory=dict)
    y_ticks: Mapping[float, str] = field(default_factory=dict)

    def table(self) -> Table:
        """A few of the rows, evenly spread, the one as it is among them."""
        last = len(self.rows) - 1
        chosen = {round(k * last / (FEW - 1)) for k in range(FEW)} if last >= FEW else set(range(last + 1))
        order = sorted(chosen if self.here is None else chosen | {self.here})
        rows = tuple((*self.rows[k], "as it is" if k == self.here else "") for k in order)
        return Table(self.caption, (*self.header, ""), rows)


Block: TypeAlias = Words | Sums | Table | Picture | Series


@dataclass(frozen=True)
class Section:
    """A title and its blocks."""

    title: str
    blocks: Sequence[Block]
