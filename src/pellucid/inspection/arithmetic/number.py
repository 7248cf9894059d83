"""One number of a layer as data: what it is made of, and with a target its gradients and its update."""

from __future__ import annotations

from typing import Any

from pellucid.core.display.equation import equation
from pellucid.core.shapes import AnyArray, Array
from pellucid.inspection.arithmetic.elements import Index, element, unit_and_place
from pellucid.inspection.trace.layer_trace import LayerTrace
from pellucid.inspection.trace.neuron import number_at
from pellucid.inspection.trace.trace import Trace


def number_in_full(trace: Trace, layer_name: str, index: Index) -> tuple[dict[str, Any], dict[str, AnyArray]]:
    """One number of a layer: its inputs, weights and products; with a target its gradients, and the update."""
    layer, found = trace.layer(layer_name), element(trace, layer_name, index)
    unit, place = unit_and_place(index)
    at = (0, *index)
    data = {
        "address": found.address,
        "layer": layer_name,
        "unit": unit,
        "place": place,
        "line": found.line,
        "sources": list(found.sources),
        "sum": number_at(layer.sums, at),
        "activation": layer.activation,
        "output": float(layer.output[at]),
        "slope": number_at(layer.slopes, at),
        "doutput": number_at(layer.doutput, at),
        "dsum": number_at(layer.dsums, at),
        "back": _back_line(layer, at),
        "parameters": _own_parameters(layer, unit),
    }
    arrays: dict[str, AnyArray] = {"inputs": found.inputs, "weights": found.weights, "products": found.products}
    arrays |= {"positions": found.positions, "origin": found.origin}
    if "weight" in layer.parameters and layer.dsums is not None:
        arrays["dweights"] = float(layer.dsums[at]) * found.inputs
        arrays["gradients"] = _of_unit(layer, layer.gradients["weight"], index, unit)
        if "weight" in layer.updates:
            arrays["new"] = _of_unit(layer, layer.updates["weight"].new, index, unit)
    return data, arrays


def _of_unit(layer: LayerTrace, weights: Array, index: Index, unit: int) -> Array:
    """The numbers of an array like the weights that belong to one unit, in a row; of an ensemble, to that of one member."""
    if layer.members == 1:
        return weights[..., unit].ravel()
    member, own = index
    return (weights[member] if weights.ndim == 3 else weights)[..., own]


def _back_line(layer: LayerTrace, at: tuple[int, ...]) -> str | None:
    """dz = dy f'(z), filled in."""
    if layer.doutput is None or layer.dsums is None:
        return None
    dy, dz, slope = float(layer.doutput[at]), float(layer.dsums[at]), number_at(layer.slopes, at)
    return f"dz = {equation(lambda n: n(dy) if slope is None else n(dy) * n(slope), dz)}"


def _own_parameters(layer: LayerTrace, unit: int) -> list[dict[str, Any]]:
    """What this number has of parameters beside its weights: bias, gamma, beta."""
    held = {
        "value": layer.parameters,
        "gradient": layer.gradients,
        "new": {name: update.new for name, update in layer.updates.items()},
    }
    names = [name for name, array in layer.parameters.items() if name != "weight" and array.ndim == 1]
    return [
        {"name": name, **{what: number_at(arrays.get(name), (unit,)) for what, arrays in held.items()}} for name in names
    ]
