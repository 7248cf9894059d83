"""The thickness of strokes: measured as area over length, changed by moving a threshold or by growing and shrinking."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def stroke_thickness(ink: NDArray[np.floating]) -> NDArray[np.float64]:
    """The mean thickness in pixels of strokes ``ink`` (..., H, W) in 0..1; 0 where there is none.

    A stroke of length l and thickness t has the area l t and an outline of about 2 l, so t = 2 area / outline. The outline
    is the total variation, the sum of the gradient's length: it does not change when edges are soft.
    """
    padded = np.pad(ink, [(0, 0)] * (ink.ndim - 2) + [(1, 1), (1, 1)])
    corner = padded[..., :-1, :-1]
    down, across = padded[..., 1:, :-1] - corner, padded[..., :-1, 1:] - corner
    outline = np.sqrt(down * down + across * across).sum(axis=(-2, -1), dtype=np.float64)
    area = ink.sum(axis=(-2, -1), dtype=np.float64)
    return np.asarray(2.0 * area / np.maximum(outline, 1e-9))


def threshold_for(blurred: NDArray[np.float32], threshold: float, low: float, high: float) -> float:
    """The threshold nearest to ``threshold`` at which the strokes of ``blurred`` (H, W) are ``low`` to ``high`` thick.

    Where strokes only grow or shrink sideways their length stays, so the thickness is proportional to the area: the
    threshold is a quantile of the pixels.
    """
    binary = (blurred > threshold).astype(np.float32)
    thickness, area = float(stroke_thickness(binary)), float(binary.sum())
    if thickness <= 0 or low <= thickness <= high:
        return threshold
    wanted = area * min(max(thickness, low), high) / thickness
    pixels = blurred.size
    rank = min(max(pixels - round(wanted), 0), pixels - 1)
    found = float(np.partition(blurred.ravel(), rank)[rank])
    return min(max(found, 0.3 * threshold), 0.5 + 0.5 * threshold)


def set_thickness(strokes: NDArray[np.float32], thin: float, thick: float) -> NDArray[np.float32]:
    """Grow or shrink strokes (h, w), in 0..1, by whole pixels on each side until they are ``thin`` to ``thick``.

    Steps alternate between a cross and a square of 3 x 3 pixels, which together approximate a disc. Growing adds a margin
    of as many pixels.
    """
    thickness = float(stroke_thickness(strokes))
    steps = round((min(max(thickness, thin), thick) - thickness) / 2)
    moved = np.pad(strokes, max(steps, 0))
    for step in range(abs(steps)):
        moved = over_neighbours(moved, np.maximum if steps > 0 else np.minimum, square=bool(step % 2))
    return moved


def over_neighbours(values: NDArray[Any], combine: np.ufunc, *, square: bool) -> NDArray[Any]:
    """Each pixel of (H, W) combined with its neighbours: a square of 3 x 3 pixels, or a cross; 0 lies beyond the edge."""
    framed = np.pad(values, 1)
    beside = combine(combine(framed[1:-1, :-2], framed[1:-1, 2:]), values)
    if square:
        framed[1:-1, 1:-1] = beside
    return np.asarray(combine(combine(framed[:-2, 1:-1], framed[2:, 1:-1]), beside))
