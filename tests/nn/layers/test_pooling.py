"""Pooling against naive loops over windows and pixels, and by hand."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid as pl

F64 = np.dtype(np.float64)
RNG = np.random.default_rng(12)
TRAINING = pl.Context(training=True, dtype=F64)


def naive(layer, x, dy=None):
    """(y, dx) by loops: each window lists its real pixels, row by row; max takes the first largest, average the mean.

    Windows of "same": ceil(n / t), with max((windows - 1) t + k - n, 0) pixels of margin, the smaller half above and left.
    """
    x = x[..., None] if x.ndim == 3 else x
    size = layer.size if isinstance(layer.size, tuple) else (layer.size,) * 2
    stride = size if layer.stride is None else layer.stride if isinstance(layer.stride, tuple) else (layer.stride,) * 2
    counts, before = [], []
    for n, k, t in zip(x.shape[1:3], size, stride, strict=True):
        if layer.padding == "same":
            counts.append(-(-n // t))
            before.append(max((counts[-1] - 1) * t + k - n, 0) // 2)
        else:
            before.append(0 if layer.padding == "valid" else layer.padding)
            counts.append((n + 2 * before[-1] - k) // t + 1)
    y, dx = np.zeros((len(x), *counts, x.shape[3])), np.zeros(x.shape)
    for b, h, w, c in np.ndindex(y.shape):
        rows = [p for p in range(h * stride[0] - before[0], h * stride[0] - before[0] + size[0]) if 0 <= p < x.shape[1]]
        columns = [q for q in range(w * stride[1] - before[1], w * stride[1] - before[1] + size[1]) if 0 <= q < x.shape[2]]
        pixels = [(b, p, q, c) for p in rows for q in columns]
        values = [x[pixel] for pixel in pixels]
        if isinstance(layer, pl.MaxPooling2D):
            y[b, h, w, c] = max(values)
            shares = {pixels[values.index(max(values))]: 1.0}
        else:
            y[b, h, w, c] = sum(values) / len(values)
            shares = dict.fromkeys(pixels, 1 / len(pixels))
        for pixel, share in shares.items():
            dx[pixel] += share * (0 if dy is None else dy[b, h, w, c])
    return y, dx


CASES = [
    (kind(*fields), shape)
    for kind in (pl.MaxPooling2D, pl.AveragePooling2D)
    for fields, shape in [
        ((), (4, 6, 3)),
        ((), (5, 7, 2)),
        ((), (28, 28)),
        ((2, None, "same"), (5, 7, 2)),
        ((3, 2), (7, 8, 2)),
        ((3, 2, "same"), (7, 8, 2)),
        ((3, 1, "same"), (4, 5)),
        (((3, 2), (1, 2)), (5, 6, 2)),
        (((1, 4), None, "same"), (3, 6, 2)),
        ((2, 3), (8, 7, 1)),
        ((1, 3, "same"), (8, 7, 2)),
        ((5, 2, "same"), (2, 3, 2)),
        ((3, 2, 1), (8, 7, 2)),
        ((3, 1, 2), (4, 5)),
        ((4, None), (4, 4, 3)),
    ]
]
cases = pytest.mark.parametrize(("layer", "shape"), CASES, ids=[f"{layer}-{shape}" for layer, shape in CASES])


@cases
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("ties", [False, True])
def test_forward_and_backward_against_loops(layer, shape, batch, ties):
    """With ties: only three different values, so that most windows have several largest ones."""
    x = RNG.integers(-1, 2, (batch, *shape)).astype(float) if ties else RNG.normal(size=(batch, *shape)) - 2
    y, cache = layer.forward({}, x, TRAINING)
    dy = RNG.normal(size=y.shape)
    dx, gradients = layer.backward({}, cache, dy)
    expected_y, expected_dx = naive(layer, x, dy)
    assert y.shape == (batch, *layer.output_shape(shape))
    np.testing.assert_allclose(y, expected_y, rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(dx, expected_dx.reshape(x.shape), rtol=1e-13, atol=1e-14)
    assert gradients == {}


class TestByHand:
    x = np.array([[[1.0, 5.0, 2.0], [3.0, 5.0, -4.0], [0.0, 0.0, 8.0]]])

    def test_max(self):
        """Overlapping windows: 5 above wins twice in its rows, 5 below twice too, but of equal ones the first."""
        layer = pl.MaxPooling2D(2, 1)
        y, cache = layer.forward({}, self.x, TRAINING)
        np.testing.assert_array_equal(y[0, :, :, 0], [[5, 5], [5, 8]])
        dx, _ = layer.backward({}, cache, np.array([[1.0, 10.0], [100.0, 1000.0]]).reshape(1, 2, 2, 1))
        np.testing.assert_array_equal(dx[0], [[0, 11, 0], [0, 100, 0], [0, 0, 1000]])

    def test_average(self):
        layer = pl.AveragePooling2D(2, 1)
        y, cache = layer.forward({}, self.x, TRAINING)
        np.testing.assert_array_equal(y[0, :, :, 0], [[14 / 4, 8 / 4], [8 / 4, 9 / 4]])
        dx, _ = layer.backward({}, cache, np.array([[4.0, 40.0], [400.0, 4000.0]]).reshape(1, 2, 2, 1))
        np.testing.assert_array_equal(dx[0], [[1, 11, 10], [101, 1111, 1010], [100, 1100, 1000]])

    def test_margins_never_win_and_do_not_count(self):
        """Windows of 2x2 side by side on 3x3, the last ones half outside: all numbers are negative, margins are not 0."""
        x = -np.arange(1.0, 10).reshape(1, 3, 3)
        y, cache = pl.MaxPooling2D(padding="same").forward({}, x, TRAINING)
        np.testing.assert_array_equal(y[0, :, :, 0], [[-1, -3], [-7, -9]])
        dx, _ = pl.MaxPooling2D(padding="same").backward({}, cache, np.ones((1, 2, 2, 1)))
        np.testing.assert_array_equal(dx[0], [[1, 0, 1], [0, 0, 0], [1, 0, 1]])
        y, _ = pl.AveragePooling2D(padding="same").forward({}, x, TRAINING)
        np.testing.assert_array_equal(y[0, :, :, 0], [[-(1 + 2 + 4 + 5) / 4, -(3 + 6) / 2], [-(7 + 8) / 2, -9]])

    def test_a_number_that_is_not_finite_is_not_hidden(self):
        """A diverged network must show it: NaN wins in its window, and only there."""
        x = self.x.copy()
        x[0, 2, 2] = np.nan
        y, _ = pl.MaxPooling2D(2, 1).forward({}, x, TRAINING)
        np.testing.assert_array_equal(np.isnan(y[0, :, :, 0]), [[False, False], [False, True]])


class TestGlobalAverage:
    def test_by_hand(self):
        x = np.array([[[[1.0, 10.0], [3.0, 20.0]], [[5.0, 30.0], [-1.0, 0.0]]]])
        y, cache = pl.GlobalAveragePooling2D().forward({}, x, TRAINING)
        np.testing.assert_array_equal(y, [[2, 15]])
        dx, gradients = pl.GlobalAveragePooling2D().backward({}, cache, np.array([[4.0, 8.0]]))
        np.testing.assert_array_equal(dx, np.broadcast_to([1, 2], x.shape))
        assert gradients == {}

    def test_an_image_without_channels_has_one(self):
        x = RNG.normal(size=(4, 3, 5))
        y, cache = pl.GlobalAveragePooling2D().forward({}, x, TRAINING)
        np.testing.assert_allclose(y[:, 0], x.mean(axis=(1, 2)), rtol=1e-14)
        dx, _ = pl.GlobalAveragePooling2D().backward({}, cache, y)
        np.testing.assert_allclose(dx, np.broadcast_to(y[:, :, None] / 15, x.shape), rtol=1e-14)


class TestErrors:
    @pytest.mark.parametrize("kind", [pl.MaxPooling2D, pl.AveragePooling2D])
    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"size": 0}, "window of {}"),
            ({"size": (2, 2, 2)}, "pair"),
            ({"size": None}, "whole number"),
            ({"size": 5000}, "4096"),
            ({"stride": 0}, r"{}\(stride\)"),
            ({"stride": 1.5}, r"{}\(stride\)"),
            ({"padding": "Same"}, "Did you mean 'same'"),
            ({"padding": None}, "padding"),
        ],
    )
    def test_fields_that_cannot_work(self, kind, fields, words):
        with pytest.raises(pl.ArgumentError, match=words.format(kind.__name__)):
            kind(**fields)

    @pytest.mark.parametrize("layer", [pl.MaxPooling2D(), pl.AveragePooling2D(), pl.GlobalAveragePooling2D()])
    def test_only_images_are_pooled(self, layer):
        with pytest.raises(
            pl.ShapeError, match=rf"{type(layer).__name__} takes images .* put {type(layer).__name__} before"
        ):
            pl.Network([pl.Input(8, 8), pl.Dense(4), layer, pl.Classification(2)])

    def test_a_window_must_fit(self):
        layers = [pl.Input(9, 9), pl.MaxPooling2D(), pl.MaxPooling2D(), pl.MaxPooling2D(3), pl.Classification(2)]
        with pytest.raises(
            pl.ShapeError, match="max_pooling2d_3: a window of 3x3 pixels does not fit into an image of 2x2"
        ):
            pl.Network(layers)
