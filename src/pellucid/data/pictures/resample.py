"""Read a part of a picture on another grid: two small matrices, one for the rows and one for the columns.

    result = R picture C^T        R (rows out, H), C (columns out, W)

Row ``j`` of such a matrix holds the weights of the source pixels for the sample ``j``: a kernel around the place of the
sample, as wide as the coarser of both grids, so that reducing averages (no aliasing) and enlarging interpolates smoothly.
Outside the picture there is nothing: zero.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


@lru_cache(maxsize=256)
def smooth_weights(count: int, start: float, stop: float, samples: int) -> NDArray[np.float32]:
    """Weights (samples, count) that read ``start .. stop`` (edges, in pixels) with a cubic kernel 4 pixels wide.

    Pixels of the source when enlarging, of the result when reducing (then the kernel is a low pass). The kernel is the
    cubic of Keys (1981), which passes through the pixels' values: it keeps thin strokes and small holes.
    """
    step = (stop - start) / samples
    width = max(1.0, step)
    place = start + (np.arange(samples) + 0.5) * step - 0.5
    x = np.abs(np.arange(count)[None, :] - place[:, None]) / width
    inner = 1.5 * x**3 - 2.5 * x**2 + 1.0
    outer = -0.5 * x**3 + 2.5 * x**2 - 4.0 * x + 2.0
    kernel = np.where(x < 1.0, inner, np.where(x < 2.0, outer, 0.0)) / width
    return np.asarray(kernel, np.float32)


@lru_cache(maxsize=256)
def area_weights(count: int, start: float, stop: float, samples: int) -> NDArray[np.float32]:
    """Weights (samples, count) that average ``start .. stop`` exactly: each sample is the mean of its own interval."""
    step = (stop - start) / samples
    edges = start + np.arange(samples + 1) * step
    pixel = np.arange(count)
    covered = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
    return np.asarray(np.clip(covered, 0.0, None) / step, np.float32)


def reduce_to(picture: NDArray[np.float32], longest: int) -> NDArray[np.float32]:
    """The picture (H, W) or (H, W, C), averaged down so that no side exceeds ``longest``; proportions are kept."""
    height, width = picture.shape[:2]
    if max(height, width) <= longest:
        return picture
    factor = longest / max(height, width)
    rows, columns = max(1, round(height * factor)), max(1, round(width * factor))
    down = area_weights(height, 0.0, float(height), rows)
    across = area_weights(width, 0.0, float(width), columns)
    if picture.ndim == 2:
        return np.asarray(down @ picture @ across.T)
    return np.stack([down @ picture[:, :, c] @ across.T for c in range(picture.shape[2])], axis=2)
