"""What the tests of the native executor share: the same training on three executors, and how far rounding may take them.

The truth is the NumPy executor in float64. Two kinds of comparison follow from it:

    exact     Numbers are small multiples of powers of two, and every sum of them has fewer than 24 bits. Then float32
              rounds nothing, in whatever order it adds, and the native numbers must equal the truth bit by bit.
    rounded   n roundings in a row change a sum of terms t by about sqrt(n) u sum |t|, where u = 2^-24: they add up like
              a random walk (Higham and Mary 2019). The worst of thousands of numbers, and the few factors of each term that
              were rounded themselves, are covered by `SAFETY`. The NumPy executor in float32 is held to the same bound.
"""

from __future__ import annotations

import math

import numpy as np

import pellucid as pl
from pellucid._native import instruction_sets
from pellucid.activations import activation
from pellucid.layers.output import OutputLayer
from pellucid.shapes import size_of

QUIET = {"progress": "none"}
ISAS = instruction_sets()
UNIT = 2.0**-24  # of rounding in float32: half the distance from 1 to the next number
SAFETY = 12


def numbers(network):
    """All that training changes: parameters, state and optimizer slots, by name."""
    vectors = {"parameters": network.parameters.vector, "state": network.state.vector}
    return {name: vector.copy() for name, vector in (vectors | network.training_state.optimizer_state.slots).items()}


def assert_same_bits(ours, theirs):
    """Bit by bit, of the results of `numbers`; a zero may have either sign only if both are the same."""
    assert ours.keys() == theirs.keys()
    for name, vector in ours.items():
        assert vector.tobytes() == theirs[name].tobytes(), name


def twin(network, dtype="float32"):
    """A network with the same layers, seed, parameters and state, and the same number of steps behind it."""
    arrays = {**network.parameters, **network.state}
    other = pl.Network(network.layers, network.seed, dtype, arrays={name: a.copy() for name, a in arrays.items()})
    other.training_state.step = network.training_state.step
    return other


def fitted(network, x, y, *, engine="native", dtype="float32", **options):
    """A twin of ``network`` after training; one step in the order of the samples unless ``options`` say otherwise."""
    trained = twin(network, dtype)
    defaults = {"batch_size": len(x), "epochs": 1, "shuffle": False, "optimizer": pl.GradientDescent(0.25, 0.5), **QUIET}
    trained.fit(x, y, engine=engine, **{**defaults, **options})
    assert trained.engine == engine
    return trained


def spread(network, seed, scale=1.0):
    """Move biases, scales, shifts and averages off their first values, so that each of them matters."""
    rng = np.random.default_rng(seed)
    for holder in (network.parameters, network.state):
        for name in holder:
            if not name.endswith("weight"):
                holder[name] = holder[name] + scale * rng.uniform(0.1, 0.5, holder[name].shape)
    return network


def backward_terms(network, x, y, weights=None):
    """Name of each parameter -> the largest sum |terms| of which an element of its gradient is made; for the next step.

    ``network`` is a twin in float64. For a weight the terms are x dz, for a bias dz, for scale and shift dy h and dy.
    """
    inputs, arrays = network.input.check(x), network.arrays()
    done = network.propagate(inputs, arrays, training=True, step=network.training_state.step)
    targets = network.output.targets(network.output.check_targets(y, len(x)), network.dtype)
    dy = network.output.loss_function(done.logits, targets, weights)[1]
    terms = {}
    for node, own, cache in reversed(list(zip(network.nodes, arrays, done.caches, strict=True))):
        if isinstance(node.layer, pl.Dense | OutputLayer):
            below, dz = cache[0].reshape(len(x), -1), dy
            if isinstance(node.layer, pl.Dense):
                dz = dy * activation(node.layer.activation).derivative(cache[1], cache[2])
            terms[f"{node.name}.weight"] = (np.abs(below).T @ np.abs(dz)).max()
            terms[f"{node.name}.bias"] = np.abs(dz).sum(axis=0).max()
        elif isinstance(node.layer, pl.BatchNormalization):
            terms[f"{node.name}.gamma"] = np.abs(dy * cache[0]).sum(axis=0).max()
            terms[f"{node.name}.beta"] = np.abs(dy).sum(axis=0).max()
        dy = node.layer.backward(own, cache, dy)[0]
        if dy is None:
            break
    return terms


def roundings(network, batch):
    """About how many roundings in a row lead to a gradient: up and down the layers, and over the batch."""
    return batch + sum(2 * size_of(node.input_shape) + 16 for node in network.nodes)


def gradient_bounds(network, x, y, weights=None):
    """Name of each parameter -> how far rounding may take its gradient from the truth."""
    walk = SAFETY * UNIT * math.sqrt(roundings(network, len(x)))
    return {name: walk * size for name, size in backward_terms(network, x, y, weights).items()}


def gradients(trained):
    """Name -> gradient of the only step that ``trained`` made with `GradientDescent` and momentum: its velocity."""
    velocity = trained.training_state.optimizer_state.slots["velocity"]
    return {name: trained.parameters.layout.view(velocity, name) for name in trained.parameters}


def distances(ours, truth):
    """Name -> the largest difference of two mappings from name to array."""
    assert ours.keys() == truth.keys()
    return {name: np.abs(np.float64(ours[name]) - truth[name]).max(initial=0.0) for name in ours}
