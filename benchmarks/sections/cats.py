"""How well a network learns from few photos: is this a cat? The argument is the folder.

It is that of a course: train/ and test/ with cat and not-cat, 209 and 50 photos of 64x64 pixels. Nobody has stated its
licence, so it does not come with the project.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from typing import Any

import numpy as np

import pellucid as pl

SEEDS = 5
ON_PIXELS: dict[str, Any] = {
    "epochs": 200,
    "batch_size": 32,
    "optimizer": pl.Adam(1e-3),
    "regularizer": pl.L2(1e-3),
    "progress": "none",
}


def measure(folder: str) -> dict[str, Any]:
    """``pl.train`` with all of its defaults, once for each seed, and logistic regression beside it."""
    photos = pl.datasets.folder(folder, size=64)
    assert photos.test is not None
    convolutional, logistic, seconds = [], [], []
    for seed in range(SEEDS):
        start = time.perf_counter()
        model = pl.train(photos, seed=seed, progress="lines")
        seconds.append(time.perf_counter() - start)
        convolutional.append(model.evaluate(*photos.test)["accuracy"])
        plain = pl.Network([pl.Input(*photos.x.shape[1:]), pl.Rescale.fit(photos.x), pl.Classification(2)], seed=seed)
        plain.fit(np.asarray(photos.x), photos.y, **ON_PIXELS)
        logistic.append(plain.evaluate(*photos.test)["accuracy"])
    return {
        "pictures": [len(photos.x), len(photos.test[0])],
        "seconds": statistics.median(seconds),
        "accuracies": {"convolutional": convolutional, "logistic regression": logistic},
    }


if __name__ == "__main__":
    json.dump(measure(sys.argv[1]), sys.stdout)
