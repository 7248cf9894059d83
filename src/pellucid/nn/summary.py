"""The summary: a network as a table of text."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import MISSING, fields, is_dataclass

from pellucid.core.display.text import aligned, counted
from pellucid.core.shapes import batch_letters
from pellucid.nn.layers.base import Layer
from pellucid.nn.layers.input import Input
from pellucid.nn.layers.nodes import Node
from pellucid.nn.layers.residual import Residual
from pellucid.nn.layers.tabular.embedding import Embedding
from pellucid.nn.layers.tabular.grouped_dense import GroupedDense
from pellucid.nn.layers.tabular.piecewise_linear_encoding import PiecewiseLinearEncoding
from pellucid.nn.stack import Stack

COLUMNS = ("layer", "description", "output shape", "parameters")
SHOWN_BY_POSITION = ("kernel_size", "size", "activation")  # shown without a name, even if they have their defaults


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
    """The row of a layer, and those of its inner layers; ``block`` is the full name of the block around it, with a dot."""
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
    """``Dense(128, 'relu')``: the class, and the fields that differ from their defaults, without those ``left_out``."""
    if not is_dataclass(layer):
        return type(layer).__name__
    parts: list[str] = []
    by_position = True
    for field in fields(layer):
        if field.name in left_out:
            by_position = False
            continue
        value = getattr(layer, field.name)
        by_position = by_position and (field.default is MISSING or field.name in SHOWN_BY_POSITION)
        if isinstance(layer, Input):
            parts += map(str, layer.shape)
        elif isinstance(layer, PiecewiseLinearEncoding) and field.name == "edges":
            parts.append(f"{counted(len(layer.bins.column), 'bin')} of {counted(len(layer.edges), 'column')}")
        elif isinstance(layer, GroupedDense) and field.name == "groups":
            parts.append(f"{counted(len(layer.groups), 'group')} of {counted(len(layer.columns), 'column')}")
        elif isinstance(layer, Embedding):
            width = sum(width for _, _, width in layer.columns)
            parts.append(f"{counted(len(layer.columns), 'column')} as {counted(width, 'number')}")
        elif by_position:
            parts.append(_text(value))
        elif value != field.default:
            parts.append(f"{field.name}={_text(value)}")
    return f"{type(layer).__name__}({', '.join(parts)})"


def _text(value: object) -> str:
    """A value as text: a float with six digits, a tuple of floats with three, layers by their descriptions."""
    if isinstance(value, Layer):
        return describe_layer(value)
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, tuple):
        inner = ", ".join(f"{item:.3g}" if isinstance(item, float) else _text(item) for item in value)
        return f"[{inner}]" if value and isinstance(value[0], Layer) else f"({inner})"
    return repr(value)
