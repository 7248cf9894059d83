"""Initializers: the published variances within their sampling bounds, the ends of the uniform ones, orthogonality."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import pellucid as pl
from pellucid.core import random
from pellucid.mathematics.activations import ACTIVATIONS
from pellucid.mathematics.initializers import INITIALIZERS, initializer

KEY = random.key(1, random.Purpose.INITIALIZE, 0)
SHAPES = [(400, 100), (50, 900), (20, 20, 100), (3, 5, 20, 200)]

# name -> (variance of W (D, U), kurtosis - 3), from the papers: He 2015 eq. 10, Glorot 2010 eq. 16, LeCun 1998 eq. 16
PUBLISHED = {
    "he_normal": (lambda d, u: 2 / d, 0.0),
    "he_uniform": (lambda d, u: 2 / d, -1.2),
    "glorot_normal": (lambda d, u: 2 / (d + u), 0.0),
    "glorot_uniform": (lambda d, u: 2 / (d + u), -1.2),
    "lecun_normal": (lambda d, u: 1 / d, 0.0),
    "lecun_uniform": (lambda d, u: 1 / d, -1.2),
}


def test_every_named_initializer_is_covered_here():
    assert set(INITIALIZERS) == set(PUBLISHED) | {"orthogonal", "zeros", "ones", "random_signs"}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", PUBLISHED)
def test_mean_and_variance_within_sampling_bounds(name, shape):
    """n draws: the mean has the standard error sqrt(v/n), the variance v sqrt((kurtosis - 1)/n). Six errors are allowed."""
    formula, excess = PUBLISHED[name]
    fan_in, fan_out, n = math.prod(shape[:-1]), math.prod(shape[:-2]) * shape[-1], math.prod(shape)
    variance = formula(fan_in, fan_out)
    w = initializer(name).draw(shape, KEY)
    assert w.shape == shape
    assert w.dtype == np.float64
    assert abs(w.mean()) < 6 * math.sqrt(variance / n)
    bound = 6 * math.sqrt((excess + 2) / n)
    assert bound < 0.05  # far below the factor 2 that separates the formulas
    assert abs(w.var() / variance - 1) < bound
    # each row and each column too, not only the whole: no unit is favoured
    matrix = w.reshape(fan_in, shape[-1])
    for axis, count in ((0, fan_in), (1, shape[-1])):
        assert np.abs(matrix.mean(axis=axis)).max() < 6 * math.sqrt(variance / count)


@pytest.mark.parametrize("name", [n for n in PUBLISHED if n.endswith("uniform")])
def test_uniform_fills_its_interval_and_never_leaves_it(name):
    w = initializer(name).draw((300, 200), KEY)
    bound = math.sqrt(3 * PUBLISHED[name][0](300, 200))
    assert w.min() >= -bound
    assert w.max() <= bound
    assert stats.kstest(w.ravel(), stats.uniform(-bound, 2 * bound).cdf).pvalue > 1e-6


@pytest.mark.parametrize("name", [n for n in PUBLISHED if n.endswith("normal")])
def test_normal_is_normal_and_not_truncated(name):
    w = initializer(name).draw((300, 200), KEY) / math.sqrt(PUBLISHED[name][0](300, 200))
    assert stats.kstest(w.ravel(), "norm").pvalue > 1e-6
    assert np.abs(w).max() > 3.5  # P(none of 60,000) = 1e-12


@given(rows=st.integers(1, 40), columns=st.integers(1, 40), seed=st.integers(0, 1000), gain=st.floats(0.1, 5))
def test_orthogonal(rows, columns, seed, gain):
    w = pl.Orthogonal(gain).draw((rows, columns), random.key(seed))
    product = w.T @ w if rows >= columns else w @ w.T
    np.testing.assert_allclose(product, gain**2 * np.eye(min(rows, columns)), atol=1e-12 * gain**2)


def test_orthogonal_is_uniform_over_the_rotations():
    """Haar: an element of a 3 x 3 rotation is uniform on [-1, 1] (Archimedes), and the determinant is as often -1 as 1."""
    draws = np.array([pl.Orthogonal().draw((3, 3), random.key(seed)) for seed in range(2000)])
    for i in range(3):
        for j in range(3):
            assert stats.kstest(draws[:, i, j], stats.uniform(-1, 2).cdf).pvalue > 1e-7
    assert stats.binomtest(int((np.linalg.det(draws) > 0).sum()), 2000).pvalue > 1e-7


def test_constants():
    assert (initializer("zeros").draw((3, 4), KEY) == 0).all()
    assert (initializer("ones").draw((3, 4), KEY) == 1).all()
    assert (pl.Constant(-2.5).draw((3, 4), KEY) == -2.5).all()


def test_random_signs_are_both_alike_often():
    signs = initializer("random_signs").draw((300, 200), KEY)
    assert set(np.unique(signs)) == {-1.0, 1.0}
    assert stats.binomtest(int((signs > 0).sum()), signs.size).pvalue > 1e-7
    for axis, count in ((0, 300), (1, 200)):  # 500 sums of +1 and -1: none beyond six deviations
        assert np.abs(signs.sum(axis=axis)).max() < 6 * math.sqrt(count)


def test_normal_numbers_have_their_mean_and_deviation():
    drawn = pl.Normal(1.0, 0.5).draw((300, 200), KEY)
    assert stats.kstest(drawn.ravel(), stats.norm(1.0, 0.5).cdf).pvalue > 1e-6
    assert (pl.Normal(-2.5, 0.0).draw((3, 4), KEY) == -2.5).all()


@pytest.mark.parametrize("name", [*PUBLISHED, "orthogonal", "random_signs"])
def test_the_key_decides_everything(name):
    draw = initializer(name).draw
    np.testing.assert_array_equal(draw((30, 20), KEY), draw((30, 20), KEY))
    other = draw((30, 20), random.key(2, random.Purpose.INITIALIZE, 0))
    assert abs(np.corrcoef(draw((30, 20), KEY).ravel(), other.ravel())[0, 1]) < 6 / math.sqrt(600)


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_dense_draws_by_its_activation(name):
    """He for the kin of ReLU, LeCun for SELU, Glorot for the symmetric ones: told apart by variance and distribution."""
    wanted = {"selu": "lecun_normal", **dict.fromkeys(("identity", "sigmoid", "hard_sigmoid", "tanh"), "glorot_uniform")}
    variance, _ = PUBLISHED[wanted.get(name, "he_normal")]
    network = pl.Network([pl.Input(300), pl.Dense(150, name), pl.Regression()], dtype="float64")
    w = network.parameters["dense_1.weight"]
    assert w.var() / variance(300, 150) == pytest.approx(1, abs=6 * math.sqrt(2 / w.size))
    uniform = np.abs(w).max() <= math.sqrt(3 * variance(300, 150))
    assert uniform == (wanted.get(name) == "glorot_uniform")
    assert not network.parameters["dense_1.bias"].any()


def test_an_initializer_given_to_dense_takes_the_place_of_the_default():
    layers = [
        pl.Input(6),
        pl.Dense(4, "relu", initializer=pl.Orthogonal(2.0)),
        pl.Dense(3, initializer="ones"),
        pl.Regression(),
    ]
    network = pl.Network(layers, dtype="float64")
    w = network.parameters["dense_1.weight"]
    np.testing.assert_allclose(w.T @ w, 4 * np.eye(4), atol=1e-12)
    assert (network.parameters["dense_2.weight"] == 1).all()


def test_layers_of_one_network_are_drawn_independently():
    layers = [pl.Input(50), pl.Dense(50, "tanh"), pl.Dense(50, "tanh"), pl.Dense(50, "tanh"), pl.Regression()]
    p = pl.Network(layers, seed=3).parameters
    for a, b in ((1, 2), (2, 3), (1, 3)):
        r = np.corrcoef(p[f"dense_{a}.weight"].ravel(), p[f"dense_{b}.weight"].ravel())[0, 1]
        assert abs(r) < 6 / 50


def test_the_signal_keeps_its_size_through_twenty_layers_of_relu():
    """He et al. (2015): the mean square of the pre-activations stays 1; with variance 1/D it would shrink by 2^-20.

    Var of the mean square of a layer of 500 units is about 5/500 relative; over 20 layers its log walks about
    sqrt(20 * 5/500) = 0.45, and e^(4 * 0.45) = 6 is far from 2^20.
    """
    x = random.normal(random.key(5), (64, 500))
    first = x @ initializer("he_normal").draw((500, 500), random.key(0))
    z = first
    for layer in range(1, 20):
        z = np.maximum(z, 0) @ initializer("he_normal").draw((500, 500), random.key(layer))
    assert np.square(first).mean() == pytest.approx(2, rel=0.1)
    assert 1 / 6 < np.square(z).mean() / np.square(first).mean() < 6


def test_so_it_does_in_a_network_with_the_default_initializer():
    layers = [pl.Input(400), *(pl.Dense(400, "relu") for _ in range(20)), pl.Regression()]
    network = pl.Network(layers, seed=1, dtype="float64")
    x = random.normal(random.key(6), (64, 400))
    outputs = network.propagate(x, training=True).outputs
    assert 1 / 6 < np.square(outputs[20]).mean() / np.square(outputs[1]).mean() < 6


@pytest.mark.parametrize(
    "make",
    [
        lambda: pl.VarianceScaling(0.0, "fan_in", "normal"),
        lambda: pl.VarianceScaling(1.0, "fan_out", "normal"),
        lambda: pl.VarianceScaling(1.0, "fan_in", "cauchy"),
        lambda: pl.Constant(float("nan")),
        lambda: pl.Orthogonal(-1.0),
        lambda: initializer("he"),
        lambda: initializer(3),
        lambda: pl.Dense(3, initializer="no"),
    ],
)
def test_what_cannot_work_is_refused(make):
    with pytest.raises(pl.ArgumentError):
        make()
