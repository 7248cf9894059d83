"""The strongest neurons of a layer."""

from __future__ import annotations

import numpy as np

from pellucid.core.shapes import Array
from pellucid.inspection.trace.layer_trace import LayerTrace
from pellucid.inspection.trace.neuron import NeuronTrace
from pellucid.inspection.trace.trace import Trace
from pellucid.nn.layers.convolution import Conv2D
from pellucid.nn.layers.outputs.output import OutputLayer


def strongest(trace: Trace, layer: LayerTrace, count: int) -> tuple[NeuronTrace, ...]:
    """The neurons with the largest |output| for the first sample; of an output layer, the highest scores; of a convolution,
    the filters, each in the window where it is largest. None for a layer without neurons."""
    is_output = isinstance(layer.layer, OutputLayer)
    outputs = trace.logits[0] if is_output and layer.members > 1 else layer.output[0]
    return _largest(trace, layer, outputs if is_output else np.abs(outputs), count)


def strongest_backward(trace: Trace, layer: LayerTrace, count: int) -> tuple[NeuronTrace, ...]:
    """The neurons with the largest |dz|; of a convolution, each filter in the window where it is largest."""
    return () if layer.dsums is None else _largest(trace, layer, np.abs(layer.dsums[0]), count)


def _largest(trace: Trace, layer: LayerTrace, values: Array, count: int) -> tuple[NeuronTrace, ...]:
    if not layer.has_neurons:
        return ()
    if values.ndim == 2 and layer.members > 1:  # each unit of each member
        order = np.argsort(-values, axis=None, kind="stable")[:count]
        units = (divmod(int(number), values.shape[1]) for number in order)
        return tuple(trace.neuron(layer.name, unit, place=(member,)) for member, unit in units)
    flat = values.reshape(-1, values.shape[-1])  # a row for each window of a convolution, else one
    best, order = flat.argmax(axis=0), np.argsort(-flat.max(axis=0), kind="stable")[:count]
    places = (divmod(int(best[unit]), values.shape[1]) if isinstance(layer.layer, Conv2D) else None for unit in order)
    return tuple(trace.neuron(layer.name, int(unit), place=place) for unit, place in zip(order, places, strict=True))
