"""Convolution against scipy.signal, by hand, and against itself read as a dense layer."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal, sparse

import pellucid as pl
from pellucid.mathematics.initializers import INITIALIZERS

F64 = np.dtype(np.float64)
RNG = np.random.default_rng(11)
TRAINING = pl.Context(training=True, dtype=F64)


def two(value):
    return value if isinstance(value, tuple) else (value, value)


def margins(pixels, windows, stride, span):
    """The definition of TensorFlow: https://www.tensorflow.org/api_docs/python/tf/nn#notes_on_padding_2."""
    both = max((windows - 1) * stride + span - pixels, 0)
    return both // 2, both - both // 2


def oracle(layer, x, weight, bias):
    """z by scipy.signal.correlate2d: one call for each sample, channel and filter, on a kernel with the gaps of dilation.

    All windows of the padded image are computed at stride 1, and every stride-th of them is taken.
    """
    x = x[..., None] if x.ndim == 3 else x
    (kh, kw), stride, (dh, dw) = two(layer.kernel_size), two(layer.stride), two(layer.dilation)
    kernel = np.zeros(((kh - 1) * dh + 1, (kw - 1) * dw + 1, *weight.shape[2:]))
    kernel[::dh, ::dw] = weight
    if layer.padding == "same":
        sizes = [-(-n // t) for n, t in zip(x.shape[1:3], stride, strict=True)]
        edges = [margins(*row) for row in zip(x.shape[1:3], sizes, stride, kernel.shape[:2], strict=True)]
        x = np.pad(x, ((0, 0), *edges, (0, 0)))
    else:
        edges = [(0, 0)] * 2 if layer.padding == "valid" else [(p, p) for p in two(layer.padding)]
        x = np.pad(x, ((0, 0), *edges, (0, 0)))
        sizes = [(n - s) // t + 1 for n, s, t in zip(x.shape[1:3], kernel.shape[:2], stride, strict=True)]
    each_in, each_out = kernel.shape[2], layer.filters // layer.groups
    z = np.zeros((len(x), *sizes, layer.filters))
    for b in range(len(x)):
        for u in range(layer.filters):
            for c in range(each_in):
                channel = (u // each_out) * each_in + c
                full = signal.correlate2d(x[b, :, :, channel], kernel[:, :, c, u], mode="valid")
                z[b, :, :, u] += full[:: stride[0], :: stride[1]]
    return z + bias


CASES = [
    (pl.Conv2D(3, 1), (1, 1, 1)),
    (pl.Conv2D(4, 3), (5, 7, 3)),
    (pl.Conv2D(4, 3), (28, 28)),
    (pl.Conv2D(4, 3, padding="valid"), (5, 7, 3)),
    (pl.Conv2D(2, 2), (4, 5, 2)),
    (pl.Conv2D(2, (4, 1)), (7, 3, 2)),
    (pl.Conv2D(2, (1, 4), padding="valid"), (3, 7)),
    (pl.Conv2D(3, 5), (2, 3, 2)),
    (pl.Conv2D(3, 5, stride=2), (7, 8, 2)),
    (pl.Conv2D(3, 3, stride=(1, 3)), (6, 8, 2)),
    (pl.Conv2D(3, 2, stride=3), (8, 7, 2)),
    (pl.Conv2D(3, 1, stride=4), (6, 5, 2)),
    (pl.Conv2D(3, 2, stride=3, padding="valid"), (8, 7, 2)),
    (pl.Conv2D(3, 3, dilation=2), (8, 9, 2)),
    (pl.Conv2D(3, (3, 2), dilation=(1, 3), stride=2, padding="valid"), (6, 9, 2)),
    (pl.Conv2D(3, (2, 3), dilation=(3, 2), stride=(2, 1)), (5, 6)),
    (pl.Conv2D(6, 3, groups=2), (5, 6, 4)),
    (pl.Conv2D(6, 3, groups=3, stride=2, dilation=(2, 1)), (7, 6, 3)),
    (pl.Conv2D(4, 3, groups=4), (5, 6, 4)),
    (pl.Conv2D(8, 2, groups=4, padding="valid"), (5, 6, 4)),
    (pl.Conv2D(3, 3, stride=2, padding=1), (6, 8, 2)),
    (pl.Conv2D(4, 5, stride=2, padding=2, groups=4), (8, 7, 4)),
    (pl.Conv2D(3, 2, stride=3, padding=1), (6, 5, 2)),
    (pl.Conv2D(3, (3, 2), stride=(1, 2), padding=(2, 0)), (4, 6, 2)),
    (pl.Conv2D(2, 3, padding=2, dilation=2), (5, 6)),
]
cases = pytest.mark.parametrize(("layer", "shape"), CASES, ids=[f"{layer}-{shape}" for layer, shape in CASES])


def drawn(layer, shape, batch, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(batch, *shape))
    return x, {spec.name: rng.normal(size=spec.shape) for spec in layer.parameter_specs(shape)}


class TestAgainstScipy:
    @cases
    @pytest.mark.parametrize("batch", [1, 3])
    def test_forward(self, layer, shape, batch):
        x, parameters = drawn(layer, shape, batch)
        y, _ = layer.forward(parameters, x, TRAINING)
        assert y.shape == (batch, *layer.output_shape(shape))
        np.testing.assert_allclose(y, oracle(layer, x, **parameters), rtol=1e-12, atol=1e-12)

    @cases
    def test_backward_is_the_transpose_of_forward(self, layer, shape):
        """z is linear in x and in W, so the oracle on unit vectors gives both matrices whole, and the gradient of <z, r>
        is their transpose times r: every single number of dx and dW is checked, none by finite differences."""
        x, parameters = drawn(layer, shape, 2)
        if x.size + parameters["weight"].size > 800:
            x, parameters = drawn(layer, shape := (6, 5), 2)
        y, cache = layer.forward(parameters, x, TRAINING)
        r = RNG.normal(size=y.shape)
        dx, gradients = layer.backward(parameters, cache, r)
        none = np.zeros(layer.filters)
        by_x = [(oracle(layer, e.reshape(x.shape), parameters["weight"], none) * r).sum() for e in np.eye(x.size)]
        np.testing.assert_allclose(dx.ravel(), by_x, rtol=1e-11, atol=1e-11)
        weight = parameters["weight"]
        by_weight = [(oracle(layer, x, e.reshape(weight.shape), none) * r).sum() for e in np.eye(weight.size)]
        np.testing.assert_allclose(gradients["weight"].ravel(), by_weight, rtol=1e-11, atol=1e-11)
        np.testing.assert_allclose(gradients["bias"], r.reshape(-1, layer.filters).sum(axis=0), rtol=1e-12)

    def test_a_whole_volume_at_once(self):
        """Without padding, stride or groups, one filter is scipy.signal.correlate of three axes."""
        layer = pl.Conv2D(2, (3, 2), padding="valid", use_bias=False)
        x, parameters = drawn(layer, (6, 5, 4), 1)
        y, _ = layer.forward(parameters, x, TRAINING)
        for u in range(2):
            volume = signal.correlate(x[0], parameters["weight"][..., u], mode="valid", method="direct")
            np.testing.assert_allclose(y[0, :, :, u], volume[:, :, 0], rtol=1e-12, atol=1e-13)


class TestByHand:
    x = np.array([[[1.0, 2.0, 0.0], [0.0, 1.0, 3.0], [2.0, 0.0, 1.0]]])
    parameters = {"weight": np.array([[1.0, 0.0], [2.0, -1.0]]).reshape(2, 2, 1, 1), "bias": np.array([0.5])}  # noqa: RUF012

    def test_valid(self):
        """z_00 = 1 + 0 - 1 + .5, z_01 = 2 + 2 - 3 + .5, z_10 = 0 + 4 - 0 + .5, z_11 = 1 + 0 - 1 + .5; the gradient
        1, 10, 100, 1000 of the four windows, times the weights, at the four places of each."""
        layer = pl.Conv2D(1, 2, padding="valid")
        y, cache = layer.forward(self.parameters, self.x, TRAINING)
        np.testing.assert_array_equal(y[0, :, :, 0], [[0.5, 1.5], [4.5, 0.5]])
        dy = np.array([[1.0, 10.0], [100.0, 1000.0]]).reshape(1, 2, 2, 1)
        dx, gradients = layer.backward(self.parameters, cache, dy)
        np.testing.assert_array_equal(dx[0], [[1, 10, 0], [2 + 100, -1 + 20 + 1000, -10], [200, -100 + 2000, -1000]])
        expected = [[1 + 20 + 1000, 2 + 100 + 3000], [0 + 10 + 200, 1 + 30 + 1000]]
        np.testing.assert_array_equal(gradients["weight"][:, :, 0, 0], expected)
        np.testing.assert_array_equal(gradients["bias"], [1111])

    def test_same_has_its_odd_margin_at_the_bottom_and_on_the_right(self):
        """The windows of "valid", then z_02 = 0 + 6 + .5, z_12 = 3 + 2 + .5, and below x_2j + .5 alone."""
        y, _ = pl.Conv2D(1, 2).forward(self.parameters, self.x, TRAINING)
        np.testing.assert_array_equal(y[0, :, :, 0], [[0.5, 1.5, 6.5], [4.5, 0.5, 5.5], [2.5, 0.5, 1.5]])

    def test_the_activation_bends_and_its_derivative_counts(self):
        layer = pl.Conv2D(1, 2, "relu", padding="valid")
        parameters = {**self.parameters, "bias": np.array([-1.0])}  # z = -1, 0, 3, -1
        y, cache = layer.forward(parameters, self.x, TRAINING)
        np.testing.assert_array_equal(y[0, :, :, 0], [[0, 0], [3, 0]])
        dx, gradients = layer.backward(parameters, cache, np.full((1, 2, 2, 1), 2.0))
        np.testing.assert_array_equal(dx[0], [[0, 0, 0], [2, 0, 0], [4, -2, 0]])
        np.testing.assert_array_equal(gradients["bias"], [2])


class TestWhatItIs:
    def test_a_window_as_large_as_the_image_is_a_dense_layer(self):
        x = RNG.normal(size=(3, 4, 5, 2))
        weight, bias = RNG.normal(size=(4, 5, 2, 6)), RNG.normal(size=6)
        y, _ = pl.Conv2D(6, (4, 5), "tanh", padding="valid").forward({"weight": weight, "bias": bias}, x, TRAINING)
        dense, _ = pl.Dense(6, "tanh").forward({"weight": weight.reshape(40, 6), "bias": bias}, x, TRAINING)
        assert y.shape == (3, 1, 1, 6)
        np.testing.assert_allclose(y[:, 0, 0], dense, rtol=1e-13)

    def test_groups_are_a_dense_matrix_with_blocks_on_its_diagonal(self):
        x = RNG.normal(size=(2, 3, 3, 6))
        weight = RNG.normal(size=(1, 1, 2, 9))
        y, _ = pl.Conv2D(9, 1, groups=3, use_bias=False).forward({"weight": weight}, x, TRAINING)
        blocks = sparse.block_diag([weight[0, 0, :, 3 * g : 3 * g + 3] for g in range(3)]).toarray()
        np.testing.assert_allclose(y, x @ blocks, rtol=1e-13, atol=1e-13)

    def test_an_image_moved_is_an_answer_moved(self):
        """Far from the margins, and with stride 1: the reason for convolutions."""
        layer = pl.Conv2D(3, 3, "gelu")
        image = np.zeros((1, 16, 16, 2))
        image[:, 4:8, 4:8] = RNG.normal(size=(1, 4, 4, 2))
        _, parameters = drawn(layer, (16, 16, 2), 1)
        y, _ = layer.forward(parameters, image, TRAINING)
        moved, _ = layer.forward(parameters, np.roll(image, (3, 5), axis=(1, 2)), TRAINING)
        np.testing.assert_allclose(moved, np.roll(y, (3, 5), axis=(1, 2)), rtol=1e-13, atol=1e-13)

    def test_an_image_without_channels_is_one_with_one(self):
        layer = pl.Conv2D(3, 3, "tanh")
        x, parameters = drawn(layer, (5, 4), 2)
        y, cache = layer.forward(parameters, x, TRAINING)
        other, other_cache = layer.forward(parameters, x[..., None], TRAINING)
        np.testing.assert_array_equal(y, other)
        dx, other_dx = (layer.backward(parameters, c, y)[0] for c in (cache, other_cache))
        np.testing.assert_array_equal(dx, other_dx[..., 0])

    def test_dx_is_left_out_only_where_nothing_needs_it(self):
        layer = pl.Conv2D(3)
        x, parameters = drawn(layer, (5, 4, 2), 2)
        y, cache = layer.forward(parameters, x, pl.Context(training=True, needs_dx=False))
        dx, gradients = layer.backward(parameters, cache, y)
        assert dx is None
        _, cache = layer.forward(parameters, x, TRAINING)
        np.testing.assert_array_equal(gradients["weight"], layer.backward(parameters, cache, y)[1]["weight"])

    def test_without_a_bias(self):
        assert [spec.name for spec in pl.Conv2D(3, use_bias=False).parameter_specs((4, 4))] == ["weight"]

    def test_it_learns_where_a_line_lies_whatever_the_place(self):
        """Lines across against lines down, at random places: a linear layer sees 50 %, one convolution all."""
        images, labels = np.zeros((120, 8, 8), np.float32), np.arange(120) % 2
        for image, label, place in zip(images, labels, RNG.integers(1, 7, 120), strict=True):
            (image if label else image.T)[place] = 1
        layers = [pl.Input(8, 8), pl.Conv2D(4, 3, "relu"), pl.GlobalAveragePooling2D(), pl.BinaryClassification()]
        network = pl.Network(layers, seed=1, dtype="float64")
        network.fit(images, labels, epochs=40, optimizer=pl.Adam(0.03), progress="none")
        assert network.evaluate(images, labels)["accuracy"] == 1.0


class TestDrawing:
    @pytest.mark.parametrize("groups", [1, 4, 16])
    @pytest.mark.parametrize(("name", "gain", "uses_out"), [("he_normal", 2, False), ("glorot_uniform", 2, True)])
    def test_the_variance_counts_the_fans_of_one_group(self, name, gain, uses_out, groups):
        """fan_in = kh kw C / G and fan_out = kh kw U / G; variance 2 / fan_in, or 2 / (fan_in + fan_out). Of n numbers,
        the mean of squares has the relative error sqrt((kurtosis - 1) / n) <= sqrt(2 / n)."""
        layer = pl.Conv2D(256, (3, 5), groups=groups, initializer=name)
        (spec, _) = layer.parameter_specs((8, 8, 64))
        weight = spec.initializer.draw(spec.shape, pl.random.key(5))
        assert weight.shape == (3, 5, 64 // groups, 256)
        fan = 15 * 64 // groups + (15 * 256 // groups if uses_out else 0)
        assert abs((weight**2).mean() * fan / gain - 1) < 6 * np.sqrt(2 / weight.size)

    @pytest.mark.parametrize("groups", [1, 2])
    def test_orthogonal_filters_are_orthonormal_in_each_group(self, groups):
        (spec, _) = pl.Conv2D(10, 3, groups=groups, initializer="orthogonal").parameter_specs((8, 8, 4))
        weight = spec.initializer.draw(spec.shape, pl.random.key(5)).reshape(-1, groups, 10 // groups)
        for g in range(groups):
            np.testing.assert_allclose(weight[:, g].T @ weight[:, g], np.eye(10 // groups), atol=1e-12)

    def test_groups_are_drawn_independently(self):
        (spec, _) = pl.Conv2D(64, 3, groups=2).parameter_specs((8, 8, 64))
        weight = spec.initializer.draw(spec.shape, pl.random.key(5)).reshape(-1, 2, 32)
        assert abs(np.corrcoef(weight[:, 0].ravel(), weight[:, 1].ravel())[0, 1]) < 6 / np.sqrt(weight[:, 0].size)

    @pytest.mark.parametrize(("activation", "name"), [("relu", "he_normal"), ("tanh", "glorot_uniform")])
    def test_without_an_initializer_the_activation_chooses(self, activation, name):
        (spec, bias) = pl.Conv2D(3, 3, activation).parameter_specs((8, 8, 4))
        assert spec.initializer == INITIALIZERS[name]
        assert spec.is_weight
        assert bias.initializer == pl.Constant(0.0)
        assert not bias.is_weight


class TestErrors:
    @pytest.mark.parametrize(
        ("make", "words"),
        [
            (lambda: pl.Conv2D(0), "filters"),
            (lambda: pl.Conv2D(2.5), "filters"),
            (lambda: pl.Conv2D(4, 0), "window of Conv2D"),
            (lambda: pl.Conv2D(4, (3, 0)), "each number of the window of Conv2D"),
            (lambda: pl.Conv2D(4, (3, 3, 3)), "a pair \\(height, width\\)"),
            (lambda: pl.Conv2D(4, [3, 3]), "whole number"),
            (lambda: pl.Conv2D(4, True), "whole number"),
            (lambda: pl.Conv2D(4, 3, "rellu"), "Did you mean 'relu'"),
            (lambda: pl.Conv2D(4, 3, "rellu", initializer="zeros"), "Did you mean 'relu'"),
            (lambda: pl.Conv2D(4, stride=0), "Conv2D\\(stride\\)"),
            (lambda: pl.Conv2D(4, dilation=(1, -1)), "Conv2D\\(dilation\\)"),
            (lambda: pl.Conv2D(4, padding="full"), "unknown padding 'full'.* same, valid"),
            (lambda: pl.Conv2D(4, padding=-1), r"Conv2D\(padding\) must be .*whole number of at least 0 .* not -1"),
            (lambda: pl.Conv2D(4, padding=(1, 1, 1)), r"a pair \(height, width\), not \(1, 1, 1\)"),
            (lambda: pl.Conv2D(4, padding=(1, "same")), r"Conv2D\(padding\) must be"),
            (lambda: pl.Conv2D(4, padding=(1, True)), r"Conv2D\(padding\) must be"),
            (lambda: pl.Conv2D(4, padding=True), "unknown padding True"),
            (lambda: pl.Conv2D(4, padding=0.5), "unknown padding 0.5"),
            (lambda: pl.Conv2D(4, padding=3), "smaller than the window of 3x3 pixels, not 3x3: .* see nothing"),
            (lambda: pl.Conv2D(4, (3, 2), padding=(2, 2)), "smaller than the window of 3x2 pixels, not 2x2"),
            (lambda: pl.Conv2D(4, 5000), "at most 4096 pixels, not 5,000"),
            (lambda: pl.Conv2D(4, 3, dilation=4000), "at most 4096 pixels, not 8,001"),
            (lambda: pl.Conv2D(4, stride=(1, 1 << 20)), "a stride of Conv2D spans at most 4096 pixels, not 1,048,576"),
            (lambda: pl.Conv2D(4, 1, dilation=1 << 20), "a dilation of Conv2D spans at most 4096 pixels, not 1,048,576"),
            (lambda: pl.Conv2D(4, groups=0), "groups"),
            (lambda: pl.Conv2D(4, groups=3), "4 filters cannot be"),
            (lambda: pl.Conv2D(4, initializer="he"), "initializer"),
            (lambda: pl.Conv2D(4, use_bias=1), "use_bias"),
            (lambda: pl.Conv2D(4, regularizer=0.1), "regularizer"),
        ],
    )
    def test_fields_that_cannot_work(self, make, words):
        with pytest.raises(pl.ArgumentError, match=words):
            make()

    @pytest.mark.parametrize(
        ("layers", "words"),
        [
            ([pl.Input(8), pl.Conv2D(4)], r"conv2d_1: Conv2D takes images .* not samples of the shape \(8,\); put Conv2D"),
            ([pl.Input(8, 8), pl.Flatten(), pl.Conv2D(4)], "put Conv2D before Flatten, Dense"),
            ([pl.Input(8, 8, 3, 2), pl.Conv2D(4)], r"not samples of the shape \(8, 8, 3, 2\)\."),
            ([pl.Input(8, 8, 3), pl.Conv2D(4, groups=2)], "3 channels cannot be: choose groups that divide 3"),
            ([pl.Input(8, 4), pl.Conv2D(4, 5, padding="valid")], "window of 5x5 pixels does not fit .* 8x4; .*same"),
            ([pl.Input(8, 4), pl.Conv2D(4, 7, padding=1)], "7x7 pixels does not fit .* 10x6, margins included; .*same"),
            ([pl.Input(8, 8), pl.Conv2D(4, 3, dilation=4, padding="valid")], "window of 9x9 pixels does not fit"),
        ],
    )
    def test_shapes_that_cannot_be_joined(self, layers, words):
        with pytest.raises(pl.ShapeError, match=words):
            pl.Network([*layers, pl.Classification(2)])
