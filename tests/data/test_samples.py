"""Which sample comes when: each once an epoch, in an order that only (seed, epoch) decide; splits that share fairly."""

from __future__ import annotations

from collections import Counter
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import pellucid as pl
from pellucid.data.samples import Samples, split


def samples(count, y=None, weights=None):
    x = np.arange(count, dtype=np.float64)[:, None]
    return Samples(x, np.arange(count) if y is None else y, np.arange(count), weights)


def rows_of(batches):
    return [batch.x[:, 0].astype(int).tolist() for batch in batches]


def order_of(batches):
    """The rows in the order in which they come."""
    return [row for batch in rows_of(batches) for row in batch]


def epoch(data, size, seed=0, number=0, shuffle=True, augment=None, first_step=0):
    return [one.batch() for one in indices(data, size, seed, number, shuffle, augment, first_step)]


def indices(data, size, seed=0, number=0, shuffle=True, augment=None, first_step=0):
    return data.epoch(size, seed=seed, epoch=number, first_step=first_step, shuffle=shuffle, augment=augment)


@given(count=st.integers(1, 200), size=st.integers(1, 250), seed=st.integers(-(2**70), 2**70), number=st.integers(0, 10**6))
def test_each_sample_comes_exactly_once_an_epoch(count, size, seed, number):
    batches = epoch(samples(count), size, seed, number)
    assert sorted(order_of(batches)) == list(range(count))
    full, rest = divmod(count, size)
    assert [len(batch.x) for batch in batches] == [size] * full + ([rest] if rest else [])


def test_the_order_is_a_function_of_seed_and_epoch_only():
    data = samples(100)
    first = order_of(epoch(data, 10, seed=3, number=5))
    for number in range(5):  # other epochs in between change nothing
        epoch(data, 10, seed=3, number=number)
    np.random.seed(0)  # noqa: NPY002 - the global generator must not matter
    assert order_of(epoch(data, 10, seed=3, number=5, first_step=77)) == first
    assert order_of(epoch(data, 33, seed=3, number=5)) == first  # nor does the batch size
    places = ((3, 4), (3, 6), (2, 5), (5, 3), (4, 5))
    others = [tuple(order_of(epoch(data, 10, seed, number))) for seed, number in places]
    assert len({tuple(first), *others}) == 6


def test_without_shuffle_the_order_is_that_of_the_data():
    for number in range(3):
        assert order_of(epoch(samples(10), 3, number=number, shuffle=False)) == list(range(10))


def test_all_orders_are_equally_likely():
    """Chi-square over the 24 orders of 4 samples in 4,800 epochs: p is above 0.001 for a fair shuffle."""
    counts = Counter(tuple(order_of(epoch(samples(4), 4, seed=9, number=number))) for number in range(4800))
    assert set(counts) == set(permutations(range(4)))
    assert stats.chisquare(list(counts.values())).pvalue > 1e-3


def test_weights_and_targets_go_with_their_samples():
    data = samples(50, y=np.arange(50) * 2, weights=np.arange(50) * 3.0)
    for one in indices(data, 7, seed=1):
        batch = one.batch()
        np.testing.assert_array_equal(batch.y, batch.x[:, 0] * 2)
        np.testing.assert_array_equal(batch.weights, batch.x[:, 0] * 3)
        assert one.weight == batch.weights.sum()


def test_an_augmentation_gets_a_key_of_its_own_for_each_step_and_leaves_the_data_alone():
    data, keys = samples(20), []

    def augment(x, key):
        keys.append(key)
        x += 1000
        return x

    for batch in epoch(data, 5, augment=augment, first_step=40):
        assert (batch.x >= 1000).all()
    again = epoch(data, 5, augment=lambda x, key: (keys.append(key), x)[1], first_step=40)
    assert len(again) == 4
    assert keys[:4] == keys[4:]
    assert len(set(keys)) == 4
    np.testing.assert_array_equal(data.x[:, 0], np.arange(20))
    keys.clear()
    epoch(data, 5, augment=lambda x, key: (keys.append(key), x)[1], first_step=44)
    assert len(set(keys)) == 4


@given(st.data())
def test_a_split_is_disjoint_complete_and_shares_by_class(data):
    sizes = data.draw(st.lists(st.integers(1, 40), min_size=1, max_size=6))
    fraction = data.draw(st.floats(0.05, 0.95))
    seed = data.draw(st.integers(0, 1000))
    y = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    wanted = round(len(y) * fraction)
    try:
        training, validation = split(samples(len(y), y), fraction, seed, y)
    except pl.ArgumentError:
        assert wanted == 0 or max(sizes) == 1
        return
    assert not set(training.rows) & set(validation.rows)
    assert sorted([*training.rows, *validation.rows]) == list(range(len(y)))
    assert len(validation) <= wanted
    for label, size in enumerate(sizes):
        kept = int((y[validation.rows] == label).sum())
        assert kept <= size - 1, "a class has lost all its samples to the validation"
        assert abs(kept - min(size * fraction, size - 1)) < 1
    again = split(samples(len(y), y), fraction, seed, y)
    np.testing.assert_array_equal(again[1].rows, validation.rows)


def test_a_split_of_a_regression_is_a_fair_draw():
    _, validation = split(samples(10_000), 0.3, 1, None)
    assert len(validation) == 3000
    assert abs(validation.rows.mean() - 5000) < 4 * 2887 / np.sqrt(3000)
    _, other = split(samples(10_000), 0.3, 2, None)
    assert abs(len(set(validation.rows) & set(other.rows)) - 900) < 4 * np.sqrt(900 * 0.49)


@pytest.mark.filterwarnings("ignore:x holds numbers as large as")
def test_fit_keeps_the_validation_samples_out_of_training(digits):
    """A sample of the validation part never reaches a training step, nor an augmentation."""
    x, y = digits
    marked = (x[:50] // 2).astype(np.float32)
    marked[:, 0, 0] = np.arange(50) + 1000
    seen = []

    def spy(batch, key):
        seen.extend(batch[:, 0, 0].astype(int).tolist())
        return batch / 1000

    network = pl.Network([pl.Input(28, 28), pl.Classification(10)])
    network.fit(marked, y[:50], validation=0.2, epochs=3, batch_size=8, augment=spy, progress="none")
    counts = Counter(seen)
    assert set(counts.values()) == {3}
    expected = split(samples(50, y[:50]), 0.2, 0, y[:50])[0]
    assert set(counts) == set(expected.rows + 1000)


def test_a_full_batch_and_more_than_that_are_one_step(digits):
    x, y = digits
    for size in (600, 601, 10**9):
        network = pl.Network([pl.Input(28, 28), pl.Classification(10)])
        network.fit(x, y, epochs=2, batch_size=size, progress="none")
        assert network.training_state.step == 2


@pytest.mark.parametrize("kind", ["list", "float32", "non-contiguous", "big-endian"])
def test_the_form_of_the_data_does_not_matter(digits, kind):
    x, y = digits
    x, y = x[:40], y[:40]
    forms = {
        "list": ((x / 255).tolist(), y.tolist()),
        "float32": ((x / 255).astype(np.float32), y.astype(np.float32)),
        "non-contiguous": (np.asfortranarray(x / 255), np.repeat(y, 2)[::2]),
        "big-endian": ((x / 255).astype(">f8"), y.astype(">i8")),
    }
    networks = []
    for form in ((x / 255, y), forms[kind]):
        network = pl.Network([pl.Input(28, 28), pl.Dense(4, "tanh"), pl.Classification(10)])
        network.fit(*form, epochs=2, progress="none")
        networks.append(network)
    np.testing.assert_allclose(networks[0].parameters.vector, networks[1].parameters.vector, rtol=2e-3, atol=1e-6)
