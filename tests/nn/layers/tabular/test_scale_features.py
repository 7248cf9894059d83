"""ScaleFeatures: by hand, by autograd, and what its rate does to the steps of an optimizer."""

from __future__ import annotations

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad

import pellucid as pl

F64 = np.dtype(np.float64)
RNG = np.random.default_rng(31)


def test_by_hand():
    layer, parameters = pl.ScaleFeatures(4.0), {"change": np.array([0.5, -0.25])}
    x = np.array([[1.0, 2.0], [-3.0, 5.0]])
    y, cache = layer.forward(parameters, x, pl.Context(dtype=F64))
    np.testing.assert_array_equal(y, [[3, 0], [-9, 0]])  # times 1 + 4/2 and 1 - 4/4
    dx, gradients = layer.backward(parameters, cache, np.array([[1.0, 10.0], [2.0, 100.0]]))
    np.testing.assert_array_equal(dx, [[3, 0], [6, 0]])
    np.testing.assert_array_equal(gradients["change"], [4 * (1 - 6), 4 * (20 + 500)])


@pytest.mark.parametrize("shape", [(3,), (2, 4), (3, 4, 2)])
def test_it_changes_nothing_at_first(shape):
    network = pl.Network([pl.Input(*shape), pl.ScaleFeatures(6.0), pl.Regression()])
    assert network.parameters["scale_features_1.change"].shape == shape
    x = RNG.normal(size=(5, *shape))
    np.testing.assert_array_equal(network.layers[1].forward(network.arrays()[1], x, pl.Context(dtype=F64))[0], x)


@pytest.mark.parametrize("shape", [(3,), (2, 4), (3, 4, 2)])
def test_the_derivative_is_that_of_autograd(shape):
    layer = pl.ScaleFeatures(2.5)
    x, change, dy = RNG.normal(size=(6, *shape)), RNG.normal(size=shape), RNG.normal(size=(6, *shape))
    expected = [grad(lambda x, c: anp.sum(dy * (1 + 2.5 * c) * x), which)(x, change) for which in (0, 1)]
    _, cache = layer.forward({"change": change}, x, pl.Context(dtype=F64))
    dx, gradients = layer.backward({"change": change}, cache, dy)
    np.testing.assert_allclose(dx, expected[0], rtol=1e-13)
    np.testing.assert_allclose(gradients["change"], expected[1], rtol=1e-12)


def factors_after(rate, optimizer, steps):
    """What the factors have become, in a network of nothing else that moves: y = w s x with a fixed w."""
    network = pl.Network([pl.Input(3), pl.ScaleFeatures(rate), pl.Regression(use_bias=False)], dtype="float64")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(50, 3)), rng.normal(size=50)
    weight = network.parameters["output.weight"].copy()
    for _ in range(steps):
        network.fit(x, y, epochs=1, batch_size=50, optimizer=optimizer, progress="none", engine="numpy")
        network.parameters["output.weight"] = weight
    return 1 + rate * network.parameters["scale_features_1.change"]


def test_adam_moves_the_factors_as_at_a_multiple_of_its_learning_rate():
    """Six times the rate at a sixth of the learning rate: the same factors. At the same learning rate: six times as far."""
    slow, fast = (factors_after(rate, pl.Adam(1e-3 / rate, epsilon=1e-30), 4) for rate in (1.0, 6.0))
    assert np.abs(slow - 1).min() > 2e-3
    np.testing.assert_allclose(fast, slow, rtol=1e-12)
    once, six_times = (factors_after(rate, pl.Adam(1e-6), 1) for rate in (1.0, 6.0))
    np.testing.assert_allclose(six_times - 1, 6 * (once - 1), rtol=1e-4)


def test_penalties_and_decay_leave_the_factors_alone():
    network = pl.Network([pl.Input(3), pl.ScaleFeatures(), pl.Regression()], dtype="float64")
    x, y = RNG.normal(size=(5, 3)), RNG.normal(size=5)
    network.parameters["scale_features_1.change"] = np.array([1.0, -2.0, 3.0])
    plain, priced = network.gradients(x, y), network.gradients(x, y, regularizer=pl.L2(10.0))
    np.testing.assert_array_equal(plain["scale_features_1.change"], priced["scale_features_1.change"])
    assert not np.array_equal(plain["output.weight"], priced["output.weight"])


@pytest.mark.parametrize("rate", [0, -1.0, np.nan, np.inf, 1e7, "1", None, True])
def test_a_rate_that_cannot_work_is_refused(rate):
    with pytest.raises(pl.ArgumentError, match=r"ScaleFeatures\(rate\)"):
        pl.ScaleFeatures(rate)
