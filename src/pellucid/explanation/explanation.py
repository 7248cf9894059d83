"""The explanation of one answer, with its forms: text, Markdown, HTML, and the walk there and back."""

from __future__ import annotations

from dataclasses import dataclass

from pellucid.explanation.address import neuron_at
from pellucid.explanation.blocks import Section
from pellucid.explanation.findings import Findings
from pellucid.explanation.page import as_html
from pellucid.explanation.render import Draw, as_markdown, as_text, drawn_coarsely
from pellucid.explanation.road import road, title
from pellucid.explanation.walk import walk
from pellucid.trace.neuron import NeuronTrace


@dataclass(frozen=True, eq=False)
class Explanation(Findings):
    """What ``pl.explain(model, picture)`` gives: ``print`` it, or take its numbers (see `Findings`) and `to_data`."""

    def neuron(self, address: str) -> NeuronTrace:
        """One weighted sum in full, by its name: ``dense_1[17]``, ``conv2d_1[3]@5,7``."""
        return neuron_at(self.trace, address)

    def to_text(self, draw: Draw = drawn_coarsely) -> str:
        """The page as text; ``draw`` makes lines of a picture."""
        return as_text(title(self), road(self), draw)

    def to_markdown(self, draw: Draw = drawn_coarsely) -> str:
        """The page in Markdown."""
        return as_markdown(title(self), road(self), draw)

    def to_html(self) -> str:
        """The page as HTML that needs no other file and no network."""
        return as_html(title(self), road(self))

    def steps(self) -> list[Section]:
        """The walk: a section for each layer forward, then for each one backward."""
        return walk(self)

    def __str__(self) -> str:
        return self.to_text()
