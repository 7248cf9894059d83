"""The loss along a weight, against networks that have each weight of the curve."""

from __future__ import annotations

import math

import numpy as np
import pytest

import pellucid as pl
from pellucid.inspection.arithmetic.loss_along import loss_along

LAYERS = [pl.Input(3), pl.Dense(4, "tanh"), pl.Classification(2)]
X = np.array([0.5, -1.0, 2.0], np.float32)


@pytest.fixture
def network() -> pl.Network:
    return pl.Network(LAYERS, seed=3)


def test_the_loss_along_a_weight_is_that_of_networks_with_that_weight(network: pl.Network) -> None:
    found = loss_along(network, X, 1, "dense_1", 2, 1)
    for weight, loss in list(zip(found["weights"], found["losses"], strict=True))[::8]:
        other = pl.Network(LAYERS, seed=3, dtype="float64")
        for name, array in network.parameters.items():
            other.parameters[name] = array
        other.parameters["dense_1.weight"][2, 1] = weight
        p = other.predict_proba(X[None])[0, 1]
        assert loss == pytest.approx(-math.log(p), rel=1e-12)


def test_the_gradient_is_the_slope_of_that_curve(network: pl.Network) -> None:
    found = loss_along(network, X, 0, "output", 3, 1)
    middle = len(found["weights"]) // 2
    assert found["weights"][middle] == found["weight"]
    assert found["losses"][middle] == pytest.approx(found["loss"], rel=1e-12)
    (w0, w1), (l0, l1) = (found[name][middle - 1 : middle + 2 : 2] for name in ("weights", "losses"))
    assert (l1 - l0) / (w1 - w0) == pytest.approx(found["gradient"], rel=2e-3)


@pytest.mark.parametrize(("weight", "reach"), [(0.25, 1.0), (-3.0, 6.0)])
def test_the_curve_reaches_beyond_0_on_both_sides(weight: float, reach: float) -> None:
    network = pl.Network(LAYERS, seed=3)
    network.parameters["dense_1.weight"][0, 0] = weight
    tried = loss_along(network, X, 0, "dense_1", 0, 0)["weights"]
    assert (tried[0], tried[-1]) == (weight - reach, weight + reach)


def test_the_slope_is_that_of_the_loss_alone() -> None:
    """Of a layer with a penalty of its own too; and dL/dz is there where the input is 0."""
    layers = [pl.Input(3), pl.Dense(2, "tanh", regularizer=pl.L2(0.5)), pl.Classification(2, regularizer=pl.L1(0.5))]
    network = pl.Network(layers, seed=3)
    for x in (X, np.zeros_like(X)):
        z = network.trace(x[None]).layer("output").output[0]
        p = np.exp(z) / np.exp(z).sum()
        found = loss_along(network, x, 0, "output", 1, 1)
        assert found["dsum"] == pytest.approx(p[1], rel=1e-12)  # p - y
        assert found["gradient"] == found["input"] * found["dsum"]
        middle = len(found["weights"]) // 2
        (w0, w1), (l0, l1) = (found[name][middle - 1 : middle + 2 : 2] for name in ("weights", "losses"))
        assert (l1 - l0) / (w1 - w0) == pytest.approx(found["gradient"], rel=2e-3, abs=1e-9)


def test_the_network_is_not_touched(network: pl.Network) -> None:
    before = network.parameters.vector.copy()
    loss_along(network, X, 0, "dense_1", 0, 0)
    assert (network.parameters.vector == before).all()


@pytest.mark.parametrize("place", [("dense_1", 3, 0), ("dense_1", 0, 4), ("dense_9", 0, 0), ("input", 0, 0)])
def test_a_weight_that_is_not_there_is_named(network: pl.Network, place: tuple[str, int, int]) -> None:
    with pytest.raises(pl.ArgumentError, match=place[0]):
        loss_along(network, X, 0, *place)


def test_a_regression_has_no_classes() -> None:
    with pytest.raises(pl.ArgumentError, match="classes"):
        loss_along(pl.Network([pl.Input(3), pl.Regression()]), X, 0, "output", 0, 0)
