"""A small network for photos to begin from, and photos in memory that it can tell apart."""

from __future__ import annotations

import numpy as np

import pellucid as pl
from pellucid.data.photos.folder import PhotoFolder
from pellucid.data.photos.folder_report import FolderReport
from pellucid.models.transfer.features import features_of_model

SIDE = 12
WIDTH = 24


def backbone_model(seed=0):
    """Convolutions with random weights, and a Classification of seven kinds of things; every layer but the last helps."""
    layers = [
        *(pl.Input(SIDE, SIDE, 3), pl.Rescale(2.0, -1.0), pl.Conv2D(8, 3, use_bias=False)),
        *(pl.BatchNormalization(activation="relu"), pl.MaxPooling2D(), pl.Conv2D(WIDTH, 3, "relu")),
        *(pl.GlobalAveragePooling2D(), pl.Dropout(0.5), pl.Classification(7)),
    ]
    network = pl.Network(layers, seed=seed)
    rng = np.random.default_rng(seed)
    for name in network.state:
        network.state[name] = rng.uniform(0.5, 1.5, network.state[name].shape)
    return pl.Model(network, pl.PhotoPipeline(SIDE, SIDE))


def backbone(seed=0, **options):
    return features_of_model("mine.safetensors", backbone_model(seed), **options)


def photos_of(counts, *, seed=0, cache=None, noise=120, test=None):
    """Pictures in memory, of which class k is bright in channel k."""
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(len(counts)), counts)
    x = rng.integers(0, noise, (len(y), SIDE, SIDE, 3), np.uint8)
    x[np.arange(len(y)), :, :, y % 3] += 100
    labels = tuple(f"class {k}" for k in range(len(counts)))
    report = FolderReport("here", {label: (n, 0) for label, n in zip(labels, counts, strict=True)}, ())
    files = [f"{labels[k]}/{row}.png" for row, k in enumerate(y)]
    names = [] if test is None else [f"test/{row}.png" for row in range(len(test[0]))]
    return PhotoFolder(x, y, test, labels, files, names, report, pl.PhotoPipeline(SIDE, SIDE), cache=cache)
