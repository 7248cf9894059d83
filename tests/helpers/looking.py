"""A model of each kind to be looked into, and asking for a look without a server."""

from __future__ import annotations

import json

import numpy as np
from starlette.requests import Request
from starlette.routing import Route

import pellucid as pl
from pellucid.apps.studio.pages.inside import routes
from pellucid.training.recipes.words import layers_from_text

RNG = np.random.default_rng(11)
CONV = "conv4 res4 res6s2 avgpool pool2 average dropout0.2 dense8"


def moved(layers, seed=2):
    """A network whose parameters and averages are moved away from their round initial numbers."""
    network = pl.Network(layers, seed=seed)
    for holder in (network.parameters, network.state):
        holder.vector[...] += RNG.uniform(0.05, 0.2, holder.vector.shape)
    return network


def model(kind):
    if kind == "dense":
        return pl.Model(moved([pl.Input(6), pl.Dense(5, "relu"), pl.Dense(4, "tanh"), pl.Classification(3)]))
    if kind == "conv":
        hidden = [pl.Rescale(2.0, -0.5), *layers_from_text(CONV, (12, 12)), pl.LayerNormalization()]
        return pl.Model(moved([pl.Input(12, 12), *hidden, pl.Classification(3)]))
    if kind == "binary":
        return pl.Model(moved([pl.Input(2), pl.Dense(3, "relu"), pl.BinaryClassification()]))
    return pl.Model(moved([pl.Input(2), pl.Dense(3, "relu"), pl.Regression(2)]))


WORDS = {"dense": "xy.0.5,-1,2,0.25,-0.75,1", "conv": "", "binary": "xy.0.5,-1.5", "regression": "xy.0.5,-1.5"}
SAMPLES = {
    "dense": np.array([0.5, -1, 2, 0.25, -0.75, 1], np.float32),
    "conv": np.zeros((12, 12), np.uint8),
    "binary": np.array([0.5, -1.5], np.float32),
    "regression": np.array([0.5, -1.5], np.float32),
}


def ask(session, path, **query):
    """(data, arrays) of a framed answer, or the JSON of another, read here by the layout that the server promises."""
    route = next(route for route in routes.routes(session) if route.path == path)
    text = "&".join(f"{name}={value}" for name, value in query.items())
    scope = {"type": "http", "method": "GET", "path": path, "query_string": text.encode(), "headers": []}
    response = route_endpoint(route)(Request(scope))
    if response.media_type == "application/json":
        return json.loads(response.body)
    size = int.from_bytes(response.body[:8], "little")
    header = json.loads(response.body[8 : 8 + size])
    arrays = {}
    for name, one in header["arrays"].items():
        start, count = 8 + size + one["start"], int(np.prod(one["shape"]))
        arrays[name] = np.frombuffer(response.body, one["type"], count, start).reshape(one["shape"])
    return header["data"], arrays


def route_endpoint(route):
    assert isinstance(route, Route)
    return route.endpoint


def trace_of(session, kind, target=None, optimizer=None):
    network = session.models[kind].network
    return network.trace(SAMPLES[kind][None], None if target is None else [target], optimizer, training=False)
