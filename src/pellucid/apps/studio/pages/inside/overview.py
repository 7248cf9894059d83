"""A look as data for the page: every layer, one number in full, and weights as pictures. The shapes of the JSON stand in
studio/src/pages/inside/types.ts."""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.apps.studio.pages.inside.answer import answer_data, loss_data
from pellucid.apps.studio.pages.inside.traces import Look
from pellucid.core.display.numbers import written
from pellucid.core.errors import ArgumentError
from pellucid.core.shapes import AnyArray, Shape
from pellucid.inspection.arithmetic.elements import Index, element, sources, unit_and_place
from pellucid.inspection.arithmetic.formulas import formula
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
from pellucid.nn.layers.windows import image_shape
from pellucid.nn.summary import describe_layer

IN_FULL = 1 << 16  # numbers of a layer: larger ones are sent in float32, and without what only the tables show
MOST_WEIGHTS = 1 << 20  # at once as pictures
THROUGH = Flatten | Dropout | Rescale | BatchNormalization  # what keeps each number in its place
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
        "answer": answer_data(look),
        "loss": loss_data(look),
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
        "has_neurons": isinstance(layer.layer, Dense | Conv2D | OutputLayer),
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


def number_in_full(look: Look, layer_name: str, index: Index) -> tuple[dict[str, Any], dict[str, AnyArray]]:
    """One number of a layer: its inputs, weights and products; with a target its gradients, and the update."""
    trace = look.trace
    layer, found = trace.layer(layer_name), element(trace, layer_name, index)
    unit, place = unit_and_place(index)
    at = (0, *index)
    backward = {"slope": layer.slopes, "doutput": layer.doutput, "dsum": layer.dsums}
    data = {
        "address": found.address,
        "layer": layer_name,
        "unit": unit,
        "place": place,
        "line": found.line,
        "sources": list(found.sources),
        "sum": None if layer.sums is None else float(layer.sums[at]),
        "activation": layer.activation,
        "output": float(layer.output[at]),
        **{name: None if array is None else float(array[at]) for name, array in backward.items()},
        "back": _back_line(layer, at),
        "parameters": _own_parameters(layer, unit),
    }
    arrays: dict[str, AnyArray] = {"inputs": found.inputs, "weights": found.weights, "products": found.products}
    arrays |= {"positions": found.positions, "origin": found.origin}
    if "weight" in layer.parameters and layer.dsums is not None:
        arrays["dweights"] = float(layer.dsums[at]) * found.inputs
        arrays["gradients"] = layer.gradients["weight"][..., unit].ravel()
        if "weight" in layer.updates:
            arrays["new"] = layer.updates["weight"].new[..., unit].ravel()
    return data, arrays


def _back_line(layer: LayerTrace, at: tuple[int, ...]) -> str | None:
    """dz = dy f'(z), filled in."""
    if layer.doutput is None or layer.dsums is None:
        return None
    slope = "" if layer.slopes is None else f" * {written(float(layer.slopes[at]))}"
    return f"dz = {written(float(layer.doutput[at]))}{slope} = {written(float(layer.dsums[at]))}"


def _own_parameters(layer: LayerTrace, unit: int) -> list[dict[str, Any]]:
    """What this number has of parameters beside its weights: bias, gamma, beta."""
    found = []
    for name, array in layer.parameters.items():
        if name == "weight" or array.ndim != 1:
            continue
        gradient, update = layer.gradients.get(name), layer.updates.get(name)
        found.append(
            {
                "name": name,
                "value": float(array[unit]),
                "gradient": None if gradient is None else float(gradient[unit]),
                "new": None if update is None else float(update.new[unit]),
            }
        )
    return found


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
    return list(image_shape(shape, "the picture")) if _is_image(shape) else None


def _is_image(shape: Shape) -> bool:
    return len(shape) == 2 or (len(shape) == 3 and shape[2] <= 4)


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
