"""Dropout masks are those of pellucid.core.random: functions of seed, step, layer and element, whoever computes them where.

Every input is 1 and every weight of the output 1 or a sample's own power of two, so that the gradient of the output's
weights shows the mask itself.
"""

from __future__ import annotations

import numpy as np
import pytest
from twins import ISAS, fitted, gradients

import pellucid as pl
from pellucid.core.random import Purpose, bits, key

EVERY_ISA = pytest.mark.parametrize("isa", ISAS)


def mask(seed, step, layer, shape, rate):
    """1 where an element is kept, by the definition."""
    return bits(key(seed, Purpose.DROPOUT, step, layer), int(np.prod(shape))).reshape(shape) >= np.uint32(
        round(rate * 2**32)
    )


def shown_by(network, x, **options):
    """How often each column was kept, counted by samples of the weights 1, 2, 4, ...: the digits are the mask."""
    y = np.full(len(x), -1e6)
    weights = 2.0 ** np.arange(len(x))
    trained = fitted(network, x, y, sample_weight=weights, optimizer=pl.GradientDescent(1e-9, 0.5), **options)
    return gradients(trained)["output.weight"][:, 0].astype(np.float64) * weights.sum()


def assert_digits(found, kept):
    """Each column of ``found`` is the sum of the weights that ``kept`` (B, U) keeps; rounding takes far less than 1."""
    expected = (kept * 2.0 ** np.arange(len(kept))[:, None]).sum(axis=0)
    np.testing.assert_allclose(found, expected, rtol=0, atol=0.01)


@EVERY_ISA
@pytest.mark.parametrize("rate", [0.5, 0.75])
@pytest.mark.parametrize("step", [0, 1, 77, 2**32 + 3])
@pytest.mark.parametrize("units", [1, 3, 17, 64, 131])
def test_each_element_of_a_batch(isa, rate, step, units, monkeypatch):
    """Twelve samples of different weights: each sum of kept weights belongs to one mask only."""
    monkeypatch.setenv("PELLUCID_ISA", isa)
    layers = [pl.Input(2), pl.Dense(units, "identity", "zeros"), pl.Dropout(rate), pl.Regression(1, "mae", "zeros")]
    network = pl.Network(layers, seed=9)
    network.parameters["dense_1.bias"][...] = 1
    network.training_state.step = step
    batch = 12
    found = shown_by(network, np.zeros((batch, 2), np.float32), threads=2) * (1 - rate)
    kept = mask(9, step, 2, (batch, units), rate)
    assert_digits(found, kept)


@EVERY_ISA
def test_each_layer_has_its_own(isa, monkeypatch):
    """Two in a row: what is kept by both. Their numbers in the stack count, not how many of them there are."""
    monkeypatch.setenv("PELLUCID_ISA", isa)
    layers = [
        pl.Input(40),
        pl.Flatten(),
        pl.Dropout(0.5),
        pl.Dropout(0.0),
        pl.Dropout(0.5),
        pl.Regression(1, "mae", "zeros"),
    ]
    network = pl.Network(layers, seed=1)
    found = shown_by(network, np.ones((10, 40), np.float32)) / 4
    kept = mask(1, 0, 2, (10, 40), 0.5) & mask(1, 0, 4, (10, 40), 0.5)
    assert_digits(found, kept)
    assert (mask(1, 0, 2, (10, 40), 0.5) != mask(1, 0, 3, (10, 40), 0.5)).any()


@EVERY_ISA
@pytest.mark.parametrize("batch", [200, 300])
def test_rows_of_a_large_batch_and_of_a_smaller_last_one(isa, batch, monkeypatch):
    """By chunks of rows: the element's number counts from the start of the batch, not of the chunk."""
    monkeypatch.setenv("PELLUCID_ISA", isa)
    network = pl.Network([pl.Input(33), pl.Dropout(0.5), pl.Regression(1, "mae", "zeros")], seed=5)
    for chosen in (0, 47, 48, 49, 96, 199):
        weights = np.zeros(batch)
        weights[chosen] = 1
        y, x = np.full(batch, -1e6), np.ones((batch, 33), np.float32)
        options = {"sample_weight": weights, "threads": 3, "optimizer": pl.GradientDescent(1e-9, 0.5)}
        found = gradients(fitted(network, x, y, **options))["output.weight"][:, 0]
        np.testing.assert_array_equal(found, 2.0 * mask(5, 0, 1, (batch, 33), 0.5)[chosen])
    x = np.ones((batch + 30, 33), np.float32)
    weights = np.append(np.zeros(batch), 2.0 ** (np.arange(30) % 10))
    options = {"sample_weight": weights, "batch_size": batch, "optimizer": pl.GradientDescent(1e-9, 0.5)}
    found = gradients(fitted(network, x, np.full(len(x), -1e6), **options))["output.weight"][:, 0]
    kept = mask(5, 1, 1, (30, 33), 0.5)
    expected = 2 * (kept * weights[batch:, None]).sum(axis=0) / weights.sum()
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_no_mask_in_prediction_and_another_seed_has_another():
    layers = [pl.Input(40), pl.Dropout(0.5), pl.Regression(1, "mae", "ones")]
    x = np.ones((12, 40), np.float32)
    assert (pl.Network(layers).predict(x) == 40).all()
    shown = [shown_by(pl.Network(layers, seed=seed), x) for seed in (1, 2)]
    assert (shown[0] != shown[1]).mean() > 0.9
