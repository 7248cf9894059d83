"""Layers by numbers worked by hand, by autograd and by the binomial law."""

from __future__ import annotations

import math

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import pellucid as pl
from pellucid.training.events import StepFinished

F64 = np.dtype(np.float64)
RNG = np.random.default_rng(31)


def training(step=0, layer=1, seed=0, dtype=F64):
    return pl.Context(training=True, seed=seed, step=step, layer=layer, dtype=dtype)


PREDICTION = pl.Context(dtype=F64)
SMALL = 9.357622968839299e-14  # 1 / (1 + e^30), by Python's decimal module


class TestDense:
    x = np.array([[1.0, 2.0], [-1.0, 0.5]])
    parameters = {"weight": np.array([[1.0, -1.0, 0.5], [2.0, 0.0, -0.5]]), "bias": np.array([0.5, 0.25, -1.0])}  # noqa: RUF012

    def test_by_hand(self):
        """z = x W + b: (1 + 4 + .5, -1 + .25, .5 - 1 - 1) and (-1 + 1 + .5, 1 + .25, -.5 - .25 - 1)."""
        y, cache = pl.Dense(3, "relu").forward(self.parameters, self.x, PREDICTION)
        np.testing.assert_array_equal(y, [[5.5, 0, 0], [0.5, 1.25, 0]])
        dy = np.array([[1.0, 10.0, 100.0], [2.0, 3.0, 1000.0]])  # only (1, 0, 0) and (2, 3, 0) pass the relu
        dx, gradients = pl.Dense(3, "relu").backward(self.parameters, cache, dy)
        np.testing.assert_array_equal(gradients["weight"], [[1 - 2, -3, 0], [2 + 1, 1.5, 0]])
        np.testing.assert_array_equal(gradients["bias"], [3, 3, 0])
        np.testing.assert_array_equal(dx, [[1, 2], [2 - 3, 4]])

    def test_without_bias(self):
        layer = pl.Dense(3, use_bias=False)
        assert [spec.name for spec in layer.parameter_specs((2,))] == ["weight"]
        y, cache = layer.forward({"weight": self.parameters["weight"]}, self.x, PREDICTION)
        np.testing.assert_array_equal(y, [[5, -1, -0.5], [0, 1, -0.75]])
        assert set(layer.backward({"weight": self.parameters["weight"]}, cache, y)[1]) == {"weight"}

    def test_an_image_is_read_as_one_row(self):
        image = RNG.normal(size=(4, 2, 3))
        weight = RNG.normal(size=(6, 5))
        layer, parameters = pl.Dense(5), {"weight": weight, "bias": np.zeros(5)}
        y, cache = layer.forward(parameters, image, PREDICTION)
        np.testing.assert_allclose(y, np.einsum("bhw,hwu->bu", image, weight.reshape(2, 3, 5)), rtol=1e-13)
        dx, _ = layer.backward(parameters, cache, y)
        np.testing.assert_allclose(dx, np.einsum("bu,hwu->bhw", y, weight.reshape(2, 3, 5)), rtol=1e-13)

    def test_dx_is_left_out_only_where_nothing_needs_it(self):
        layer = pl.Dense(3)
        _, cache = layer.forward(self.parameters, self.x, pl.Context(training=True, needs_dx=False))
        assert layer.backward(self.parameters, cache, np.ones((2, 3)))[0] is None


class TestDropout:
    @given(rate=st.floats(0.01, 0.99), seed=st.integers(0, 1 << 40), step=st.integers(0, 1 << 30))
    def test_the_dropped_fraction_is_binomial_and_the_kept_are_scaled(self, rate, seed, step):
        """n = 20,000 elements: the number dropped lies within 6 standard deviations of n rate."""
        x = np.ones((100, 200))
        y, _ = pl.Dropout(rate).forward({}, x, training(step, seed=seed))
        dropped = int((y == 0).sum())
        assert abs(dropped - x.size * rate) < 6 * math.sqrt(x.size * rate * (1 - rate)) + 1
        np.testing.assert_allclose(y[y != 0], 1 / (1 - rate), rtol=1e-14)

    def test_the_expectation_of_every_element_is_kept(self):
        """Mean over 4,000 steps of x m / (1 - rate): standard error |x| sqrt(rate / (1 - rate) / 4000)."""
        x = np.array([[1.0, -2.0, 30.0, 0.25]] * 5)
        mean = np.mean([pl.Dropout(0.3).forward({}, x, training(step))[0] for step in range(4000)], axis=0)
        assert (np.abs(mean - x) < 6 * np.abs(x) * math.sqrt(0.3 / 0.7 / 4000)).all()

    def test_the_mask_depends_on_seed_step_layer_and_on_nothing_else(self):
        x = RNG.normal(size=(50, 40))
        layer = pl.Dropout(0.5)
        mask = layer.forward({}, x, training(3, 2, 7))[0] == 0
        np.testing.assert_array_equal(layer.forward({}, x**2 + 1, training(3, 2, 7))[0] == 0, mask)
        np.testing.assert_array_equal(layer.forward({}, x.astype(np.float32), training(3, 2, 7))[0] == 0, mask)
        for other in (training(4, 2, 7), training(3, 1, 7), training(3, 2, 8)):
            different = (layer.forward({}, x, other)[0] == 0) != mask
            # two independent halves differ in half of the 2,000 places
            assert stats.binomtest(int(different.sum()), x.size).pvalue > 1e-9

    def test_rows_and_columns_of_a_mask_do_not_resemble_each_other(self):
        mask = (pl.Dropout(0.5).forward({}, np.ones((200, 200)), training(1))[0] == 0).astype(float)
        for table in (mask, mask.T):
            r = np.corrcoef(table) - np.eye(200)
            assert np.abs(r).max() < 6.5 / math.sqrt(200)  # 19,900 pairs

    def test_backward_uses_the_mask_of_forward(self):
        x = RNG.normal(size=(6, 5))
        y, cache = pl.Dropout(0.4).forward({}, x, training(9))
        dx, gradients = pl.Dropout(0.4).backward({}, cache, np.full_like(x, 3.0))
        np.testing.assert_allclose(dx, np.where(y == 0, 0, 3 / 0.6), rtol=1e-14)
        assert not gradients

    @pytest.mark.parametrize("layer", [pl.Dropout(0.0), pl.Dropout(0.9)])
    def test_prediction_and_a_rate_of_zero_change_nothing(self, layer):
        x = RNG.normal(size=(6, 5)).astype(np.float32)
        context = training() if layer.rate == 0 else PREDICTION
        y, cache = layer.forward({}, x, context)
        np.testing.assert_array_equal(y, x)
        np.testing.assert_array_equal(layer.backward({}, cache, x)[0], x)

    def test_a_network_drops_anew_in_each_step_and_not_in_prediction(self):
        """One weight of 1 on 1,000 ones with rate 1/2: the loss tells how many were kept, and the mae likewise."""
        layers = [pl.Input(1000), pl.Dropout(0.5), pl.Regression(initializer="ones", use_bias=False)]
        network = pl.Network(layers, dtype="float64")
        kept = []
        network.fit(
            np.ones((1, 1000)),
            np.zeros(1),
            epochs=30,
            optimizer=pl.GradientDescent(1e-30),
            progress="none",
            callbacks=[lambda e: kept.append(e.metrics["mae"] / 2) if isinstance(e, StepFinished) else None],
        )
        assert network.predict(np.ones((1, 1000)))[0] == pytest.approx(1000, rel=1e-12)
        assert len({round(k) for k in kept}) > 15
        assert all(abs(k - 500) < 6 * math.sqrt(250) for k in kept)

    @pytest.mark.parametrize("rate", [-0.1, 1.0, 1.5, math.nan, "0.5", None, True])
    def test_rates_that_cannot_work_are_refused(self, rate):
        with pytest.raises(pl.ArgumentError):
            pl.Dropout(rate)


class TestDropout2D:
    def test_a_channel_of_a_sample_is_kept_or_dropped_as_a_whole(self):
        """200 x 50 channels: the number dropped lies within 6 standard deviations of the expected 3,000."""
        x = RNG.normal(size=(200, 3, 4, 50))
        y, cache = pl.Dropout2D(0.3).forward({}, x, training(2))
        kept = np.isclose(y, x / 0.7, rtol=1e-12)
        np.testing.assert_array_equal(kept | (y == 0), True)
        np.testing.assert_array_equal(kept, np.broadcast_to(kept[:, :1, :1], x.shape))
        assert abs((~kept[:, 0, 0]).sum() - 3000) < 6 * math.sqrt(10_000 * 0.3 * 0.7)
        dx, gradients = pl.Dropout2D(0.3).backward({}, cache, np.full_like(x, 3.0))
        np.testing.assert_allclose(dx, np.where(kept, 3 / 0.7, 0), rtol=1e-14)
        assert not gradients

    def test_channel_c_of_sample_b_is_the_element_b_c_of_dropout(self):
        """So a mask of (B, C) from `Dropout` at the same place in a network is the mask of the channels."""
        single, _ = pl.Dropout(0.4).forward({}, np.ones((20, 8)), training(3, 2, 7))
        channels, _ = pl.Dropout2D(0.4).forward({}, np.ones((20, 5, 6, 8)), training(3, 2, 7))
        np.testing.assert_array_equal(channels, np.broadcast_to(single[:, None, None], channels.shape))

    def test_an_image_without_channels_is_one(self):
        y, _ = pl.Dropout2D(0.5).forward({}, np.ones((64, 5, 4)), training())
        assert set(y.reshape(64, -1).sum(axis=1)) == {0, 40}

    @pytest.mark.parametrize("layer", [pl.Dropout2D(0.0), pl.Dropout2D(0.9)])
    def test_prediction_and_a_rate_of_zero_change_nothing(self, layer):
        x = RNG.normal(size=(6, 5, 2))
        y, cache = layer.forward({}, x, training() if layer.rate == 0 else PREDICTION)
        np.testing.assert_array_equal(y, x)
        np.testing.assert_array_equal(layer.backward({}, cache, x)[0], x)

    def test_what_cannot_work_is_refused(self):
        with pytest.raises(pl.ArgumentError, match=r"Dropout2D\(rate\)"):
            pl.Dropout2D(1.0)
        with pytest.raises(pl.ShapeError, match="dropout2d_1: Dropout2D takes images"):
            pl.Network([pl.Input(4, 4), pl.Flatten(), pl.Dropout2D(0.5), pl.Classification(2)])


class TestBatchNormalization:
    layer = pl.BatchNormalization(momentum=0.8, epsilon=0.5)
    parameters = {  # noqa: RUF012
        "gamma": np.array([2.0, 3.0]),
        "beta": np.array([1.0, -1.0]),
        "moving_mean": np.array([10.0, 20.0]),
        "moving_variance": np.array([3.5, 8.5]),
    }
    x = np.array([[1.0, 0.0], [2.0, 4.0], [3.0, 8.0], [6.0, 4.0]])
    # by hand: means 3 and 4; variances (4 + 1 + 0 + 9)/4 = 3.5 and (16 + 0 + 16 + 0)/4 = 8; with epsilon 4 and 8.5

    def test_training_by_hand(self):
        y, _ = self.layer.forward(self.parameters, self.x, training())
        r = math.sqrt(8.5)
        expected = [[-1, -12 / r - 1], [0, -1], [1, 12 / r - 1], [4, -1]]
        np.testing.assert_allclose(y, expected, rtol=1e-14)

    def test_prediction_by_hand_uses_the_moving_averages_alone(self):
        y, _ = self.layer.forward(self.parameters, self.x, PREDICTION)
        np.testing.assert_allclose(y, (self.x - [10, 20]) * [2 / 2, 3 / 3] + [1, -1], rtol=1e-14)

    def test_the_activation_comes_after_scale_and_shift(self):
        """z as above: relu passes 1, 4 and 12 / r - 1, and their gradients alone."""
        layer = pl.BatchNormalization(0.8, 0.5, "relu")
        y, cache = layer.forward(self.parameters, self.x, training())
        r = math.sqrt(8.5)
        np.testing.assert_allclose(y, [[0, 0], [0, 0], [1, 12 / r - 1], [4, 0]], rtol=1e-14)
        dx, gradients = layer.backward(self.parameters, cache, np.full((4, 2), 5.0))
        passed = 5.0 * (y > 0)
        _, plain = self.layer.forward(self.parameters, self.x, training())
        expected_dx, expected = self.layer.backward(self.parameters, plain, passed)
        np.testing.assert_array_equal(dx, expected_dx)
        np.testing.assert_allclose(gradients["gamma"], [5 * 0 + 5 * 3 / 2, 5 * 4 / r], rtol=1e-14)
        np.testing.assert_array_equal(gradients["beta"], [10, 5])
        np.testing.assert_array_equal(gradients["gamma"], expected["gamma"])
        assert layer.next_state(self.parameters, cache).keys() == {"moving_mean", "moving_variance"}
        with pytest.raises(pl.ArgumentError, match="Did you mean 'relu'"):
            pl.BatchNormalization(activation="rellu")

    def test_moving_averages_by_hand(self):
        _, cache = self.layer.forward(self.parameters, self.x, training())
        state = self.layer.next_state(self.parameters, cache)
        np.testing.assert_allclose(state["moving_mean"], [0.8 * 10 + 0.2 * 3, 0.8 * 20 + 0.2 * 4], rtol=1e-14)
        np.testing.assert_allclose(state["moving_variance"], [0.8 * 3.5 + 0.2 * 3.5, 0.8 * 8.5 + 0.2 * 8], rtol=1e-14)

    @pytest.mark.parametrize("shape", [(6, 3), (4, 5, 3), (3, 2, 2, 3)])
    def test_gradients_equal_autograd_with_the_statistics_of_the_batch(self, shape):
        x, r = RNG.normal(size=shape) * 2 + 1, RNG.normal(size=shape)
        gamma, beta = RNG.normal(size=3), RNG.normal(size=3)
        axes = tuple(range(len(shape) - 1))

        def value(x, gamma, beta):
            mean = anp.mean(x, axis=axes)
            variance = anp.mean((x - mean) ** 2, axis=axes)
            return anp.sum(r * (gamma * (x - mean) / anp.sqrt(variance + 0.5) + beta))

        parameters = {"gamma": gamma, "beta": beta}
        y, cache = self.layer.forward(parameters, x, training())
        assert (y * r).sum() == pytest.approx(value(x, gamma, beta), rel=1e-12)
        dx, gradients = self.layer.backward(parameters, cache, r)
        for actual, argument in ((dx, 0), (gradients["gamma"], 1), (gradients["beta"], 2)):
            np.testing.assert_allclose(actual, grad(value, argument)(x, gamma, beta), rtol=1e-11, atol=1e-13)

    def test_after_training_the_statistics_are_constants(self):
        _, cache = self.layer.forward(self.parameters, self.x, PREDICTION)
        dx, _ = self.layer.backward(self.parameters, cache, np.ones_like(self.x))
        np.testing.assert_allclose(dx, np.broadcast_to([2 / 2, 3 / 3], self.x.shape), rtol=1e-14)

    def test_a_batch_of_one_gives_the_shift_and_leaves_the_moving_averages_alone(self):
        y, cache = self.layer.forward(self.parameters, self.x[:1], training())
        np.testing.assert_array_equal(y, [[1, -1]])
        assert self.layer.next_state(self.parameters, cache) == {}
        dx, gradients = self.layer.backward(self.parameters, cache, np.ones((1, 2)))
        assert not dx.any()
        np.testing.assert_array_equal(gradients["gamma"], [0, 0])
        np.testing.assert_array_equal(gradients["beta"], [1, 1])

    def test_a_constant_feature_gives_the_shift(self):
        y, _ = self.layer.forward(self.parameters, np.full((5, 2), 7.0), training())
        np.testing.assert_array_equal(y, np.broadcast_to([1, -1], (5, 2)))

    def test_a_large_common_offset_does_no_harm_in_float32(self):
        """mean(x^2) - mean^2 would lose all digits here: 10,000 +- 1 in float32."""
        x = (10_000 + RNG.normal(size=(256, 2))).astype(np.float32)
        y, _ = pl.BatchNormalization().forward({"gamma": np.float32([1, 1]), "beta": np.float32([0, 0])}, x, training())
        centred = x.astype(float) - x.astype(float).mean(axis=0)
        # the mean of 256 numbers near 10^4 is right within 256 eps 10^4 / 2 = 0.15 at the very worst, in truth far better
        np.testing.assert_allclose(y, centred / centred.std(axis=0), atol=0.01)

    def test_in_a_network_training_moves_the_averages_and_prediction_uses_them(self):
        """Five steps on one batch: moving = 0.9^5 start + (1 - 0.9^5) batch, since the layer sees the same x."""
        x = RNG.normal(size=(8, 3)) * 2 + 5
        layers = [pl.Input(3), pl.BatchNormalization(), pl.Regression()]
        network = pl.Network(layers, dtype="float64")
        network.fit(x, np.ones(8), epochs=5, batch_size=8, progress="none")
        keep = 0.9**5
        mean = (1 - keep) * x.mean(axis=0)
        variance = keep + (1 - keep) * x.var(axis=0)
        np.testing.assert_allclose(network.state["batch_normalization_1.moving_mean"], mean, rtol=1e-12)
        np.testing.assert_allclose(network.state["batch_normalization_1.moving_variance"], variance, rtol=1e-12)
        p = network.parameters
        h = (x - mean) / np.sqrt(variance + 1e-5)
        y = h * p["batch_normalization_1.gamma"] + p["batch_normalization_1.beta"]
        np.testing.assert_allclose(network.predict(x), (y @ p["output.weight"] + p["output.bias"])[:, 0], rtol=1e-12)


class TestInputAndFlatten:
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_pixels_are_divided_by_255(self, dtype):
        pixels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
        y, cache = pl.Input(16, 16).forward({}, pixels, pl.Context(dtype=np.dtype(dtype)))
        assert y.dtype == dtype
        np.testing.assert_allclose(y.ravel(), [k / 255 for k in range(256)], rtol=2 * np.finfo(dtype).eps)
        assert y.min() == 0
        assert y.max() == 1
        np.testing.assert_allclose(pl.Input(16, 16).backward({}, cache, np.ones((1, 16, 16)))[0], 1 / 255, rtol=1e-15)

    def test_numbers_pass_unchanged(self):
        x = RNG.normal(size=(3, 2))
        y, cache = pl.Input(2).forward({}, x, PREDICTION)
        np.testing.assert_array_equal(y, x)
        np.testing.assert_array_equal(pl.Input(2).backward({}, cache, x)[0], x)

    def test_a_network_gives_the_same_for_pixels_and_for_the_numbers_that_they_mean(self):
        pixels = RNG.integers(0, 256, (5, 4, 4)).astype(np.uint8)
        network = pl.Network([pl.Input(4, 4), pl.Dense(6, "tanh"), pl.Classification(3)], dtype="float64")
        np.testing.assert_allclose(network.predict_proba(pixels), network.predict_proba(pixels / 255.0), rtol=1e-13)

    def test_flatten_reads_row_by_row_and_back(self):
        x = np.arange(24.0).reshape(2, 3, 4)
        y, cache = pl.Flatten().forward({}, x, PREDICTION)
        np.testing.assert_array_equal(y, [np.arange(12), np.arange(12, 24)])
        np.testing.assert_array_equal(pl.Flatten().backward({}, cache, y)[0], x)
        assert pl.Flatten().output_shape((3, 4)) == (12,)

    def test_flatten_before_dense_changes_nothing(self):
        x = RNG.normal(size=(5, 2, 3))
        with_it = pl.Network([pl.Input(2, 3), pl.Flatten(), pl.Dense(4, "tanh"), pl.Regression()], dtype="float64")
        without = pl.Network([pl.Input(2, 3), pl.Dense(4, "tanh"), pl.Regression()], dtype="float64")
        np.testing.assert_array_equal(with_it.predict(x), without.predict(x))


class TestOutputs:
    def test_probabilities_by_hand(self):
        """p = (1, 2, 5) / 8; and 1/4, 3/4 for z = log 3."""
        np.testing.assert_allclose(
            pl.Classification(3).probabilities(np.log([[1.0, 2, 5]])), [[1 / 8, 2 / 8, 5 / 8]], rtol=1e-14
        )
        both = pl.BinaryClassification().probabilities(np.array([[math.log(3)], [-30.0]]))
        np.testing.assert_allclose(both, [[1 / 4, 3 / 4], [1, SMALL]], rtol=1e-13)

    def test_the_score_counts_what_predict_answers_also_where_probabilities_are_equal_after_rounding(self):
        """Logits a hair apart: accuracy and predictions must tell the same story."""
        z = np.float32([[1e-9], [-1e-9]])
        binary = pl.BinaryClassification()
        score = binary.score(z, binary.targets(binary.predict(z), np.dtype(np.float32)))
        np.testing.assert_array_equal(score, [1, 1])
        z = np.nextafter(np.float32([[1, 1, 1]]), np.float32([[1, 1, 2]]))
        several = pl.Classification(3)
        np.testing.assert_array_equal(several.score(z, several.targets(several.predict(z), np.dtype(np.float32))), [1])

    def test_regression_answers(self):
        z = np.array([[1.0], [2.0]])
        np.testing.assert_array_equal(pl.Regression().predict(z), [1, 2])
        np.testing.assert_array_equal(pl.Regression(2).predict(z.T), [[1, 2]])
        np.testing.assert_array_equal(pl.Regression(2).score(np.array([[1.0, 2.0]]), np.array([[2.0, 5.0]])), [2])
