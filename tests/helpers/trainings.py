"""Data and networks of the contracts of training."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid as pl

QUIET = {"progress": "none"}
RNG = np.random.default_rng(77)
X = RNG.normal(size=(50, 4))
Y = (X[:, 0] + X[:, 1] ** 2 > 0.8).astype(int) + (X[:, 2] > 1)


# What networks look at -> the inputs, and the first layers: each contract holds for both.
KINDS = {
    "tables": (X, [pl.Input(4), pl.Dense(8, "relu")]),
    "pictures": (X.reshape(-1, 2, 2, 1), [pl.Input(2, 2, 1), pl.Residual([pl.Conv2D(8, 2)], [pl.Conv2D(8, 1)], "relu")]),
}
of_every_kind = pytest.mark.parametrize("kind", KINDS)


def make(seed=0, dtype="float32", kind="tables"):
    layers = [*KINDS[kind][1], pl.BatchNormalization(), pl.Dropout(0.3), pl.Classification(3)]
    return pl.Network(layers, seed=seed, dtype=dtype)


def all_numbers(network):
    return np.concatenate([network.parameters.vector, network.state.vector])
