"""Mixup: shares from a Beta distribution, inputs and targets mixed alike, and all of it a function of (seed, step)."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import pellucid as pl
from pellucid.core.random import Purpose, key
from pellucid.data.augmentation.mixup import Mixture, draw_mixture, symmetric_beta
from pellucid.data.samples import Batch, Samples
from pellucid.executors.base import OptimizerState, Rules
from pellucid.executors.numpy import NumpyExecutor

RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (20, 4, 4), np.uint8)
MIXING = pl.PhotoAugmentation(flip=False, shift=0.0, scale=0.0, rotation=0.0, color=0.0, cutout=0.0, mixup=0.4)


@pytest.mark.parametrize("alpha", [0.2, 0.5, 1.0])
def test_shares_are_distributed_as_scipy_says(alpha):
    shares = symmetric_beta(alpha, 20_000, key(3))
    assert stats.kstest(shares, stats.beta(alpha, alpha).cdf).pvalue > 0.001


def test_a_small_alpha_mixes_hardly_anything_and_does_not_overflow():
    """Where the numbers have no more digits than a float64, the distribution functions still agree."""
    shares, expected = symmetric_beta(0.01, 20_000, key(3)), stats.beta(0.01, 0.01)
    for place in (1e-6, 0.01, 0.5, 0.99, 1 - 1e-6):
        assert np.mean(shares <= place) == pytest.approx(expected.cdf(place), abs=0.015)


def test_shares_do_not_depend_on_the_batch():
    assert np.array_equal(symmetric_beta(0.3, 50, key(3))[:20], symmetric_beta(0.3, 20, key(3)))


def test_partners_are_an_order_of_the_batch():
    first, again, other = (draw_mixture(0.3, 50, key(seed)) for seed in (1, 1, 2))
    assert sorted(first.partner) == list(range(50))
    assert np.array_equal(first.partner, again.partner)
    assert np.array_equal(first.share, again.share)
    assert not np.array_equal(first.partner, other.partner)


def test_a_mixture_by_hand():
    mixture = Mixture(np.array([1, 0, 2]), np.array([0.75, 1.0, 0.5]))
    assert mixture.of(np.array([[0.0, 4.0], [8.0, 0.0], [5.0, 5.0]])).tolist() == [[2.0, 3.0], [8.0, 0.0], [5.0, 5.0]]
    assert mixture.of(np.ones((3, 2, 2), np.float32)).dtype == np.float32


def test_off_is_no_mixture():
    assert pl.PhotoAugmentation().mixture(5, key(0)) is None
    assert MIXING.mixture(0, key(0)) is None


def drawn(augment, step=4):
    samples = Samples(X, np.arange(20) % 3, np.arange(20), np.arange(20.0))
    return next(samples.epoch(8, seed=1, epoch=0, first_step=step, shuffle=False, augment=augment)).batch()


def test_a_batch_is_mixed_as_its_key_says():
    batch = drawn(MIXING)
    partner, share = MIXING.mixture(8, key(1, Purpose.AUGMENT, 4))
    share = share[:, None, None]
    np.testing.assert_allclose(batch.x, (share * X[:8] + (1 - share) * X[:8][partner]) / 255, atol=1e-6)
    assert np.array_equal(batch.mixture.partner, partner)
    assert batch.y.tolist() == [0, 1, 2, 0, 1, 2, 0, 1]
    assert batch.weights.tolist() == list(range(8))  # each keeps its own
    assert drawn(pl.PhotoAugmentation()).mixture is None
    assert drawn(lambda x, key: x).mixture is None


class MixedPixels:
    """An augmentation of one's own, which gives pixels."""

    def __call__(self, x, key):
        return x

    def mixture(self, count, key):
        return Mixture(np.arange(count)[::-1], np.full(count, 0.5))


def test_pixels_of_an_augmentation_of_ones_own_are_mixed_as_numbers():
    np.testing.assert_allclose(drawn(MixedPixels()).x, (X[:8] / 2 + X[:8][::-1] / 2) / 255, atol=1e-6)


def descended(output, y, weights=None, mixture=None):
    network = pl.Network([pl.Input(5), pl.Dense(4, "tanh"), output], seed=2, dtype="float64")
    executor = NumpyExecutor(network, Rules(pl.Adam()), OptimizerState.fresh(pl.Adam(), network.parameters.vector))
    batch = Batch(np.random.default_rng(5).normal(size=(6, 5)), y, weights, mixture)
    return executor.train_step(batch, 0, 0.0)["loss"], executor.gradient


@pytest.mark.parametrize(
    "output", [pl.Classification(3), pl.BinaryClassification(), pl.Classification(3, label_smoothing=0.1)]
)
@pytest.mark.parametrize("weights", [None, np.arange(1.0, 7.0)])
def test_the_loss_is_the_mixture_of_the_losses(output, weights):
    """Cross-entropy is linear in the target, so a mixed target costs what both targets cost, in their shares."""
    y = np.array([0, 1, 1, 0, 1, 0]) if output.num_labels == 2 else np.array([0, 1, 2, 0, 1, 2])
    mixture = Mixture(np.array([5, 4, 3, 2, 1, 0]), np.full(6, 0.3))
    own, partners = descended(output, y, weights), descended(output, y[mixture.partner], weights)
    mixed = descended(output, y, weights, mixture)
    assert abs(own[0] - partners[0]) > 0.01
    assert mixed[0] == pytest.approx(0.3 * own[0] + 0.7 * partners[0], rel=1e-12)
    np.testing.assert_allclose(mixed[1], 0.3 * own[1] + 0.7 * partners[1], atol=1e-14)


def test_a_regression_learns_the_mixed_values():
    y = RNG.normal(size=(6, 1))
    mixture = Mixture(np.array([5, 4, 3, 2, 1, 0]), np.linspace(0, 1, 6))
    by_hand = mixture.share[:, None] * y + (1 - mixture.share[:, None]) * y[::-1]
    expected, found = descended(pl.Regression(), by_hand), descended(pl.Regression(), y, mixture=mixture)
    assert found[0] == pytest.approx(expected[0], rel=1e-12)
    np.testing.assert_allclose(found[1], expected[1], atol=1e-14)


def test_training_in_two_calls_gives_the_bits_of_one():
    def trained(*epochs):
        network = pl.Network([pl.Input(4, 4), pl.Dense(6, "relu"), pl.Classification(3)], seed=3)
        for count in epochs:
            network.fit(X, np.arange(20) % 3, epochs=count, batch_size=7, augment=MIXING, progress="none", engine="numpy")
        return network.parameters.vector.tobytes()

    assert trained(2, 3) == trained(5)
    assert trained(5) == trained(5)


def test_mixup_is_learned_from_and_not_only_drawn():
    """Two equal pictures of different classes: with mixed targets the loss at the best answer is the same, but a network
    that fits the unmixed targets of a mixture of black and white pays for it."""
    x = np.stack([np.zeros((4, 4), np.uint8), np.full((4, 4), 255, np.uint8)] * 32)
    y = np.array([0, 1] * 32)
    network = pl.Network([pl.Input(4, 4), pl.Classification(2)], seed=0)
    network.fit(x, y, epochs=150, batch_size=64, augment=MIXING, progress="none", engine="numpy", optimizer=pl.Adam(0.05))
    grey = network.predict_proba(np.full((1, 4, 4), 0.5, np.float32))[0]
    np.testing.assert_allclose(grey, [0.5, 0.5], atol=0.05)
