"""The walk through a network: forward layer by layer, then backward from the loss, one section a step."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pellucid.core.display.document import Block, Section, Sums, Words
from pellucid.core.display.equation import equation
from pellucid.core.display.numbers import written
from pellucid.inspection.arithmetic.backward import gradient_lines
from pellucid.inspection.trace.layer_trace import LayerTrace
from pellucid.inspection.trace.table import norm
from pellucid.nn.layers.input import Input
from pellucid.reports.explanation.findings import Findings, LayerExplanation
from pellucid.reports.explanation.road import road
from pellucid.reports.explanation.scores import loss_line
from pellucid.reports.explanation.strongest import strongest_backward

MOST_SCORES = 5  # gradients of the scores


def walk(found: Findings) -> list[Section]:
    """The sections of the forward pass, then of the backward pass; a regression has no loss to start that from."""
    forward = [Section(f"Forward. {section.title}", section.blocks) for section in road(found)]
    if found.trace.loss is None:
        return forward
    return [*forward, _loss(found), *(_down(found, layer) for layer in reversed(found.layers))]


def _loss(found: Findings) -> Section:
    loss = found.trace.loss
    assert loss is not None
    p = next(score.own for score in found.scores if score.label == found.backward_from)
    said = f"The loss if {found.backward_from} is the right answer:"
    line = loss_line(loss, p) + (f" (with label smoothing {written(loss.smoothing)})" if loss.smoothing else "")
    words = "Its gradient with respect to each score z is p - t: the probability minus its target."
    if found.temperature is not None:
        words += " Training uses no temperature: p is that of T = 1."
    return Section("Backward. The loss", [Words(said), Sums((line,)), Words(words), Sums(tuple(_score_gradients(found)))])


def _score_gradients(found: Findings) -> Iterator[str]:
    """dz = p - t of the scores with the largest gradients."""
    dz, loss = found.trace.layers[-1].dsums, found.trace.loss
    assert dz is not None
    assert loss is not None
    scores = found.scores[1:] if found.kind == "sigmoid" else found.scores  # a binary classifier has one score, for class 1
    dz = dz.sum(axis=1) if dz.ndim == 3 else dz  # of an ensemble, whose members share it
    for k in np.argsort(-np.abs(dz[0]), kind="stable")[:MOST_SCORES]:
        yield f"dz({scores[k].label}) = p - t = {_subtracted(scores[k].own, float(loss.smoothed[0, k]), float(dz[0, k]))}"
    if dz.shape[1] > MOST_SCORES:
        yield f"... ({dz.shape[1] - MOST_SCORES:,} more, smaller ones)"


def _subtracted(a: float, b: float, value: float) -> str:
    return equation(lambda n: n(a) - n(b), value)


def _down(found: Findings, layer: LayerExplanation) -> Section:
    """The backward pass of a layer: norms of its gradients, and the arithmetic of its strongest neurons."""
    traced = found.trace.layer(layer.name)
    neurons = strongest_backward(found.trace, traced, len(layer.neurons))
    lines = tuple(line for neuron in neurons for line in gradient_lines(found.trace, neuron))
    blocks = [*_norms(traced), *([Sums(lines)] if lines else [])]
    if isinstance(traced.layer, Input) and float(traced.numbers["scale"]) != 1:
        blocks.append(_input_scale(traced))
    return Section(f"Backward. {layer.name}", blocks)


def _norms(traced: LayerTrace) -> Iterator[Block]:
    sizes = {"its output": traced.doutput, "its sums": traced.dsums, "its input": traced.dinput, **traced.gradients}
    known = (f"{name} {written(norm(array))}" for name, array in sizes.items() if array is not None)
    yield Words(f"Norms of the gradient with respect to {', '.join(known)}.")


def _input_scale(traced: LayerTrace) -> Block:
    """Forward y = x / 255, so backward dx = dy / 255: here for the pixel with the largest gradient."""
    assert traced.doutput is not None
    dy = float(traced.doutput.ravel()[np.abs(traced.doutput).argmax()])
    return Words(
        "Forward, each pixel was divided by 255; so backward its gradient is, too. The largest is "
        f"dx = dy / 255 = {equation(lambda n: n(dy) / n(255), dy / 255)}."
    )
