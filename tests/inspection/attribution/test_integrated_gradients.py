"""Integrated gradients: against closed forms and against quadrature by SciPy, complete to their tolerance, and honest."""

from __future__ import annotations

import numpy as np
import pytest
from attributed_networks import BENT, PIECEWISE_LINEAR, samples_of, scores, shaken, target_of
from scipy.integrate import quad

import pellucid as pl
from pellucid.mathematics.activations import ACTIVATIONS

PATH = "integrated_gradients"


def softplus(z):
    return np.logaddexp(0, z)


@pytest.mark.parametrize(
    ("activation", "f"), [("softplus", softplus), ("sigmoid", lambda z: 1 / (1 + np.exp(-z))), ("tanh", np.tanh)]
)
def test_one_neuron_has_a_closed_form(activation, f):
    """For f(w x + b) the mean derivative on the way is (f(z1) - f(z0)) / (z1 - z0), so contribution_d is that times
    w_d (x_d - x0_d)."""
    network = shaken(pl.Input(4), pl.Dense(1, activation), pl.Regression(use_bias=False), scale=1.0)
    w, b = network.parameters["dense_1.weight"][:, 0], network.parameters["dense_1.bias"]
    v = network.parameters["output.weight"][0, 0]
    x, origin = 2 * samples_of(network), np.array([0.5, -1.0, 0.25, 2.0])
    z1, z0 = x @ w + b, origin @ w + b
    found = pl.attribute(network, x, baseline=origin)
    assert found.method == PATH
    expected = v * w * (x - origin) * ((f(z1) - f(z0)) / (z1 - z0))[:, None]
    np.testing.assert_allclose(found.contributions, expected, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(found.bias_parts["baseline"], v * f(np.broadcast_to(z0, z1.shape)), rtol=1e-12)
    np.testing.assert_array_equal(found.baseline, origin)


@pytest.fixture
def square():
    yield pl.register_activation("square", lambda z: z * z, lambda z, a: 2 * z)
    del ACTIVATIONS["square"]


@pytest.mark.usefixtures("square")
def test_a_product_is_shared_by_both_factors():
    """score = (x1 + x2)^2 - (x1 - x2)^2 = 4 x1 x2, of which each factor gives one half, from the baseline 0."""
    network = shaken(pl.Input(2), pl.Dense(2, "square", use_bias=False), pl.Regression(use_bias=False))
    network.parameters["dense_1.weight"] = np.array([[1.0, 1.0], [1.0, -1.0]])
    network.parameters["output.weight"] = np.array([[1.0], [-1.0]])
    found = pl.attribute(network, np.array([[3.0, 0.5], [-2.0, 4.0]]))
    np.testing.assert_allclose(found.contributions, [[3, 3], [-16, -16]], rtol=1e-12)


def test_two_layers_agree_with_scipy():
    """The gradient of tanh and gelu layers written out here, and integrated by adaptive quadrature."""
    network = shaken(pl.Input(3), pl.Dense(4, "tanh"), pl.Dense(3, "softplus"), pl.Classification(2))
    w1, b1, w2, b2, w3 = (
        network.parameters[name]
        for name in ("dense_1.weight", "dense_1.bias", "dense_2.weight", "dense_2.bias", "output.weight")
    )

    def derivative(point, d, target):
        h = np.tanh(point @ w1 + b1)
        slope = 1 / (1 + np.exp(-(h @ w2 + b2)))
        return float((w1[d] * (1 - h * h)) @ w2 @ (slope * w3[:, target]))

    x, origin = 3 * samples_of(network, 4), np.array([0.3, -0.2, 0.1])
    found = pl.attribute(network, x, 1, baseline=origin)
    for b in range(4):
        for d in range(3):
            mean, _ = quad(lambda t, b=b, d=d: derivative(origin + t * (x[b] - origin), d, 1), 0, 1, epsabs=1e-13)
            assert found.slopes[b, d] == pytest.approx(mean, rel=1e-6, abs=1e-8)
            assert found.contributions[b, d] == pytest.approx(mean * (x[b, d] - origin[d]), rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("name", BENT)
def test_the_sum_is_complete_for_every_layer_that_bends(name):
    network = shaken(*BENT[name])
    x = samples_of(network)
    target = target_of(network, x)
    found = pl.attribute(network, x, target)
    assert found.method == PATH
    gained = scores(network, x, target) - scores(network, np.zeros_like(x), target)
    total = found.contributions.reshape(len(x), -1).sum(axis=1)
    largest = np.maximum(np.abs(scores(network, x, target)), np.abs(scores(network, np.zeros_like(x), target)))
    assert (np.abs(total - gained) < 1.001e-5 * largest).all()
    np.testing.assert_allclose(found.gap, gained - total, atol=1e-12)


@pytest.mark.parametrize("name", ["dense", "images", "blocks"])
def test_corners_are_closed_in_upon(name):
    """Where relu and max pooling bend, fixed steps would converge slowly; halving finds the corners."""
    network = shaken(*PIECEWISE_LINEAR[name])
    x = samples_of(network, 2)
    found = pl.attribute(network, x, 1, PATH, tolerance=1e-3, max_steps=20_000)
    np.testing.assert_allclose(found.score, network.forward(x)[:, 1], rtol=1e-12)
    scale = np.maximum(np.abs(found.score), np.abs(found.bias))
    assert (np.abs(found.gap) <= 1e-3 * scale).all()


def test_one_corner_by_hand():
    """relu(x1 + x2 - 1) from 0 to (2, 1): the neuron wakes after a third of the way, so each gets 2/3 of x_d: 4/3, 2/3.
    The corner lies inside of a stretch for ever, since 1/3 is no sum of halves."""
    network = shaken(pl.Input(2), pl.Dense(1, "relu"), pl.Regression(use_bias=False))
    network.parameters["dense_1.weight"] = np.ones((2, 1))
    network.parameters["dense_1.bias"] = np.array([-1.0])
    network.parameters["output.weight"] = np.ones((1, 1))
    found = pl.attribute(network, np.array([[2.0, 1.0]]), method=PATH, tolerance=1e-8)
    np.testing.assert_allclose(found.contributions, [[4 / 3, 2 / 3]], rtol=1e-7)
    exact = pl.attribute(network, np.array([[2.0, 1.0]]))
    np.testing.assert_array_equal(exact.contributions, [[2, 1]])
    assert exact.bias == -1


def test_a_linear_network_needs_one_round_and_agrees_with_the_exact_split():
    network = shaken(pl.Input(3), pl.Dense(4), pl.Regression())
    x = samples_of(network)
    path, exact = pl.attribute(network, x, method=PATH), pl.attribute(network, x)
    np.testing.assert_allclose(path.contributions, exact.contributions, rtol=1e-12, atol=1e-14)
    assert len(set(path.steps.tolist())) == 1


def test_more_steps_are_taken_where_less_error_is_allowed_and_no_more_than_are_allowed():
    network = shaken(pl.Input(6), pl.Dense(30, "relu"), pl.Dense(20, "relu"), pl.Regression(), scale=1.0)
    x = 3 * samples_of(network, 5)
    steps, gaps = [], []
    for tolerance in (1e-2, 1e-4, 1e-6):
        found = pl.attribute(network, x, method=PATH, tolerance=tolerance, max_steps=10**6)
        steps.append(found.steps.sum())
        gaps.append(np.abs(found.gap).max())
        assert (np.abs(found.gap) <= 1.01 * tolerance * 50 * np.abs(found.score).max()).all()
    assert steps[0] < steps[1] < steps[2]
    assert gaps[2] < gaps[0]
    short = pl.attribute(network, x, method=PATH, tolerance=1e-9, max_steps=100)
    assert (short.steps <= 100).all()
    assert short.relative_gap.max() > 1e-9  # too few, and the gap says so


def test_nothing_is_given_to_a_sample_that_is_the_baseline():
    network = shaken(*BENT["tanh"])
    found = pl.attribute(network, np.full((1, 5), 0.5), 0, baseline=0.5)
    assert (found.contributions == 0).all()
    np.testing.assert_allclose(found.bias, found.score, rtol=1e-14)
    np.testing.assert_allclose(found.gap, 0, atol=1e-14)


def test_pixels_go_their_way_as_numbers():
    network = shaken(pl.Input(4, 4), pl.Conv2D(2, 3, "tanh"), pl.Classification(3))
    pixels = np.random.default_rng(1).integers(0, 256, (3, 4, 4), np.uint8)
    of_bytes, of_numbers = (pl.attribute(network, x, 1) for x in (pixels, pixels * (1 / 255)))
    np.testing.assert_allclose(of_bytes.contributions, of_numbers.contributions, rtol=1e-10, atol=1e-13)
    assert of_bytes.relative_gap.max() < 1e-5
