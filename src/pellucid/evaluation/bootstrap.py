"""The bootstrap: how much a mean over samples would vary with other samples of the same kind.

N of the N samples are drawn with replacement, and averaged; many such means spread as the mean itself does over data sets
(Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 7, 1979).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pellucid.core import random
from pellucid.core.shapes import Array

RESAMPLES = 1000
LOW, HIGH = 0.025, 0.975  # the ends of an interval with 95 % confidence
BLOCK = 1 << 22  # numbers at a time


def resampled_means(values: Array, resamples: int = RESAMPLES, seed: int = 0) -> NDArray[np.float64]:
    """The means (R, S) of the columns of ``values`` (N, S) in R resamples of its rows, which the seed decides."""
    count = len(values)
    means = np.empty((resamples, values.shape[1]))
    together = max(1, BLOCK // count)
    for start in range(0, resamples, together):
        times = np.stack([_times(count, seed, r) for r in range(start, min(start + together, resamples))])
        means[start : start + len(times)] = times @ values / count
    return means


def interval(means: Array) -> tuple[float, float]:
    """The 95 % interval of the resampled means (R,)."""
    low, high = np.quantile(means, [LOW, HIGH])
    return float(low), float(high)


def _times(count: int, seed: int, resample: int) -> NDArray[np.float64]:
    """(N,): how often each row is in this resample."""
    rows = random.bits(random.key(seed, random.Purpose.BOOTSTRAP, resample), count).astype(np.uint64)
    rows *= np.uint64(count)
    rows >>= np.uint64(32)
    return np.bincount(rows.astype(np.int64), minlength=count).astype(np.float64)
