"""Reasons why a picture may show no digit, as sentences."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pellucid.data.digits.components import Figure
from pellucid.data.digits.ink import Ink
from pellucid.data.digits.redraw import box_of
from pellucid.data.pictures.resample import reduce_to, smooth_weights

_NOISE = 0.25  # paper may vary by this share of the ink
_TEXTURE = 0.15  # neighbouring pixels of a figure correlate more than this
_PARTS = 8  # a digit, even broken, has no more parts
_SMALLEST = 4  # a digit is longer than this many pixels
_GREYS = 0.2  # at most this share of the pixels is neither paper nor ink,
_DETAIL = 0.18  # unless the picture is blurred: then its detail (see `_detail`) is at most this
_BLURRED = 20  # longest side of the thumbnail that detail is measured against
_APART = 0.5  # this share of all ink must belong to the figure


def doubt_picture(ink: Ink, small: NDArray[np.float32], figure: Figure) -> str | None:
    """Why there is nothing to read in a picture, given its ink, reduced to ``small`` (H, W), and its figure; or None."""
    if ink.texture < _TEXTURE:
        return "no figure: neighbouring pixels have nothing in common, as in noise"
    if ink.noise > _NOISE or figure.parts == 0:
        return "the picture is empty: nothing stands out from the background"
    if np.mean((small > 0.2) & (small < 0.8)) > _GREYS and _detail(small) > _DETAIL:
        return "no figure: too many greys between paper and ink, as in a photograph"
    top, bottom, left, right = box_of(figure.mask)
    if max(bottom - top, right - left) * len(ink.amount) / len(small) <= _SMALLEST:
        return "no figure: the ink is a dot of a few pixels"
    if is_edge(small > 0.5):
        return "no figure: the picture shows the edge between two areas"
    if figure.parts > _PARTS or figure.left > _APART:
        return "no single figure: the ink is scattered over many parts"
    if figure.several:
        return "no single figure: several stand side by side"
    return None


def _detail(small: NDArray[np.float32]) -> float:
    """The share of the standard deviation of a picture (H, W) that a thumbnail loses: about 0.1 for enlarged thumbnails of
    digits, 0.2 to 0.6 for photographs."""
    height, width = small.shape
    coarse = reduce_to(small, _BLURRED)
    rows, columns = coarse.shape
    again = smooth_weights(rows, 0.0, float(rows), height) @ coarse @ smooth_weights(columns, 0.0, float(columns), width).T
    return float(np.std(small - again)) / max(float(np.std(small)), 1e-9)


def is_edge(mask: NDArray[np.bool_]) -> bool:
    """Whether one side of the picture is all ink and the opposite side all paper: no figure, however tightly cropped.

    A figure leaves no room between itself and a tight crop, so it touches the opposite side somewhere.
    """
    sides = ((mask[0], mask[-1]), (mask[:, 0], mask[:, -1]))
    return any(bool(np.all(one) and not np.any(other)) for pair in sides for one, other in (pair, pair[::-1]))
