"""Changes of photos: chance is a function of the key; each strength does what its name says, and nothing else."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates

from pellucid.core.errors import ArgumentError, DataError, ShapeError
from pellucid.core.random import Purpose, key, uniform
from pellucid.data.augmentation import photo_augmentation
from pellucid.data.augmentation.photo_augmentation import PhotoAugmentation

OFF = {"flip": False, "shift": 0.0, "scale": 0.0, "rotation": 0.0, "color": 0.0, "cutout": 0.0, "mixup": 0.0}
STEP = key(7, Purpose.AUGMENT, 3)
RNG = np.random.default_rng(0)
PHOTOS = RNG.integers(0, 256, (40, 12, 17, 3), np.uint8)


def only(**strengths) -> PhotoAugmentation:
    return PhotoAugmentation(**{**OFF, **strengths})


def draws(count: int) -> np.ndarray:
    """The draws in 0..1: flip, shift y, shift x, zoom, rotation, brightness, contrast, saturation, cutout y, cutout x."""
    return uniform(key(STEP, 0), (count, 10))


def bounded(count: int, column: int) -> np.ndarray:
    """The same in -1..1."""
    return 2 * draws(count)[:, column] - 1


def unit(images: np.ndarray) -> np.ndarray:
    return images / 255.0


def smooth(count: int, height: int, width: int) -> np.ndarray:
    """Pictures (B, H, W, 3) of gentle waves."""
    y, x = np.mgrid[0:height, 0:width]
    phase = RNG.uniform(0, 6, (count, 1, 1, 3))
    return np.round(127 + 100 * np.sin(y[..., None] / 5 + phase) * np.cos(x[..., None] / 7 - phase)).astype(np.uint8)


@given(
    shape=st.tuples(st.integers(0, 5), st.integers(1, 9), st.integers(1, 9)),
    channels=st.sampled_from([(), (1,), (2,), (3,), (4,)]),
    dtype=st.sampled_from([np.uint8, np.float32, np.float64]),
    strengths=st.fixed_dictionaries(
        {"flip": st.booleans()}
        | {name: st.sampled_from([0.0, 0.3, 0.99]) for name in ("shift", "scale", "color", "cutout", "mixup")}
        | {"rotation": st.sampled_from([0.0, 20.0, 180.0])}
    ),
    seed=st.integers(0, 2**64),
)
def test_any_pictures_stay_pictures(shape, channels, dtype, strengths, seed):
    images = np.random.default_rng(1).integers(0, 256, shape + channels).astype(np.uint8)
    given_ = images if dtype == np.uint8 else (images / 255).astype(dtype)
    before = given_.copy()
    changed = PhotoAugmentation(**strengths)(given_, key(seed))
    assert changed.shape == images.shape
    assert changed.dtype == np.float32
    assert np.all((changed >= 0) & (changed <= 1))
    assert np.array_equal(given_, before)
    from_pixels = PhotoAugmentation(**strengths)(images, key(seed))
    np.testing.assert_allclose(changed, from_pixels, atol=1e-5)


def test_nothing_is_the_identity():
    assert np.array_equal(only()(PHOTOS, STEP), PHOTOS.astype(np.float32) / np.float32(255))
    floats = (PHOTOS / 255).astype(np.float32)
    assert np.array_equal(only()(floats, STEP), floats)


@pytest.mark.parametrize("field", [field.name for field in fields(PhotoAugmentation) if field.name != "mixup"])
def test_each_strength_changes_something(field):
    value = True if field == "flip" else 30.0 if field == "rotation" else 0.4
    assert np.abs(only(**{field: value})(PHOTOS, STEP) - unit(PHOTOS)).max() > 0.1


def test_same_key_same_bits_other_step_other_pictures():
    augment = PhotoAugmentation()
    once = augment(PHOTOS, STEP)
    assert augment(PHOTOS, STEP).tobytes() == once.tobytes()
    assert np.abs(augment(PHOTOS, key(7, Purpose.AUGMENT, 4)) - once).mean() > 0.02


def test_a_picture_does_not_depend_on_its_batch(monkeypatch):
    augment = PhotoAugmentation(rotation=40.0)
    whole = augment(PHOTOS, STEP)
    others = PHOTOS.copy()
    others[5:] = 99
    assert augment(others, STEP)[:5].tobytes() == whole[:5].tobytes()
    assert augment(PHOTOS[:7], STEP).tobytes() == whole[:7].tobytes()
    monkeypatch.setattr(photo_augmentation, "_BLOCK", 1)  # each picture is a block of its own
    assert augment(PHOTOS, STEP).tobytes() == whole.tobytes()


def test_flip_turns_half_of_the_pictures_round_exactly():
    images = np.concatenate([PHOTOS] * 20)
    changed = only(flip=True)(images, STEP)
    flipped = draws(len(images))[:, 0] < 0.5
    assert np.array_equal(changed[flipped], np.float32(images[flipped, :, ::-1]) / np.float32(255))
    assert np.array_equal(changed[~flipped], np.float32(images[~flipped]) / np.float32(255))
    assert 0.45 < flipped.mean() < 0.55


def test_shift_moves_a_ramp_by_the_drawn_fraction_of_the_sides():
    """On a ramp of one grey level a pixel, the level tells the place; reflections are left out by looking at the middle."""
    ramp = np.arange(100, dtype=np.uint8)
    down, across = np.repeat(ramp[:, None], 60, 1), np.repeat(ramp[None, 20:80], 100, 0)
    for picture, column, side in ((down, 1, 100), (across, 2, 60)):
        changed = only(shift=0.2)(np.stack([picture] * 30), STEP) * 255
        moved = (picture - changed)[:, 40:60, 25:35]
        np.testing.assert_allclose(
            moved, np.broadcast_to((0.2 * side * bounded(30, column))[:, None, None], moved.shape), atol=1e-3
        )


def test_beyond_the_edge_lies_the_reflection():
    """By hand: the bound is chosen so that the first picture that draws enough moves by two of its four rows."""
    column = np.array([10, 20, 30, 40], np.uint8)
    pictures = np.repeat(np.repeat(column[None, :, None], 3, axis=2), 20, axis=0)
    for sign, expected in ((1, [20, 10, 10, 20]), (-1, [30, 40, 40, 30])):
        index = int(np.flatnonzero(sign * bounded(20, 1) > 0.5)[0])
        changed = only(shift=float(0.5 / abs(bounded(20, 1)[index])))(pictures, STEP)[index] * 255
        np.testing.assert_allclose(changed[:, 1], expected, atol=1e-3)


def test_a_quarter_turn_agrees_with_numpy():
    """The bound is chosen so that the drawn angle is 90 degrees, of the first picture that draws enough."""
    images = RNG.integers(0, 256, (20, 15, 15, 3), np.uint8)
    for sign, turns in ((1, 1), (-1, -1)):
        index = int(np.flatnonzero(sign * bounded(20, 4) > 0.5)[0])
        changed = only(rotation=float(90 / abs(bounded(20, 4)[index])))(images, STEP)[index]
        np.testing.assert_allclose(changed, np.rot90(unit(images[index]), turns), atol=1e-4)


def test_scale_shows_the_middle_larger_or_smaller():
    """A disk keeps its place, and its area grows with the square of the factor; its reflections are left out."""
    y, x = np.mgrid[-30:31, -30:31]
    disk = np.where(y**2 + x**2 <= 12**2, 255, 0).astype(np.uint8)
    changed = only(scale=0.5)(np.stack([disk] * 30), STEP)
    factor = 1 + 0.5 * bounded(30, 3)
    np.testing.assert_allclose(changed[:, 10:51, 10:51].sum(axis=(1, 2)) / unit(disk).sum(), factor**2, rtol=0.02)


def test_all_geometry_together_agrees_with_scipy():
    """Against scipy.ndimage.map_coordinates, order 1, whose mode "reflect" is the same reflection.

    The place is built from the drawn numbers in the order of the words: flip, rotate and zoom about the centre, shift.
    """
    images = smooth(20, 24, 31)
    changed = only(flip=True, shift=0.15, scale=0.3, rotation=35.0)(images, STEP)
    centre = np.array([11.5, 15.0])
    grid = np.stack(np.mgrid[0:24, 0:31], axis=-1) - centre
    for i, drawn in enumerate(draws(20)):
        flip, (down, across, zoom, turn) = drawn[0] < 0.5, 2 * drawn[1:5] - 1
        angle = np.deg2rad(35.0 * turn)
        seen = grid * [1, -1 if flip else 1]
        rotated = seen @ np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / (1 + 0.3 * zoom)
        place = np.moveaxis(rotated + centre - 0.15 * np.array([24, 31]) * [down, across], -1, 0)
        for c in range(3):
            expected = map_coordinates(unit(images[i, ..., c]), place, order=1, mode="reflect")
            np.testing.assert_allclose(changed[i, ..., c], expected, atol=1e-4)


def test_color_changes_brightness_contrast_and_saturation_as_drawn():
    """In three steps, one after the other, on pictures so dull that nothing is clipped."""
    images = RNG.integers(100, 140, (20, 6, 5, 3), np.uint8)
    changed = only(color=0.3)(images, STEP)
    for i, drawn in enumerate(draws(20)):
        brightness, contrast, saturation = 1 + 0.3 * (2 * drawn[5:8] - 1)
        x = unit(images[i])
        grey = x.mean(axis=-1, keepdims=True)
        x = grey + saturation * (x - grey)
        x = x.mean() + contrast * (x - x.mean())
        np.testing.assert_allclose(changed[i], brightness * x, atol=1e-5)


def test_cutout_covers_the_stated_part_with_the_mean_color():
    images = RNG.integers(0, 256, (300, 20, 12, 3), np.uint8)
    changed = only(cutout=0.25)(images, STEP)
    places = set()
    for before, after in zip(unit(images), changed, strict=True):
        covered = np.abs(after - before.mean(axis=(0, 1))).max(axis=-1) < 1e-5
        rows, columns = np.flatnonzero(covered.any(axis=1)), np.flatnonzero(covered.any(axis=0))
        assert covered.sum() == 5 * 3
        assert np.ptp(rows) == 4
        assert np.ptp(columns) == 2
        np.testing.assert_allclose(after[~covered], before[~covered], atol=1e-6)
        places.add((rows[0], columns[0]))
    assert {row for row, _ in places} == set(range(16))
    assert {column for _, column in places} == set(range(10))


@pytest.mark.parametrize(
    "bad",
    [
        *({"flip": 1}, {"shift": -0.1}, {"shift": 1.5}, {"scale": 1.0}, {"rotation": 181.0}, {"rotation": np.nan}),
        *({"color": 2}, {"cutout": 1.0}, {"mixup": -1}, {"mixup": 1.5}, {"mixup": "0.2"}),
    ],
)
def test_bad_strengths_are_named(bad):
    with pytest.raises(ArgumentError, match=next(iter(bad))):
        PhotoAugmentation(**bad)


@pytest.mark.parametrize(
    "images",
    [np.zeros((4, 4), np.uint8), np.zeros((2, 4, 4), np.int64), np.zeros((2, 0, 4), np.uint8), np.zeros((1, 2, 2, 2, 2))],
)
def test_other_arrays_are_refused(images):
    with pytest.raises(ShapeError, match=r"expects uint8 or floating-point images of shape \(B, H, W\)"):
        PhotoAugmentation()(images, STEP)


@pytest.mark.parametrize("value", [-0.5, 255.0, np.nan])
def test_floats_that_are_no_brightness_are_refused(value):
    images = np.full((2, 4, 4), 0.5)
    images[1, 2, 3] = value
    with pytest.raises(DataError, match=r"expects floats in 0\.\.1"):
        PhotoAugmentation()(images, STEP)
