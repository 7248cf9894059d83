"""A look as data for the page: every layer, the answer, the loss, and weights as pictures. The shapes of the JSON stand
in web/src/pages/inside/types.ts."""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.apps.studio.pages.inside.traces import Look
from pellucid.core.display.numbers import written
from pellucid.core.errors import ArgumentError
from pellucid.core.shapes import AnyArray
from pellucid.inspection.arithmetic.elements import sources
from pellucid.inspection.arithmetic.formulas import formula
from pellucid.inspection.trace.answer import OF_VALUES
from pellucid.inspection.trace.layer_trace import LayerTrace, in_order
from pellucid.inspection.trace.trace import Trace
from pellucid.nn.layers.batch_normalization import BatchNormalization
from pellucid.nn.layers.convolution import Conv2D
from pellucid.nn.layers.dense import Dense
from pellucid.nn.layers.dropout import Dropout
from pellucid.nn.layers.flatten import Flatten
from pellucid.nn.layers.input import Input
from pellucid.nn.layers.outputs.output import OutputLayer
from pellucid.nn.layers.rescale import Rescale
from pellucid.nn.layers.tabular.scale_features import ScaleFeatures
from pellucid.nn.layers.windows import image_shape
from pellucid.nn.summary import describe_layer
from pellucid.reports.explanation.scores import loss_line, probability_line, scores_of

IN_FULL = 1 << 16  # numbers of a layer: larger ones are sent in float32, and without what only the tables show
MOST_WEIGHTS = 1 << 20  # at once as pictures
THROUGH = Flatten | Dropout | Rescale | ScaleFeatures | BatchNormalization  # what keeps each number in its place
ARRAYS = ("output", "sums", "doutput", "slopes", "dsums")


def overview(look: Look) -> tuple[dict[str, Any], dict[str, AnyArray]]:
    """The whole network: what each layer is, and its numbers as arrays named "dense_1.output"."""
    trace, below = look.trace, sources(look.trace.layers)
    arrays: dict[str, AnyArray] = {"input": look.sample.x}
    layers = []
    for layer in in_order(trace.layers):
        sent = _sent(layer)
        arrays |= {f"{layer.name}.{name}": array for name, array in sent.items()}
        layers.append(_layer(trace, layer, below[layer.name]))
    update = trace.update
    data = {
        "model": look.question.model,
        "version": look.version,
        "sample": look.sample.word,
        "truth": look.sample.label,
        "step": look.model.network.training_state.step,
        "is_pixels": look.sample.x.dtype == np.uint8,
        "layers": layers,
        "answer": _answer(look),
        "loss": _loss(look),
        "update": None if update is None else {"rate": update.rate, "number": update.update},
    }
    return data, arrays


def _layer(trace: Trace, layer: LayerTrace, below: tuple[str, ...]) -> dict[str, Any]:
    return {
        "name": layer.name,
        "kind": layer.kind,
        "description": describe_layer(layer.layer),
        "formula": "What the network gets." if isinstance(layer.layer, Input) else formula(layer),
        "activation": layer.activation,
        "shape": list(layer.output.shape[1:]),
        "sources": list(below),
        "has_neurons": layer.has_neurons,
        "parameters": {name: list(array.shape) for name, array in layer.parameters.items()},
        "pictures": pictures_of(trace, layer),
    }


def _sent(layer: LayerTrace) -> dict[str, AnyArray]:
    """The arrays of one layer, without the batch: all of a small one; of a large one what is drawn, in float32."""
    found = {name: getattr(layer, name) for name in ARRAYS}
    there = {name: array[0] for name, array in found.items() if array is not None}
    if layer.sums is layer.output or isinstance(layer.layer, OutputLayer):
        there.pop("sums", None)
    if layer.output[0].size <= IN_FULL:
        return there
    drawn = ("output", "dsums" if "dsums" in there else "doutput")
    return {name: there[name].astype(np.float32) for name in drawn if name in there}


def _answer(look: Look) -> dict[str, Any]:
    """The scores and probabilities of the answer, term by term and in a line of arithmetic."""
    rows, total = scores_of(look.model, look.trace)
    kind = "identity" if look.trace.answer.kind in OF_VALUES else look.trace.answer.kind  # the page shows values alike
    first = np.asarray(look.trace.answer.predictions[0])
    best = 0 if kind == "identity" else int(first)
    return {
        "kind": kind,
        "best": best,
        "label": first.tolist() if kind == "identity" else look.model.labels[best],
        "rows": [vars(row) | {"line": None if kind == "identity" else probability_line(row, total)} for row in rows],
        "total": total,
        "temperature": None if look.model.temperature is None else look.model.temperature.value,
    }


def _loss(look: Look) -> dict[str, Any] | None:
    """The loss against the target; None of a look that goes forward only."""
    loss, probabilities = look.trace.loss, look.trace.answer.probabilities
    if loss is None:
        return None
    probability = None if probabilities is None else float(probabilities[0, int(look.question.target)])
    smoothing = f", with label smoothing {written(loss.smoothing)}" if loss.smoothing else ""
    return {
        "name": type(loss.loss).__name__,
        "value": loss.value,
        "targets": loss.smoothed[0].tolist(),
        "terms": None if loss.terms is None else loss.terms[0].tolist(),
        "line": loss_line(loss, probability) + smoothing,
    }


def pictures_of(trace: Trace, layer: LayerTrace) -> list[int] | None:
    """The shape (H, W, C) of the picture that the weights of each unit of this layer are; None where they are none."""
    if isinstance(layer.layer, Conv2D):
        return list(layer.parameters["weight"].shape[:3])
    if not isinstance(layer.layer, Dense | OutputLayer):
        return None
    below, shape = sources(trace.layers), layer.input.shape[1:]
    name = layer.name
    while len(shape) == 1 and below[name] and isinstance(trace.layer(below[name][0]).layer, THROUGH):
        name = below[name][0]
        shape = trace.layer(name).input.shape[1:]
    is_image = len(shape) == 2 or (len(shape) == 3 and shape[2] <= 4)
    return list(image_shape(shape, "the picture")) if is_image else None


def weights_as_pictures(look: Look, layer_name: str, first: int, count: int, *, gradients: bool) -> AnyArray:
    """(n, H, W, C): the weights of the units ``first`` to ``first + count``, or their gradients, as pictures."""
    layer = look.trace.layer(layer_name)
    shape = pictures_of(look.trace, layer)
    if shape is None:
        raise ArgumentError(f"the weights of {layer_name} are no pictures: it does not look at pixels.")
    source = layer.gradients if gradients else layer.parameters
    if "weight" not in source:
        raise ArgumentError("gradients follow from a target: add target=, the number of a class.")
    weight = source["weight"]
    units = weight.shape[-1]
    if not 0 <= first < units:
        raise ArgumentError(f"{layer_name} has {units} units, counted from 0; first={first} is none of them.")
    most = max(1, min(count, MOST_WEIGHTS // int(np.prod(shape))))
    return np.moveaxis(weight[..., first : first + most], -1, 0).reshape(-1, *shape)
