"""What the chapters show: curves of activations, against the math module, and the loss along a weight."""

from __future__ import annotations

import math

import numpy as np
import pytest
from asking import ask

import pellucid as pl
from pellucid.apps.studio.application import application
from pellucid.apps.studio.pages.learn import activation_curves
from pellucid.apps.studio.session import Session
from pellucid.inspection.arithmetic.loss_along import loss_along


@pytest.mark.parametrize(
    ("name", "f", "slope"),
    [
        ("relu", lambda z: max(z, 0.0), lambda z: float(z > 0)),
        ("tanh", math.tanh, lambda z: 1 - math.tanh(z) ** 2),
        ("sigmoid", lambda z: 1 / (1 + math.exp(-z)), lambda z: math.exp(-z) / (1 + math.exp(-z)) ** 2),
    ],
)
def test_curves_are_those_of_the_math_module(name: str, f: object, slope: object) -> None:
    found = activation_curves()
    curve = next(one for one in found["functions"] if one["name"] == name)
    assert found["z"][0] == -6
    assert found["z"][-1] == 6
    assert curve["values"] == pytest.approx([f(z) for z in found["z"]], abs=1e-12)  # type: ignore[operator]
    assert curve["slopes"] == pytest.approx([slope(z) for z in found["z"]], abs=1e-12)  # type: ignore[operator]


def test_the_curve_of_a_weight_is_that_of_the_model_that_is_asked_for() -> None:
    network = pl.Network([pl.Input(2), pl.Dense(3, "tanh"), pl.Classification(2)], seed=3)
    app = application(Session({"other": pl.Model(pl.Network(network.layers, seed=4)), "plane": pl.Model(network)}))
    asked = "model=plane&sample=xy.0.5,-1&target=1&layer=dense_1&input=1&unit=2"
    found = ask(app, "GET", f"/api/learn/weight?{asked}").json
    assert found == loss_along(network, np.array([0.5, -1], np.float32), 1, "dense_1", 1, 2)
