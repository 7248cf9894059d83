"""The samples of a job, the same for every contestant."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jobs.dense import SAMPLES, Job

Samples = tuple[NDArray[np.float32] | NDArray[np.uint8], NDArray[np.int64] | NDArray[np.float32]]


def samples(job: Job, folder: Path) -> Samples:
    """x (N, D), uint8 pixels for digits, else float32; and classes (N,), or values (N, V) for a regression. A random rule
    finds the targets of random rows, so that there is something to learn."""
    if job.data == "digits":
        with np.load(folder / "digits.npz") as digits:
            x, y = digits["x"].reshape(-1, 784), digits["y"]
    else:
        rng = np.random.default_rng(0)
        shape = (SAMPLES[job.data], job.sizes[0])
        x = rng.standard_normal(shape, np.float32)
        rule = rng.standard_normal((job.sizes[0], job.sizes[-1]), np.float32)
        scores = x @ rule
        y = np.sin(scores) if job.regression else np.argmax(scores, axis=1)
    return x[: job.rows], y[: job.rows]


def as_floats(x: NDArray[np.float32] | NDArray[np.uint8]) -> NDArray[np.float32]:
    """Pixels divided by 255, for contestants that do not know pixels."""
    return np.multiply(x, 1 / 255, dtype=np.float32) if x.dtype == np.uint8 else np.asarray(x, np.float32)


def write_digits(folder: Path) -> None:
    """MNIST as one uncompressed file: peers load the digits from it as fast as NumPy can."""
    import pellucid as pl

    (x, y), (x_test, y_test) = pl.datasets.digits()
    np.savez(folder / "digits.npz", x=x, y=y, x_test=x_test, y_test=y_test)
