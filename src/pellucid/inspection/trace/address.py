"""How a neuron is named: ``dense_1[17]``, and ``conv2d_1[3]@5,7`` for a filter in the window at row 5, column 7."""

from __future__ import annotations

import re

from pellucid.core.errors import ArgumentError
from pellucid.nn.layers.windows import Pair

ADDRESS = re.compile(r"([\w.]+)\[(\d{1,9})\](?:@(\d{1,9}),(\d{1,9}))?", re.ASCII)


def address(layer: str, unit: int, place: Pair | None) -> str:
    """The name of a unit of a layer, in an image at a place."""
    return f"{layer}[{unit}]" + ("" if place is None else f"@{place[0]},{place[1]}")


def read_address(text: str) -> tuple[str, int, Pair | None]:
    """(layer, unit, place) of such a name; raises `ArgumentError` for what is none."""
    match = ADDRESS.fullmatch(text.strip())
    if match is None:
        raise ArgumentError(
            f"{text!r} names no neuron; write dense_1[17]; for a filter of a convolution at a place (row, column) write "
            "conv2d_1[3]@5,7."
        )
    layer, unit, row, column = match.groups()
    return layer, int(unit), None if row is None else (int(row), int(column))
