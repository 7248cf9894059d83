"""The gradient checker itself: what it must catch, what it must refuse, and what must not alarm it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from gradient_reports import verdicts

import pellucid as pl
from pellucid.core import random
from pellucid.mathematics.losses import Loss
from pellucid.mathematics.regularizers import Regularizer

RNG = np.random.default_rng(8)
X, Y = RNG.normal(size=(9, 4)), RNG.integers(0, 3, 9)


@dataclass(frozen=True)
class Scaled(pl.Layer):
    """y = x g + s, with a fault on request: what to do to dx, to dg and to ds."""

    dx: float = 1.0
    dg: float = 1.0
    ds: float = 1.0
    divide_by_batch: bool = False

    def output_shape(self, input_shape):
        return input_shape

    def parameter_specs(self, input_shape):
        return (
            pl.ParameterSpec("g", input_shape, pl.VarianceScaling(4.0, "fan_in", "normal"), is_weight=True),
            pl.ParameterSpec("s", input_shape, pl.Constant(0.5)),
        )

    def forward(self, parameters, x, context):
        return x * parameters["g"] + parameters["s"], x

    def backward(self, parameters, cache, dy):
        batch = len(dy) if self.divide_by_batch else 1
        gradients = {"g": self.dg * (dy * cache).sum(axis=0) / batch, "s": self.ds * dy.sum(axis=0) / batch}
        return self.dx * dy * parameters["g"], gradients


FAULTS = {
    "dx doubled": (Scaled(dx=2.0), {"x"}),
    "dx with the wrong sign": (Scaled(dx=-1.0), {"x"}),
    "dx missing": (Scaled(dx=0.0), {"x"}),
    "dx off by 1e-4": (Scaled(dx=1.0001), {"x"}),
    "parameter doubled": (Scaled(dg=2.0), {"g"}),
    "parameter with the wrong sign": (Scaled(dg=-1.0), {"g"}),
    "parameter off by 1e-4": (Scaled(dg=0.9999), {"g"}),
    "bias missing": (Scaled(ds=0.0), {"s"}),
    "1/B too much": (Scaled(divide_by_batch=True), {"g", "s"}),
}


@pytest.mark.parametrize(("layer", "wrong"), FAULTS.values(), ids=FAULTS.keys())
def test_a_wrong_layer_is_caught_and_the_array_named(layer, wrong):
    report = pl.gradcheck(layer, X, raise_error=False)
    assert {name for name, verdict in verdicts(report).items() if verdict == "WRONG"} == wrong
    assert {name for name, verdict in verdicts(report).items() if verdict == "right"} == {"x", "g", "s"} - wrong
    assert not report.passed
    with pytest.raises(pl.GradientError, match="WRONG"):
        pl.gradcheck(layer, X)


@pytest.mark.parametrize(("layer", "wrong"), FAULTS.values(), ids=FAULTS.keys())
def test_a_wrong_layer_is_caught_inside_of_a_network(layer, wrong):
    """A wrong dx shows in everything below: here in the first dense layer and in x."""
    network = pl.Network([pl.Input(4), pl.Dense(5, "tanh"), layer, pl.Classification(3)])
    report = pl.gradcheck(network, X, Y, raise_error=False)
    expected = {f"scaled_1.{name}" for name in wrong - {"x"}}
    if "x" in wrong:
        expected |= {"dense_1.weight", "dense_1.bias", "x"}
    assert {name for name, verdict in verdicts(report).items() if verdict != "right"} == expected


def test_the_right_layer_passes_alone_and_in_a_network():
    assert set(verdicts(pl.gradcheck(Scaled(), X)).values()) == {"right"}
    network = pl.Network([pl.Input(4), Scaled(), pl.Classification(3)])
    assert set(verdicts(pl.gradcheck(network, X, Y)).values()) == {"right"}


def test_one_wrong_number_among_many_is_caught():
    """A single element of the gradient of 400 weights is off by a tenth of a percent of the whole gradient's size."""

    @dataclass(frozen=True)
    class OneOff(pl.Dense):
        def backward(self, parameters, cache, dy):
            dx, gradients = super().backward(parameters, cache, dy)
            gradients["weight"][3, 17] += 1e-3 * np.linalg.norm(gradients["weight"])
            return dx, gradients

    assert pl.gradcheck(pl.Dense(100, "tanh"), X).passed
    report = pl.gradcheck(OneOff(100, "tanh"), X, raise_error=False)
    assert verdicts(report) == {"weight": "WRONG", "bias": "right", "x": "right"}


def test_a_layer_that_forgets_a_gradient_or_dx_is_refused():
    class Forgetful(Scaled):
        def backward(self, parameters, cache, dy):
            dx, gradients = super().backward(parameters, cache, dy)
            return dx, {"g": gradients["g"]}

    class Without(Scaled):
        def backward(self, parameters, cache, dy):
            return None, super().backward(parameters, cache, dy)[1]

    class Misshapen(Scaled):
        def backward(self, parameters, cache, dy):
            dx, gradients = super().backward(parameters, cache, dy)
            return dx, {**gradients, "s": gradients["s"].sum()}

    for layer in (Forgetful(), Without(), Misshapen()):
        with pytest.raises(pl.GradientError):
            pl.gradcheck(layer, X)


WRONG_SLOPES = {
    "factor 2": lambda z, a: 2 * (1 - a * a),
    "sign": lambda z, a: a * a - 1,
    "of z in place of a": lambda z, a: 1 - z * z,
    "off by 1e-4": lambda z, a: (1 - a * a) * 1.0001,
    "not a number": lambda z, a: np.full_like(z, np.nan),
}


@pytest.mark.usefixtures("clean_table")
@pytest.mark.parametrize("slope", WRONG_SLOPES.values(), ids=WRONG_SLOPES.keys())
def test_a_wrong_activation_is_caught(slope):
    row = pl.register_activation("mine", np.tanh, slope)
    for subject in ("mine", row):
        with pytest.raises(pl.GradientError):
            pl.gradcheck(subject, X)
    with pytest.raises(pl.GradientError):
        pl.gradcheck(pl.Dense(3, "mine"), X)
    pl.register_activation("mine", np.tanh, lambda z, a: 1 - a * a)
    assert pl.gradcheck("mine", X).passed


class Squared(Loss):
    """sum (y - t)^2 with a fault on request."""

    def __init__(self, fault):
        self.fault = fault

    def terms(self, outputs, targets):
        error = outputs - targets
        return (error**2).sum(axis=-1), self.fault(error)


@pytest.mark.parametrize(
    "fault",
    [lambda e: e, lambda e: -2 * e, lambda e: 2 * e / e.shape[1], lambda e: 2 * e * len(e), lambda e: 2.0002 * e],
    ids=["half", "sign", "1/V too much", "B too much", "off by 1e-4"],
)
def test_a_wrong_loss_is_caught(fault):
    targets = RNG.normal(size=X.shape)
    assert pl.gradcheck(Squared(lambda e: 2 * e), X, targets).passed
    with pytest.raises(pl.GradientError):
        pl.gradcheck(Squared(fault), X, targets)
    with pytest.raises(pl.GradientError):
        pl.gradcheck(Squared(fault), X, targets, np.arange(9.0))


class Price(Regularizer):
    def __init__(self, factor):
        self.factor = factor

    def penalty(self, w):
        return float((w * w).sum())

    def gradient(self, w):
        return self.factor * w


@pytest.mark.parametrize("factor", [1.0, -2.0, 2.0002])
def test_a_wrong_regularizer_is_caught_alone_and_through_a_network(factor):
    network = pl.Network([pl.Input(4), pl.Dense(3, "tanh"), pl.Classification(3)])
    assert pl.gradcheck(Price(2.0), X).passed
    assert pl.gradcheck(network, X, Y, regularizer=Price(2.0)).passed
    with pytest.raises(pl.GradientError):
        pl.gradcheck(Price(factor), X)
    report = pl.gradcheck(network, X, Y, regularizer=Price(factor), raise_error=False)
    assert verdicts(report)["dense_1.bias"] == "right"
    assert verdicts(report)["dense_1.weight"] == "WRONG"


class TestZeroAgainstZero:
    def test_a_dead_network_is_refused(self):
        """All units of the relu are silent for every sample, so that nothing below the output is compared."""
        network = pl.Network([pl.Input(4), pl.Dense(5, "relu"), pl.Classification(3)])
        network.parameters["dense_1.bias"] = np.full(5, -100.0)
        report = pl.gradcheck(network, X, Y, raise_error=False)
        silent = {name for name, verdict in verdicts(report).items() if verdict.startswith("nothing compared")}
        assert silent == {"dense_1.weight", "dense_1.bias", "output.weight", "x"}
        assert verdicts(report)["output.bias"] == "right"
        with pytest.raises(pl.GradientError, match="nothing compared"):
            pl.gradcheck(network, X, Y)

    def test_a_bias_before_batch_normalization_is_refused_unless_it_is_named(self):
        network = pl.Network([pl.Input(4), pl.Dense(5), pl.BatchNormalization(), pl.Dense(5, "tanh"), pl.Classification(3)])
        with pytest.raises(pl.GradientError, match=r"dense_1\.bias .* nothing compared"):
            pl.gradcheck(network, X, Y)
        report = pl.gradcheck(network, X, Y, allow_zero=("dense_1.bias",))
        assert verdicts(report)["dense_1.bias"] == "zero, as allowed"
        assert set(verdicts(report).values()) == {"zero, as allowed", "right"}

    def test_allowing_zero_does_not_allow_a_wrong_gradient(self):
        with pytest.raises(pl.GradientError):
            pl.gradcheck(Scaled(ds=0.0), X, allow_zero=("s",))

    def test_a_constant_function_is_refused(self):
        with pytest.raises(pl.GradientError, match="nothing compared"):
            pl.gradcheck(pl.CrossEntropy(), X, np.eye(4)[np.zeros(9, int)], np.zeros(9))

    def test_a_gradient_that_is_zero_for_these_data_is_not_accused(self):
        network = pl.Network([pl.Input(4), pl.Dense(5, "relu"), pl.Classification(3)])
        with pytest.raises(pl.GradientError) as caught:
            pl.gradcheck(network, np.zeros((9, 4)), Y)
        assert str(caught.value).startswith(
            "no gradient is wrong, but that of dense_1.weight is 0 everywhere: check with other"
        )
        assert pl.gradcheck(network, np.zeros((9, 4)), Y, allow_zero=("dense_1.weight",)).passed
        with pytest.raises(pl.GradientError, match=r"^the gradient check failed"):
            pl.gradcheck(pl.Network([pl.Input(4), Scaled(ds=0.5), pl.Classification(3)]), np.zeros((9, 4)), Y)

    def test_a_zero_that_rounding_hides_is_not_called_wrong(self):
        """Half of the targets lie far above, half far below: the slope of the mean |o - y| along the bias is 0."""
        y = np.array([-9.0, 9.0, -9.0, 9.0]) + RNG.normal(size=4) / 3
        for seed in range(40):
            network = pl.Network([pl.Input(4), pl.Dense(3, "tanh"), pl.Regression(loss="mae")], seed=seed)
            report = pl.gradcheck(network, X[:4], y, raise_error=False, seed=seed)
            assert verdicts(report)["output.bias"].startswith("nothing compared")


@pytest.mark.parametrize("seed", range(50))
def test_corners_of_relu_give_no_false_alarm(seed):
    """Random depths, widths and data; also with integers as inputs and zero biases, where many sums are exactly 0."""
    shape = random.bits(random.key(seed), 3)
    layers = [
        pl.Dense(2 + int(n % 9), ("relu", "leaky_relu", "hard_sigmoid")[int(n >> 8) % 3]) for n in shape[: 1 + seed % 3]
    ]
    x = random.normal(random.key(seed, 1), (6, 4))
    if seed % 2:
        x = np.round(x)
    y = np.arange(6) % 3
    network = pl.Network([pl.Input(4), *layers, pl.Classification(3)], seed=seed)
    silent = [*network.parameters, "x"]  # a dead network is no false alarm, a wrong verdict is
    report = pl.gradcheck(network, x, y, allow_zero=silent)
    assert report.rows[-1].name == "x"


def shapes_on_even_ground(size):
    """Six pictures (6, size, size, 3) of a grey box on a grey ground: nearly all windows see equal pixels."""
    x = np.full((6, size, size, 3), 200, np.uint8)
    for k in range(6):
        x[k] -= np.uint8(10 * k)
        x[k, k : k + size // 2, size // 4 : size // 2 + k] = 40 * k
    return x


def test_pictures_with_an_even_ground_give_no_false_alarm():
    """The largest of equal numbers has no derivative, so x as it is would sit on a corner of every pooling window."""
    x, y = shapes_on_even_ground(12), np.arange(6) % 3
    for pixels in (x, x / 255.0):
        network = pl.Network([pl.Input(12, 12, 3), pl.Rescale.fit(x), pl.Conv2D(6, activation="relu"),
                              pl.MaxPooling2D(2), pl.GlobalAveragePooling2D(), pl.Classification(3)])  # fmt: skip
        assert set(verdicts(pl.gradcheck(network, pixels, y)).values()) == {"right"}


def test_the_point_that_is_checked_stays_in_the_range_of_the_data():
    """A layer that is defined for 0..1 alone must not be asked for anything else."""
    asked = []

    @dataclass(frozen=True)
    class Watching(Scaled):
        def forward(self, parameters, x, context):
            asked.append(x)
            return super().forward(parameters, x, context)

    x = np.random.default_rng(3).integers(0, 256, (5, 4)).astype(float) / 255
    network = pl.Network([pl.Input(4), Watching(), pl.Classification(3)])
    pl.gradcheck(network, x, Y[:5])
    assert asked[0].min() >= x.min()
    assert asked[0].max() <= x.max()
    assert 0 < abs(asked[0] - x).max() <= 0.01


def test_smaller_steps_are_tried_where_corners_lie_dense():
    """|sin(1e7 x)|-like: z has a corner every 1e-6, so a step of 1e-7 in a random direction often passes one."""
    corners = 1e-6

    @dataclass(frozen=True)
    class Saw(pl.Layer):
        wrong: float = 1.0

        def output_shape(self, input_shape):
            return input_shape

        def forward(self, parameters, x, context):
            phase = np.mod(x / corners, 2.0)
            return corners * np.minimum(phase, 2.0 - phase), phase

        def backward(self, parameters, cache, dy):
            return self.wrong * np.where(cache < 1.0, dy, -dy), {}

    x = (np.floor(X[:3, :2] / corners) + 0.1) * corners  # a tenth of the way to the next corner
    assert pl.gradcheck(Saw(), x).passed
    assert not pl.gradcheck(Saw(1.001), x, raise_error=False).passed


def test_the_check_leaves_the_network_as_it_was():
    network = pl.Network([pl.Input(4), pl.Dense(5, "relu"), pl.BatchNormalization(), pl.Classification(3)])
    parameters, state = network.parameters.vector.copy(), network.state.vector.copy()
    x = X.copy()
    pl.gradcheck(network, X, Y)
    np.testing.assert_array_equal(network.parameters.vector, parameters)
    np.testing.assert_array_equal(network.state.vector, state)
    np.testing.assert_array_equal(X, x)


def test_dropout_pixels_weights_and_all_outputs_are_checked():
    pixels = RNG.integers(0, 256, (7, 3, 3)).astype(np.uint8)
    hidden = [pl.Dense(6, "gelu"), pl.Dropout(0.3), pl.Dense(5, "silu")]
    weights = np.arange(7.0)
    for output, y in (
        (pl.Classification(3, label_smoothing=0.1), np.arange(7) % 3),
        (pl.BinaryClassification(), np.arange(7) % 2),
        (pl.Regression(2, "huber"), RNG.normal(size=(7, 2))),
        (pl.Regression(2, "poisson"), RNG.integers(0, 5, (7, 2))),
        (pl.Regression(loss="pinball:0.1,0.5,0.8"), RNG.normal(size=7)),
    ):
        network = pl.Network([pl.Input(3, 3), *hidden, output])
        assert pl.gradcheck(network, pixels, y, weights, regularizer=pl.L2(0.1)).passed


def test_the_report_is_a_table_with_the_two_numbers():
    report = pl.gradcheck(pl.L2(0.5), np.array([1.0, -2.0]))
    (row,) = report.rows
    assert row.analytic == pytest.approx(row.numeric, rel=1e-6)
    assert str(report).splitlines()[1].split()[0] == "w"
    assert f"{row.analytic:.6e}" in str(report)
    assert "right" in str(report)


@pytest.mark.parametrize(
    "arguments", [(pl.Dense(3),), (pl.CrossEntropy(), X), ("relu",), (object(), X), ("rellu", X), (pl.L1(0.1), X, X)]
)
def test_a_wrong_call_is_explained(arguments):
    with pytest.raises(pl.ArgumentError):
        pl.gradcheck(*arguments)


class TestSmallGradients:
    """A network that knows its samples by heart has gradients of a millionth: near the rounding of its loss, and right."""

    @staticmethod
    def sure(layer, scale):
        network = pl.Network([pl.Input(4), pl.Dense(16, "tanh"), layer, pl.Classification(2)], seed=1, dtype="float64")
        x = np.vstack([np.eye(4), -np.eye(4)])
        y = np.arange(8) // 4
        network.fit(x, y, epochs=150, optimizer=pl.Adam(0.05), progress="none", engine="numpy")
        network.parameters["output.weight"] *= scale
        return network, x, y

    @pytest.mark.parametrize("scale", [0.9, 1.0, 1.1, 1.2, 1.3])
    def test_no_right_gradient_is_called_wrong(self, scale):
        network, x, y = self.sure(Scaled(), scale)
        for seed in range(10):
            report = pl.gradcheck(network, x, y, seed=seed, raise_error=False)
            assert "WRONG" not in verdicts(report).values(), str(report)

    def test_one_percent_is_found_all_the_same(self):
        network, x, y = self.sure(Scaled(dx=1.01, dg=0.99), 1.1)
        found = verdicts(pl.gradcheck(network, x, y, raise_error=False))
        assert {name for name, verdict in found.items() if verdict == "WRONG"} == {
            *("dense_1.weight", "dense_1.bias", "scaled_1.g", "x")
        }
