"""Chance is a pure function of its key, equal to the published hashes bit for bit, and looks like chance."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pellucid.core import random
from pellucid.core.random import Purpose

MASK32, MASK64 = (1 << 32) - 1, (1 << 64) - 1
seeds = st.integers(-(1 << 70), 1 << 70)
parts = st.lists(st.integers(0, 1 << 62), max_size=4)

# A p-value below this is expected once in 10^9 checks of good chance: a failure is no accident.
IMPROBABLE = 1e-9


def splitmix64(state: int) -> int:
    """Steele, Lea, Flood (2014), written from `next` of Vigna's public-domain splitmix64.c."""
    z = (state + 0x9E3779B97F4A7C15) % 2**64
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
    return z ^ (z >> 31)


def mix(x: int) -> int:
    """Wellons' two-round 32-bit hash with the constants 21f0aaad, d35a2d97 and the shifts 16, 15, 15."""
    x = (x ^ (x >> 16)) * 0x21F0AAAD % 2**32
    x = (x ^ (x >> 15)) * 0xD35A2D97 % 2**32
    return x ^ (x >> 15)


def reference_key(seed: int, *path: int) -> int:
    value = splitmix64(seed % 2**64)
    for part in path:
        value = splitmix64((value + part) % 2**64)
    return value


def reference_bits(key: int, index: int) -> int:
    return mix(mix((index * 0x9E3779B1 + (key & MASK32)) % 2**32) ^ (key >> 32))


def test_splitmix64_gives_the_published_sequence():
    """The first outputs of splitmix64.c for the seed 1234567, as Rosetta Code quotes them ("Pseudo-random numbers")."""
    state, outputs = 1234567, []
    for _ in range(5):
        outputs.append(splitmix64(state))
        state += 0x9E3779B97F4A7C15
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821]
    assert outputs == published
    assert random.key(1234567) == published[0]


@given(seeds, parts)
def test_key_equals_the_reference(seed, path):
    assert random.key(seed, *path) == reference_key(seed, *path)


@given(st.integers(0, MASK64), st.integers(0, 40))
def test_bits_equal_the_reference(key, count):
    bits = random.bits(key, count)
    assert bits.dtype == np.uint32
    assert bits.tolist() == [reference_bits(key, i) for i in range(count)]


@given(st.integers(0, MASK64), st.integers(1, 30), st.integers(0, 30))
def test_an_element_does_not_depend_on_how_many_are_asked_for(key, count, more):
    np.testing.assert_array_equal(random.bits(key, count), random.bits(key, count + more)[:count])


def test_a_key_gives_the_same_numbers_every_time_and_the_global_state_is_left_alone():
    np.random.seed(5)  # noqa: NPY002 - the global state itself is under test
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    key = random.key(3, Purpose.DROPOUT, 17, 2)
    for draw in (lambda: random.bits(key, 100), lambda: random.uniform(key, (7, 5)), lambda: random.normal(key, (7, 5))):
        np.testing.assert_array_equal(draw(), draw())
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_uniform_is_the_upper_24_bits_exactly_in_both_types():
    key = random.key(11)
    exact = [(reference_bits(key, i) >> 8) / 2**24 for i in range(1000)]
    for dtype in (np.float32, np.float64):
        values = random.uniform(key, (10, 100), dtype)
        assert values.dtype == dtype
        assert values.ravel().tolist() == exact
        assert values.min() >= 0
        assert values.max() < 1


NEIGHBOURS = [
    ("seed", (0, Purpose.DROPOUT, 0, 0), (1, Purpose.DROPOUT, 0, 0)),
    ("negative seed", (0, Purpose.DROPOUT, 0, 0), (-1, Purpose.DROPOUT, 0, 0)),
    ("purpose", (0, Purpose.SHUFFLE, 0, 0), (0, Purpose.SPLIT, 0, 0)),
    ("step", (0, Purpose.DROPOUT, 0, 0), (0, Purpose.DROPOUT, 1, 0)),
    ("layer", (0, Purpose.DROPOUT, 0, 0), (0, Purpose.DROPOUT, 0, 1)),
    ("step and layer swapped", (0, Purpose.DROPOUT, 1, 2), (0, Purpose.DROPOUT, 2, 1)),
    ("a longer path", (0, Purpose.DROPOUT, 1), (0, Purpose.DROPOUT, 1, 0)),
]


@pytest.mark.parametrize(("first", "second"), [row[1:] for row in NEIGHBOURS], ids=[row[0] for row in NEIGHBOURS])
def test_neighbouring_places_are_independent(first, second):
    """Correlation of the values, of their sizes, and of every pair of bits, each within 6 standard errors."""
    count = 100_000
    a, b = (random.bits(random.key(*path), count) for path in (first, second))
    u, v = (x.astype(np.float64) for x in (a, b))
    for lag in (0, 1, 2):
        assert abs(np.corrcoef(u[: count - lag], v[lag:])[0, 1]) < 6 / math.sqrt(count)
    different = np.unpackbits((a ^ b).view(np.uint8).reshape(count, 4), axis=1).mean(axis=0)
    assert np.abs(different - 0.5).max() < 6 * 0.5 / math.sqrt(count)
    table = np.histogram2d(u, v, bins=16, range=[[0, 2**32]] * 2)[0]
    assert stats.chisquare(table.ravel()).pvalue > IMPROBABLE


@pytest.mark.parametrize("key", [0, 1, MASK64, random.key(0), random.key(7, Purpose.AUGMENT, 3)])
def test_bytes_and_bits_are_uniform(key):
    bits = random.bits(key, 200_000)
    for byte in range(4):
        counts = np.bincount((bits >> np.uint32(8 * byte)) & np.uint32(255), minlength=256)
        assert stats.chisquare(counts).pvalue > IMPROBABLE
    for low in (bits & np.uint32(0xFFF), bits >> np.uint32(20)):
        assert stats.chisquare(np.bincount(low, minlength=4096)).pvalue > IMPROBABLE
    ones = np.unpackbits(bits.view(np.uint8).reshape(-1, 4), axis=1).sum(axis=0)
    p = [stats.binomtest(int(n), len(bits)).pvalue for n in ones]
    assert min(p) > IMPROBABLE


@pytest.mark.parametrize("lag", [1, 2, 3, 4, 28, 32, 128, 784])
def test_elements_at_a_distance_are_independent(lag):
    """A row of a dropout mask must not resemble the next one."""
    count = 200_000
    values = random.uniform(random.key(0, Purpose.DROPOUT, 1, 1), (count + lag,))
    assert abs(np.corrcoef(values[:-lag], values[lag:])[0, 1]) < 6 / math.sqrt(count)


def test_consecutive_elements_fill_the_cube():
    triples = random.uniform(random.key(4), (100_000, 3))
    counts = np.histogramdd(triples, bins=8, range=[(0, 1)] * 3)[0]
    assert stats.chisquare(counts.ravel()).pvalue > IMPROBABLE


def test_one_element_over_consecutive_steps_is_uniform():
    """The other axis: the same element under 20,000 consecutive steps, as a unit sees its dropout from step to step."""
    for element in (0, 1, 1000):
        values = np.array([random.bits(random.key(0, Purpose.DROPOUT, s, 1), element + 1)[element] for s in range(4000)])
        assert stats.kstest(values / 2**32, "uniform").pvalue > IMPROBABLE
        assert abs(np.corrcoef(values[:-1], values[1:])[0, 1]) < 6 / math.sqrt(len(values))
        assert stats.chisquare(np.bincount(values & np.uint32(15), minlength=16)).pvalue > IMPROBABLE


def test_mean_and_variance_over_many_keys_stay_within_their_bounds():
    """n uniforms: mean 1/2 with standard error sqrt(1/12n); variance 1/12 with sqrt((1/80 - 1/144)/n); 5.5 errors."""
    n = 10_000
    scores = []
    for seed in range(300):
        values = random.uniform(random.key(seed, Purpose.INITIALIZE, 0), (n,))
        scores.append(
            ((values.mean() - 0.5) / math.sqrt(1 / 12 / n), (values.var() - 1 / 12) / math.sqrt((1 / 80 - 1 / 144) / n))
        )
    z = np.array(scores)
    assert np.abs(z).max() < 5.5
    # and they scatter as much as they should: too even would be no chance either (chi-square with 299 degrees, 6 errors)
    assert np.abs((z**2).mean(axis=0) - 1).max() < 6 * math.sqrt(2 / 300)


def test_normal_is_normal():
    for seed in range(5):
        values = random.normal(random.key(seed, Purpose.INITIALIZE, 1), (300, 100)).ravel()
        assert stats.kstest(values, "norm").pvalue > 1e-6
        assert abs(values.mean()) < 6 / math.sqrt(values.size)
        assert abs(values.var() - 1) < 6 * math.sqrt(2 / values.size)
        assert abs(stats.skew(values)) < 6 * math.sqrt(6 / values.size)
        assert abs(stats.kurtosis(values)) < 6 * math.sqrt(24 / values.size)
        # the tails are there: P(|z| > 3) = 0.0027, binomial bound
        assert stats.binomtest(int((np.abs(values) > 3).sum()), values.size, 2 * stats.norm.sf(3)).pvalue > 1e-6


def test_normal_equals_box_muller_in_plain_python():
    key = random.key(9)
    count = 50
    u = [((reference_bits(key, i) >> 8) + 0.5) / 2**24 for i in range(2 * count)]
    expected = [math.sqrt(-2 * math.log(u[i])) * math.cos(2 * math.pi * u[count + i]) for i in range(count)]
    np.testing.assert_allclose(random.normal(key, (count,)), expected, rtol=1e-12, atol=1e-14)


@given(seeds, st.integers(0, 300))
def test_permutation_holds_each_number_once_in_the_order_of_the_bits(seed, count):
    key = random.key(seed, Purpose.SHUFFLE, 1)
    order = random.permutation(key, count)
    assert order.dtype == np.int64
    assert sorted(order.tolist()) == list(range(count))
    assert order.tolist() == sorted(range(count), key=lambda i: (reference_bits(key, i), i))


def test_permutations_over_epochs_are_uniform():
    """All 24 orders of 4 equally often; and each of 10 elements at each of 10 places equally often."""
    orders = [tuple(random.permutation(random.key(0, Purpose.SHUFFLE, epoch), 4)) for epoch in range(6000)]
    counts = np.unique(np.array([o[0] * 64 + o[1] * 16 + o[2] * 4 + o[3] for o in orders]), return_counts=True)[1]
    assert len(counts) == 24
    assert stats.chisquare(counts).pvalue > IMPROBABLE
    places = np.zeros((10, 10))
    for epoch in range(5000):
        places[np.arange(10), random.permutation(random.key(1, Purpose.SHUFFLE, epoch), 10)] += 1
    assert stats.chisquare(places.ravel()).pvalue > IMPROBABLE
