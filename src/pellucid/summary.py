"""The summary: a network as a table of text."""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass

from pellucid.shapes import batch_letters
from pellucid.stack import Stack

COLUMNS = ("layer", "description", "output shape", "parameters")


def summary(stack: Stack) -> str:
    """One row a layer: name, description, output shape, parameters; then the sum of the parameters."""
    counts = {node.name: 0 for node in stack.nodes}
    for name, slot in stack.parameters.layout.slots.items():
        counts[name.split(".")[0]] += slot.stop - slot.start
    rows = [COLUMNS]
    rows += [
        (node.name, describe_layer(node.layer), batch_letters(node.output_shape), f"{counts[node.name]:,}")
        for node in stack.nodes
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    lines = []
    for *texts, count in rows:
        cells = [text.ljust(width) for text, width in zip(texts, widths, strict=False)]
        lines.append("  ".join([*cells, count.rjust(widths[-1])]))
    lines.insert(1, "-" * len(lines[0]))
    return "\n".join([*lines, f"{stack.parameters.layout.size:,} parameters, {stack.dtype}"])


def describe_layer(layer: object) -> str:
    """``Dense(128, 'relu')``: the class, and the fields that say more than their defaults."""
    if not is_dataclass(layer):
        return type(layer).__name__
    parts = []
    for field in fields(layer):
        value = getattr(layer, field.name)
        if field.default is MISSING:
            parts.append(", ".join(map(str, value)) if isinstance(value, tuple) else repr(value))
        elif field.name == "activation":
            parts.append(repr(value))
        elif value != field.default:
            parts.append(f"{field.name}={value!r}")
    return f"{type(layer).__name__}({', '.join(parts)})"
