"""Draw the found figure anew at the size of the training set: crop, enlarge smoothly, sharpen, set the thickness, average.

The training set was made from large black and white scans by averaging. So every picture is first turned into such a scan:
strokes by one threshold, on a grid four times finer than the result. The thickness is set by moving the threshold a
little and, if that is not enough, by growing or shrinking the strokes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.data.digits.stroke import over_neighbours, set_thickness, threshold_for
from pellucid.data.pictures.resample import area_weights, smooth_weights

_FINE = 4  # the fine grid has this many pixels for one of the result
_COARSE = 1.2  # crops no longer than this many boxes have strokes about as narrow as a pixel
_FAINT = 0.5  # in them, strokes with at least this share of the full strength are given full strength
_LEEWAY = 1.25  # growing and shrinking is rough: only for strokes this factor out of the range
_HALO = 2  # pixels around the figure that are kept: its soft edge


def box_of(pixels: NDArray[Any]) -> tuple[int, int, int, int]:
    """Top, bottom, left, right (exclusive ends) of what is not zero in (H, W); all 0 if everything is zero."""
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    if not len(rows):
        return 0, 0, 0, 0
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def crop(amount: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The part of ``amount`` (H, W) where the figure lies, all else erased; its mask (h, w) may be of a reduced picture."""
    height, width = mask.shape
    top, bottom, left, right = box_of(mask)
    top, bottom, left, right = max(top - 1, 0), min(bottom + 1, height), max(left - 1, 0), min(right + 1, width)
    near = mask
    for _ in range(_HALO):
        near = over_neighbours(near, np.logical_or, square=False)
    tall, wide = amount.shape[0] / height, amount.shape[1] / width
    y0, y1, x0, x1 = int(top * tall), int(np.ceil(bottom * tall)), int(left * wide), int(np.ceil(right * wide))
    rows = np.minimum((np.arange(y0, y1) / tall).astype(np.intp), height - 1)
    columns = np.minimum((np.arange(x0, x1) / wide).astype(np.intp), width - 1)
    return np.asarray(amount[y0:y1, x0:x1] * near[np.ix_(rows, columns)], np.float32)


def redraw(amount: NDArray[np.float32], box: int, thin: float, thick: float) -> NDArray[np.uint8]:
    """A crop (h, w) of ink amounts as a digit (h', w') whose longest side is ``box``; an empty crop gives (0, 0).

    Its strokes are about ``thin`` to ``thick`` pixels of the result.
    """
    height, width = amount.shape
    longest = max(height, width, 1)
    pixel, margin = longest / (box * _FINE), 2 * _FINE
    if longest <= _COARSE * box:
        amount = _even_out(amount)
    rows, columns = (max(1, round(side / pixel)) + 2 * margin for side in (height, width))
    edge_y, edge_x = (rows * pixel - height) / 2, (columns * pixel - width) / 2
    down = smooth_weights(height, -edge_y, height + edge_y, rows)
    across = smooth_weights(width, -edge_x, width + edge_x, columns)
    fine = np.asarray(down @ amount @ across.T, np.float32)
    top = float(fine.max(initial=0.0))
    if not top > 0:
        return np.zeros((0, 0), np.uint8)
    threshold = threshold_for(fine, 0.5 * top, thin * _FINE, thick * _FINE)
    gain = max(4.0 / top, 0.6 / threshold)  # steep enough that 0 stays 0
    sharp = np.clip((fine - np.float32(threshold)) * np.float32(gain) + np.float32(0.5), 0.0, 1.0)
    return _average(set_thickness(sharp, thin * _FINE / _LEEWAY, thick * _FINE * _LEEWAY), box)


def _even_out(amount: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give faint strokes of a coarse picture (h, w) full strength: divide by the largest of the 3 x 3 pixels around.

    A stroke narrower than a pixel is grey all along; one threshold for the whole picture would break it.
    """
    peak = over_neighbours(amount, np.maximum, square=True)
    return np.asarray(amount / np.maximum(peak, _FAINT), np.float32)


def _average(fine: NDArray[np.float32], box: int) -> NDArray[np.uint8]:
    """Average the figure of the fine grid down so that its longest side is the box exactly and its strongest ink 255."""
    top, bottom, left, right = box_of(fine > 0.02)
    tall, wide = bottom - top, right - left
    pixel = max(tall, wide) / box
    rows, columns = (min(box, int(np.ceil(side / pixel - 1e-6))) for side in (tall, wide))
    extra_y, extra_x = (rows * pixel - tall) / 2, (columns * pixel - wide) / 2
    down = area_weights(fine.shape[0], top - extra_y, bottom + extra_y, rows)
    across = area_weights(fine.shape[1], left - extra_x, right + extra_x, columns)
    small = down @ fine @ across.T
    return np.asarray(np.round(small * (255.0 / small.max())), np.uint8)
