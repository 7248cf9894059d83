"""What the chapters of the page Learn ask for: curves of activations, and of the loss as one weight moves."""

from __future__ import annotations

from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from pellucid.apps.studio.sample_words import find_sample
from pellucid.apps.studio.session import Session
from pellucid.core.checks import whole_in_words
from pellucid.core.errors import ArgumentError
from pellucid.core.shapes import AnyArray
from pellucid.mathematics.activations import ACTIVATIONS
from pellucid.models.model import Model
from pellucid.nn.layers.outputs.classification import ClassifyingOutput

REACH, POINTS = 6.0, 121  # of the curves of activations: every tenth
STEPS = 41  # of the loss along one weight
FLOAT64 = np.dtype(np.float64)


def routes(session: Session) -> list[BaseRoute]:
    def activations(_: Request) -> Response:
        return JSONResponse(activation_curves())

    def weight(request: Request) -> Response:
        asked = request.query_params
        model = session.model(asked.get("model", ""))
        sample = find_sample(session, model, asked.get("sample", ""))
        target, source, unit = (
            whole_in_words(asked.get(name, ""), name, 0, 1 << 31) for name in ("target", "input", "unit")
        )
        return JSONResponse(loss_along(model, sample.x, target, asked.get("layer", ""), source, unit))

    return [Route("/api/learn/activations", activations), Route("/api/learn/weight", weight)]


def activation_curves() -> dict[str, Any]:
    """{"z": [...], "functions": [{"name", "values", "slopes"}]}: f(z) and f'(z) of every activation, from -6 to 6."""
    z = np.round(np.linspace(-REACH, REACH, POINTS), 10)
    functions = []
    for row in ACTIVATIONS.values():
        values = row.value(z)
        slopes = row.derivative(z, values)
        functions.append({"name": row.name, "values": values.tolist(), "slopes": slopes.tolist()})
    return {"z": z.tolist(), "functions": functions}


def loss_along(model: Model, x: AnyArray, target: int, layer: str, source: int, unit: int) -> dict[str, Any]:
    """The loss of one sample as the weight from input ``source`` to ``unit`` of a layer moves, all others held.

    {"weight", "loss", "input": x, "dsum": dL/dz, "gradient": x dL/dz, "weights": [...], "losses": [...]}, all of the loss
    alone, without a price on weights. Nothing is changed. Raises `ArgumentError` for a weight that is not there, or a
    network that knows no classes.
    """
    network, name = model.network, f"{layer}.weight"
    if not isinstance(network.output, ClassifyingOutput):
        raise ArgumentError("this chapter needs a network that tells classes apart.")
    if name not in network.parameters or network.parameters[name].ndim != 2:
        raise ArgumentError(f"{layer!r} has no weights between neurons; choose a dense layer or the output.")
    trace = network.trace(x[None], [target], training=False)
    watched, twin = trace.layer(layer), network.twin(FLOAT64)
    weight = twin.parameters[name]
    if not (0 <= source < weight.shape[0] and 0 <= unit < weight.shape[1]):
        raise ArgumentError(f"{name} is {weight.shape[0]} x {weight.shape[1]}; there is no weight {source}, {unit}.")
    targets = twin.output.targets(twin.output.check_targets([target], 1), FLOAT64)
    inputs, arrays = twin.input.check(x[None]), twin.arrays()
    own = next(found for node, found in zip(twin.nodes, arrays, strict=True) if node.name == layer)["weight"]
    middle = float(own[source, unit])
    reach = max(1.0, 2 * abs(middle))
    tried, losses = middle + np.linspace(-reach, reach, STEPS), []
    for own[source, unit] in tried:  # the weight itself moves
        losses.append(float(twin.output.loss_function(twin.propagate(inputs, arrays).logits, targets)[0]))
    assert watched.dsums is not None  # there was a target
    x_own, dz = float(watched.input[0].ravel()[source]), float(watched.dsums[0, unit])
    return {
        "weight": middle,
        "loss": trace.loss.value if trace.loss else None,
        "input": x_own,
        "dsum": dz,
        "gradient": x_own * dz,
        "weights": tried.tolist(),
        "losses": losses,
    }
