"""Rescale: by hand, and what it measures against scikit-learn's StandardScaler."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

import pellucid as pl
from pellucid.nn.layers import rescale

F64 = np.dtype(np.float64)
RNG = np.random.default_rng(15)
PREDICTION = pl.Context(dtype=F64)


def test_by_hand():
    x = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
    layer = pl.Rescale((2.0, -1.0), (0.5, 10.0))
    y, cache = layer.forward({}, x, PREDICTION)
    np.testing.assert_array_equal(y, [[[[2.5, 8.0], [6.5, 6.0]]]])
    dx, gradients = layer.backward({}, cache, np.ones_like(y))
    np.testing.assert_array_equal(dx, [[[[2, -1], [2, -1]]]])
    assert gradients == {}
    np.testing.assert_array_equal(pl.Rescale(3.0).forward({}, x, PREDICTION)[0], 3 * x)
    np.testing.assert_array_equal(pl.Rescale(3, (1.0, 0.0)).forward({}, x, PREDICTION)[0], 3 * x + [1, 0])


@pytest.mark.parametrize("pixels", [True, False])
@pytest.mark.parametrize("shape", [(40, 5, 4, 3), (40, 5, 4), (40, 6), (1, 7, 7, 1)])
def test_it_measures_what_standardises_each_channel(shape, pixels, monkeypatch):
    """In blocks smaller than a sample, as large arrays are measured."""
    monkeypatch.setattr(rescale, "BLOCK_VALUES", 50)
    x = RNG.integers(0, 256, shape).astype(np.uint8) if pixels else (RNG.normal(size=shape) * 3 + 2).astype(np.float32)
    numbers = x / 255.0 if pixels else x.astype(float)
    columns = numbers.reshape(-1, 1 if x.ndim == 3 else shape[-1])
    layer = pl.Rescale.fit(x)
    expected = StandardScaler().fit(columns)
    np.testing.assert_allclose(np.ravel(layer.scale), 1 / expected.scale_, rtol=1e-12)
    np.testing.assert_allclose(np.ravel(layer.offset), -expected.mean_ / expected.scale_, rtol=1e-12)
    y, _ = layer.forward({}, numbers, PREDICTION)
    np.testing.assert_allclose(y.reshape(columns.shape), expected.transform(columns), rtol=1e-9, atol=1e-12)


def test_one_number_is_enough_for_images_without_channels():
    layer = pl.Rescale.fit(np.zeros((3, 4, 4), np.uint8))
    assert layer == pl.Rescale(1.0, 0.0)


@pytest.mark.parametrize("value", [0.1, 0.0, -7.3])
def test_a_channel_that_is_the_same_everywhere_is_only_shifted(value):
    """The mean of many 0.1 is not quite 0.1: what remains is rounding, and must not be blown up."""
    x = RNG.normal(size=(30, 3, 3, 2))
    x[..., 1] = value
    layer = pl.Rescale.fit(x)
    assert layer.scale[1] == 1.0
    assert layer.offset[1] == pytest.approx(-value, rel=1e-12)


def test_pixels_are_measured_as_the_network_sees_them():
    """Input divides by 255, then this layer standardises: mean 0 and variance 1 of what the next layer gets."""
    x = RNG.integers(30, 90, (50, 6, 6, 3)).astype(np.uint8)
    network = pl.Network([pl.Input(6, 6, 3), pl.Rescale.fit(x), pl.Classification(2)], dtype="float64")
    seen = network.propagate(x, keep=True).outputs[1]
    np.testing.assert_allclose(seen.mean(axis=(0, 1, 2)), 0, atol=1e-12)
    np.testing.assert_allclose(seen.var(axis=(0, 1, 2)), 1, rtol=1e-12)


def test_it_is_saved_with_the_network_to_the_last_bit(tmp_path):
    layer = pl.Rescale.fit(RNG.normal(size=(9, 2, 2, 3)))
    pl.Network([pl.Input(2, 2, 3), layer, pl.Regression()]).save(tmp_path / "model.safetensors")
    assert pl.load(tmp_path / "model.safetensors").network.layers[1] == layer


BAD = [(), "2", None, True, np.inf, (1.0, np.nan), (1.0, "x"), [1.0, 2.0], np.ones(3), ((1.0,),), 1e31]


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("field", ["scale", "offset"])
def test_numbers_that_cannot_work_are_refused(bad, field):
    with pytest.raises(pl.ArgumentError, match=rf"Rescale\({field}\)"):
        pl.Rescale(**({"scale": 1.0} | {field: bad}))


@pytest.mark.parametrize(
    ("layer", "words"), [(pl.Rescale((1.0,) * 2), "2 numbers as scale"), (pl.Rescale(1, (0, 0)), "offset")]
)
def test_one_number_a_channel(layer, words):
    with pytest.raises(pl.ShapeError, match=rf"rescale_1: .*{words}.*\(4, 4, 3\) need one, or one for each of 3 channels"):
        pl.Network([pl.Input(4, 4, 3), layer, pl.Classification(2)])
    pl.Network([pl.Input(4, 4, 2), layer, pl.Classification(2)])


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (np.zeros(5), r"float64 \(5,\)"),
        (np.zeros((0, 4, 4, 3)), r"\(0, 4, 4, 3\)"),
        (np.array([["a", "b"]]), "numbers are expected"),
        (np.array([[1.0, np.nan]]), "NaN or infinity"),
        (np.array([[1.0, np.inf], [0.0, 1.0]]), "NaN or infinity"),
    ],
)
def test_what_cannot_be_measured_is_refused(images, words):
    with pytest.raises(pl.ShapeError, match=words):
        pl.Rescale.fit(images)
