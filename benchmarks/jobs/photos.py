"""A network for photos as a list of words, which contestants read without Pellucid; its arrays are in a file beside it.

scale FACTOR SHIFT              x FACTOR + SHIFT
conv NAME STRIDE PADDING GROUPS  without bias
norm NAME EPSILON ACTIVATION    batch normalization with moving averages, and identity or relu6
keep, add                       what is kept here is added there
average                         the mean of each channel
dense NAME                      the scores
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Word = tuple[str | float, ...]
Float32 = NDArray[np.float32]

SIDE = 224
JOBS = {  # pictures of a call, calls of a round, threads
    "one picture, one thread": (1, 20, 1),
    "one picture, two threads": (1, 20, 2),
    "1,000 pictures, two threads": (250, 4, 2),
}


def pictures(count: int) -> Float32:
    """(count, 224, 224, 3), from 0 to 1."""
    return np.random.default_rng(0).random((count, SIDE, SIDE, 3), np.float32)


def write(folder: Path, words: Sequence[Word], arrays: dict[str, Float32]) -> None:
    (folder / "words.json").write_text(json.dumps(words))
    np.savez(folder / "arrays.npz", **{name: np.asarray(array) for name, array in arrays.items()})


def read(folder: Path) -> tuple[list[Word], dict[str, Float32]]:
    with np.load(folder / "arrays.npz") as arrays:
        return [tuple(word) for word in json.loads((folder / "words.json").read_text())], dict(arrays)
