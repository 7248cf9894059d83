"""How well a network learns from few photos: is this a cat? The argument is the folder.

It is that of a course: train/ and test/ with cat and not-cat, 209 and 50 photos of 64x64 pixels. Nobody has stated its
licence, so it does not come with the project.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from typing import Any

import numpy as np

import pellucid as pl
from pellucid.data.photos.folder import PhotoFolder

SEEDS, DRAWS, RUNS = 5, 10, 3
FEW = (1, 5, 10, 25)  # photos a class
ON_PIXELS: dict[str, Any] = {
    "epochs": 200,
    "batch_size": 32,
    "optimizer": pl.Adam(1e-3),
    "regularizer": pl.L2(1e-3),
    "progress": "none",
}


def measure(folder: str) -> dict[str, Any]:
    """``pl.train`` with all of its defaults, once for each seed; from nothing, and logistic regression on the pixels beside
    it; with few photos, drawn at random; and the whole command, cold and with what the cache knows."""
    return {**pretrained(folder), "from nothing": from_nothing(folder), "seconds": of_command(folder)}


def pretrained(folder: str) -> dict[str, Any]:
    photos = pl.datasets.folder(folder)
    assert photos.test is not None
    all_of_them = [accuracy(photos, seed) for seed in range(SEEDS)]
    few = {str(count): [accuracy(drawn(photos, count, draw), 0) for draw in range(DRAWS)] for count in FEW}
    return {"pictures": [len(photos.x), len(photos.test[0])], "pretrained": all_of_them, "few": few}


def accuracy(photos: PhotoFolder, seed: int) -> float:
    assert photos.test is not None
    return pl.train(photos, seed=seed, progress="none").evaluate(*photos.test)["accuracy"]


def drawn(photos: PhotoFolder, count: int, draw: int) -> PhotoFolder:
    """So many photos of each class."""
    order = np.random.default_rng(draw).permutation(len(photos.y))
    rows = np.sort(np.concatenate([order[photos.y[order] == k][:count] for k in range(len(photos.labels))]))
    files = [photos.files[row] for row in rows]
    return replace(photos, x=np.ascontiguousarray(photos.x[rows]), y=photos.y[rows], files=files)


def from_nothing(folder: str) -> dict[str, list[float]]:
    photos = pl.datasets.folder(folder, size=64)
    assert photos.test is not None
    convolutional, logistic = [], []
    for seed in range(SEEDS):
        model = pl.train(photos, pretrained="nothing", seed=seed, progress="lines")
        convolutional.append(model.evaluate(*photos.test)["accuracy"])
        plain = pl.Network([pl.Input(*photos.x.shape[1:]), pl.Rescale.fit(photos.x), pl.Classification(2)], seed=seed)
        plain.fit(np.asarray(photos.x), photos.y, **ON_PIXELS)
        logistic.append(plain.evaluate(*photos.test)["accuracy"])
    return {"convolutional": convolutional, "logistic regression": logistic}


def of_command(folder: str) -> dict[str, float]:
    """Medians of whole processes, with an empty cache and with a full one."""
    cold, again = [], []
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory() as place:
            environment = os.environ | {"XDG_CACHE_HOME": place}
            for times in (cold, again):
                command = [sys.executable, "-m", "pellucid", "train", folder, "--out", f"{place}/cats.safetensors"]
                start = time.perf_counter()
                subprocess.run(command, env=environment, check=True, capture_output=True)
                times.append(time.perf_counter() - start)
    return {"cold": statistics.median(cold), "again": statistics.median(again)}


if __name__ == "__main__":
    json.dump(measure(sys.argv[1]), sys.stdout)
