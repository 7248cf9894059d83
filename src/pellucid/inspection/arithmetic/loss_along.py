"""The loss of one sample along one weight: what it would be for other values, and the gradient as slope of that curve."""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.core.errors import ArgumentError
from pellucid.core.shapes import AnyArray
from pellucid.inspection.trace.trace import trace
from pellucid.nn.layers.outputs.classification import ClassifyingOutput
from pellucid.nn.stack import Stack

STEPS = 41
FLOAT64 = np.dtype(np.float64)


def loss_along(network: Stack, x: AnyArray, target: int, layer: str, source: int, unit: int) -> dict[str, Any]:
    """The loss of one sample as the weight from input ``source`` to ``unit`` of a layer moves, all others held.

    {"weight", "loss", "input": x, "dsum": dL/dz, "gradient": x dL/dz, "weights": [...], "losses": [...]}, all of the loss
    alone, without a penalty on weights. Nothing is changed. Raises `ArgumentError` for a weight that is not there, or a
    network that knows no classes.
    """
    name = f"{layer}.weight"
    if not isinstance(network.output, ClassifyingOutput):
        raise ArgumentError("the loss of a class needs a network that tells classes apart.")
    if name not in network.parameters or network.parameters[name].ndim != 2:
        raise ArgumentError(f"{layer!r} has no weights between neurons; choose a dense layer or the output.")
    inputs = network.input.check(x[None])
    targets = network.output.targets(network.output.check_targets([target], 1), FLOAT64)
    found = trace(network, inputs, targets, training=False)
    watched, twin = found.layer(layer), network.twin(FLOAT64)
    if watched.members > 1:
        raise ArgumentError(
            f"the weights of {layer!r} are those of {watched.members} members at once; choose another layer."
        )
    weight = twin.parameters[name]
    if not (0 <= source < weight.shape[0] and 0 <= unit < weight.shape[1]):
        raise ArgumentError(f"{name} is {weight.shape[0]} x {weight.shape[1]}; there is no weight {source}, {unit}.")
    middle = float(weight[source, unit])
    reach = max(1.0, 2 * abs(middle))
    tried, losses = middle + np.linspace(-reach, reach, STEPS), []
    for weight[source, unit] in tried:  # the weight of the twin itself moves
        losses.append(float(twin.output.loss_function(twin.propagate(inputs).logits, targets)[0]))
    assert found.loss is not None  # there was a target
    assert watched.dsums is not None
    x_own, dz = float(watched.input[0].ravel()[source]), float(watched.dsums[0, unit])
    return {
        "weight": middle,
        "loss": found.loss.value,
        "input": x_own,
        "dsum": dz,
        "gradient": x_own * dz,
        "weights": tried.tolist(),
        "losses": losses,
    }
