"""Layers joined: each gets a name, and the output shape of the layer before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pellucid.core.errors import ShapeError
from pellucid.core.shapes import Shape
from pellucid.nn.layers.base import Layer


@dataclass(frozen=True)
class Node:
    """A layer, its name in the network, and the shapes of a sample before and after it."""

    name: str
    layer: Layer
    input_shape: Shape
    output_shape: Shape


def numbered(layers: Sequence[Layer], prefix: str = "") -> dict[str, Layer]:
    """The layers by name: their kinds, counted from 1: ``dense_1``, ``dropout_1``, ``dense_2``."""
    counts: dict[str, int] = {}
    named: dict[str, Layer] = {}
    for layer in layers:
        counts[layer.kind] = counts.get(layer.kind, 0) + 1
        named[f"{prefix}{layer.kind}_{counts[layer.kind]}"] = layer
    return named


def join(named: Mapping[str, Layer], shape: Shape) -> tuple[Node, ...]:
    """Pass the shape of a sample through the layers; a `ShapeError` names the layer that cannot take it."""
    nodes: list[Node] = []
    for name, layer in named.items():
        try:
            output_shape = layer.output_shape(shape)
        except ShapeError as error:
            raise ShapeError(f"{name}: {error}") from None
        nodes.append(Node(name, layer, shape, output_shape))
        shape = output_shape
    return tuple(nodes)
