"""The ends of the range for layers of images: equal pixels, no variance, one channel, huge numbers, large pictures."""

from __future__ import annotations

import numpy as np
import pytest
from exactness import assert_exact, halves
from rounding import case, check, classes
from twins import fitted, gradients, numbers, spread

import pellucid as pl
from pellucid.training.events import StepFinished

RNG = np.random.default_rng(17)


@pytest.mark.usefixtures("every_isa")
@pytest.mark.parametrize("value", [0.0, 1.0, -3.5, 1000.0])
def test_a_channel_that_is_the_same_everywhere(value):
    """Its variance is 0, so h is 0 and the output beta, whatever it holds; its scale learns nothing."""
    x = RNG.normal(size=(12, 4, 5, 3)).astype(np.float32)
    x[..., 1] = value
    network = spread(pl.Network([pl.Input(4, 5, 3), pl.BatchNormalization(), pl.Conv2D(5, 2), pl.Classification(3)]), 3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pl.Input, "warn_about_scale", lambda self, x: None)
        check(network, x, np.arange(12) % 3)
        native = fitted(network, x, np.arange(12) % 3)
    assert gradients(native)["batch_normalization_1.gamma"][1] == 0
    name = "batch_normalization_1.moving_mean"
    np.testing.assert_allclose(native.state[name][1], 0.9 * network.state[name][1] + 0.1 * value, rtol=1e-6)


@pytest.mark.usefixtures("every_isa")
@pytest.mark.parametrize("layer", [pl.BatchNormalization, pl.LayerNormalization])
@pytest.mark.parametrize("epsilon", [1e-5, 1e-30, 1e-40])
def test_any_epsilon_keeps_equal_pixels_finite(layer, epsilon):
    x = np.ones((16, 4, 4, 5), np.float32)
    network = pl.Network([pl.Input(4, 4, 5), layer(epsilon=epsilon), pl.Conv2D(3), pl.Classification(3)])
    trained = fitted(network, x, np.arange(16) % 3)
    assert np.isfinite(numbers(trained)["parameters"]).all()
    assert trained.history["loss"][0] == pytest.approx(np.log(3), rel=1e-6)


@pytest.mark.usefixtures("every_isa")
def test_layer_normalization_of_one_channel_leaves_its_shift_alone():
    network = spread(pl.Network([pl.Input(4, 5, 1), pl.LayerNormalization(), pl.Conv2D(3), pl.Classification(3)]), 1)
    x = RNG.normal(size=(9, 4, 5, 1)).astype(np.float32)
    trained = fitted(network, x, np.arange(9) % 3)
    assert not gradients(trained)["layer_normalization_1.gamma"].any()
    assert np.ptp(network.predict_proba(x), axis=0).max() == 0
    check(network, x, np.arange(9) % 3)


@pytest.mark.usefixtures("every_isa")
@pytest.mark.filterwarnings("ignore:x holds numbers as large as")
def test_inputs_of_the_largest_numbers_behind_bounded_activations():
    """3e38 through a sigmoid is 0 or 1, and the gradient of such a unit is exactly 0."""
    x = np.where(RNG.random((8, 3, 4, 2)) < 0.5, 3e38, -3e38).astype(np.float32)
    for activation in ("sigmoid", "tanh", "hard_sigmoid"):
        network = pl.Network([pl.Input(3, 4, 2), pl.Conv2D(2, 1, activation, groups=2), pl.Classification(2)])
        network.parameters["conv2d_1.weight"][...] = 1
        native, truth = (
            fitted(network, x, np.arange(8) % 2, engine=engine, dtype=dtype)
            for engine, dtype in (("native", "float32"), ("numpy", "float64"))
        )
        assert not gradients(native)["conv2d_1.weight"].any()
        np.testing.assert_allclose(native.parameters.vector, truth.parameters.vector, rtol=0, atol=1e-6)


@pytest.mark.usefixtures("every_isa")
@pytest.mark.parametrize("pooling", [pl.MaxPooling2D(2), pl.MaxPooling2D(3, 1, "same"), pl.AveragePooling2D(2)], ids=str)
@pytest.mark.parametrize("place", [(0, 0), (1, 1)], ids=str)
@pytest.mark.filterwarnings("ignore:x holds numbers as large as")
def test_one_pixel_that_is_not_a_number_passes_every_pooling(pooling, place):
    """A maximum must not hide it: 2 (3e38) - 2 (3e38) is infinity less infinity, and all other pixels are 0."""
    network = pl.Network([pl.Input(4, 6, 2), pl.Conv2D(1, 1), pooling, pl.Classification(3)])
    network.parameters["conv2d_1.weight"][0, 0, :, 0] = 2, -2
    x = np.ones((8, 4, 6, 2), np.float32)
    x[3, *place] = 3e38
    with pytest.raises(pl.DivergenceError, match=r"step 1: .*conv2d_1"):
        network.fit(x, np.arange(8) % 3, engine="native", progress="none")


@pytest.mark.usefixtures("every_isa")
def test_a_batch_whose_weights_are_all_zero_has_no_gradient():
    def stop(event):
        if isinstance(event, StepFinished):
            raise pl.StopTraining

    layers = [
        pl.Input(4, 5, 3),
        pl.Conv2D(5, 3, "gelu"),
        pl.BatchNormalization(),
        pl.LayerNormalization(),
        pl.Classification(3),
    ]
    network, x, y = case(layers, 40, classes(3))
    trained = fitted(network, x, y, sample_weight=np.append(np.zeros(39), 1.0), batch_size=39, callbacks=[stop])
    assert not numbers(trained)["velocity"].any()
    assert (trained.parameters.vector == network.parameters.vector).all()
    assert (trained.state.vector != network.state.vector).all(), "the moving averages see every sample"


@pytest.mark.usefixtures("every_isa")
@pytest.mark.parametrize("size", [(70, 90), (3, 1500), (1500, 3)], ids=str)
def test_large_pictures(size):
    """They fill the caches alone: one sample is a chunk. Weights are few, so that their gradients keep few bits."""
    rng = np.random.default_rng(3)
    hidden = [
        pl.Conv2D(17, 3, "relu"),
        pl.MaxPooling2D(2, 2, "same"),
        pl.Conv2D(3, 3, stride=2),
        pl.MaxPooling2D((2, 5), 5, "same"),
    ]
    network = pl.Network([pl.Input(*size, 3), *hidden, pl.Regression(1, "mae")])
    for name in network.parameters:
        kept = network.parameters[name].shape
        network.parameters[name] = np.where(
            rng.random(kept) < min(1, 8 / np.prod(kept[:-1], initial=1)), halves(rng, kept), 0.0
        )
    x, y = rng.integers(-1, 2, (4, *size, 3)).astype(np.float32), halves(rng, (4, 1), 9)
    assert_exact(network, x, y, threads=2)


def several_samples_a_group(hidden, output):
    """(network, x): more samples than groups of gradients, of pictures that are chunks of their own."""
    network = pl.Network([pl.Input(40, 41, 3), *hidden, output], seed=2)
    return network, np.random.default_rng(5).integers(-1, 2, (37, 40, 41, 3)).astype(np.float32)


def test_groups_of_several_chunks_are_added_up_exactly():
    rng = np.random.default_rng(4)
    hidden = [
        *(pl.Conv2D(18, 2, "relu"), pl.Conv2D(18, 2, groups=2), pl.Conv2D(18, 1, groups=18)),
        *(pl.MaxPooling2D(7), pl.Conv2D(4, 2, "relu")),
    ]
    network, x = several_samples_a_group(hidden, pl.Regression(1, "mae"))
    for name in network.parameters:
        kept = network.parameters[name].shape
        network.parameters[name] = np.where(
            rng.random(kept) < min(1, 4 / np.prod(kept[:-1], initial=1)), halves(rng, kept), 0.0
        )
    weights = np.ones(len(x))
    weights[0] += 64 - len(x)
    assert_exact(network, x, halves(rng, (len(x), 1), 9), sample_weight=weights, threads=2)


def test_groups_of_several_chunks_are_added_up_where_steps_round():
    hidden = [pl.LayerNormalization(0.1), pl.Conv2D(18, 3, stride=2), pl.LayerNormalization(), pl.GlobalAveragePooling2D()]
    network, x = several_samples_a_group(hidden, pl.Classification(3))
    check(spread(network, 1), x, np.arange(len(x)) % 3, threads=2)


def test_a_dropout_that_drops_nearly_everything():
    """The rate just below 1, and so small that no 32 random bits are below it."""
    for layer in (pl.Dropout, pl.Dropout2D):
        for rate in (1 - 2.0**-30, 1e-12):
            layers = [pl.Input(4, 5, 3), pl.Conv2D(5, 3, "tanh"), layer(rate), pl.Classification(3)]
            network, x, y = case(layers, 16, classes(3))
            native, truth = (
                gradients(fitted(network, x, y, engine=engine, optimizer=pl.GradientDescent(1e-12, 0.5)))
                for engine in ("native", "numpy")
            )
            for name, gradient in truth.items():
                np.testing.assert_allclose(native[name], gradient, rtol=0, atol=1e-5 * np.abs(gradient).max() + 1e-37)
