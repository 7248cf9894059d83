"""How a neuron is named: ``dense_1[17]``; ``conv2d_1[3]@5,7`` for a filter in the window at row 5, column 7; and
``ensemble_dense_1[17]@3`` for that of member 3."""

from __future__ import annotations

import re

from pellucid.core.errors import ArgumentError

Place = tuple[int, ...]  # (row, column) of a window, or (member,) of an ensemble

ADDRESS = re.compile(r"([\w.]+)\[(\d{1,9})\](?:@(\d{1,9})(?:,(\d{1,9}))?)?", re.ASCII)


def address(layer: str, unit: int, place: Place | None) -> str:
    """The name of a unit of a layer, in an image at a place, or of one member."""
    return f"{layer}[{unit}]" + ("" if place is None else f"@{','.join(map(str, place))}")


def read_address(text: str) -> tuple[str, int, Place | None]:
    """(layer, unit, place) of such a name; raises `ArgumentError` for what is none."""
    match = ADDRESS.fullmatch(text.strip())
    if match is None:
        raise ArgumentError(
            f"{text!r} names no neuron; write dense_1[17]; for a filter of a convolution at a place (row, column) write "
            "conv2d_1[3]@5,7, for a member of an ensemble ensemble_dense_1[17]@3."
        )
    layer, unit, *place = match.groups()
    return layer, int(unit), tuple(int(part) for part in place if part is not None) or None
