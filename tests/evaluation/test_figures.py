"""Brier score, intervals and bands: scikit-learn's figures, cases by hand, and synthetic truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import brier_score_loss

from pellucid.evaluation import calibration
from pellucid.evaluation.bootstrap import interval, resampled_means

TRIALS = 200
ALLOWED = stats.binom.ppf(1 - 1e-4, TRIALS, 0.05)  # misses among them, if each happens in 5 of 100


def drawn(classes, count, seed=0, sharpness=2.0):
    """Probabilities (N, K), and classes drawn from them: calibrated by construction."""
    rng = np.random.default_rng(seed)
    p = np.exp(sharpness * rng.normal(size=(count, classes)))
    p /= p.sum(axis=1, keepdims=True)
    return p, (p.cumsum(axis=1) < rng.random((count, 1))).sum(axis=1).clip(0, classes - 1)


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_the_brier_score_is_that_of_scikit_learn(classes):
    p, y = drawn(classes, 500)
    expected = brier_score_loss(y, p[:, 1]) if classes == 2 else brier_score_loss(y, p)
    assert calibration.brier_score(p, y) == pytest.approx(expected, rel=1e-12)


def test_the_brier_score_by_hand():
    """(0.7 - 1)^2 + 0.2^2 + 0.1^2 = 0.14 and 0.5^2 + (0.3 - 1)^2 + 0.2^2 = 0.78; of two classes the half: 0.3^2."""
    p = np.array([[0.7, 0.2, 0.1], [0.5, 0.3, 0.2]], np.float32)
    assert calibration.brier_score(p, np.array([0, 1])) == pytest.approx((0.14 + 0.78) / 2, rel=1e-6)
    assert calibration.brier_score(np.array([[0.7, 0.3]]), np.array([0])) == pytest.approx(0.09)


def test_resamples_spread_as_the_mean_does_and_are_drawn_from_all_rows():
    values = np.random.default_rng(0).exponential(size=(400, 2))
    means = resampled_means(values, 2000, seed=3)
    np.testing.assert_allclose(means.mean(axis=0), values.mean(axis=0), atol=5 * values.std() / 20 / 2000**0.5)
    np.testing.assert_allclose(means.std(axis=0), values.std(axis=0) / 20, rtol=0.08)
    np.testing.assert_array_equal(means, resampled_means(values, 2000, seed=3))
    assert (means != resampled_means(values, 2000, seed=4)).any()
    seen = resampled_means(np.eye(7), 300)
    assert set(np.round(seen.ravel() * 7, 9)) >= {0.0, 1.0, 2.0, 3.0}
    np.testing.assert_allclose(seen.sum(axis=1), 1)


def test_columns_of_a_row_go_together():
    values = np.random.default_rng(0).normal(size=(50, 1))
    first, second = resampled_means(np.hstack([values, 2 * values + 1]), 100).T
    np.testing.assert_allclose(second, 2 * first + 1)


def test_many_rows_are_resampled_in_blocks(monkeypatch):
    values = np.random.default_rng(0).normal(size=(90, 2))
    whole = resampled_means(values, 25)
    monkeypatch.setattr("pellucid.evaluation.bootstrap.BLOCK", 200)
    np.testing.assert_allclose(resampled_means(values, 25), whole, rtol=1e-12)


def test_the_interval_of_a_mean_holds_it_95_times_in_100():
    rng = np.random.default_rng(1)
    missed = 0
    for trial in range(TRIALS):
        low, high = interval(resampled_means(rng.exponential(size=(200, 1)), 300, seed=trial)[:, 0])
        missed += not low <= 1 <= high
    assert 0 < missed <= stats.binom.ppf(1 - 1e-4, TRIALS, 0.07)  # of a skewed sample a percentile interval misses more


def test_the_interval_of_the_brier_score_is_that_of_its_terms():
    p, y = drawn(3, 300)
    terms = ((p - np.eye(3)[y]) ** 2).sum(axis=1)
    low, high = calibration.brier_interval(p, y)
    half = 1.96 * terms.std() / 300**0.5
    assert (low, high) == pytest.approx((terms.mean() - half, terms.mean() + half), abs=0.15 * half)


@pytest.mark.parametrize("power", [1.0, 1.2, 3.0])
def test_the_interval_of_the_calibration_error_holds_the_true_one(power):
    """A claim c comes true with the probability c^power, so the true ECE is known; at 1 it is 0."""
    rng = np.random.default_rng(int(10 * power))
    claims = 0.1 + 0.9 * rng.beta(8, 1, 200_000)
    number = np.ceil(10 * claims).astype(int)
    truth = np.abs(np.bincount(number, weights=claims**power - claims)).sum() / len(claims)
    missed = 0
    for trial in range(TRIALS):
        claimed = rng.choice(claims, 300)
        right = rng.random(300) < claimed**power
        low, high = calibration.calibration_error_interval(claimed, right, resamples=200, seed=trial)
        assert low <= calibration.expected_calibration_error(calibration.reliability(claimed, right)) <= high
        missed += not low <= truth <= high
    assert missed <= ALLOWED


def test_the_interval_of_an_error_that_is_no_chance_reaches_as_far_down_as_up():
    claimed = np.full(400, 0.9)
    right = np.arange(400) < 200  # off by 0.4; the mean of 400 coins is off by 0.025
    low, high = calibration.calibration_error_interval(claimed, right)
    assert (low + high) / 2 == pytest.approx(0.4)
    assert (high - low) / 2 == pytest.approx(1.96 * 0.025, rel=0.1)


def test_an_honest_network_stays_in_the_band_and_another_does_not():
    rng = np.random.default_rng(0)
    above = outside = dots = 0
    for trial in range(TRIALS):
        claimed = 0.3 + 0.7 * rng.random(200)
        right = rng.random(200) < claimed
        bins, band = calibration.reliability(claimed, right), calibration.honest_band(claimed, resamples=400, seed=trial)
        above += calibration.expected_calibration_error(bins) > band.error
        outside += sum(not low <= each.accuracy <= high for each, (low, high) in zip(bins, band.accuracies, strict=True))
        dots += len(bins)
    assert 0 < above <= ALLOWED
    assert 0 < outside <= stats.binom.ppf(1 - 1e-4, dots, 0.05)
    boastful = rng.random(500) < 0.5
    assert (
        calibration.expected_calibration_error(calibration.reliability(np.full(500, 0.9), boastful))
        > 5 * calibration.honest_band(np.full(500, 0.9)).error
    )


def test_the_band_is_that_of_binomial_counts():
    """Of 50 answers that claim 0.8: the quantiles of Binomial(50, 0.8)."""
    ((low, high),) = calibration.honest_band(np.full(50, 0.8), resamples=20_000).accuracies
    assert (low, high) == pytest.approx(tuple(stats.binom.ppf([0.025, 0.975], 50, 0.8) / 50))


@given(st.lists(st.tuples(st.floats(0, 1, width=32), st.booleans()), min_size=1, max_size=60))
def test_any_answers_have_an_interval_and_a_band(answers):
    claimed, right = (np.array(column) for column in zip(*answers, strict=True))
    low, high = calibration.calibration_error_interval(claimed, right, resamples=20)
    band = calibration.honest_band(claimed, resamples=20)
    assert 0 <= low <= high <= 1
    assert 0 <= band.error <= 1
    assert all(0 <= a <= b <= 1 for a, b in band.accuracies)
    assert len(band.accuracies) == len(calibration.reliability(claimed, right))
