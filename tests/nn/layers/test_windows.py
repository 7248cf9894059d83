"""Where windows lie: every window of every geometry, against what the view of a numbered image shows."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from pellucid.nn.layers.windows import PADDINGS, Windows

SIDES = ((1, 1), (3, 4), (5, 7))
PAIRS = ((1, 1), (2, 1), (2, 3), (3, 2))
GEOMETRIES = [
    (Windows(size, stride, dilation, padding), shape)
    for size, stride, dilation, padding, shape in product(
        PAIRS, PAIRS, ((1, 1), (1, 2), (2, 1)), (*PADDINGS, (1, 0), (1, 2)), SIDES
    )
    if padding == "same"
    or all(
        side > (k - 1) * d - 2 * margin and margin <= (k - 1) * d
        for side, k, d, margin in zip(shape, size, dilation, (0, 0) if padding == "valid" else padding, strict=True)
    )
]


@pytest.fixture(params=GEOMETRIES, ids=str)
def geometry(request):
    return request.param


def seen(windows, shape):
    """For each window the numbers of the pixels that it sees, -1 in margins: (windows down, windows across, kh, kw)."""
    numbered = np.arange(shape[0] * shape[1], dtype=float).reshape(1, *shape, 1)
    return windows.view(windows.pad(numbered, -1.0))[0, ..., 0].astype(int)


def test_the_geometries_are_many_and_of_both_kinds():
    paddings = [windows.padding for windows, _ in GEOMETRIES]
    assert paddings.count("same") == 4 * 4 * 3 * 3
    assert paddings.count("valid") == 100
    assert paddings.count((1, 0)) > 50
    assert paddings.count((1, 2)) > 10
    assert any(windows.margins(shape)[0][0] != windows.margins(shape)[0][1] for windows, shape in GEOMETRIES)


def test_places_are_those_of_the_pixels_that_the_window_sees(geometry):
    windows, shape = geometry
    view = seen(windows, shape)
    for window in np.ndindex(view.shape[:2]):
        places = windows.places(shape, window)
        assert places.shape == (windows.size[0] * windows.size[1], 2)
        for (row, column), number in zip(places.tolist(), view[window].ravel().tolist(), strict=True):
            is_inside = 0 <= row < shape[0] and 0 <= column < shape[1]
            assert (row * shape[1] + column if is_inside else -1) == number


def test_over_a_pixel_lie_all_windows_that_see_it_and_no_other(geometry):
    windows, shape = geometry
    view = seen(windows, shape)
    for pixel in np.ndindex(shape):
        found = list(windows.over(shape, pixel))
        number = pixel[0] * shape[1] + pixel[1]
        expected = {((i, j), (down, across)) for down, across, i, j in np.argwhere(view == number).tolist()}
        assert len(found) == len(expected)
        assert set(found) == expected
