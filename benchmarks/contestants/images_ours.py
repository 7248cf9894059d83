"""Pellucid on images: a round is one call of ``Network.fit``."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from jobs.dense import THREADS
from jobs.images import BATCH, ROWS, ImageJob, Word

import pellucid as pl
from contestants.protocol import serve


def layers(word: Word) -> list[pl.Layer]:
    match word:
        case ("conv", int(filters), int(size), str(padding), "norm"):
            convolution = pl.Conv2D(filters, size, padding=padding, use_bias=False)
            return [convolution, pl.BatchNormalization(activation="relu")]
        case ("conv", int(filters), int(size), str(padding), str(activation)):
            return [pl.Conv2D(filters, size, activation, padding=padding)]
        case ("pool",):
            return [pl.MaxPooling2D()]
        case ("average",):
            return [pl.GlobalAveragePooling2D()]
        case ("dense", int(units)):
            return [pl.Dense(units, "relu")]
    raise ValueError(word)


def main() -> None:
    job = ImageJob.from_json(sys.argv[1])
    with np.load(Path(sys.argv[2]) / "digits.npz") as digits:
        x, y = digits["x"][:ROWS], digits["y"][:ROWS]
    hidden = [layer for word in job.words for layer in layers(word)]
    network = pl.Network([pl.Input(28, 28), *hidden, pl.Classification(10)])
    serve(
        lambda: network.fit(x, y, optimizer=pl.Adam(1e-3), epochs=1, batch_size=BATCH, progress="none", threads=THREADS),
        {"pellucid": pl.__version__, "numpy": np.__version__, "engine": network.engine_note},
        loss=lambda: float(network.evaluate(x, y)["loss"]),
    )


if __name__ == "__main__":
    main()
