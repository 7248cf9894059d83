"""GroupedDense: by hand, by autograd, as a dense layer with zeros between the groups, and behind bins."""

from __future__ import annotations

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad

import pellucid as pl

F64 = np.dtype(np.float64)
RNG = np.random.default_rng(71)
PREDICTION = pl.Context(dtype=F64)
GROUPS = ((4, 1), (0, 2, 5))  # of seven columns: 3 and 6 go through


def arrays(layer, inputs):
    return {spec.name: RNG.normal(size=spec.shape) for spec in layer.parameter_specs((inputs,))}


def test_by_hand():
    """The columns 2 and 0 become 2 numbers: x_2 (1, 10) + x_0 (2, -1) + (0.5, 0); column 1 goes through."""
    layer = pl.GroupedDense(((2, 0),), 2)
    own = {"weight": np.array([[1.0, 10.0], [2.0, -1.0]]), "bias": np.array([[0.5, 0.0]])}
    x = np.array([[1.0, 7.0, 3.0], [0.0, 8.0, -1.0]])
    y, cache = layer.forward(own, x, PREDICTION)
    np.testing.assert_array_equal(y, [[7, 5.5, 29], [8, -0.5, -10]])
    dx, gradients = layer.backward(own, cache, np.array([[9.0, 1.0, 0.0], [4.0, 2.0, 1.0]]))
    np.testing.assert_array_equal(dx, [[2, 9, 1], [3, 4, 12]])  # column 0: 1*2, 2*2 - 1; column 2: 1*1, 2*1 + 1*10
    np.testing.assert_array_equal(gradients["weight"], [[3 - 2, -1], [1, 0]])
    np.testing.assert_array_equal(gradients["bias"], [[3, 1]])


def test_the_derivative_is_that_of_autograd():
    layer = pl.GroupedDense(GROUPS, 3)
    own, x, dy = arrays(layer, 7), RNG.normal(size=(8, 7)), RNG.normal(size=(8, 8))

    def value(x, weight, bias):
        parts, row = [x[:, [3, 6]]], 0
        for g, group in enumerate(GROUPS):
            parts.append(anp.dot(x[:, list(group)], weight[row : row + len(group)]) + bias[g])
            row += len(group)
        return anp.sum(dy * anp.concatenate(parts, axis=1))

    y, cache = layer.forward(own, x, PREDICTION)
    dx, gradients = layer.backward(own, cache, dy)
    np.testing.assert_allclose((dy * y).sum(), value(x, **own), rtol=1e-12)
    for ours, which in ((dx, 0), (gradients["weight"], 1), (gradients["bias"], 2)):
        np.testing.assert_allclose(ours, grad(value, which)(x, own["weight"], own["bias"]), rtol=1e-11, atol=1e-13)


def test_it_is_a_dense_layer_whose_other_weights_are_zero():
    layer = pl.GroupedDense(GROUPS, 3)
    own, x = arrays(layer, 7), RNG.normal(size=(5, 7))
    whole, bias = np.zeros((7, 8)), np.zeros(8)
    whole[3, 0] = whole[6, 1] = 1
    whole[[4, 1], 2:5], whole[[0, 2, 5], 5:] = own["weight"][:2], own["weight"][2:]
    bias[2:] = own["bias"].ravel()
    expected, kept = pl.Dense(8).forward({"weight": whole, "bias": bias}, x, PREDICTION)
    y, cache = layer.forward(own, x, PREDICTION)
    np.testing.assert_allclose(y, expected, rtol=1e-13)
    dy = RNG.normal(size=y.shape)
    dx, gradients = layer.backward(own, cache, dy)
    dense_dx, of_dense = pl.Dense(8).backward({"weight": whole, "bias": bias}, kept, dy)
    np.testing.assert_allclose(dx, dense_dx, rtol=1e-12)
    np.testing.assert_allclose(gradients["weight"][2:], of_dense["weight"][[0, 2, 5], 5:], rtol=1e-12)


def test_behind_bins_it_starts_as_lines_and_can_be_any_broken_line():
    encoding = pl.PiecewiseLinearEncoding(((0.0, 1.0, 3.0), (), (-1.0, 0.5)), 1.0)
    layer = pl.GroupedDense.of_bins(encoding, 4)
    assert layer.groups == ((0, 3, 4), (2, 5))
    network = pl.Network([pl.Input(3), encoding, layer, pl.Regression()], seed=4, dtype="float64")
    weight = network.parameters["grouped_dense_1.weight"]
    assert (weight[[1, 2, 4]] == 0).all()
    assert np.unique(weight[[0, 3]]).size == 8
    assert np.abs(weight).max() <= 1
    assert (network.parameters["grouped_dense_1.bias"] == 0).all()
    corners, heights = np.array([0.0, 1.0, 3.0]), np.array([2.0, -1.0, 5.0])
    own = {"weight": np.zeros((5, 1)), "bias": np.array([[2.0], [0.0]])}
    own["weight"][1:3, 0] = np.diff(heights)  # from corner to corner
    x = np.linspace(0, 3, 31)[:, None] * [1.0, 0.0, 0.0]
    encoded, _ = encoding.forward({}, x, PREDICTION)
    y, _ = pl.GroupedDense(layer.groups, 1).forward(own, encoded, PREDICTION)
    np.testing.assert_allclose(y[:, 1], np.interp(x[:, 0], corners, heights), atol=1e-12)


def test_the_first_weights_are_uniform_between_minus_one_and_one():
    layer = pl.GroupedDense(tuple((2 * g, 2 * g + 1) for g in range(50)), 40)
    weight = pl.Network([pl.Input(100), layer, pl.Regression()], seed=6).parameters["grouped_dense_1.weight"]
    first = weight[::2].ravel()
    assert (weight[1::2] == 0).all()
    assert np.abs(first.mean()) < 4 / np.sqrt(3 * first.size)  # four standard errors of a mean of uniform numbers
    np.testing.assert_allclose(np.quantile(first, [0.1, 0.5, 0.9]), [-0.8, 0, 0.8], atol=0.06)


def test_a_penalty_and_decay_act_on_the_weight_alone():
    specs = {spec.name: spec for spec in pl.GroupedDense(GROUPS, 3).parameter_specs((7,))}
    assert specs["weight"].is_weight
    assert not specs["bias"].is_weight


@pytest.mark.parametrize("groups", [(), ((),), ((0, 0),), ((0, 1), (1,)), ((-1,),), ((0.0,),), ((True,),), ([0],), 3, "01"])
def test_groups_that_are_none_are_refused(groups):
    with pytest.raises(pl.ArgumentError, match="GroupedDense"):
        pl.GroupedDense(groups, 2)


def test_a_row_that_is_too_short_is_refused():
    with pytest.raises(pl.ShapeError, match=r"the column 5 of a row; samples of the shape \(5,\)"):
        pl.Network([pl.Input(5), pl.GroupedDense(GROUPS, 2), pl.Regression()])
    with pytest.raises(pl.ShapeError, match="GroupedDense"):
        pl.Network([pl.Input(3, 7), pl.GroupedDense(GROUPS, 2), pl.Flatten(), pl.Regression()])
