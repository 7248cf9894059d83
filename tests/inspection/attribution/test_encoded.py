"""Integrated gradients behind the encoding of a table: against quadrature by SciPy, complete where plain ones are not."""

from __future__ import annotations

import numpy as np
import pytest
from attributed_networks import samples_of, shaken
from scipy.integrate import quad
from small_tables import with_bins

import pellucid as pl
from pellucid.inspection.attribution.case import FLOAT64
from pellucid.inspection.attribution.integrated_gradients import integrate

EDGES = ((-1.0, 0.0, 0.5, 1.0), (), tuple(np.linspace(-2, 2, 41)))
OWNER = np.array([0, 1, 2, *[0] * 3, *[2] * 40])  # the column of each number of the encoding


def network():
    return shaken(pl.Input(3), pl.PiecewiseLinearEncoding(EDGES, 0.7), pl.Dense(4, "tanh"), pl.Regression())


def test_each_column_gets_what_its_numbers_give_on_the_straight_way_behind_the_encoding():
    """score = v tanh(W e + b) + c; mean dscore/de over the way from e(x0) to e(x) by adaptive quadrature."""
    net, origin = network(), np.array([0.25, -0.5, 1.13])
    x = 1.5 * samples_of(net, 4)
    w, b, v = (net.parameters[name] for name in ("dense_1.weight", "dense_1.bias", "output.weight"))
    found = pl.attribute(net, x, baseline=origin)
    start, *ends = with_bins(np.vstack([origin, x]), net.layers[1])

    def bend(t, way, j):
        return 1 - np.tanh((start + t * way) @ w[:, j] + b[j]) ** 2

    for k, end in enumerate(ends):
        way = end - start
        slopes = np.array([v[j, 0] * quad(bend, 0, 1, (way, j))[0] for j in range(4)])
        given = way * (w @ slopes)
        np.testing.assert_allclose(found.contributions[k], np.bincount(OWNER, given, 3), rtol=1e-7, atol=1e-9)


def test_the_sum_is_complete_with_few_steps_where_the_plain_way_meets_many_corners():
    net = network()
    x = 1.5 * samples_of(net, 20)
    found = pl.attribute(net, x, max_steps=64)
    assert found.relative_gap.max() < 1e-9
    assert found.steps.max() <= 64
    stack = net.twin(FLOAT64)
    plain = [integrate(stack, one, np.zeros(3), np.ones(1), 1e-5, 64)[0] @ one for one in x]
    gaps = np.abs(net.forward(x)[:, 0] - net.forward(np.zeros((1, 3)))[0, 0] - plain)
    assert np.median(gaps) > 1e3 * np.abs(found.gap).max()


def test_a_column_that_stays_gives_nothing_and_has_the_slope_of_the_network_there():
    net = network()
    x = np.array([[0.3, 0.7, -1.03]])
    found = pl.attribute(net, x, baseline=[0.3, 0.7, -1.03])
    np.testing.assert_array_equal(found.contributions, 0)
    step = 1e-6
    for d in range(3):
        moved = np.eye(3)[d] * step
        slope = (net.forward(x + moved) - net.forward(x - moved))[0, 0] / (2 * step)
        assert found.slopes[0, d] == pytest.approx(slope, rel=1e-6)


def test_without_bins_it_is_the_plain_way():
    """An encoding that adds nothing changes nothing."""
    layers = (pl.Dense(4, "gelu"), pl.Classification(3))
    plain = shaken(pl.Input(3), *layers)
    encoded = pl.Network([pl.Input(3), pl.PiecewiseLinearEncoding(((), (), ())), *layers], dtype="float64")
    for name in plain.parameters:
        encoded.parameters[name] = plain.parameters[name]
    x = samples_of(plain, 5)
    one, other = (pl.attribute(each, x, 1, against=0) for each in (plain, encoded))
    np.testing.assert_allclose(one.contributions, other.contributions, rtol=1e-12)
    np.testing.assert_array_equal(one.steps, other.steps)
