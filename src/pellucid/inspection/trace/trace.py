"""The trace: one batch through a network, forward, backward and into the update, with every number on the way.

The numbers are those of the layers' own NumPy text in float64, on a twin of the network whose layers are watched
(`pellucid.inspection.trace.recorder`). The network itself is not touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pellucid.core.checks import instance_of, one_of, positive_integer
from pellucid.core.errors import ArgumentError
from pellucid.core.packing import Write, as_json, packing
from pellucid.core.shapes import AnyArray, Array
from pellucid.core.version import __version__
from pellucid.executors.base import OptimizerState
from pellucid.inspection.trace.address import Place
from pellucid.inspection.trace.answer import AnswerTrace, LossTrace, answer_trace, loss_trace
from pellucid.inspection.trace.as_data import answer_data, layer_data, loss_data, step_data
from pellucid.inspection.trace.layer_trace import LayerTrace, UpdateTrace
from pellucid.inspection.trace.neuron import NeuronTrace, neuron_trace
from pellucid.inspection.trace.recorder import Recorder
from pellucid.inspection.trace.step import StepTrace, updates
from pellucid.inspection.trace.table import as_html, as_table
from pellucid.mathematics.optimizers import Optimizer
from pellucid.mathematics.regularizers import Regularizer
from pellucid.nn.objective import Objective, penalty
from pellucid.nn.stack import Stack

PACKED_FROM = 4_000  # numbers: smaller arrays are lists in JSON
FORMAT, FORMAT_VERSION = "pellucid-trace", 1
FLOAT64 = np.dtype(np.float64)


@dataclass(frozen=True)
class Trace:
    """What ``network.trace(x)`` gives.

    layers         a `LayerTrace` for each layer, input first, output last
    answer         from the scores to the answer: softmax term by term
    loss, update   with y the loss term by term, with an optimizer its step; else None
    training       whether layers did as in training (dropout, batch statistics) in ``step`` of ``seed``

    ``print(trace)`` shows a table, `neuron` one weighted sum in full, `to_json` all of it.
    """

    layers: tuple[LayerTrace, ...]
    answer: AnswerTrace
    loss: LossTrace | None
    update: StepTrace | None
    training: bool
    seed: int
    step: int

    def layer(self, name: str) -> LayerTrace:
        """The layer of that name, in a block too: "dense_1", "residual_1.conv2d_2"."""
        known = {layer.name: layer for layer in self.every_layer()}
        return known[one_of(name, list(known), "layer")]

    def every_layer(self) -> Iterator[LayerTrace]:
        """All layers from the input to the output, each block followed by the layers in it."""
        return _with_inner(self.layers)

    @property
    def gradients(self) -> dict[str, Array]:
        """Full name -> gradient of loss + penalty, as ``network.gradients`` gives it; empty without y."""
        return {f"{layer.name}.{own}": g for layer in self.every_layer() for own, g in layer.gradients.items()}

    @property
    def logits(self) -> Array:
        """(B, V): the scores of the output layer, or the mean of those of an ensemble's members."""
        return self.layers[-1].output if self.answer.logits is None else self.answer.logits

    def neuron(self, layer: str, unit: int, *, sample: int = 0, place: Place | None = None) -> NeuronTrace:
        """One weighted sum with each of its products: unit ``unit`` of a dense or output layer, or a filter of a
        convolution in the window at ``place`` (row, column), or the unit of a member of an ensemble, ``place`` (member,).
        Raises `ArgumentError` for what is not there."""
        return neuron_trace(self.layer(layer), unit, sample, place)

    def to_data(self) -> dict[str, Any]:
        """All numbers as plain data (dicts, lists, floats), as ``docs/insight/trace.md`` describes them."""
        return self._data(np.ndarray.tolist)

    def to_json(self, pack: int | None = PACKED_FROM) -> str:
        """The same as JSON, which tools/check_trace.py of the repository computes again.

        Arrays of at least ``pack`` numbers are packed as base64, which is quick; None writes all as lists. Raises
        `ArgumentError` for numbers that are not finite.
        """
        return as_json(self._data(np.ndarray.tolist if pack is None else packing(positive_integer(pack, "pack"))))

    def _data(self, write: Write) -> dict[str, Any]:
        data: dict[str, Any] = {"format": FORMAT, "version": FORMAT_VERSION, "pellucid": __version__}
        data |= {"training": self.training, "seed": self.seed, "step": self.step}
        data |= {"layers": [layer_data(layer, write) for layer in self.layers], "answer": answer_data(self.answer, write)}
        if self.loss is not None:
            data["loss"] = loss_data(self.loss, write)
        if self.update is not None:
            data["update"] = step_data(self.update)
        return data

    def __str__(self) -> str:
        return as_table(self.every_layer(), self.loss)

    def _repr_html_(self) -> str:
        """The table of `__str__`, as a notebook shows it."""
        return as_html(self.every_layer(), self.loss)

    def __repr__(self) -> str:
        return f"<Trace of {len(self.layers)} layers, batch {self.layers[0].input.shape}>"


@np.errstate(all="ignore")  # it shows what is not finite
def trace(
    stack: Stack,
    x: AnyArray,
    targets: Array | None = None,
    optimizer: Optimizer | None = None,
    state: OptimizerState | None = None,
    *,
    training: bool,
    step: int = 0,
    regularizer: Regularizer | None = None,
) -> Trace:
    """Walk a batch x (B, ...), checked, through a float64 twin; with targets (B, V) back again, with an optimizer (and
    what it remembers) into the update."""
    if optimizer is not None and targets is None:
        raise ArgumentError("an update follows from a loss: with an optimizer, trace needs y too.")
    instance_of(training, bool, "training")
    twin = stack.twin(FLOAT64)
    objective, paid = Objective(twin, regularizer), penalty(twin, regularizer)
    recorders = tuple(Recorder(node.layer, node.name) for node in twin.nodes)
    twin.nodes = tuple(replace(node, layer=recorder) for node, recorder in zip(twin.nodes, recorders, strict=True))
    loss, update = None, None
    after: dict[str, UpdateTrace] = {}
    if targets is None:
        twin.propagate(x, training=training, step=step, needs_dx=True)
    else:
        value, forward, _ = objective.descend(x, targets, training=training, step=step, needs_dx=True)
        loss = loss_trace(twin.output.loss_function, forward.logits, targets, value, paid)
    if optimizer is not None:
        state = state or OptimizerState.fresh(optimizer, twin.parameters.vector)
        update = StepTrace(optimizer, optimizer.learning_rate, state.updates + 1)
        after = updates(update, state, twin.parameters.layout, twin.parameters, objective.gradient)
    layers = _layers(objective, recorders, after)
    return Trace(layers, answer_trace(twin.output, layers[-1].output), loss, update, training, stack.seed, step)


def _layers(objective: Objective, recorders: Sequence[Recorder], after: dict[str, UpdateTrace]) -> tuple[LayerTrace, ...]:
    """What the recorders have seen, with the arrays that belong to each layer."""
    twin = objective.stack
    layout = twin.parameters.layout

    def made(recorder: Recorder) -> LayerTrace:
        sums, slopes, dsums = recorder.sums, recorder.slopes, None
        if sums is not None and recorder.doutput is not None:
            dsums = recorder.doutput if slopes is None else recorder.doutput * slopes
        stem = f"{recorder.name}."  # the arrays of a block are those of its layers
        own = [] if recorder.main else [name.removeprefix(stem) for name in layout.slots if name.startswith(stem)]
        kept = [] if recorder.main else [name.removeprefix(stem) for name in twin.state if name.startswith(stem)]
        down = [] if recorder.doutput is None else own  # what has a gradient
        return LayerTrace(
            name=recorder.name,
            layer=recorder.described,
            number=recorder.context.layer,
            input=recorder.input,
            output=recorder.output,
            sums=sums,
            numbers=recorder.numbers,
            parameters={name: twin.parameters[stem + name] for name in own},
            state={name: twin.state[stem + name] for name in kept},
            doutput=recorder.doutput,
            slopes=slopes,
            dsums=dsums,
            dinput=recorder.dinput,
            gradients={name: layout.view(objective.gradient, stem + name) for name in down},
            regularizers={name: objective.penalties[stem + name] for name in down if stem + name in objective.penalties},
            updates={name: after[stem + name] for name in own} if after else {},
            new_state=dict(recorder.next_state(recorder.arrays, recorder.cache)) if after and kept else {},
            layers=tuple(map(made, recorder.main)),
            shortcut=tuple(map(made, recorder.shortcut)),
        )

    return tuple(map(made, recorders))


def _with_inner(layers: Sequence[LayerTrace]) -> Iterator[LayerTrace]:
    for layer in layers:
        yield layer
        yield from _with_inner((*layer.layers, *layer.shortcut))
