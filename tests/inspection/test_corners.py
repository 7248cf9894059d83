"""Gradients at corners: both slopes are right there, and a wrong derivative beside one is still found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from gradient_reports import verdicts

import pellucid as pl

RNG = np.random.default_rng(8)
X, Y = RNG.normal(size=(9, 4)), RNG.integers(0, 3, 9)


def corner_cases():
    """What sits on corners: name -> (arguments, how many comparisons are at one, of how many)."""
    digits = pl.datasets.digits()[0][0][:3]
    row_of_zeros = X * (np.arange(9) != 4)[:, None]
    pixels = [pl.Input(6, 6, 1), pl.Conv2D(4, activation="relu"), pl.MaxPooling2D(2), pl.Classification(3)]
    corners = {"relu": 1, "relu6": 1, "leaky_relu": 1, "selu": 1, "hard_sigmoid": 2, "elu": 0, "tanh": 0}
    return {
        **{name: ((name, np.linspace(-3, 3, 7)), count, 4 + count) for name, count in corners.items()},
        "relu of zeros": (("relu", np.zeros((2, 3))), 6, 10),
        "pooling of digits": ((pl.MaxPooling2D(2), digits), 4, 4),
        "a row of zeros": ((pl.Dense(3, "relu", use_bias=False), row_of_zeros), 4, 8),
        "L1 of zeros": ((pl.L1(0.1), np.array([0.0, 0.0, 1.0, -2.0])), 4, 4),
        "no error at all": ((pl.MeanAbsoluteError(), X, X), 4, 4),
        "a batch of zeros": ((pl.Network(pixels), np.zeros((6, 6, 6, 1)), np.arange(6) % 3), 4, 20),
    }


CORNERS = corner_cases()


class TestCorners:
    """At a corner the slopes of both sides are right, and of many corners any mixture: no right derivative is accused."""

    @pytest.mark.parametrize("name", CORNERS)
    @pytest.mark.parametrize("seed", range(5))
    def test_a_right_derivative_is_right_at_a_corner_and_the_corners_are_counted(self, name, seed):
        arguments, corners, comparisons = CORNERS[name]
        report = pl.gradcheck(*arguments, seed=seed, allow_zero=("conv2d_1.weight",))
        assert (report.corners, sum(row.comparisons for row in report.rows)) == (corners, comparisons)
        said = f"at a corner: {corners} of {comparisons} comparisons"
        assert (said in str(report)) == (corners > 0)
        assert str(report).count("at a corner") == (2 if corners else 0)

    @pytest.mark.usefixtures("clean_table")
    @pytest.mark.parametrize(
        "fault", ["sign", "1 %", "left side", "right side", "one unit", "at the corner", "not a number"]
    )
    @pytest.mark.parametrize("seed", range(5))
    def test_a_wrong_derivative_beside_a_corner_is_found(self, fault, seed):
        def slope(z, a):
            right = np.where(z > 0, 1.0, 0.25)
            one = np.arange(z.size).reshape(z.shape) == 3
            return {
                "sign": -right,
                "1 %": 1.01 * right,
                "left side": np.where(z > 0, 1.0, 0.2525),
                "right side": np.where(z > 0, 1.01, 0.25),
                "one unit": right * np.where(one, 1.01, 1.0),
                "at the corner": np.where(z == 0, 1.01, right),
                "not a number": np.where(z == 0, np.nan, right),
            }[fault]

        z = np.array([-2.0, 0.0, -1.0, 1.0, 0.0, 2.0, 0.0])
        pl.register_activation("bent", lambda z: np.maximum(z, 0.25 * z), slope)
        report = pl.gradcheck("bent", z, seed=seed, raise_error=False)
        assert verdicts(report) == {"z": "WRONG"}
        assert report.corners == 3
        if fault in ("at the corner", "not a number"):
            return  # in a layer, what is chosen exactly at a corner is nobody's business
        x = X * (np.arange(9) % 2)[:, None]  # every second row sits on the corners of all units
        layer = pl.Dense(3, "bent", use_bias=False)
        assert verdicts(pl.gradcheck(layer, x, seed=seed, raise_error=False)) == {"weight": "WRONG", "x": "WRONG"}
        network = pl.Network([pl.Input(4), layer, pl.Classification(3)], seed=seed)
        found = verdicts(pl.gradcheck(network, np.zeros((9, 4)), Y, seed=seed, raise_error=False))
        assert found["x"] == "WRONG"

    @pytest.mark.parametrize("factor", [-1.0, 1.01])
    def test_a_wrong_pooling_is_found_where_all_windows_are_even(self, factor):
        @dataclass(frozen=True)
        class Crooked(pl.MaxPooling2D):
            def backward(self, parameters, cache, dy):
                dx, gradients = super().backward(parameters, cache, dy)
                return factor * dx, gradients

        report = pl.gradcheck(Crooked(2), np.zeros((2, 6, 6, 1)), raise_error=False)
        assert (verdicts(report), report.corners) == ({"x": "WRONG"}, 4)

    def test_a_corner_is_said_only_where_there_is_one(self):
        """A strongly bent but smooth function, and points close beside a corner."""
        assert pl.gradcheck("tanh", 100 * X).corners == 0
        assert pl.gradcheck("relu", np.array([1e-3, -1e-3, 1.0])).corners == 0
        assert pl.gradcheck("relu", np.array([0.0, 1.0])).corners == 1
