"""The steps of the pipeline on their own: components against scipy, weights and thickness in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import label as scipy_label

from pellucid.data.digits.components import find_figure, label
from pellucid.data.digits.doubt import is_edge
from pellucid.data.digits.ink import find_ink
from pellucid.data.digits.stroke import stroke_thickness, threshold_for
from pellucid.data.pictures.resample import area_weights, reduce_to, smooth_weights


@given(st.integers(1, 40), st.integers(1, 40), st.floats(0.05, 0.95), st.integers(0, 2**32 - 1))
def test_components_agree_with_scipy(height, width, share, seed):
    mask = np.random.default_rng(seed).random((height, width)) < share
    labels, count = label(mask)
    expected, expected_count = scipy_label(mask, np.ones((3, 3)))
    assert count == expected_count
    assert len(set(zip(labels.ravel().tolist(), expected.ravel().tolist(), strict=True))) == count + (not mask.all())


def test_figure_keeps_near_parts_and_leaves_dust_lines_and_strangers():
    ink = np.zeros((60, 60))
    ink[20:40, 20:24] = ink[20:23, 26:36] = 1.0  # a broken figure
    ink[30, 50] = 1.0  # dust
    ink[58, :] = 1.0  # a ruled line
    figure = find_figure(ink, 0.5)
    assert figure.parts == 2
    assert figure.mask.sum() == 20 * 4 + 3 * 10
    assert figure.left == pytest.approx(61 / (61 + 110))


@given(st.integers(1, 50), st.integers(1, 50))
def test_area_weights_keep_the_sum(count, samples):
    weights = area_weights(count, 0.0, float(count), samples)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(weights.sum(axis=0), samples / count, rtol=1e-5)


def test_smooth_weights_pass_through_pixels_and_keep_straight_lines():
    """Keys' cubic reproduces the samples and, away from the ends, polynomials up to the second degree."""
    np.testing.assert_allclose(smooth_weights(9, 0.0, 9.0, 9), np.eye(9), atol=1e-6)
    place = np.arange(9) + 0.5
    fine = (np.arange(36) + 0.5) / 4
    read = smooth_weights(9, 0.0, 9.0, 36) @ place**2
    np.testing.assert_allclose(read[8:-8], fine[8:-8] ** 2, atol=1e-4)


def test_reduce_keeps_proportions_and_mean():
    picture = np.random.default_rng(0).random((300, 100)).astype(np.float32)
    small = reduce_to(picture, 60)
    assert small.shape == (60, 20)
    assert small.mean() == pytest.approx(picture.mean(), rel=1e-5)


@pytest.mark.parametrize("thickness", [2, 5, 9])
def test_thickness_of_a_bar(thickness):
    """A bar of length l and thickness t has 2 area / outline = l t / (l + t)."""
    bar = np.zeros((80, 40))
    bar[5:75, 10 : 10 + thickness] = 1.0
    assert stroke_thickness(bar) == pytest.approx(70 * thickness / (70 + thickness), rel=0.02)


def test_threshold_brings_the_thickness_into_range():
    place = np.abs(np.arange(96) - 48)
    ridge = np.repeat(np.clip(1 - place / 20, 0, 1).astype(np.float32)[None], 96, axis=0)
    assert threshold_for(ridge, 0.5, 15.0, 25.0) == 0.5
    for low, high in ((24.0, 30.0), (6.0, 12.0)):
        found = threshold_for(ridge, 0.5, low, high)
        assert low * 0.85 <= float(stroke_thickness((ridge > found).astype(np.float32))) <= high * 1.15


@pytest.mark.parametrize("light_ink", [False, True])
def test_uneven_light_is_taken_out(light_ink):
    """Ink of known amount on a quadratic paper comes back as 0 and 1."""
    y, x = np.mgrid[-1:1:120j, -1:1:100j]
    ink = np.zeros((120, 100))
    ink[30:90, 45:53] = 1.0
    paper = 0.5 + 0.1 * x - 0.12 * y + 0.05 * x * x
    picture = (paper + (0.3 if light_ink else -0.3) * ink).astype(np.float32)
    found = find_ink(picture).amount
    assert found[ink == 0].max() < 0.1
    assert found[ink == 1].min() > 0.9


def test_contrast_of_an_empty_picture_is_nothing():
    assert find_ink(np.full((40, 40), 0.7, np.float32)).contrast == 0.0


def test_edges_are_told_from_tight_figures():
    half = np.zeros((20, 20), bool)
    half[:, :10] = True
    assert is_edge(half)
    assert is_edge(~half.T)
    seven = np.zeros((20, 20), bool)
    seven[:4] = seven[:, 12:16] = True
    assert not is_edge(seven)
