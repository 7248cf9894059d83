"""Which neurons of a layer are worth a look: those that speak loudest."""

from __future__ import annotations

import numpy as np

from pellucid.layers.convolution import Conv2D
from pellucid.layers.dense import Dense
from pellucid.layers.output import OutputLayer
from pellucid.trace.layer_trace import LayerTrace
from pellucid.trace.neuron import NeuronTrace
from pellucid.trace.trace import Trace


def strongest(trace: Trace, layer: LayerTrace, count: int) -> tuple[NeuronTrace, ...]:
    """The neurons with the largest outputs, by size, of the first sample; of an output layer, the highest scores; of a
    convolution, the filters with the largest outputs, each in its best window. None for a layer without neurons."""
    if not isinstance(layer.layer, Dense | Conv2D | OutputLayer):
        return ()
    outputs = layer.output[0]
    loudness = outputs if isinstance(layer.layer, OutputLayer) else np.abs(outputs)
    if not isinstance(layer.layer, Conv2D):
        order = np.argsort(-loudness, kind="stable")[:count]
        return tuple(trace.neuron(layer.name, int(unit)) for unit in order)
    flat = loudness.reshape(-1, loudness.shape[-1])
    best = flat.argmax(axis=0)
    order = np.argsort(-flat.max(axis=0), kind="stable")[:count]
    width = loudness.shape[1]
    places = ((int(best[unit]) // width, int(best[unit]) % width) for unit in order)
    return tuple(trace.neuron(layer.name, int(unit), place=place) for unit, place in zip(order, places, strict=True))
