"""The summary: a network as a table of text."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import MISSING, fields, is_dataclass

from pellucid.core.display.text import aligned
from pellucid.core.shapes import batch_letters
from pellucid.nn.layers.base import Layer
from pellucid.nn.layers.input import Input
from pellucid.nn.layers.nodes import Node
from pellucid.nn.layers.residual import Residual
from pellucid.nn.stack import Stack

COLUMNS = ("layer", "description", "output shape", "parameters")
SAID_FIRST = ("kernel_size", "size", "activation")  # said by place, even when they are the defaults


def summary(stack: Stack) -> str:
    """One row a layer: name, description, output shape, parameters; then the sum of the parameters.

    The layers of a residual block have rows of their own below it.
    """
    lines = aligned([COLUMNS, *summary_rows(stack)], left=3)
    lines.insert(1, "-" * len(lines[0]))
    return "\n".join([*lines, f"{stack.parameters.layout.size:,} parameters, {stack.dtype}"])


def summary_rows(stack: Stack) -> list[tuple[str, str, str, str]]:
    """The rows of the table, without its head."""
    return [row for node in stack.nodes for row in _rows(stack, node, "")]


def _rows(stack: Stack, node: Node, block: str) -> Iterator[tuple[str, str, str, str]]:
    """The row of a layer, and those of the layers in it; ``block`` is the full name of what it is in, with a dot."""
    name = f"{block}{node.name}"
    slots = stack.parameters.layout.slots
    count = sum(slot.stop - slot.start for full, slot in slots.items() if full.startswith(f"{name}."))
    inner = ("layers", "shortcut") if isinstance(node.layer, Residual) else ()
    indent = "  " * name.count(".")
    yield f"{indent}{node.name}", describe_layer(node.layer, inner), batch_letters(node.output_shape), f"{count:,}"
    if isinstance(node.layer, Residual):
        for branch in node.layer.branches(node.input_shape):
            for below in branch:
                yield from _rows(stack, below, f"{name}.")


def describe_layer(layer: object, left_out: Collection[str] = ()) -> str:
    """``Dense(128, 'relu')``: the class, and the fields that say more than their defaults, but those ``left_out``."""
    if not is_dataclass(layer):
        return type(layer).__name__
    parts: list[str] = []
    by_place = True
    for field in fields(layer):
        value = getattr(layer, field.name)
        by_place = by_place and field.name not in left_out and (field.default is MISSING or field.name in SAID_FIRST)
        if field.name in left_out:
            continue
        if isinstance(layer, Input):
            parts += map(str, layer.shape)
        elif by_place:
            parts.append(_text(value))
        elif value != field.default:
            parts.append(f"{field.name}={_text(value)}")
    return f"{type(layer).__name__}({', '.join(parts)})"


def _text(value: object) -> str:
    """A value for people: floats of six digits, several of three, layers by their descriptions."""
    if isinstance(value, Layer):
        return describe_layer(value)
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, tuple):
        inner = ", ".join(f"{item:.3g}" if isinstance(item, float) else _text(item) for item in value)
        return f"[{inner}]" if value and isinstance(value[0], Layer) else f"({inner})"
    return repr(value)
