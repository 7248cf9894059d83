"""The walk through a network: forward layer by layer, then from the loss backward, one section a step."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pellucid.explanation.blocks import Block, Section, Sums, Words
from pellucid.explanation.findings import Findings, LayerExplanation
from pellucid.explanation.road import road
from pellucid.trace.layer_trace import LayerTrace
from pellucid.trace.neuron import NeuronTrace, written
from pellucid.trace.table import norm

TERMS = 3


def walk(found: Findings) -> list[Section]:
    """The sections of the road, then the way back; a regression has no label to go back from."""
    forward = [Section(f"Forward. {section.title}", section.blocks) for section in road(found)]
    if found.trace.loss is None:
        return forward
    return [*forward, _loss(found), *(_down(found, layer) for layer in reversed(found.layers))]


def _loss(found: Findings) -> Section:
    loss = found.trace.loss
    assert loss is not None
    k = next(n for n, score in enumerate(found.scores) if score.label == found.backward_from)
    p = found.scores[k].probability
    assert p is not None
    said = f"The loss if {found.backward_from} is the right answer:"
    smoothing = getattr(loss.loss, "label_smoothing", 0.0)
    smoothed = f" (with label smoothing {written(smoothing)})" if smoothing else ""
    line = f"loss = {written(loss.value)}{smoothed}" if smoothing else f"loss = -log({written(p)}) = {written(loss.value)}"
    return Section("Backward. The loss", [Words(said), Sums((line,)), Words("Its gradient by each score is p - t.")])


def _down(found: Findings, layer: LayerExplanation) -> Section:
    """What comes down to a layer, what it makes of it, and what it sends further down."""
    traced = found.trace.layer(layer.name)
    return Section(f"Backward. {layer.name}", [*_norms(traced), *_neurons(layer.neurons)])


def _norms(traced: LayerTrace) -> Iterator[Block]:
    sizes = {"by its output": traced.doutput, "by its sums": traced.dsums, "by its input": traced.dinput}
    sizes |= {f"by {name}": gradient for name, gradient in traced.gradients.items()}
    known = (f"{name} {written(norm(array))}" for name, array in sizes.items() if array is not None)
    yield Words(f"Norms of the gradient: {', '.join(known)}.")


def _neurons(neurons: tuple[NeuronTrace, ...]) -> Iterator[Block]:
    for neuron in neurons:
        yield Sums(tuple(_back(neuron)))


def _back(neuron: NeuronTrace) -> Iterator[str]:
    """dz = dy f'(z), and the largest gradients of the weights, dz x."""
    assert neuron.dsum is not None
    assert neuron.doutput is not None
    slope = f" * {written(neuron.slope)}" if neuron.slope is not None else ""
    yield f"{neuron.name}  dz = {written(neuron.doutput)}{slope} = {written(neuron.dsum)}"
    if neuron.dsum == 0:
        return
    for d in np.argsort(-np.abs(neuron.inputs), kind="stable")[:TERMS]:
        x = float(neuron.inputs[d])
        if x:
            yield f"  dw[{','.join(map(str, neuron.positions[d]))}] = dz x = {written(neuron.dsum * x)}"
