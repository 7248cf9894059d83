"""PeriodicEmbedding: by hand, by autograd, as a Fourier series, and what its parameters begin with."""

from __future__ import annotations

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from scipy import stats

import pellucid as pl

F64 = np.dtype(np.float64)
RNG = np.random.default_rng(51)
PREDICTION = pl.Context(dtype=F64)


def test_by_hand():
    """Two waves of column 1: a quarter of a turn a unit, and half a turn a unit, an eighth of a turn ahead."""
    layer = pl.PeriodicEmbedding(2, columns=(1,))
    own = {"frequency": np.array([[0.25, 0.5]]), "phase": np.array([[0.0, 0.125]])}
    x = np.array([[7.0, 1.0], [8.0, 2.0], [9.0, 0.0]])
    y, cache = layer.forward(own, x, PREDICTION)
    root = np.sqrt(0.5)
    np.testing.assert_array_equal(y[:, :2], x)
    np.testing.assert_allclose(y[:, 2:], [[0, -root], [-1, root], [1, root]], atol=1e-15)
    dx, gradients = layer.backward(own, cache, np.array([[1.0, 2.0, 3.0, 0.0], [0.0, 0.0, 3.0, 5.0], [0.0, 0.0, 4.0, 0.0]]))
    # -2 pi sin: of the first wave -2 pi, 0, 0; of the second one at 2, an eighth of a turn, -2 pi root
    np.testing.assert_allclose(dx[0], [1, 2 - 2 * np.pi * 3 * 0.25], rtol=1e-14)
    np.testing.assert_allclose(dx[1], [0, -2 * np.pi * root * 5 * 0.5], rtol=1e-14)
    np.testing.assert_allclose(gradients["phase"], [[-6 * np.pi, -10 * np.pi * root]], rtol=1e-14)
    np.testing.assert_allclose(gradients["frequency"], [[-6 * np.pi, -20 * np.pi * root]], rtol=1e-14)
    assert layer.output_shape((2,)) == (4,)


@pytest.mark.parametrize("columns", [None, (2, 0)])
def test_the_derivative_is_that_of_autograd(columns):
    layer = pl.PeriodicEmbedding(5, columns, 2.0)
    embedded = [0, 1, 2] if columns is None else list(columns)
    x, w, b = RNG.normal(size=(8, 3)), RNG.normal(size=(len(embedded), 5)), RNG.normal(size=(len(embedded), 5))
    dy = RNG.normal(size=(8, 3 + 5 * len(embedded)))

    def value(x, w, b):
        waves = [anp.cos(2 * np.pi * (x[:, column, None] * w[i] + b[i])) for i, column in enumerate(embedded)]
        return anp.sum(dy * anp.concatenate([x, *waves], axis=1))

    y, cache = layer.forward({"frequency": w, "phase": b}, x, PREDICTION)
    dx, gradients = layer.backward({"frequency": w, "phase": b}, cache, dy)
    np.testing.assert_allclose((dy * y).sum(), value(x, w, b), rtol=1e-12)
    for ours, which in ((dx, 0), (gradients["frequency"], 1), (gradients["phase"], 2)):
        np.testing.assert_allclose(ours, grad(value, which)(x, w, b), rtol=1e-10, atol=1e-12)


def test_a_linear_layer_behind_it_is_a_fourier_series():
    """A square wave: 4 / pi times the sum of sin(2 pi k x) / k for odd k. A sine is a cosine a quarter of a turn behind."""
    k = np.arange(1, 40, 2)
    layer, own = pl.PeriodicEmbedding(len(k)), {"frequency": k[None] * 1.0, "phase": np.full((1, len(k)), -0.25)}
    x = np.linspace(-3, 3, 1001)[:, None]
    y, _ = layer.forward(own, x, PREDICTION)
    inside = np.abs((2 * x[:, 0]) % 1 - 0.5) < 0.4
    np.testing.assert_allclose((y[:, 1:] @ (4 / np.pi / k))[inside], np.sign(np.sin(2 * np.pi * x[inside, 0])), atol=0.1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_wave_far_out_is_that_of_the_rest_of_its_turn(dtype):
    """In whole turns nothing is lost: at 2^20 + 1/4 a wave of one turn a unit is at a quarter, also in float32."""
    layer, own = pl.PeriodicEmbedding(1), {"frequency": np.ones((1, 1), dtype), "phase": np.zeros((1, 1), dtype)}
    x = np.array([[2.0**20 + 0.25], [2.0**20 + 0.125], [2.0**22 + 0.5], [1e30]], dtype)
    y, _ = layer.forward(own, x, pl.Context(dtype=np.dtype(dtype)))
    np.testing.assert_allclose(y[:, 1], [0, np.sqrt(0.5), -1, 1], atol=4 * np.finfo(dtype).eps)


def test_frequencies_are_normal_and_phases_anywhere():
    network = pl.Network([pl.Input(7), pl.PeriodicEmbedding(500, (0, 2, 3, 6), 3.0), pl.Regression()], seed=2)
    frequency, phase = (network.parameters[f"periodic_embedding_1.{name}"] for name in ("frequency", "phase"))
    assert frequency.shape == phase.shape == (4, 500)
    assert stats.kstest(frequency.ravel(), "norm", args=(0, 3)).pvalue > 0.01
    assert stats.kstest(phase.ravel(), "uniform", args=(-0.5, 1)).pvalue > 0.01
    assert np.abs(np.corrcoef(frequency)[np.triu_indices(4, 1)]).max() < 0.2  # each column has its own


def test_penalties_leave_it_alone():
    network = pl.Network([pl.Input(3), pl.PeriodicEmbedding(4), pl.Regression()], dtype="float64")
    x, y = RNG.normal(size=(5, 3)), RNG.normal(size=5)
    plain, priced = network.gradients(x, y), network.gradients(x, y, regularizer=pl.L2(10.0))
    for name in ("frequency", "phase"):
        np.testing.assert_array_equal(plain[f"periodic_embedding_1.{name}"], priced[f"periodic_embedding_1.{name}"])


@pytest.mark.parametrize("bad", [(), (0, 0), (-1,), (0.0,), (True,), [0], 0, "0", None], ids=str)
def test_columns_that_cannot_work_are_refused(bad):
    if bad is None:
        assert pl.PeriodicEmbedding(2, bad).output_shape((3,)) == (9,)
        return
    with pytest.raises(pl.ArgumentError, match=r"PeriodicEmbedding\(columns\)"):
        pl.PeriodicEmbedding(2, bad)


@pytest.mark.parametrize("bad", [0, -1, 1.5, True, None, "3"])
def test_a_number_of_frequencies_that_cannot_work_is_refused(bad):
    with pytest.raises(pl.ArgumentError, match=r"PeriodicEmbedding\(frequencies\)"):
        pl.PeriodicEmbedding(bad)


@pytest.mark.parametrize("bad", [0, -1.0, np.nan, np.inf, 1e7, "1", None, True])
def test_a_sigma_that_cannot_work_is_refused(bad):
    with pytest.raises(pl.ArgumentError, match=r"PeriodicEmbedding\(sigma\)"):
        pl.PeriodicEmbedding(4, None, bad)


@pytest.mark.parametrize("shape", [(2, 3), (3, 2, 2), (2,)])
def test_it_takes_rows_that_have_its_columns(shape):
    with pytest.raises(pl.ShapeError, match="periodic_embedding_1: PeriodicEmbedding"):
        pl.Network([pl.Input(*shape), pl.PeriodicEmbedding(4, (0, 2)), pl.Regression()])
