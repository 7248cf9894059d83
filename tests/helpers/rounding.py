"""Steps in which float32 rounds: how far that may take a gradient from the truth, and examples without a kink near.

n roundings in a row change a sum of terms t by about sqrt(n) u sum |t|, where u = 2^-24: they add up like a random walk
(Higham and Mary 2019). The worst of thousands of numbers, and the few factors of each term that were rounded themselves,
are covered by `SAFETY`. The NumPy executor in float32 is held to the same bound.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from twins import distances, fitted, gradients, spread, twin

import pellucid as pl
from pellucid.core.shapes import size_of
from pellucid.executors.native.compile_images import every_node
from pellucid.mathematics.activations import activation
from pellucid.nn.layers.outputs.output import OutputLayer

UNIT = 2.0**-24  # of rounding in float32: half the distance from 1 to the next number
SAFETY = 12
KINKS = {"relu": [0.0], "relu6": [0.0, 6.0], "leaky_relu": [0.0], "selu": [0.0], "hard_sigmoid": [-3.0, 3.0]}
NEAR = 1e-5  # a kink: so far away, rounding cannot choose its other side


def own_arrays(name, arrays):
    """The arrays of one layer of a residual block, by its own names."""
    return {full.removeprefix(f"{name}."): array for full, array in arrays.items() if full.startswith(f"{name}.")}


def branches(node, own, cache):
    """Both branches of a residual block, as (nodes, arrays, caches)."""
    parts = zip(node.layer.branches(node.input_shape), (cache.layers, cache.shortcut), strict=True)
    return [(nodes, [own_arrays(inner.name, own) for inner in nodes], caches) for nodes, caches in parts]


def bends(layer):
    """Whether the layer has an activation."""
    return isinstance(layer, pl.Dense | pl.EnsembleDense | pl.Conv2D | pl.BatchNormalization | pl.Residual)


def through_activation(layer, cache, dy):
    """From dL/da to dL/dz."""
    return dy * activation(layer.activation).derivative(cache.z, cache.a) if bends(layer) else dy


def terms_of(layer, own, cache, dz):
    """Name of each parameter of a layer -> the sums |terms| of which the elements of its gradient are made.

    For a weight the terms are x dz, for a bias dz, for scale and shift dz h and dz.
    """
    dz = np.abs(dz)
    if isinstance(layer, pl.Conv2D):
        of_sizes = cache._replace(padded=np.abs(cache.padded), needs_dx=False)
        return replace(layer, activation="identity").backward(own, of_sizes, dz)[1]
    if isinstance(layer, pl.EnsembleDense):
        of_sizes = cache._replace(
            x=np.abs(cache.x), scaled=np.abs(cache.scaled), product=_sizes(own, cache), needs_dx=False
        )
        own = {name: np.abs(array) for name, array in own.items()}
        return replace(layer, activation="identity").backward(own, of_sizes, dz)[1]
    if isinstance(layer, OutputLayer) and layer.members > 1:
        return layer.backward(own, cache._replace(x=np.abs(cache.x), needs_dx=False), dz)[1]
    if isinstance(layer, pl.Dense | OutputLayer):
        return {"weight": np.abs(cache.x.reshape(len(dz), -1)).T @ dz, "bias": dz.sum(axis=0)}
    if isinstance(layer, pl.BatchNormalization | pl.LayerNormalization):
        features = dz.shape[-1]
        return {
            "gamma": (dz * np.abs(cache.normalized)).reshape(-1, features).sum(axis=0),
            "beta": dz.reshape(-1, features).sum(axis=0),
        }
    if isinstance(layer, pl.PeriodicEmbedding):  # as if every sine were 1: its own error is one of the wave's size
        columns = layer.embedded(cache.x.shape[1])
        dt = 2 * np.pi * dz[:, cache.x.shape[1] :].reshape(cache.turns.shape)
        return {"frequency": np.einsum("bdf,bd->df", dt, np.abs(cache.x[:, columns])), "phase": dt.sum(axis=0)}
    if isinstance(layer, pl.Embedding):
        return layer.backward(own, cache, dz)[1]
    if isinstance(layer, pl.GroupedDense):
        return layer.backward(own, cache._replace(x=np.abs(cache.x)), dz)[1]
    if isinstance(layer, pl.ScaleFeatures):
        return {"change": layer.rate * (dz * np.abs(cache.x)).sum(axis=0)}
    return {}


def _sizes(own, cache):
    """The sums |terms| of the products of an `EnsembleDense`."""
    return np.abs(cache.scaled) @ np.abs(own["weight"])


def down(nodes, arrays, caches, dy, terms, prefix=""):
    """Walk down layers in a row, and note the largest sum of terms of each parameter by its full name; gives dx."""
    for node, own, cache in reversed(list(zip(nodes, arrays, caches, strict=True))):
        dz = through_activation(node.layer, cache, dy)
        if isinstance(node.layer, pl.Residual):
            dy = sum(down(*branch, dz, terms, f"{prefix}{node.name}.") for branch in branches(node, own, cache))
            continue
        terms |= {
            f"{prefix}{node.name}.{name}": sizes.max() for name, sizes in terms_of(node.layer, own, cache, dz).items()
        }
        dy = node.layer.backward(own, cache, dy)[0]
        if dy is None:  # nothing below has parameters
            break
    return dy


def backward_terms(network, x, y, weights=None):
    """Name of each parameter -> the largest sum |terms| of which an element of its gradient is made; for the next step.

    ``network`` is a twin in float64.
    """
    inputs, arrays, terms = network.input.check(x), network.arrays(), {}
    done = network.propagate(inputs, arrays, training=True, step=network.training_state.step, needs_dx=True)
    targets = network.output.targets(network.output.check_targets(y, len(x)), network.dtype)
    down(
        network.nodes[1:],
        arrays[1:],
        done.caches[1:],
        network.output.loss_function(done.logits, targets, weights)[1],
        terms,
    )
    return terms


def roundings(network, batch):
    """About how many roundings in a row lead to a gradient: up and down the layers, and over the batch with its pixels."""
    nodes = list(every_node(network.nodes))
    pixels = max(size_of(node.output_shape[:-1]) for node in nodes)
    return batch * pixels + sum(terms_both_ways(node) + 16 for node in nodes)


def terms_both_ways(node):
    """How many terms the sums of a layer have, up and down."""
    if isinstance(node.layer, pl.Conv2D):
        window, channels = size_of(node.layer.windows.size), node.input_shape[2] if len(node.input_shape) == 3 else 1
        return window * (channels + node.layer.filters) // node.layer.groups
    return (
        2 * size_of(node.input_shape)
        if len(node.input_shape) == 1 or isinstance(node.layer, pl.Dense | pl.EnsembleDense | OutputLayer)
        else 0
    )


def gradient_bounds(network, x, y, weights=None):
    """Name of each parameter -> how far rounding may take its gradient from the truth."""
    walk = SAFETY * UNIT * math.sqrt(roundings(network, len(x)))
    terms = backward_terms(network, x, y, weights)
    return {name: walk * terms[name] for name in network.parameters}


def is_away_from_kinks(nodes, arrays, inputs, caches):
    """Whether no sum lies where rounding could choose the other side of a kink, or another maximum of a window."""
    for node, own, x, cache in zip(nodes, arrays, inputs, caches, strict=True):
        layer = node.layer
        for kink in KINKS.get(layer.activation if bends(layer) else "", []):
            if np.abs(cache.z - kink).min() < NEAR:
                return False
        if isinstance(layer, pl.MaxPooling2D):
            if is_close_race(layer.windows, x):
                return False
        elif isinstance(layer, pl.Residual):
            for inner_nodes, inner_arrays, inner_caches in branches(node, own, cache):
                if not is_away_from_kinks(inner_nodes, inner_arrays, [None] * len(inner_nodes), inner_caches):
                    return False
    return True


def is_close_race(windows, x):
    """Whether the second largest number of a window is nearly the largest; equal ones are no race."""
    view = windows.view(windows.pad(x if x.ndim == 4 else x[..., None], -np.inf))
    *_, second, first = np.moveaxis(np.sort(view.reshape(*view.shape[:3], -1, view.shape[5]), axis=3), 3, 0)
    return bool(((second != first) & (first - second < NEAR)).any())


def away_from_kinks(network, x):
    """`is_away_from_kinks` for the next step of a network."""
    true = twin(network, "float64")
    done = true.propagate(true.input.check(x), training=True, step=network.training_state.step)
    return is_away_from_kinks(true.nodes, true.arrays(), [x, *done.outputs[:-1]], done.caches)


def case(layers, batch, target, seed=0, shape=None):
    """(network, x, y): normal inputs whose sums stay away from kinks, and targets ``target(rng, batch)``."""
    for attempt in range(seed, seed + 100):
        rng = np.random.default_rng(attempt)
        network = spread(pl.Network(layers, seed=attempt), attempt)
        x = rng.normal(size=(batch, *(shape or network.input.shape))).astype(np.float32)
        if away_from_kinks(network, x):
            return network, x, target(rng, batch)
    raise AssertionError("no example without a sum at a kink")


def classes(count):
    return lambda rng, batch: rng.integers(0, count, batch)


def values(count):
    return lambda rng, batch: rng.normal(size=(batch, count)).astype(np.float32)


def check(network, x, y, **options):
    """One native step, and one of NumPy in float32, lie within the bound of the truth; gives the worst part of it."""
    truth = fitted(network, x, y, engine="numpy", dtype="float64", **options)
    bounds = gradient_bounds(twin(network, "float64"), x, y, options.get("sample_weight"))
    true_gradients, largest = gradients(truth), 0.0
    walk = SAFETY * UNIT * math.sqrt(roundings(network, len(x)))
    logits = np.abs(twin(network, "float64").propagate(x, training=True, step=network.training_state.step).logits).max()
    for engine in ("native", "numpy"):
        ours = fitted(network, x, y, engine=engine, **options)
        for name, distance in distances(gradients(ours), true_gradients).items():
            assert distance <= bounds[name], (engine, name)
            largest = max(largest, distance / max(bounds[name], 1e-300))
        for name, distance in distances(dict(ours.parameters), dict(truth.parameters)).items():
            assert distance <= bounds[name] + 2 * UNIT * np.abs(truth.parameters[name]).max(), (engine, name)
        for name, distance in distances(dict(ours.state), dict(truth.state)).items():
            assert distance <= walk * max(1.0, np.abs(truth.state[name]).max()), (engine, name)
        ours, true = ours.history.epochs[0], truth.history.epochs[0]
        metric = network.output.metric
        assert abs(ours["loss"] - true["loss"]) <= walk * (1 + logits) * max(1.0, logits), engine
        assert abs(ours[metric] - true[metric]) <= (1e-12 if metric == "accuracy" else walk * (1 + logits)), engine
    return largest
