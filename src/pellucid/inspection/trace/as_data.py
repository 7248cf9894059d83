"""A trace as plain data: what ``schema.json`` in this folder and ``docs/insight/trace.md`` describe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pellucid.core.errors import ArgumentError
from pellucid.core.packing import Write
from pellucid.core.shapes import AnyArray
from pellucid.inspection.trace.answer import AnswerTrace, LossTrace
from pellucid.inspection.trace.layer_trace import LayerTrace, UpdateTrace
from pellucid.inspection.trace.step import StepTrace
from pellucid.nn import catalogue


def layer_data(layer: LayerTrace, write: Write) -> dict[str, Any]:
    """One layer, and those in it."""
    backward = {"doutput": layer.doutput, "slopes": layer.slopes, "dsums": layer.dsums, "dinput": layer.dinput}
    groups: dict[str, Any] = {
        "parameters": _each(layer.parameters, write),
        "state": _each(layer.state, write),
        "numbers": _each(layer.numbers, write),
        "gradients": _each(layer.gradients, write),
        "regularizers": {name: _described(own) for name, own in layer.regularizers.items()},
        "updates": {name: _update(update, write) for name, update in layer.updates.items()},
        "new_state": _each(layer.new_state, write),
        "layers": [layer_data(inner, write) for inner in layer.layers],
        "shortcut": [layer_data(inner, write) for inner in layer.shortcut],
    }
    return {
        "name": layer.name,
        "kind": layer.kind,
        "number": layer.number,
        "description": _described(layer.layer),
        "input": write(layer.input),
        **_each({"sums": layer.sums, "output": layer.output} | backward, write),
        **{name: group for name, group in groups.items() if group},
    }


def answer_data(answer: AnswerTrace, write: Write) -> dict[str, Any]:
    """The road from the scores to the answer."""
    arrays = {
        "logits": answer.logits,
        "predictions": answer.predictions,
        "probabilities": answer.probabilities,
        **answer.softmax,
    }
    return {"kind": answer.kind, **_each(arrays, write)}


def loss_data(loss: LossTrace, write: Write) -> dict[str, Any]:
    """The road from the scores to the loss."""
    arrays = {"targets": loss.targets, "smoothed": loss.smoothed, "terms": loss.terms, "samples": loss.samples}
    numbers = {"value": loss.value, "penalty": loss.penalty, "objective": loss.objective}
    return {"description": _described(loss.loss), **_each(arrays, write), **numbers}


def step_data(step: StepTrace) -> dict[str, Any]:
    """Which step the optimizer makes."""
    return {"optimizer": _described(step.optimizer), "rate": step.rate, "update": step.update}


def _update(update: UpdateTrace, write: Write) -> dict[str, Any]:
    slots = {"slots": _each(update.slots, write), "new_slots": _each(update.new_slots, write)}
    return {**slots, "new": write(update.new)}


def _each(arrays: Mapping[str, AnyArray | None], write: Write) -> dict[str, Any]:
    """Those that are there, written."""
    return {name: write(array) for name, array in arrays.items() if array is not None}


def _described(thing: object) -> dict[str, Any]:
    """Its description; of one that is not in the catalogue, the name of its class alone."""
    try:
        return catalogue.to_dict(thing)
    except ArgumentError:
        return {"type": type(thing).__name__}
