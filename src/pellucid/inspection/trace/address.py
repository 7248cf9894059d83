"""How a neuron is named: ``dense_1[17]``, and ``conv2d_1[3]@5,7`` for a filter in the window at row 5, column 7."""

from __future__ import annotations

import re

from pellucid.core.errors import ArgumentError
from pellucid.inspection.trace.neuron import NeuronTrace
from pellucid.inspection.trace.trace import Trace

ADDRESS = re.compile(r"([\w.]+)\[(\d{1,9})\](?:@(\d{1,9}),(\d{1,9}))?", re.ASCII)


def neuron_at(trace: Trace, address: str) -> NeuronTrace:
    """The neuron of that name in the first sample; raises `ArgumentError` for what is no name, or of no neuron."""
    match = ADDRESS.fullmatch(address.strip())
    if match is None:
        raise ArgumentError(
            f"{address!r} names no neuron; write dense_1[17]; for a filter of a convolution at a place (row, column) write "
            "conv2d_1[3]@5,7."
        )
    layer, unit, row, column = match.groups()
    return trace.neuron(layer, int(unit), place=None if row is None else (int(row), int(column)))
