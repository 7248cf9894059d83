"""The sets of points: each lies where its formula says, worked out anew here from the coordinates."""

from __future__ import annotations

import numpy as np
import pytest

from pellucid.data.datasets.points import SETS, drawn, generated

SAMPLES = 3_000


def clean(name):
    points = generated(name, SAMPLES, 0.0, 5)
    return points.x.astype(np.float64), points.y


@pytest.mark.parametrize("name", SETS)
def test_a_set_is_a_function_of_its_seed(name):
    first, again, other = (generated(name, 200, 0.1, seed) for seed in (3, 3, 4))
    assert np.array_equal(first.x, again.x)
    assert np.array_equal(first.y, again.y)
    assert not np.isclose(first.x, other.x).any()


@pytest.mark.parametrize("name", SETS)
def test_classes_are_even_and_points_are_about_the_origin(name):
    x, y = clean(name)
    counts = np.bincount(y)
    assert counts.max() - counts.min() <= 1
    assert len(counts) == len(generated(name, 10, 0.0, 0).labels)
    assert np.abs(x).max() <= 1.2
    assert np.abs(x.mean(axis=0)).max() < 0.05


@pytest.mark.parametrize("name", SETS)
def test_noise_is_the_standard_deviation_of_what_is_added(name):
    added = generated(name, SAMPLES, 0.2, 5).x - generated(name, SAMPLES, 0.0, 5).x
    assert added.mean() == pytest.approx(0, abs=0.01)
    assert added.std(axis=0) == pytest.approx([0.2, 0.2], rel=0.05)
    assert np.corrcoef(added.T)[0, 1] == pytest.approx(0, abs=0.06)


def test_circles():
    x, y = clean("circles")
    radius = np.hypot(*x.T)
    assert radius[y == 0].max() <= 0.5 < 0.75 <= radius[y == 1].min() + 1e-6
    assert np.mean(radius[y == 0] < 0.25) == pytest.approx(1 / 4, abs=0.04)  # evenly over the area of the disc


def test_moons():
    x, y = clean("moons")
    for label, side in ((0, -1), (1, 1)):
        centre = np.array([side / 3, side / 6])
        away = x[y == label] - centre
        assert np.hypot(*away.T) == pytest.approx(np.full(len(away), 2 / 3), abs=1e-5)
        assert (side * away[:, 1] <= 1e-6).all()  # the upper half of the left one, the lower half of the right one


def test_spirals_wind_one_and_a_half_times():
    x, y = clean("spirals")
    radius = np.hypot(*x.T)
    expected = 3 * np.pi * (radius - 0.05) / 0.95 + np.pi * y
    assert np.abs(np.exp(1j * expected) * radius - (x[:, 0] + 1j * x[:, 1])).max() < 1e-5


def test_blobs():
    x, y = clean("blobs")
    for label in range(3):
        angle = np.pi / 2 + 2 * np.pi * label / 3
        assert x[y == label].mean(axis=0) == pytest.approx(0.65 * np.array([np.cos(angle), np.sin(angle)]), abs=0.02)
        assert x[y == label].std(axis=0) == pytest.approx([0.12, 0.12], rel=0.1)


def test_xor():
    x, y = clean("xor")
    assert np.array_equal(y, (x[:, 0] * x[:, 1] < 0).astype(int))
    assert np.abs(x).min() >= 0.06 - 1e-6  # nothing on the line between the classes
    corners = [np.mean((a * x[:, 0] > 0) & (b * x[:, 1] > 0)) for a in (1, -1) for b in (1, -1)]
    assert corners == pytest.approx([0.25] * 4, abs=0.03)


def test_the_square_that_is_shown_holds_all_points():
    assert generated("spirals", 100, 0.0, 0).extent == 1.3
    assert drawn([(0.5, -1.25, 0), (0.0, 0.0, 1)]).extent == 1.3
    far = drawn([(0.5, -2.71, 0), (0.0, 0.0, 3)])
    assert far.extent == pytest.approx(2.8)
    assert far.labels == ("A", "B", "C", "D")
    wide = generated("spirals", 1000, 0.5, 0)
    assert wide.extent >= np.abs(wide.x).max() > 1.3
