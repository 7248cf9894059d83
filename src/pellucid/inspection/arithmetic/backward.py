"""The way back, spelled out: what comes down to a neuron, and what it makes of it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pellucid.core.display.equation import equation, sum_of_products
from pellucid.core.display.numbers import largest, written
from pellucid.inspection.trace.layer_trace import LayerTrace
from pellucid.inspection.trace.member_sums import weights_to_units
from pellucid.inspection.trace.neuron import NeuronTrace, place_in_words
from pellucid.inspection.trace.trace import Trace
from pellucid.nn.layers.dense import Dense
from pellucid.nn.layers.dropout import Dropout
from pellucid.nn.layers.ensemble_dense import EnsembleDense
from pellucid.nn.layers.flatten import Flatten
from pellucid.nn.layers.outputs.output import OutputLayer

TERMS = 3


def gradient_lines(trace: Trace, neuron: NeuronTrace) -> Iterator[str]:
    """dy as a sum over the layer above, dz = dy f'(z), and the largest gradients of the weights, dw = dz x."""
    down = _came_down(trace, neuron)
    if down is not None:
        yield f"{neuron.name}  {down}"
    yield f"{neuron.name}  {chain_rule(neuron)}"
    if not neuron.dsum:
        return
    for d in largest(neuron.inputs, TERMS):
        name, x = f"dw{place_in_words(neuron.positions[d].tolist())}", float(neuron.inputs[d])
        yield f"  {name} = dz * x = {_multiplied(neuron.dsum, x, neuron.dsum * x)}"


def chain_rule(neuron: NeuronTrace) -> str:
    """``dz = dy * f'(z) = 0.1 * 1 = 0.1``; where there is no f, dz is dy."""
    assert neuron.doutput is not None
    assert neuron.dsum is not None
    if neuron.slope is None or neuron.activation == "identity":
        return f"dz = dy = {written(neuron.dsum)}"
    return f"dz = dy * f'(z) = {_multiplied(neuron.doutput, neuron.slope, neuron.dsum)}"


def _multiplied(a: float, b: float, value: float) -> str:
    """``0.1 * (-2) = -0.2``."""
    return equation(lambda n: n(a) * n(b), value)


def _came_down(trace: Trace, neuron: NeuronTrace) -> str | None:
    """What dense units above send down to a neuron, dy = sum_k dz_k w_k; None below other layers."""
    above = _above(trace, neuron.layer)
    if above is None or above.dsums is None or not isinstance(above.layer, Dense | EnsembleDense | OutputLayer):
        return None
    if above.members > 1:
        return _from_member(above, neuron)
    shape = trace.layer(neuron.layer).output.shape[1:]
    place = (neuron.unit,) if neuron.place is None else (*neuron.place, neuron.unit)
    weights = above.parameters["weight"][int(np.ravel_multi_index(place, shape))]
    assert neuron.doutput is not None
    filled = equation(sum_of_products(above.dsums[0], weights, TERMS), neuron.doutput)
    return f"dy = sum of dz * w over the units of {above.name} = {filled}"


def _from_member(above: LayerTrace, neuron: NeuronTrace) -> str | None:
    """What the units of the same member send down to one of its neurons; None for one that all members see."""
    if neuron.place is None or above.dsums is None:
        return None
    member = neuron.place[0]
    weights = weights_to_units(above, member, neuron.unit)
    assert neuron.doutput is not None
    filled = equation(sum_of_products(above.dsums[0, member], weights, TERMS), neuron.doutput)
    return f"dy = sum of dz * w over the units of {above.name} = {filled}"


def _above(trace: Trace, name: str) -> LayerTrace | None:
    """The next layer that does something, of a layer that is in no block."""
    names = [layer.name for layer in trace.layers]
    later = trace.layers[names.index(name) + 1 :] if name in names else ()
    return next((layer for layer in later if not isinstance(layer.layer, Dropout | Flatten)), None)
