"""Layer normalization by hand and by autograd."""

from __future__ import annotations

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad

import pellucid as pl

F64 = np.dtype(np.float64)
RNG = np.random.default_rng(14)
TRAINING = pl.Context(training=True, dtype=F64)
PARAMETERS = {"gamma": np.array([1.0, 2.0, 3.0]), "beta": np.array([0.0, 1.0, -1.0])}


def test_by_hand():
    """(1, 2, 6): mean 3, variance (4 + 1 + 9) / 3 = 14/3, with epsilon 5/3 the std sqrt(19/3); the second is the first
    times -2 plus 1: mean -5, variance 56/3, std sqrt(61/3)."""
    y, _ = pl.LayerNormalization(5 / 3).forward(PARAMETERS, np.array([[1.0, 2, 6], [-1, -3, -11]]), TRAINING)
    r, s = np.sqrt(19 / 3), np.sqrt(61 / 3)
    expected = [[-2 / r, -2 / r + 1, 9 / r - 1], [4 / s, 4 / s + 1, -18 / s - 1]]
    np.testing.assert_allclose(y, expected, rtol=1e-14)


@pytest.mark.parametrize("shape", [(4, 3), (2, 4, 3), (1, 3, 2, 3)])
def test_gradients_equal_autograd(shape):
    x, r = RNG.normal(size=shape) * 2 + 1, RNG.normal(size=shape)
    gamma, beta = RNG.normal(size=3), RNG.normal(size=3)

    def value(x, gamma, beta):
        mean = anp.mean(x, axis=-1, keepdims=True)
        variance = anp.mean((x - mean) ** 2, axis=-1, keepdims=True)
        return anp.sum(r * (gamma * (x - mean) / anp.sqrt(variance + 0.5) + beta))

    parameters = {"gamma": gamma, "beta": beta}
    y, cache = pl.LayerNormalization(0.5).forward(parameters, x, TRAINING)
    assert (y * r).sum() == pytest.approx(value(x, gamma, beta), rel=1e-12)
    dx, gradients = pl.LayerNormalization(0.5).backward(parameters, cache, r)
    for actual, argument in ((dx, 0), (gradients["gamma"], 1), (gradients["beta"], 2)):
        np.testing.assert_allclose(actual, grad(value, argument)(x, gamma, beta), rtol=1e-11, atol=1e-13)


def test_a_sample_does_not_see_the_others():
    """Unlike batch normalization: alone it gets the same answer, also while training, and sends no gradient across."""
    x = RNG.normal(size=(5, 4, 3))
    layer = pl.LayerNormalization()
    y, cache = layer.forward(PARAMETERS, x, TRAINING)
    np.testing.assert_array_equal(layer.forward(PARAMETERS, x[2:3], TRAINING)[0], y[2:3])
    dy = np.zeros_like(y)
    dy[2] = RNG.normal(size=(4, 3))
    dx, _ = layer.backward(PARAMETERS, cache, dy)
    assert not np.delete(dx, 2, axis=0).any()


def test_it_undoes_a_shift_and_a_scale_of_a_sample():
    """Up to epsilon, which is far below the variance here."""
    x = RNG.normal(size=(5, 3))
    layer = pl.LayerNormalization(1e-12)
    np.testing.assert_allclose(
        layer.forward(PARAMETERS, x, TRAINING)[0], layer.forward(PARAMETERS, 7 * x - 3, TRAINING)[0], rtol=1e-9
    )


def test_equal_values_give_the_shift_and_a_large_offset_does_no_harm_in_float32():
    """mean(x^2) - mean^2 would lose all digits of 10,000 +- 1 in float32; the mean of 512 such numbers is right within
    512 * 2^-24 * 10,000 = 0.3 at the very worst, and numpy's pairwise sum is far better."""
    y, _ = pl.LayerNormalization().forward(PARAMETERS, np.full((2, 3), 7.0), TRAINING)
    np.testing.assert_array_equal(y, np.broadcast_to(PARAMETERS["beta"], (2, 3)))
    x = (10_000 + RNG.normal(size=(4, 512))).astype(np.float32)
    ones = {"gamma": np.ones(512, np.float32), "beta": np.zeros(512, np.float32)}
    y, _ = pl.LayerNormalization().forward(ones, x, TRAINING)
    exact = x.astype(float) - x.astype(float).mean(axis=1, keepdims=True)
    np.testing.assert_allclose(y, exact / exact.std(axis=1, keepdims=True), atol=0.01)


@pytest.mark.parametrize("epsilon", [0, -1.0, np.nan, "1", None])
def test_an_epsilon_that_cannot_work_is_refused(epsilon):
    with pytest.raises(pl.ArgumentError, match=r"LayerNormalization\(epsilon\)"):
        pl.LayerNormalization(epsilon)
