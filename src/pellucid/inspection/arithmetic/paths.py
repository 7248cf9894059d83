"""The strongest paths through a network: what a number is mostly made of, followed down to the input, and where it mostly
goes, followed up to the output.

What an input gives to a sum is its product with the weight. Each number hands its share on in proportion to the size of
those products; the largest are followed, and of each layer only the numbers with the largest shares. So this is a picture
of the way, not an attribution: that is `pellucid.inspection.attribution`.

Backward, a number hands dL/dz times the weight down to each of its inputs, and the same is done with these parts of the
gradient (mean and standard deviation of a layer normalization are taken as given).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.core.shapes import Array
from pellucid.inspection.arithmetic.elements import Element, Index, element, sources
from pellucid.inspection.arithmetic.formulas import inside
from pellucid.inspection.trace.layer_trace import LayerTrace, in_order
from pellucid.inspection.trace.member_sums import weights_to_units
from pellucid.inspection.trace.trace import Trace
from pellucid.nn.layers.convolution import Conv2D
from pellucid.nn.layers.dense import Dense
from pellucid.nn.layers.flatten import Flatten
from pellucid.nn.layers.outputs.output import OutputLayer
from pellucid.nn.layers.pooling import GlobalAveragePooling2D, Pooling2D
from pellucid.nn.layers.tabular.embedding import Embedding
from pellucid.nn.layers.tabular.grouped_dense import GroupedDense
from pellucid.nn.layers.tabular.periodic_embedding import PeriodicEmbedding
from pellucid.nn.layers.tabular.piecewise_linear_encoding import PiecewiseLinearEncoding

FOLLOWED = 20  # numbers of a layer


@dataclass(frozen=True)
class Edge:
    """From a number of one layer to one that it is part of: ``value`` is the product, ``share`` its part of the result."""

    source: str
    start: Index
    layer: str
    end: Index
    value: float
    share: float

    def to_data(self) -> dict[str, Any]:
        """As plain data (web/src/pages/inside/types.ts: Edge)."""
        return {**vars(self), "start": list(self.start), "end": list(self.end)}


class Shares:
    """Of each layer, the numbers that were reached, with their parts of the result."""

    def __init__(self, layer: str, index: Index) -> None:
        self._layers: dict[str, dict[Index, float]] = {layer: {index: 1.0}}

    def add(self, layer: str, index: Index, share: float) -> None:
        """Several edges may lead to a number: their shares add up."""
        reached = self._layers.setdefault(layer, {})
        reached[index] = reached.get(index, 0.0) + share

    def strongest(self, layer: str) -> list[tuple[Index, float]]:
        """Those that are followed, the largest first."""
        return sorted(self._layers.get(layer, {}).items(), key=lambda item: -item[1])[:FOLLOWED]


def strongest_paths(trace: Trace, layer: str, index: Index, count: int, *, backward: bool = False) -> list[Edge]:
    """The edges of the paths to the number at ``index`` of a layer and from there to the output, with at most ``count`` for
    each number, from the output to the input. What gives nothing is no edge. ``backward``: the ways that the gradient of
    the number takes, down to the input."""
    above = [] if backward else _up(trace, layer, index, count)
    return [*reversed(above), *_down(trace, layer, index, count, backward)]


def _down(trace: Trace, layer: str, index: Index, count: int, backward: bool) -> list[Edge]:
    shares, edges = Shares(layer, index), list[Edge]()
    for one in reversed(list(in_order(trace.layers))):
        for at, share in shares.strongest(one.name):
            found = element(trace, one.name, at)
            parts = _handed_down(trace, one, found) if backward else found.products
            for edge in _inputs(found, parts, share, count):
                edges.append(edge)
                shares.add(edge.source, edge.start, edge.share)
    return edges


def _up(trace: Trace, layer: str, index: Index, count: int) -> list[Edge]:
    shares, edges, below = Shares(layer, index), list[Edge](), sources(trace.layers)
    for one in in_order(trace.layers):
        for source in below[one.name]:
            for at, share in shares.strongest(source):
                for edge in _outputs(trace, one, source, at, share, count):
                    edges.append(edge)
                    shares.add(edge.layer, edge.end, edge.share)
    return edges


def _outputs(trace: Trace, layer: LayerTrace, source: str, at: Index, share: float, count: int) -> list[Edge]:
    """The largest products that a number is part of in the layer above it."""
    given = list(_given(trace, layer, source, at))
    total = sum(abs(value) for _, value in given)
    given.sort(key=lambda item: -abs(item[1]))
    return [Edge(source, at, layer.name, end, value, share * abs(value) / total) for end, value in given[:count] if value]


def _given(trace: Trace, layer: LayerTrace, source: str, at: Index) -> Iterator[tuple[Index, float]]:
    """What the input at this index gives to each number of the layer, with the index of that number."""
    kind, x = layer.layer, float(trace.layer(source).output[(0, *at)])
    if layer.members > 1:
        for member in range(layer.members) if len(at) == 1 else at[:1]:
            weights = weights_to_units(layer, member, at[-1])
            yield from (((member, unit), value) for unit, value in enumerate((x * weights).tolist()))
    elif isinstance(kind, Dense | OutputLayer):
        row = layer.parameters["weight"][int(np.ravel_multi_index(at, layer.input.shape[1:]))]
        yield from (((unit,), value) for unit, value in enumerate((x * row).tolist()))
    elif isinstance(kind, Conv2D):
        weight, channel = layer.parameters["weight"], at[2] if len(at) > 2 else 0
        group, own = divmod(channel, weight.shape[2])
        size = kind.filters // kind.groups
        for (i, j), place in kind.windows.over(layer.input.shape[1:], (at[0], at[1])):
            products = x * weight[i, j, own, group * size : (group + 1) * size]
            yield from (((*place, group * size + unit), value) for unit, value in enumerate(products.tolist()))
    else:
        for end in _reached(layer, at):
            found = element(trace, layer.name, end)
            here = (found.positions == at).all(axis=1) & (np.array(found.sources)[found.origin] == source)
            yield end, float(found.products[here].sum())


def _reached(layer: LayerTrace, at: Index) -> list[Index]:
    """Which numbers of a layer without weights for each pair are made of the input at this index."""
    if isinstance(layer.layer, Pooling2D):
        channel = at[2] if len(at) > 2 else 0
        return [(*place, channel) for _, place in layer.layer.windows.over(layer.input.shape[1:], (at[0], at[1]))]
    if isinstance(layer.layer, GlobalAveragePooling2D):
        return [at[2:] or (0,)]
    if isinstance(layer.layer, Flatten):
        return [(int(np.ravel_multi_index(at, layer.input.shape[1:])),)]
    if isinstance(layer.layer, Embedding):
        inputs = layer.input.shape[1]
        others = layer.layer.others(inputs)
        if at[0] in others:
            return [(others.index(at[0]),)]
        own = dict(layer.layer.places(inputs))[at[0]]
        return [(number,) for number in range(own.start, own.stop)]
    if isinstance(layer.layer, GroupedDense):
        others, units = layer.layer.others(layer.input.shape[1]), layer.layer.units
        if at[0] in others:
            return [(others.index(at[0]),)]
        start = len(others) + units * next(g for g, group in enumerate(layer.layer.groups) if at[0] in group)
        return [(number,) for number in range(start, start + units)]
    if isinstance(layer.layer, PeriodicEmbedding):
        inputs, count = layer.input.shape[1], layer.layer.frequencies
        embedded = layer.layer.embedded(inputs)
        start = inputs + count * embedded.index(at[0]) if at[0] in embedded else inputs
        return [at, *((number,) for number in range(start, start + count * (at[0] in embedded)))]
    if isinstance(layer.layer, PiecewiseLinearEncoding):
        bins = np.flatnonzero(layer.layer.bins.column == at[0]) + len(layer.layer.edges)
        return [at, *((number,) for number in bins.tolist())]
    return [at]


def _handed_down(trace: Trace, layer: LayerTrace, found: Element) -> Array:
    """(D,): what a number sends down to each of its inputs, dL/dz times the weight; nothing to the margins, nor to a
    category: it has no slope."""
    gradient = layer.doutput if layer.dsums is None else layer.dsums
    is_category = isinstance(layer.layer, Embedding) and found.index[0] >= len(layer.layer.others(layer.input.shape[1]))
    if gradient is None or not found.sources or is_category:
        return np.zeros(len(found.inputs))
    shape = trace.layer(found.sources[0]).output.shape[1:]
    return float(gradient[(0, *found.index)]) * found.weights * inside(found.positions, shape)


def _inputs(found: Element, parts: Array, share: float, count: int) -> list[Edge]:
    """The largest parts of a number, or of its gradient, each with its part of the share."""
    origin = found.origin
    sizes = np.abs(parts)
    total = float(sizes.sum())
    order = np.argsort(-sizes, kind="stable")[:count]
    return [
        Edge(
            found.sources[origin[d]],
            tuple(found.positions[d].tolist()),
            found.layer,
            found.index,
            float(parts[d]),
            share * float(sizes[d]) / total,
        )
        for d in order.tolist()
        if sizes[d] > 0
    ]
