"""Find the ink: from a picture of unknown lighting, colour and polarity to an amount of ink in 0..1 at every pixel.

1. paper     the border shows it; a quadratic surface through border and paper follows uneven lighting
2. axis      ink lies off the paper in one direction of colour space: the principal axis of the difference
3. polarity  the sign of that axis; where ink covers the border too (a tight crop), the shape of both sides decides
4. amount    0 = paper, 1 = ink: the difference along the axis over its level in the strokes
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pellucid.data.pictures.resample import reduce_to

_OVERVIEW = 64  # the paper is fitted on a reduced picture no longer than this
_SURFACE_SIDE = 40  # pictures with a shorter side are taken as evenly lit
_CLEAN_BORDER = 0.8  # this share of the border must lie on one smooth surface to be taken as paper
_NEAR = 0.25  # what differs from the paper by less than this share of the largest difference lies on it
_ON_PAPER = 0.15  # and by less than this share, is paper
_FITS = 8
_LEAST_CONTRAST = 0.02  # less than this, of 0..1, is no ink
_ENOUGH = 0.05  # a surface must hold this share of the pixels for another round of fitting


@dataclass(frozen=True)
class Ink:
    """The ink of a picture.

    amount    (H, W) float32 in 0..1: 0 is paper, 1 is a full stroke
    contrast  distance of ink and paper in the picture, 0..1
    noise     standard deviation of the paper, in the same unit as ``amount``
    texture   correlation of neighbouring pixels: near 1 for figures, near 0 for noise, below 0 for a fine pattern
    """

    amount: NDArray[np.float32]
    contrast: float
    noise: float
    texture: float


def find_ink(picture: NDArray[np.float32]) -> Ink:
    """The ink of a picture float32 (H, W) or (H, W, 3) in 0..1; any polarity; see the module for the four steps."""
    colours = picture if picture.ndim == 3 else picture[:, :, None]
    small = reduce_to(colours, _OVERVIEW)
    difference = _off_paper(colours, small)
    if difference is None and min(colours.shape[:2]) >= _SURFACE_SIDE:
        difference = _inside_frame(colours)
    if difference is None:
        return replace(_as_amount(_off_other_side(colours, small)), noise=0.0)  # hardly any paper to measure it on
    if min(difference.shape) >= _OVERVIEW:
        difference = _without_lines(difference)
    return _as_amount(difference)


def _without_lines(difference: NDArray[np.float32]) -> NDArray[np.float32]:
    """Subtract the lines of ruled paper: the level that nearly all pixels of a row, or column, reach.

    Only if there are several lines; a single one may be a bar of a tightly cropped figure.
    """
    for axis in (1, 0):
        rank = difference.shape[axis] * 3 // 20
        line = np.maximum(np.take(np.partition(difference, rank, axis=axis), [rank], axis=axis), 0)
        present = line.ravel() > 0.1 * difference.max()
        if np.count_nonzero(present[1:] & ~present[:-1]) + present[0] >= 2:
            difference = difference - line
    return difference


def _inside_frame(colours: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """As `_off_paper`, without the outermost pixels, where a frame may be: they count as paper."""
    rim = max(2, min(colours.shape[:2]) // 16)
    inside = colours[rim:-rim, rim:-rim]
    difference = _off_paper(inside, reduce_to(inside, _OVERVIEW))
    return None if difference is None else np.pad(difference, rim)


def _as_amount(difference: NDArray[np.float32]) -> Ink:
    """Divide by the level of the ink: the 60th percentile of what lies above half of the largest difference."""
    peak = reduce_to(difference, 4 * _OVERVIEW)
    top = float(peak.max())
    if not top >= _LEAST_CONTRAST:
        return Ink(np.zeros_like(difference), 0.0, 0.0, 0.0)
    level = float(np.percentile(peak[peak > 0.5 * top], 60))
    paper = peak[peak < 0.5 * level]
    noise = 1.4826 * float(np.median(np.abs(paper - np.median(paper)))) if paper.size else 0.0
    amount = np.clip(difference / np.float32(level), 0.0, 1.0)
    return Ink(amount, level, noise / level, _correlation(reduce_to(difference, _OVERVIEW)))


def _correlation(values: NDArray[np.float32]) -> float:
    """The mean correlation of neighbours, below and beside, in (H, W); a picture may be a single line."""
    centred = values - values.mean()
    neighbours = (centred[1:] * centred[:-1], centred[:, 1:] * centred[:, :-1])
    means = [float(np.mean(products)) for products in neighbours if products.size]
    return sum(means) / len(means) / max(float(np.mean(centred**2)), 1e-12)


def _off_paper(colours: NDArray[np.float32], small: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """How far each pixel is off the paper, signed so that ink is positive; None if the border is not paper."""
    height, width, channels = small.shape
    border = _border(height, width)
    powers = _powers(height, width, curved=min(height, width) >= _SURFACE_SIDE)
    flat = small.reshape(-1, channels)
    surface, distance = _fit_surface(powers, flat, border)
    spread = float(distance.max())
    if spread < _LEAST_CONTRAST:
        return np.zeros(colours.shape[:2], np.float32)
    if np.mean(distance[border] < _ON_PAPER * spread) < _CLEAN_BORDER:
        return None
    residual = flat - powers @ surface
    axis = np.linalg.eigh(residual.T @ residual)[1][:, -1]
    if np.sum((residual @ axis) ** 3) < 0:
        axis = -axis
    full = _powers(colours.shape[0], colours.shape[1], curved=powers.shape[1] > 1)
    paper = (full @ (surface @ axis).astype(np.float32)).reshape(colours.shape[:2])
    return np.asarray(colours @ axis.astype(np.float32) - paper, np.float32)


def _fit_surface(
    powers: NDArray[np.float32], values: NDArray[np.float32], border: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit (pixels, terms) @ surface = values (pixels, channels), first to the border, then to all that lies near.

    Returns the surface (terms, channels) and the distance (pixels,) of every pixel from it. Pixels far off (ink) get
    little weight, at last none: iteratively reweighted least squares, with Cauchy's weights and then Tukey's.
    """
    start = np.median(values[border], axis=0)
    distance = np.sqrt(np.sum((values - start) ** 2, axis=1)).astype(np.float64)
    if powers.shape[1] == 1:
        return start[None, :].astype(np.float64), distance
    weight = border.astype(np.float64)
    surface = np.zeros((powers.shape[1], values.shape[1]))
    for step in range(_FITS):
        weighted = powers * weight[:, None]
        ridge = 1e-6 * max(float(weight.sum()), 1.0) * np.diag(np.arange(powers.shape[1]) > 0)
        surface = np.linalg.solve(weighted.T @ powers + ridge, weighted.T @ (values - start))
        surface[0] += start
        distance = np.sqrt(np.sum((values - powers @ surface) ** 2, axis=1))
        if step < _FITS // 2:  # the border alone, with little weight on what differs from most of it
            scale = max(float(np.median(distance[border])), 1e-4)
            weight = border / (1.0 + (distance / scale) ** 2)
        else:
            reach = _NEAR * max(float(distance.max()), 1e-6)
            weight = np.clip(1.0 - (distance / reach) ** 2, 0.0, None) ** 2
            weight[~border] *= 0.5
            if weight.sum() < _ENOUGH * len(weight):
                break
    return surface, distance


def _border(height: int, width: int) -> NDArray[np.bool_]:
    """True on the outermost pixels, a sixteenth of the shorter side and at least one; shape (H * W,)."""
    rim = max(1, min(height, width) // 16)
    border = np.ones((height, width), np.bool_)
    border[rim : height - rim, rim : width - rim] = False
    return border.ravel()


def _powers(height: int, width: int, curved: bool) -> NDArray[np.float32]:
    """The terms of the paper's surface, (H * W, 6): 1, y, x, y^2, xy, x^2 in -1..1; or (H * W, 1) of ones."""
    if not curved:
        return np.ones((height * width, 1), np.float32)
    y = np.repeat(np.linspace(-1, 1, height, dtype=np.float32), width)
    x = np.tile(np.linspace(-1, 1, width, dtype=np.float32), height)
    return np.stack([np.ones_like(y), y, x, y * y, x * y, x * x], axis=1)


def _off_other_side(colours: NDArray[np.float32], small: NDArray[np.float32]) -> NDArray[np.float32]:
    """For tight crops: split the pixels into two sides along their principal axis, and decide which is paper."""
    flat = small.reshape(-1, small.shape[2])
    centred = flat - flat.mean(axis=0)
    axis = np.linalg.eigh(centred.T @ centred)[1][:, -1]
    along = flat @ axis
    low, high = _two_means(along)
    bright = ((along - low) / (high - low)).reshape(small.shape[:2])
    if is_paper(bright):
        axis, low = -axis, -high
    return np.asarray(colours @ axis.astype(np.float32) - np.float32(low), np.float32)


def _two_means(values: NDArray[np.floating]) -> tuple[float, float]:
    """The means of the two groups into which the values fall (k-means with k = 2, started from the extremes)."""
    low, high = float(values.min()), float(values.max())
    for _ in range(8):
        upper = values > 0.5 * (low + high)
        low, high = float(values[~upper].mean()), float(values[upper].mean())
    return low, high


def is_paper(bright: NDArray[np.floating]) -> bool:
    """Whether the bright side (1) of a tight crop is the paper, and the dark side (0) the ink.

    Paper covers more of the picture, more of its border, and most of its corners.
    """
    bright = np.clip(bright, 0.0, 1.0)
    border = np.concatenate([bright[0], bright[-1], bright[:, 0], bright[:, -1]])
    corners = np.array([bright[0, 0], bright[0, -1], bright[-1, 0], bright[-1, -1]])
    votes = (bright.mean() - 0.5) + 2.0 * (border.mean() - 0.5) + 1.0 * (corners.mean() - 0.5)
    return bool(votes > 0)
