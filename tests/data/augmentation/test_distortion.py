"""Distortions: chance is a function of the key; each strength does what its name says, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import affine_transform

from pellucid.core.errors import ArgumentError, ShapeError
from pellucid.core.random import Purpose, key, uniform
from pellucid.data.augmentation import distortion
from pellucid.data.augmentation.distortion import Distortion
from pellucid.data.digits.stroke import stroke_thickness

NOTHING = {"shift": 0.0, "scale": 0.0, "rotation": 0.0, "shear": 0.0, "elastic": 0.0, "thickness": 0.0}
STEP = key(7, Purpose.AUGMENT, 3)


def only(**strengths: float) -> Distortion:
    return Distortion(**{**NOTHING, **strengths})


def draws(count: int) -> np.ndarray:
    """The documented draws of each picture, in -1..1: shift y, x, scale y, x, rotation, shear, thickness."""
    return 2 * uniform(key(STEP, 0), (count, 8)) - 1


def centre_of_mass(images: np.ndarray) -> np.ndarray:
    y, x = np.mgrid[0 : images.shape[1], 0 : images.shape[2]]
    mass = images.sum(axis=(1, 2), dtype=np.float64)
    return np.stack([(images * y).sum(axis=(1, 2)) / mass, (images * x).sum(axis=(1, 2)) / mass], axis=1)


@pytest.fixture(scope="module")
def small(mnist):
    """Digits with an empty margin, so that nothing leaves the picture."""
    return np.pad(mnist[:40, 2:26, 2:26], ((0, 0), (8, 8), (8, 8)))


def test_same_key_same_bits_other_step_other_picture(mnist):
    distort = Distortion()
    once, again = distort(mnist, STEP), distort(mnist, STEP)
    other = distort(mnist, key(7, Purpose.AUGMENT, 4))
    assert once.tobytes() == again.tobytes()
    assert np.abs(once - other).mean() > 0.02
    assert once.dtype == np.float32
    assert once.min() >= 0.0
    assert once.max() <= 1.0


def test_a_picture_does_not_depend_on_its_batch(mnist):
    distort = only(shift=2.0, scale=0.1, rotation=10.0, shear=0.1, thickness=0.5)
    np.testing.assert_allclose(distort(mnist[:100], STEP)[:10], distort(mnist[:10], STEP), atol=2e-5)


def test_no_strength_is_the_identity(mnist):
    assert np.array_equal(only()(mnist, STEP), mnist.astype(np.float32) / np.float32(255))


def test_input_is_not_changed(mnist):
    before = mnist.copy()
    Distortion(thickness=1.0)(mnist, STEP)
    assert np.array_equal(before, mnist)


def test_shift_moves_the_centre_of_mass_by_what_was_drawn(small):
    moved = only(shift=3.0)(small, STEP)
    expected = 3.0 * draws(len(small))[:, :2]
    np.testing.assert_allclose(centre_of_mass(moved) - centre_of_mass(small / 255.0), expected, atol=1e-3)


@pytest.mark.parametrize(
    "strengths", [{"rotation": 25.0}, {"scale": 0.3}, {"shear": 0.4}, {"rotation": 20.0, "scale": 0.2, "shear": 0.2}]
)
def test_affine_distortions_agree_with_scipy(small, strengths):
    """Against scipy.ndimage.affine_transform, order 1, whose matrix maps places of the result to places of the original.

    The matrix is built here from the drawn numbers: scale and shear of the result undone first, then the rotation.
    """
    result = only(**strengths)(small, STEP)
    for image, picture, drawn in zip(small, result, draws(len(small)), strict=True):
        angle = np.deg2rad(strengths.get("rotation", 0.0) * drawn[4])
        shear = strengths.get("shear", 0.0) * drawn[5]
        tall, wide = (1 + strengths.get("scale", 0.0) * drawn[2]), (1 + strengths.get("scale", 0.0) * drawn[3])
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        slant = np.array([[1.0, 0.0], [shear, 1.0]])
        matrix = np.diag([1 / tall, 1 / wide]) @ slant @ turn
        middle = (np.array(image.shape) - 1) / 2
        expected = affine_transform(image / 255.0, matrix, middle - matrix @ middle, order=1)
        assert np.abs(picture - expected).max() < 2e-4


def test_elastic_displacement_has_the_stated_size_and_is_smooth():
    """Displacements read off a pair of ramps: rms as stated, and neighbours differ far less than that."""
    rows = np.repeat(np.arange(64, dtype=np.uint8)[None, :, None] * 4, 64, axis=2)
    moved = only(elastic=0.5, smoothness=6.0)(np.repeat(rows, 200, axis=0), STEP) * 255 / 4
    displacement = (moved - np.arange(64)[None, :, None])[:, 8:-8, 8:-8]
    assert np.sqrt(np.mean(displacement**2)) == pytest.approx(0.5, rel=0.05)
    assert np.sqrt(np.mean(np.diff(displacement, axis=2) ** 2)) < 0.15


def test_thickness_changes_strokes_both_ways_and_not_their_place(mnist):
    changed = only(thickness=1.0)(mnist, STEP)
    before, after = stroke_thickness(mnist / 255.0), stroke_thickness(changed)
    drawn = draws(len(mnist))[:, 6]
    assert np.all(after[drawn > 0.3] > before[drawn > 0.3])
    assert np.all(changed[drawn < 0] <= mnist[drawn < 0] / np.float32(255))
    assert np.mean((after / before)[drawn > 0.8]) > 1.3
    assert np.mean((after / before)[drawn < -0.8]) < 0.95


def test_numbers_of_pictures_are_uncorrelated():
    drawn = draws(4000)
    assert np.abs(np.corrcoef(drawn.T) - np.eye(8)).max() < 0.06


@pytest.mark.parametrize(
    "bad", [{"shift": -1.0}, {"rotation": np.nan}, {"scale": 1.0}, {"thickness": 1.5}, {"smoothness": 0.5}]
)
def test_bad_strengths_are_named(bad):
    with pytest.raises(ArgumentError, match=next(iter(bad))):
        Distortion(**bad)


@pytest.mark.parametrize(
    "images",
    [np.zeros((28, 28), np.uint8), np.zeros((2, 28, 28), np.float32), np.zeros((2, 28, 28, 3), np.uint8)],
)
def test_other_arrays_are_refused(images):
    with pytest.raises(ShapeError, match="uint8"):
        Distortion()(images, STEP)


def test_other_sizes_and_no_pictures():
    assert Distortion()(np.zeros((0, 28, 28), np.uint8), STEP).shape == (0, 28, 28)
    assert Distortion()(np.full((3, 9, 40), 7, np.uint8), STEP).shape == (3, 9, 40)


def test_a_channel_axis_changes_nothing(mnist):
    distort = Distortion()
    assert np.array_equal(distort(mnist[..., None], STEP), distort(mnist, STEP)[..., None])


def test_splines_add_up_to_one():
    np.testing.assert_allclose(distortion._splines(28, 6.0).sum(axis=1), 1.0, atol=1e-12)
