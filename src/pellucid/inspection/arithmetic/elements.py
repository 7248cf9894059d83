"""One number that a layer gives, of any kind of layer: the numbers that it is made of, and where each comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pellucid.core.display.equation import equation
from pellucid.core.display.numbers import written
from pellucid.core.errors import ArgumentError
from pellucid.core.shapes import Array
from pellucid.inspection.arithmetic.formulas import group_sum, pooled, spelled_out
from pellucid.inspection.trace.address import Place, address
from pellucid.inspection.trace.layer_trace import LayerTrace
from pellucid.inspection.trace.neuron import neuron_trace
from pellucid.inspection.trace.trace import Trace
from pellucid.nn.layers.batch_normalization import BatchNormalization
from pellucid.nn.layers.dropout import Dropout
from pellucid.nn.layers.flatten import Flatten
from pellucid.nn.layers.input import Input
from pellucid.nn.layers.layer_normalization import LayerNormalization
from pellucid.nn.layers.pooling import GlobalAveragePooling2D, MaxPooling2D, Pooling2D
from pellucid.nn.layers.rescale import Rescale
from pellucid.nn.layers.residual import Residual
from pellucid.nn.layers.tabular.embedding import Embedding
from pellucid.nn.layers.tabular.grouped_dense import GroupedDense
from pellucid.nn.layers.tabular.periodic_embedding import PeriodicEmbedding
from pellucid.nn.layers.tabular.piecewise_linear_encoding import PiecewiseLinearEncoding
from pellucid.nn.layers.tabular.scale_features import ScaleFeatures

Index = tuple[int, ...]  # of a number in the output of a layer, without the batch: (unit,), (row, column, channel)
TERMS = 5  # that a line of arithmetic spells out


@dataclass(frozen=True)
class Element:
    """inputs_d weights_d (D,) are what it is the sum of, beside what is constant for this sample.

    Input d lies at ``positions[d]`` in the output of the layer ``sources[origin[d]]``; what lies in the margins of a
    convolution is outside of it. The weights of a pooling are its shares: 1 for the winner, or 1/n. ``line`` is the
    arithmetic in words.
    """

    layer: str
    index: Index
    line: str
    sources: tuple[str, ...] = ()
    positions: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 1), np.int64))
    inputs: Array = field(default_factory=lambda: np.zeros(0))
    weights: Array = field(default_factory=lambda: np.zeros(0))
    is_of_member: bool = False

    @property
    def products(self) -> Array:
        """What each input gives, (D,)."""
        return self.inputs * self.weights

    @property
    def origin(self) -> NDArray[np.int64]:
        """(D,): which of the sources each input comes from; a sum of branches has one input of each."""
        return np.arange(len(self.inputs)) if len(self.sources) > 1 else np.zeros(len(self.inputs), np.int64)

    @property
    def address(self) -> str:
        """As ``pellucid explain --neuron`` takes it: ``dense_1[17]``, ``conv2d_1[3]@5,7``, ``ensemble_dense_1[17]@3``."""
        if self.is_of_member:
            return address(self.layer, self.index[1], self.index[:1])
        return address(self.layer, *unit_and_place(self.index))


def unit_and_place(index: Index) -> tuple[int, Place | None]:
    """(17,) is the unit 17; (5, 7, 3) the channel 3 at row 5, column 7; (5, 7) the only channel of an image there, and
    of an ensemble, whose rows are its members, unit 7 of member 5."""
    if len(index) == 1:
        return index[0], None
    return (index[2] if len(index) > 2 else 0), (index[0], index[1])


def index_of(layer: LayerTrace, unit: int, place: tuple[int, int] | None) -> Index:
    """The index of a unit, in an image at a place; raises `ArgumentError` for what is not there."""
    shape = layer.output.shape[1:]
    if len(shape) > 3:
        raise ArgumentError(f"{layer.name} gives numbers of the shape {shape}; the studio looks into rows and images.")
    channels = 1 if len(shape) == 2 else shape[-1]
    if not 0 <= unit < channels:
        raise ArgumentError(f"{layer.name} has {channels} units, counted from 0 to {channels - 1}; {unit} is none.")
    if len(shape) == 1:
        if place is not None:
            raise ArgumentError(f"{layer.name} gives a row of numbers: its units have no place.")
        return (unit,)
    if place is None:
        raise ArgumentError(f"{layer.name} gives an image of {shape[0]}x{shape[1]}: say which place, such as 0,0.")
    if not (0 <= place[0] < shape[0] and 0 <= place[1] < shape[1]):
        raise ArgumentError(f"{layer.name} gives an image of {shape[0]}x{shape[1]}; {place[0]},{place[1]} is outside.")
    return place if len(shape) == 2 else (*place, unit)


def sources(layers: Sequence[LayerTrace], below: tuple[str, ...] = ()) -> dict[str, tuple[str, ...]]:
    """For each layer the one whose output it takes; a residual block takes the ends of its two branches."""
    found: dict[str, tuple[str, ...]] = {}
    for layer in layers:
        found[layer.name] = below
        if layer.layers:
            found |= sources(layer.layers, below) | sources(layer.shortcut, below)
            found[layer.name] = (layer.layers[-1].name, layer.shortcut[-1].name if layer.shortcut else below[0])
        below = (layer.name,)
    return found


def element(trace: Trace, name: str, index: Index) -> Element:
    """The number at this index of a layer's output."""
    layer = trace.layer(name)
    below = sources(trace.layers)[name]
    kind, y = layer.layer, written(float(layer.output[(0, *index)]))
    if layer.has_neurons:
        of_member = layer.members > 1
        unit, place = (index[1], index[:1]) if of_member else unit_and_place(index)
        neuron = neuron_trace(layer, unit, 0, place)
        line = neuron.arithmetic(TERMS)
        return Element(name, index, line, below, neuron.positions, neuron.inputs, neuron.weights, of_member)
    if isinstance(kind, Input):
        x, is_pixel = layer.input[(0, *index)], layer.input.dtype == np.uint8
        return Element(name, index, f"x = {equation(lambda n: n(int(x)) / n(255), x / 255) if is_pixel else y}")
    line = spelled_out(layer, index) or f"y = x = {y}"
    if isinstance(kind, Residual):
        branches = (layer.layers[-1].output, layer.shortcut[-1].output if layer.shortcut else layer.input)
        inputs = np.array([branch[(0, *index)] for branch in branches])
        return Element(name, index, line, below, np.array([index, index]), inputs, np.ones(2))
    if isinstance(kind, Pooling2D | GlobalAveragePooling2D):
        positions = pooled(layer, index)
        inputs = layer.input[0][tuple(positions.T)]
        is_winner = np.arange(len(inputs)) == inputs.argmax()
        shares = is_winner * 1.0 if isinstance(kind, MaxPooling2D) else np.full(len(inputs), 1 / len(inputs))
        return Element(name, index, line, below, positions, inputs, shares)
    if isinstance(kind, GroupedDense):
        found = group_sum(kind, layer, index[0])
        columns, weights = ((kind.others(layer.input.shape[1])[index[0]],), np.ones(1)) if found is None else found[:2]
        inputs = layer.input[0, list(columns)]
        return Element(name, index, line, below, np.array(columns, np.int64)[:, None], inputs, weights)
    at = _position(layer, index)
    if isinstance(kind, Embedding) and index[0] >= len(kind.others(layer.input.shape[1])):
        number = float(layer.output[(0, *index)])  # as a one-hot 1 gives its weight
        return Element(name, index, line, below, np.array([at], np.int64), np.ones(1), np.array([number]))
    weight = _weight(layer, index)
    if weight is None:
        return Element(name, index, f"y = {y}, by a layer of your own")
    inputs = layer.input[(0, *at)].reshape(1)
    if isinstance(kind, Rescale):
        offset = _of_channel(kind.offset, index)
        line = f"y = {equation(lambda n: n(weight) * n(inputs[0]) + n(offset), float(layer.output[(0, *index)]))}"
    return Element(name, index, line, below, np.array([at], np.int64), inputs, np.array([weight]))


def _position(layer: LayerTrace, index: Index) -> Index:
    """Where the one input lies of a number that is made of one."""
    kind = layer.layer
    if isinstance(kind, Flatten):
        return tuple(map(int, np.unravel_index(index[0], layer.input.shape[1:])))
    if isinstance(kind, Embedding):
        others = kind.others(layer.input.shape[1])
        if index[0] < len(others):
            return (others[index[0]],)
        return next((column,) for column, own in kind.places(layer.input.shape[1]) if index[0] < own.stop)
    if isinstance(kind, PeriodicEmbedding) and index[0] >= layer.input.shape[1]:
        number = (index[0] - layer.input.shape[1]) // kind.frequencies
        return (kind.embedded(layer.input.shape[1])[number],)
    if isinstance(kind, PiecewiseLinearEncoding) and index[0] >= len(kind.edges):
        return (int(kind.bins.column[index[0] - len(kind.edges)]),)
    return index


def _weight(layer: LayerTrace, index: Index) -> float | None:
    """By how much a number grows with its one input, in layers where each is made of one; None for others."""
    if isinstance(layer.layer, Flatten | Dropout | Embedding):
        return 1.0  # nothing is dropped outside of training
    if isinstance(layer.layer, Rescale):
        return _of_channel(layer.layer.scale, index)
    if isinstance(layer.layer, PiecewiseLinearEncoding):
        number = index[0] - len(layer.layer.edges)
        return float(layer.numbers["slopes"][0, number]) if number >= 0 else 1.0
    if isinstance(layer.layer, PeriodicEmbedding):
        at = index[0] - layer.input.shape[1]
        if at < 0:
            return 1.0
        w, turn = layer.parameters["frequency"].ravel()[at], layer.numbers["turns"][0].ravel()[at]
        return float(-2 * np.pi * np.sin(2 * np.pi * turn) * w)
    if isinstance(layer.layer, ScaleFeatures):
        return 1 + layer.layer.rate * float(layer.parameters["change"][index])
    if isinstance(layer.layer, BatchNormalization):
        return float(layer.parameters["gamma"][index[-1]] * layer.numbers["inverse_std"][index[-1]])
    if isinstance(layer.layer, LayerNormalization):
        return float(layer.parameters["gamma"][index[-1]] * layer.numbers["inverse_std"][(0, *index[:-1], 0)])
    return None


def _of_channel(numbers: float | tuple[float, ...], index: Index) -> float:
    if not isinstance(numbers, tuple):
        return float(numbers)
    return float(numbers[index[-1] if len(numbers) > 1 else 0])
