"""The ends of the range: huge and tiny numbers, silent columns, one unit, one class too many."""

from __future__ import annotations

import numpy as np
import pytest
from twins import QUIET, fitted, gradients, numbers, spread, twin

import pellucid as pl

RNG = np.random.default_rng(17)


def both(network, x, y, **options):
    """(native, true) after one step."""
    return fitted(network, x, y, **options), fitted(network, x, y, engine="numpy", dtype="float64", **options)


def assert_near(native, truth, tolerance=1e-6):
    for name, gradient in gradients(truth).items():
        largest = np.abs(gradient).max(initial=0)
        np.testing.assert_allclose(
            gradients(native)[name], gradient, rtol=0, atol=tolerance * largest + 1e-37, err_msg=name
        )
    for kind in ("loss", native.output.metric):
        np.testing.assert_allclose(native.history[kind], truth.history[kind], rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("size", [1e4, 1e10, 1e30])
@pytest.mark.parametrize(
    ("output", "y"),
    [
        (pl.Classification(4, use_bias=False), RNG.integers(0, 4, 20)),
        (pl.Classification(4, 0.1, use_bias=False), RNG.integers(0, 4, 20)),
        (pl.BinaryClassification(use_bias=False), RNG.integers(0, 2, 20)),
        (pl.Regression(3, "mae", use_bias=False), RNG.normal(size=(20, 3))),
        (pl.Regression(3, "huber", use_bias=False), RNG.normal(size=(20, 3))),
    ],
    ids=repr,
)
@pytest.mark.usefixtures("every_isa")
def test_huge_logits_have_a_finite_loss_and_the_right_gradient(size, output, y):
    network = pl.Network([pl.Input(5), output], seed=1)
    network.parameters.vector[...] = np.sign(network.parameters.vector) * size
    x = np.eye(5, dtype=np.float32)[np.arange(20) % 5]
    native, truth = both(network, x, y, optimizer=pl.GradientDescent(1e-3, 0.5))
    assert np.isfinite(native.history["loss"]).all()
    assert_near(native, truth)
    if output.metric == "accuracy":
        found = network.predict_proba(x)
        assert set(np.unique(found)) <= {0, np.float32(1), np.float32(0.5), np.float32(1 / 3), np.float32(0.25)}


@pytest.mark.usefixtures("every_isa")
@pytest.mark.filterwarnings("ignore:x holds numbers as large as")
def test_inputs_of_the_largest_numbers_behind_bounded_activations():
    """3e38 through a sigmoid, a tanh or a hard sigmoid is 0, 1 or -1, and the gradient of such a unit is exactly 0."""
    x = np.array([[3e38, -3e38, 3.4e38], [-3e38, 3e38, 1e38]], np.float32).repeat(4, axis=0)
    for activation in ("sigmoid", "tanh", "hard_sigmoid"):
        network = pl.Network([pl.Input(3), pl.Dense(3, activation, "zeros"), pl.Classification(2)])
        network.parameters["dense_1.weight"] = np.eye(3)
        native, truth = both(network, x, np.arange(8) % 2)
        assert_near(native, truth)
        assert not gradients(native)["dense_1.weight"].any()
        np.testing.assert_array_equal(network.predict(x), twin(network, "float64").predict(x))


@pytest.mark.usefixtures("every_isa")
@pytest.mark.parametrize("size", [1e-38, 1e-41, 1e-45])
def test_denormal_inputs_are_zeros_or_themselves(size):
    """Nothing becomes NaN, and nothing differs from a zero input by more than the input itself."""
    for layers in ([pl.Dense(9, "gelu")], [pl.Dense(200, "elu"), pl.Dropout(0.2)], [pl.Dense(9, "softplus"), pl.Dense(5)]):
        network = spread(pl.Network([pl.Input(6), *layers, pl.Classification(3)]), 1)
        x = np.full((30, 6), size, np.float32)
        tiny, nothing = (fitted(network, inputs, np.arange(30) % 3) for inputs in (x, 0 * x))
        np.testing.assert_allclose(tiny.parameters.vector, nothing.parameters.vector, rtol=1e-6, atol=1e-37)
        np.testing.assert_allclose(network.predict_proba(x), network.predict_proba(0 * x), rtol=1e-6)


def test_the_mode_of_the_processor_is_left_as_it_was():
    """Steps count denormal numbers as zero; NumPy, called before and after, does not."""
    tiny = np.full(8, 1e-40, np.float32)
    before = tiny * np.float32(0.5)
    fitted(pl.Network([pl.Input(6), pl.Classification(3)]), np.ones((30, 6), np.float32), np.arange(30) % 3, threads=2)
    after = tiny * np.float32(0.5)
    assert (before > 0).all()
    assert before.tobytes() == after.tobytes()


@pytest.mark.usefixtures("every_isa")
def test_rows_and_columns_of_zeros():
    x = RNG.normal(size=(33, 7)).astype(np.float32)
    x[4:20] = 0
    x[:, 2] = 0
    for batch_layers in ([], [pl.BatchNormalization()]):
        network = spread(pl.Network([pl.Input(7), *batch_layers, pl.Dense(17, "silu"), pl.Classification(3)]), 2)
        native, truth = both(network, x, np.arange(33) % 3)
        assert_near(native, truth, 1e-5)
        if not batch_layers:
            assert not gradients(native)["dense_1.weight"][2].any()
    nothing = fitted(network, 0 * x, np.arange(33) % 3)
    assert np.isfinite(nothing.parameters.vector).all()


@pytest.mark.usefixtures("every_isa")
@pytest.mark.parametrize("value", [0.0, 1.0, -3.5, 1e6])
def test_constant_columns_in_batch_normalization(value):
    """The variance is 0, so h is 0 and the output beta, whatever the column holds."""
    x = RNG.normal(size=(32, 5)).astype(np.float32)
    x[:, 3] = value
    network = spread(pl.Network([pl.Input(5), pl.BatchNormalization(), pl.Regression(2)]), 3)
    with np.errstate(all="ignore"), pytest.MonkeyPatch.context() as patch:
        patch.setattr(pl.Input, "warn_about_scale", lambda self, x: None)
        native, truth = both(network, x, RNG.normal(size=(32, 2)))
    assert_near(native, truth, 1e-5)
    assert gradients(native)["batch_normalization_1.gamma"][3] == 0
    name = "batch_normalization_1.moving_mean"
    np.testing.assert_allclose(native.state[name][3], 0.9 * network.state[name][3] + 0.1 * value, rtol=1e-6, atol=1e-6)


@pytest.mark.usefixtures("every_isa")
@pytest.mark.parametrize("epsilon", [1e-5, 1e-30, 1e-40])
def test_any_epsilon_keeps_a_constant_column_finite(epsilon):
    x = np.ones((16, 5), np.float32)
    network = pl.Network([pl.Input(5), pl.BatchNormalization(epsilon=epsilon), pl.Dense(3), pl.Classification(3)])
    trained = fitted(network, x, np.arange(16) % 3)
    assert np.isfinite(numbers(trained)["parameters"]).all()
    assert trained.history["loss"][0] == pytest.approx(np.log(3), rel=1e-6)


@pytest.mark.usefixtures("every_isa")
@pytest.mark.parametrize("classes", [2, 3, 15, 16, 17, 63, 65, 255, 1000])
def test_any_number_of_classes(classes):
    y = RNG.integers(0, classes, 40)
    y[0] = classes - 1
    network = spread(pl.Network([pl.Input(3), pl.Classification(classes)]), 1)
    x = RNG.normal(size=(40, 3)).astype(np.float32)
    assert_near(*both(network, x, y), 1e-5)
    assert network.predict(x).max() < classes


@pytest.mark.usefixtures("every_isa")
def test_equal_logits_choose_the_first_class_in_the_metric_too():
    network = pl.Network([pl.Input(2), pl.Classification(40, initializer="zeros")])
    x = np.ones((40, 2), np.float32)
    trained = fitted(network, x, np.arange(40))
    assert trained.history["accuracy"] == [1 / 40]
    assert (network.predict(x) == 0).all()


@pytest.mark.usefixtures("every_isa")
def test_chains_of_single_units():
    """Units that are not in the flat ends of tanh, where 1 - a^2 keeps few digits in float32."""
    x = np.linspace(-0.5, 0.5, 5, dtype=np.float32)[:, None]
    for activation in ("tanh", "identity", "softplus"):
        layers = [pl.Input(1), *(pl.Dense(1, activation) for _ in range(12)), pl.Regression()]
        network = spread(pl.Network(layers, seed=2), 2)
        assert_near(*both(network, x, x[:, 0] * 2), 3e-5)


def test_a_dropout_that_drops_nearly_everything():
    """The rate just below 1, and so small that no 32 random bits are below it."""
    x = RNG.normal(size=(64, 9)).astype(np.float32)
    y = np.arange(64) % 3
    for rate in (1 - 2.0**-30, 1e-12):
        network = pl.Network([pl.Input(9), pl.Dense(65, "tanh"), pl.Dropout(rate), pl.Classification(3)])
        native, truth = both(network, x, y, optimizer=pl.GradientDescent(1e-12, 0.5))
        assert_near(native, truth, 1e-5)
    without = pl.Network([pl.Input(9), pl.Dense(65, "tanh"), pl.Dropout(0), pl.Classification(3)])
    assert without.fit(x, y, epochs=1, engine="native", **QUIET).reason == "completed"
