"""The advice for arrays of another shape: what it says to do gives the samples, with every number at its place."""

from __future__ import annotations

import re

import numpy as np
import pytest

import pellucid as pl
from pellucid.nn.layers.input import axes_for

PHOTOS = np.random.default_rng(0).random((10, 32, 24, 3))
GREY = np.random.default_rng(1).random((10, 28, 28))
TABLE = np.random.default_rng(2).random((10, 4))


def advice(batch, given):
    with pytest.raises(pl.ShapeError) as error:
        pl.Input(*batch.shape[1:]).check(given)
    return str(error.value)


def advised(batch, given):
    """What the advice gives, for an x that is ``given``."""
    calls = re.findall(r"x(?:\.(?:transpose|reshape)\([-\d, ]*\))+(?:\[None\])?", advice(batch, given))
    return [eval(call, {"x": given, "None": None}) for call in calls]


@pytest.mark.parametrize(
    ("batch", "given"),
    [
        (PHOTOS, PHOTOS.transpose(0, 3, 1, 2)),  # channels first
        (PHOTOS, PHOTOS.transpose(0, 2, 1, 3)),  # width before height
        (PHOTOS, PHOTOS.transpose(1, 2, 3, 0)),  # samples last, as in files of Matlab
        (PHOTOS[:1], PHOTOS[0].transpose(2, 0, 1)),  # one sample, channels first
        (PHOTOS[:, :24], PHOTOS[:, :24].transpose(0, 3, 1, 2)),  # square
        (GREY, GREY[..., None]),
        (GREY, GREY[:, None]),
        (GREY, GREY.reshape(10, -1)),
        (GREY, GREY.transpose(1, 2, 0)),
        (GREY[..., None], GREY),
        (GREY[:1], GREY[:1].reshape(-1)),
        (PHOTOS.reshape(10, -1), PHOTOS),
        (TABLE, TABLE.T),
        (TABLE, TABLE[..., None]),
    ],
)
def test_the_advice_gives_the_samples(batch, given):
    results = advised(batch, given)
    assert len(results) == 1
    np.testing.assert_array_equal(results[0], batch)


def test_photos_with_channels_first_are_told_to_transpose_and_how():
    message = advice(np.zeros((10, 32, 32, 3)), np.zeros((10, 3, 32, 32)))
    assert "x.transpose(0, 2, 3, 1)" in message
    assert "reshape" not in message


def test_a_row_of_a_photo_may_be_of_pixels_or_of_channels():
    results = advised(PHOTOS, PHOTOS.reshape(10, -1))
    np.testing.assert_array_equal(results[0], PHOTOS)
    by_channel = advised(PHOTOS, PHOTOS.transpose(0, 3, 1, 2).reshape(10, -1))
    np.testing.assert_array_equal(by_channel[1], PHOTOS)


def test_width_before_height_may_also_be_a_wrong_input():
    assert "or begin the network with Input(24, 32, 3)" in advice(PHOTOS, PHOTOS.transpose(0, 2, 1, 3))


@pytest.mark.parametrize("given", [(10, 14, 56), (10, 3, 28, 28), (10, 27, 28), (0, 5), ()])
def test_what_only_has_as_many_numbers_gets_no_advice(given):
    assert advised(GREY, np.zeros(given)) == []


def test_axes_of_one_size_stay_in_their_order():
    assert axes_for((3, 32, 32), (32, 32, 3)) == (1, 2, 0)
    assert axes_for((3, 32, 24), (32, 24, 3)) == (1, 2, 0)
    assert axes_for((3, 32), (32, 32)) is None


@pytest.mark.parametrize("size", [(3, 5), (5, 3)])
def test_pictures_as_narrow_as_they_have_channels_are_told_of_channels_first(size):
    photos = np.random.default_rng(4).normal(size=(10, *size, 3))
    np.testing.assert_array_equal(advised(photos, photos.transpose(0, 3, 1, 2))[0], photos)
