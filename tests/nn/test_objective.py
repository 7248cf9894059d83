"""The objective: against a network written by hand, against finite differences, and as what everybody walks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

import pellucid as pl
from pellucid.data.samples import Batch
from pellucid.executors.base import OptimizerState, Rules
from pellucid.executors.numpy import BLOCK, NumpyExecutor
from pellucid.mathematics.regularizers import Regularizer
from pellucid.nn.objective import Objective, penalties, penalty

RNG = np.random.default_rng(4)
X, LABELS, WEIGHTS = RNG.normal(size=(6, 3)), np.array([0, 2, 1, 1, 0, 2]), np.array([1.0, 0.5, 2.0, 0.0, 3.0, 1.0])
ONE_HOT = np.eye(3)[LABELS]
COMMON = pl.L2(0.2)


def table():
    """Two weighted sums, of which the first pays a penalty of its own."""
    layers = [pl.Input(3), pl.Dense(4, "tanh", regularizer=pl.L1(0.3)), pl.Classification(3)]
    return pl.Network(layers, seed=7, dtype="float64")


def by_hand(p, x, t, v):
    """(objective, gradients by name and of x) of `table`, written once more with nothing of the library."""
    w1, b1, w2, b2 = (p[name] for name in ("dense_1.weight", "dense_1.bias", "output.weight", "output.bias"))
    a = np.tanh(x @ w1 + b1)
    z = a @ w2 + b2
    exponentials = np.exp(z)
    probability = exponentials / exponentials.sum(axis=1, keepdims=True)
    loss = -(v * np.log((t * probability).sum(axis=1))).sum() / v.sum()
    dz = (probability - t) * v[:, None] / v.sum()
    ds = dz @ w2.T * (1 - a**2)
    gradients = {
        "dense_1.weight": x.T @ ds + 0.3 * np.sign(w1),
        "dense_1.bias": ds.sum(axis=0),
        "output.weight": a.T @ dz + 2 * 0.2 * w2,
        "output.bias": dz.sum(axis=0),
        "x": ds @ w1.T,
    }
    return loss, 0.3 * np.abs(w1).sum() + 0.2 * (w2**2).sum(), gradients


def test_value_and_gradient_are_those_of_a_network_written_by_hand():
    network = table()
    objective = Objective(network, COMMON)
    loss, paid, gradients = by_hand(network.parameters, X, ONE_HOT, WEIGHTS)
    found = objective.descend(X, ONE_HOT, WEIGHTS, needs_dx=True)
    assert found.loss == pytest.approx(loss, rel=1e-13)
    assert penalty(network, COMMON) == pytest.approx(paid, rel=1e-13)
    assert objective.value(X, ONE_HOT, WEIGHTS) == pytest.approx(loss + paid, rel=1e-13)
    np.testing.assert_allclose(found.dx, gradients.pop("x"), rtol=1e-12, atol=1e-16)
    for name, gradient in gradients.items():
        mine = network.parameters.layout.view(objective.gradient, name)
        np.testing.assert_allclose(mine, gradient, rtol=1e-12, atol=1e-15, err_msg=name)


NETWORKS = {
    "table": (table, X, ONE_HOT),
    "image": (
        lambda: pl.Network(
            [
                pl.Input(4, 4, 2),
                pl.Residual([pl.Conv2D(2, 3, "tanh", regularizer=pl.L2(0.4)), pl.BatchNormalization()], (), "sigmoid"),
                pl.Dropout(0.3),
                pl.GlobalAveragePooling2D(),
                pl.Regression(2, "huber"),
            ],
            seed=3,
            dtype="float64",
        ),
        RNG.normal(size=(6, 4, 4, 2)),
        RNG.normal(size=(6, 2)),
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_each_number_of_the_gradient_is_a_difference_of_values(name):
    """Central differences with h = 1e-6 in float64: h^2 and the rounding 1e-16 / h leave about nine digits."""
    make, x, targets = NETWORKS[name]
    network, h = make(), 1e-6
    network.parameters.vector[...] += 0.1 * RNG.normal(size=network.parameters.layout.size)
    objective = Objective(network, COMMON)
    objective.descend(x, targets, WEIGHTS)
    for index, claimed in enumerate(objective.gradient):
        here = network.parameters.vector[index]
        values = []
        for network.parameters.vector[index] in (here + h, here - h):
            values.append(objective.value(x, targets, WEIGHTS))
        network.parameters.vector[index] = here
        assert (values[0] - values[1]) / (2 * h) == pytest.approx(claimed, abs=2e-8)


def test_a_descent_starts_anew_and_leaves_everything_but_the_gradient():
    network = table()
    objective, before = Objective(network, COMMON), network.parameters.vector.copy()
    objective.descend(X, ONE_HOT)
    first = objective.gradient.copy()
    objective.descend(X[:2], ONE_HOT[:2])
    assert not np.array_equal(objective.gradient, first)
    assert objective.descend(X, ONE_HOT).dx is None  # nobody asked
    np.testing.assert_array_equal(objective.gradient, first)
    np.testing.assert_array_equal(network.parameters.vector, before)


def test_it_follows_the_parameters_of_its_stack():
    network = table()
    objective = Objective(network)
    network.parameters.vector[...] = 0
    assert objective.value(X, ONE_HOT) == pytest.approx(np.log(3), rel=1e-15)  # three classes, all alike
    objective.descend(X, ONE_HOT)
    np.testing.assert_allclose(objective.gradient[-3:], 0, atol=1e-16)  # each of them twice of six


def test_executor_network_and_trace_find_its_gradient_to_the_bit():
    network = table()
    objective = Objective(network, COMMON)
    objective.descend(X, ONE_HOT)
    expected = {name: network.parameters.layout.view(objective.gradient, name) for name in network.parameters}
    executor = NumpyExecutor(table(), Rules(pl.GradientDescent(), COMMON), OptimizerState())
    executor.train_step(Batch(X, LABELS), 0, 0.1)
    np.testing.assert_array_equal(executor.gradient, objective.gradient)
    for found in (network.gradients(X, LABELS, regularizer=COMMON), network.trace(X, LABELS, regularizer=COMMON).gradients):
        assert found.keys() == expected.keys()
        for name, gradient in expected.items():
            np.testing.assert_array_equal(found[name], gradient)


def test_each_array_of_weights_pays_by_its_layer_or_else_by_the_common_rule():
    assert penalties(table(), COMMON) == {"dense_1.weight": pl.L1(0.3), "output.weight": COMMON}
    assert penalties(table(), None) == {"dense_1.weight": pl.L1(0.3)}
    with pytest.raises(pl.ArgumentError, match="regularizer must be of type Regularizer, not 'l2'"):
        Objective(table(), "l2")


@dataclass(frozen=True)
class Norm(Regularizer):
    """One number for an array as a whole: |w|, which is no sum over its parts; its gradient is w / |w|."""

    def penalty(self, w):
        return float(np.linalg.norm(w))

    def gradient(self, w):
        return w / np.linalg.norm(w)


def test_a_regularizer_sees_each_array_as_a_whole():
    """Larger than the blocks of an update, and in one row with the array after it, which has no bias between."""
    units = BLOCK // 100 + 30
    layers = [pl.Input(100), pl.Dense(units, use_bias=False), pl.Regression(use_bias=False)]
    network = pl.Network(layers, seed=2, dtype="float64")
    x, y = np.zeros((2, 100)), np.zeros((2, 1))  # of which the loss has no gradient
    executor = NumpyExecutor(network, Rules(pl.GradientDescent(), Norm()), OptimizerState())
    expected = [network.parameters[name] / np.linalg.norm(network.parameters[name]) for name in network.parameters]
    executor.train_step(Batch(x, y), 0, 0.1)
    np.testing.assert_allclose(executor.gradient, np.concatenate([part.ravel() for part in expected]), rtol=1e-13)
