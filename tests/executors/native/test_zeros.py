"""Zeros of the inputs are left out of products, which may change no bit of anything."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid as pl
from pellucid._native import instruction_sets
from pellucid.executors.native import executor


def pictures(rng, count, size, share):
    """Rows with long runs of zeros, columns that are always zero, negative zeros among them, and whole rows of zeros."""
    x = rng.normal(size=(count, size)).astype(np.float32)
    x[:, rng.random(size) < share / 2] = 0.0
    for row in x:
        start = rng.integers(0, size)
        row[start : start + int(size * share)] = -0.0 if rng.random() < 0.3 else 0.0
    x[rng.random(count) < 0.1] = 0.0
    return x


@pytest.mark.parametrize("isa", instruction_sets())
@pytest.mark.parametrize(("size", "share"), [(3, 0.9), (65, 0.7), (784, 0.8), (600, 0.3), (513, 1.0)])
@pytest.mark.parametrize("units", [(10,), (128, 10), (33, 2), (17, 65, 3)], ids=str)
def test_training_is_the_same_to_the_bit(isa, size, share, units, monkeypatch):
    monkeypatch.setenv("PELLUCID_ISA", isa)
    rng = np.random.default_rng(size)
    x, y = pictures(rng, 150, size, share), rng.integers(0, units[-1], 150)
    hidden = [pl.Dense(u, "relu") for u in units[:-1]]
    vectors = []
    for leaves_out in (True, False):
        monkeypatch.setattr(executor, "_has_many_zeros", lambda x, answer=leaves_out: answer)
        network = pl.Network([pl.Input(size), *hidden, pl.Classification(units[-1])], seed=1)
        network.parameters["output.bias"][:] = -0.0
        network.fit(x, y, epochs=2, batch_size=31, optimizer=pl.Adam(0.01), progress="none", engine="native")
        vectors.append(network.parameters.vector.copy())
    assert vectors[0].tobytes() == vectors[1].tobytes()


@pytest.mark.parametrize("isa", instruction_sets())
def test_a_prediction_is_the_same_beside_full_rows(isa, monkeypatch):
    """The first row decides whether zeros are left out: a sample gets the same bits behind any other."""
    monkeypatch.setenv("PELLUCID_ISA", isa)
    rng = np.random.default_rng(0)
    network = pl.Network([pl.Input(300), pl.Dense(130, "tanh"), pl.Regression(3)], seed=2)
    network.parameters["dense_1.bias"][:] = -0.0
    sparse = pictures(rng, 40, 300, 0.8)
    for first in (np.zeros(300), np.ones(300)):
        batch = np.vstack([first, sparse]).astype(np.float32)
        together = network.predict(batch)[1:]
        alone = np.vstack([network.predict(row[None]) for row in sparse])
        assert together.tobytes() == alone.tobytes()


def test_what_counts_as_many():
    x = np.zeros((4, 10))
    assert executor._has_many_zeros(x)
    x[:2] = 1
    assert not executor._has_many_zeros(x)  # half is not more than half
    x[0, 0] = 0
    assert executor._has_many_zeros(x)
