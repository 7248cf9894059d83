"""How well networks learn: ``python benchmarks/accuracy.py fashion`` (recipes of Fashion-MNIST), or ``cats FOLDER``.

The folder of cats is that of a course: train/ and test/ with cat and not-cat, 209 and 50 photos of 64x64 pixels. Nobody has
stated its licence, so it does not come with the project.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from typing import Any

import numpy as np

import pellucid as pl
from pellucid.training.recipes.named import FASHION

SEEDS = 5
ON_PIXELS: dict[str, Any] = {
    "epochs": 200,
    "batch_size": 32,
    "optimizer": pl.Adam(1e-3),
    "regularizer": pl.L2(1e-3),
    "progress": "none",
}


def fashion() -> dict[str, Any]:
    """Recipe -> test accuracy and seconds of training."""
    (x, y), (x_test, y_test) = pl.datasets.fashion()
    figures = {}
    for name in ("default", "conv"):
        recipe = FASHION[name]
        network = pl.Network(recipe.network_layers(x.shape[1:], 10), seed=0)
        start = time.perf_counter()
        network.fit(x, y, progress="lines", **recipe.fit_options())
        seconds = time.perf_counter() - start
        words = recipe.layers or "-".join(str(unit) for unit in (784, *recipe.hidden, 10))
        figures[name] = {"network": words, "seconds": seconds, "accuracy": network.evaluate(x_test, y_test)["accuracy"]}
    return figures


def cats(folder: str) -> dict[str, Any]:
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
    which, *folder = sys.argv[1:]
    json.dump(cats(*folder) if which == "cats" else fashion(), sys.stdout)
