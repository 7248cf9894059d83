"""Every row of the table: value and derivative against independent formulas, far limits, precision, types."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import special

import pellucid as pl
from pellucid.mathematics.activations import ACTIVATIONS, activation, softmax

EPS64, EPS32 = np.finfo(np.float64).eps, np.finfo(np.float32).eps
# Klambauer et al. (2017) define the constants of SELU by E[selu(z)] = 0 and E[selu(z)^2] = 1 for a standard normal z. With
# E[z; z > 0] = 1/sqrt(2 pi) and E[e^kz; z < 0] = e^(k^2/2) cdf(-k), both equations are solved in closed form:
_BELOW1, _BELOW2 = math.exp(0.5) * special.ndtr(-1), math.exp(2) * special.ndtr(-2)
_SELU_ALPHA = 1 / math.sqrt(2 * math.pi) / (0.5 - _BELOW1)
_SELU_SCALE = 1 / math.sqrt(0.5 + _SELU_ALPHA**2 * (_BELOW2 - 2 * _BELOW1 + 0.5))


def gelu(z: float) -> float:
    return 0.5 * z * (1 + math.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3)))


def gelu_slope(z: float) -> float:
    u = math.sqrt(2 / math.pi) * (z + 0.044715 * z**3)
    sech2 = 1 / math.cosh(min(abs(u), 300.0)) ** 2
    return 0.5 * (1 + math.tanh(u)) + 0.5 * z * sech2 * math.sqrt(2 / math.pi) * (1 + 0.134145 * z**2)


def logistic(z: float) -> float:
    return float(special.expit(z))


# name -> (value, derivative): scalar formulas from the cited papers, with scipy and math in place of NumPy
REFERENCE = {
    "identity": (lambda z: z, lambda z: 1.0),
    "relu": (lambda z: max(z, 0.0), lambda z: float(z > 0)),
    "relu6": (lambda z: min(max(z, 0.0), 6.0), lambda z: float(0 < z < 6)),
    "leaky_relu": (lambda z: z if z > 0 else z / 100, lambda z: 1.0 if z > 0 else 0.01),
    "elu": (lambda z: z if z > 0 else math.expm1(z), lambda z: 1.0 if z > 0 else math.exp(z)),
    "selu": (
        lambda z: _SELU_SCALE * (z if z > 0 else _SELU_ALPHA * math.expm1(z)),
        lambda z: _SELU_SCALE * (1.0 if z > 0 else _SELU_ALPHA * math.exp(z)),
    ),
    "gelu": (gelu, gelu_slope),
    "silu": (lambda z: z * logistic(z), lambda z: logistic(z) * (1 + z * logistic(-z))),
    "softplus": (lambda z: float(np.logaddexp(0.0, z)), logistic),
    "sigmoid": (logistic, lambda z: logistic(z) * logistic(-z)),
    "hard_sigmoid": (lambda z: min(max(z / 6 + 0.5, 0.0), 1.0), lambda z: 1 / 6 if -3 < z < 3 else 0.0),
    "tanh": (math.tanh, lambda z: 1 / math.cosh(min(abs(z), 300.0)) ** 2),
}
# Rows with a subtraction near zero (1 + tanh, z/6 + 1/2): relative accuracy there is out of reach, absolute is not.
CANCELS = {"gelu", "hard_sigmoid"}
rows = pytest.mark.parametrize("name", sorted(REFERENCE))
POINTS = np.concatenate(
    [
        np.linspace(-40, 40, 1601) + 1e-3,
        [-700, -300, -100, -3.0001, -2.9999, -1e-3, -1e-9, 1e-300, 1e-9, 2.9999, 5.9999, 6, 6.0001, 300, 700],
    ]
)


def test_every_row_has_a_reference():
    assert set(ACTIVATIONS) == set(REFERENCE)


def test_the_constants_of_selu_follow_from_its_paper():
    z = np.array([2.0, -np.inf])
    np.testing.assert_allclose(ACTIVATIONS["selu"].value(z), [2 * _SELU_SCALE, -_SELU_SCALE * _SELU_ALPHA], rtol=1e-14)


@rows
def test_value_equals_the_reference(name):
    expected = np.array([REFERENCE[name][0](float(z)) for z in POINTS])
    atol = 8 * EPS64 * np.abs(POINTS).max() / 40 if name in CANCELS else 0.0
    np.testing.assert_allclose(ACTIVATIONS[name].value(POINTS.copy()), expected, rtol=16 * EPS64, atol=atol)


@rows
def test_derivative_equals_the_reference(name):
    row = ACTIVATIONS[name]
    expected = np.array([REFERENCE[name][1](float(z)) for z in POINTS])
    actual = row.derivative(POINTS, row.value(POINTS.copy()))
    np.testing.assert_allclose(actual, expected, rtol=32 * EPS64, atol=64 * EPS64)


@rows
def test_gradcheck(name):
    z = np.linspace(-6, 6, 60).reshape(12, 5) + 0.013  # no corner (0 or 3) within a step of the check
    report = pl.gradcheck(name, z, tolerance=1e-7)
    assert report.passed
    assert abs(report.rows[0].numeric) > 1e-3


# name -> value and derivative at -1000 and +1000, by hand; None: z itself
FAR = {
    "identity": (-1000, 1000, 1, 1),
    "relu": (0, 1000, 0, 1),
    "relu6": (0, 6, 0, 0),
    "leaky_relu": (-10, 1000, 0.01, 1),
    "elu": (-1, 1000, 0, 1),
    "selu": (-_SELU_SCALE * _SELU_ALPHA, 1000 * _SELU_SCALE, 0, _SELU_SCALE),
    "gelu": (0, 1000, 0, 1),
    "silu": (0, 1000, 0, 1),
    "softplus": (0, 1000, 0, 1),
    "sigmoid": (0, 1, 0, 1 - 1),
    "hard_sigmoid": (0, 1, 0, 0),
    "tanh": (-1, 1, 0, 0),
}


@rows
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_far_limits_are_right_and_the_type_is_kept(name, dtype):
    z = np.array([[-1000, 1000]], dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        value = ACTIVATIONS[name].value(z)
        slope = ACTIVATIONS[name].derivative(z, value)
    assert value.dtype == slope.dtype == dtype
    low, high, slope_low, slope_high = FAR[name]
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(value, [[low, high]], rtol=4 * eps, atol=0)
    np.testing.assert_allclose(slope, [[slope_low, slope_high]], rtol=4 * eps, atol=2 * eps)


@rows
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_finite_number_gives_anything_but_a_finite_one(name, dtype):
    """Up to the largest number of the type (halved where the row multiplies by more than 1)."""
    largest = np.finfo(dtype).max / 2
    z = np.array([-largest, -1e30, -89, -1e-40, -0.0, 0.0, 1e-40, 89, 1e30, largest], dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        value = ACTIVATIONS[name].value(z)
        slope = ACTIVATIONS[name].derivative(z, value)
    assert np.isfinite(value).all()
    assert np.isfinite(slope).all()
    assert value[0] <= 0.5 * abs(z[0])
    assert abs(slope).max() <= 1.76  # selu's largest: scale * alpha = 1.758


@rows
@given(data=st.data())
def test_float32_follows_float64_elementwise_and_the_input_is_left_alone(name, data):
    shape = data.draw(array_shapes(min_dims=1, max_dims=3, max_side=4))
    z = data.draw(arrays(np.float32, shape, elements=st.floats(-80, 80, width=32)))
    before = z.copy()
    value, exact = ACTIVATIONS[name].value(z), ACTIVATIONS[name].value(z.astype(np.float64))
    assert value.shape == z.shape
    np.testing.assert_allclose(value, exact, rtol=16 * EPS32, atol=80 * 4 * EPS32 if name in CANCELS else 1e-37)
    np.testing.assert_array_equal(z, before)
    by_one = [float(ACTIVATIONS[name].value(z.ravel()[i : i + 1])[0]) for i in range(z.size)]
    np.testing.assert_allclose(value.ravel(), by_one, rtol=8 * EPS32, atol=1e-30)


def test_sigmoid_keeps_relative_precision_in_float32():
    """1 / (1 + e^30) = 9.357622968839299e-14 (Python's decimal module); 1 - sigmoid(30) would be 0 in float32."""
    np.testing.assert_allclose(ACTIVATIONS["sigmoid"].value(np.float32([-30])), [9.357622968839299e-14], rtol=4 * EPS32)


def test_softmax_equals_scipy_and_survives_anything_finite():
    z = np.random.default_rng(0).normal(size=(20, 7)) * 30
    np.testing.assert_allclose(softmax(z), special.softmax(z, axis=-1), rtol=1e-13)
    np.testing.assert_allclose(softmax(z + 1e3), softmax(z), rtol=1e-10)
    hostile = np.float32([[1000, -1000, 0], [3e38, -3e38, 3e38], [-3e38, -3e38, -3e38]])
    with np.errstate(invalid="raise", divide="raise", over="ignore"):
        np.testing.assert_allclose(softmax(hostile), [[1, 0, 0], [0.5, 0, 0.5], [1 / 3] * 3], rtol=4 * EPS32)


def cube_row(name: str = "cube"):
    return pl.register_activation(name, lambda z: z**3, lambda z, a: 3 * z**2, "lecun_uniform")


@pytest.fixture
def clean_table():
    before = dict(ACTIVATIONS)
    yield
    ACTIVATIONS.clear()
    ACTIVATIONS.update(before)


@pytest.mark.usefixtures("clean_table")
def test_a_registered_activation_is_used_by_value_and_by_derivative():
    cube_row()
    assert pl.gradcheck("cube", np.linspace(-2, 2, 12)).passed
    network = pl.Network([pl.Input(3), pl.Dense(4, "cube"), pl.Regression()], dtype="float64")
    x, y = np.random.default_rng(1).normal(size=(6, 3)), np.arange(6.0)
    p = network.parameters
    hidden = (x @ p["dense_1.weight"] + p["dense_1.bias"]) ** 3
    expected = (hidden @ p["output.weight"] + p["output.bias"])[:, 0]
    np.testing.assert_allclose(network.predict(x), expected, rtol=1e-12)
    pl.gradcheck(network, x, y)
    # its own initializer is used: lecun_uniform on 3 inputs lies within sqrt(3 / 3) = 1 and leaves glorot's 0.93
    bound = np.abs(pl.Network([pl.Input(3), pl.Dense(4000, "cube"), pl.Regression()]).parameters["dense_1.weight"]).max()
    assert 0.999 < bound <= 1.0


@pytest.mark.usefixtures("clean_table")
@pytest.mark.parametrize(
    "arguments",
    [
        ("relu", np.abs, np.abs),
        ("softmax", np.abs, np.abs),
        ("two words", np.abs, np.abs),
        ("", np.abs, np.abs),
        (3, np.abs, np.abs),
        ("mine", None, np.abs),
        ("mine", np.abs, "slope"),
    ],
)
def test_a_bad_registration_is_refused_and_leaves_the_table_as_it_was(arguments):
    before = dict(ACTIVATIONS)
    with pytest.raises(pl.ArgumentError):
        pl.register_activation(*arguments)
    assert before == ACTIVATIONS


@pytest.mark.usefixtures("clean_table")
def test_a_registration_with_an_unknown_initializer_is_refused_at_the_latest_by_the_network():
    def register_and_use():
        pl.register_activation("mine", np.abs, np.abs, "he_norml")
        return pl.Network([pl.Input(2), pl.Dense(2, "mine"), pl.Regression()])

    with pytest.raises(pl.ArgumentError, match="he_norml"):
        register_and_use()


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(pl.ArgumentError, match="Did you mean 'relu'"):
        activation("rellu")
