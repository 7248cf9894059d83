"""The explanation of one answer: as text, Markdown or HTML, or as a walk forward and backward."""

from __future__ import annotations

from dataclasses import dataclass

from pellucid.core.display.document import Section, Sums
from pellucid.core.display.document_html import as_html, as_notebook
from pellucid.core.display.document_text import Draw, as_markdown, as_text
from pellucid.core.display.drawing import as_shades
from pellucid.core.display.text import printable
from pellucid.inspection.trace.address import read_address
from pellucid.inspection.trace.neuron import NeuronTrace
from pellucid.reports.explanation.findings import Findings
from pellucid.reports.explanation.neuron_table import neuron_section
from pellucid.reports.explanation.road import road, title
from pellucid.reports.explanation.walk import walk


@dataclass(frozen=True, eq=False)
class Explanation(Findings):
    """The result of ``pl.explain(model, picture)``: ``print`` it, or use its numbers (see `Findings`) and `to_data`.

    The forms of the page take the ``address`` of one neuron to show in full, and the ``command`` to name at the end.
    """

    def neuron(self, address: str) -> NeuronTrace:
        """One weighted sum in full, by its address: ``dense_1[17]``, ``conv2d_1[3]@5,7``."""
        layer, unit, place = read_address(address)
        return self.trace.neuron(layer, unit, place=place)

    def to_text(self, draw: Draw = as_shades, address: str | None = None, width: int | None = None) -> str:
        """The page as text, wrapped to ``width`` characters if given; ``draw`` turns a picture into lines."""
        return as_text(self._title(address), self._sections(address), draw, width)

    def to_markdown(self, draw: Draw = as_shades, address: str | None = None, command: str | None = None) -> str:
        """The page in Markdown."""
        return as_markdown(self._title(address), self._sections(address, command), draw)

    def to_html(self, address: str | None = None, command: str | None = None) -> str:
        """The page as one HTML file that loads nothing."""
        return as_html(self._title(address), self._sections(address, command))

    def steps(self) -> list[Section]:
        """The walk: a section for each layer forward, then for each one backward."""
        return walk(self)

    def _title(self, address: str | None) -> str:
        return title(self) if address is None else f"{self.neuron(address).name} of {title(self)}"

    def _sections(self, address: str | None, command: str | None = None) -> list[Section]:
        made = [] if command is None else [Section("How to reproduce this page", [Sums((command,))])]
        return [*(road(self) if address is None else [neuron_section(self, self.neuron(address))]), *made]

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        return f"<Explanation of {printable(title(self))}>"

    def _repr_html_(self) -> str:
        """The page, as a notebook shows it."""
        return as_notebook(title(self), road(self))
