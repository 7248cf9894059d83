"""Conformal sets and intervals: ranks by hand, and the promised coverage over 200 random splits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import log_softmax

import pellucid as pl
from pellucid.evaluation.conformal import KEPT, ConformalScores, class_scores, coverage, prediction_sets

SPLITS = 200


def test_the_quantile_by_hand():
    """Of 9 scores and 80 %: rank ceil(10 * 0.8) = 8; 90 % takes the last one; 91 % needs 1 / 0.09 - 1 = 10.1 scores."""
    scores = ConformalScores.of(np.array([9.0, 1, 8, 2, 7, 3, 6, 4, 5]))
    assert scores.scores == tuple(float(s) for s in range(1, 10))
    assert [scores.quantile(c) for c in (0.8, 0.75, 0.71, 0.7, 0.5, 0.01)] == [8, 8, 8, 7, 5, 1]
    assert scores.quantile(0.9) == 9
    with pytest.raises(pl.ArgumentError, match=r"9 samples .* too few for a confidence of 91%, which needs 11 .* 90.0% or"):
        scores.quantile(0.91)


@pytest.mark.parametrize("confidence", [0, 1, -0.5, 1.5, math.nan, "0.9", None])
def test_a_confidence_is_a_part(confidence):
    with pytest.raises(pl.ArgumentError, match="confidence"):
        ConformalScores.of(np.arange(99.0)).quantile(confidence)


@given(st.integers(1, 5000), st.floats(0.001, 0.999))
def test_of_many_scores_the_quantile_is_never_too_low_and_hardly_too_high(count, confidence):
    scores = ConformalScores.of(np.arange(1.0, count + 1))
    rank = math.ceil((count + 1) * confidence - 1e-9)
    assert len(scores.scores) == min(count, KEPT)
    if rank <= count:
        assert rank <= scores.quantile(confidence) <= rank + count / KEPT
        assert count > KEPT or scores.quantile(confidence) == rank
    else:
        with pytest.raises(pl.ArgumentError, match="too few"):
            scores.quantile(confidence)


def test_of_2500_scores_1000_are_kept_with_the_ranks_that_are_documented():
    """The first are of rank ceil(2.5) = 3, 5, ceil(7.5) = 8, and the last one stays."""
    scores = ConformalScores.of(np.arange(1.0, 2501)).scores
    assert (scores[:3], scores[-1]) == ((3.0, 5.0, 8.0), 2500.0)


def test_a_label_that_fits_just_as_well_is_in_the_set():
    logits = np.array([[0.0, 0.0], [1.0, 0.0]])
    held = prediction_sets(logits, float(class_scores(logits)[1, 1]))
    assert held.tolist() == [[True, True], [True, True]]


HOSTILE = {
    "no scores": (3, ()),
    "more than there were": (2, (0.1, 0.2, 0.3)),
    "unsorted": (3, (0.1, 0.3, 0.2)),
    "negative": (3, (-0.1, 0.2, 0.3)),
    "NaN": (3, (0.1, math.nan, 0.3)),
    "infinite": (3, (0.1, 0.2, math.inf)),
    "text": (3, ("0.1", 0.2, 0.3)),
    "a number": (3, 0.1),
    "a count of none": (0, (0.1,)),
    "a broken count": (2.5, (0.1,)),
    "a count beyond all measure": (10**18, (0.1,)),
    "too many": (10**6, tuple(float(i) for i in range(KEPT + 1))),
}


@pytest.mark.parametrize(("count", "scores"), HOSTILE.values(), ids=HOSTILE)
def test_impossible_scores_are_refused(count, scores):
    with pytest.raises(pl.ArgumentError, match="conformal score"):
        ConformalScores(count, scores)


def test_scores_are_the_loss_of_each_class_even_where_exponentials_overflow():
    z = np.random.default_rng(0).normal(size=(20, 4)) * np.logspace(0, 5, 20)[:, None]
    np.testing.assert_allclose(class_scores(z), -log_softmax(z, axis=1), rtol=1e-12)
    assert np.isfinite(class_scores(np.array([[3e38, -3e38]], np.float32))).all()


def test_coverage_by_hand():
    sets = np.array([[True, False, False], [False, False, False], [True, True, True], [True, True, False]])
    found = coverage(sets, np.array([0, 1, 2, 2]), 0.9, 99)
    assert (found.confidence, found.covered, found.mean_size, found.unsure) == (0.9, 0.5, 1.5, 2)


@pytest.mark.parametrize(
    ("tested", "count", "confidence"), [(4, 99, 0.9), (50, 9, 0.9), (200, 100, 0.7), (10_000, 50, 0.9)]
)
def test_what_chance_leaves_covered_is_the_quantile_of_the_exact_law(tested, count, confidence):
    rank = math.ceil((count + 1) * confidence - 1e-9)
    least = stats.betabinom(tested, rank, count + 1 - rank).ppf(0.05) / tested
    for below, words in ((0, "within chance"), (1, "less than chance explains")):
        sets = np.zeros((tested, 2), bool)
        sets[: round(least * tested) - below, 0] = True
        found = coverage(sets, np.zeros(tested, int), confidence, count)
        assert found.by_chance == least
        assert found.in_words.startswith(words)
    assert coverage(np.ones((tested, 2), bool), np.zeros(tested, int), confidence, count).in_words == ""


def within_bound(covered, count, test, confidence):
    """Whether so many covered test samples agree with the exact law, over all splits together.

    Given the split, the coverage is Beta(k, n + 1 - k); of ``test`` samples a beta-binomial number is covered.
    """
    rank = math.ceil((count + 1) * confidence)
    law = stats.betabinom(test, rank, count + 1 - rank)
    low, high = (SPLITS * law.mean() + z * math.sqrt(SPLITS * law.var()) for z in (-4, 4))
    return low <= sum(covered) <= high, max(covered) - min(covered) < 12 * law.std()


@pytest.mark.parametrize("confidence", [0.7, 0.9])
def test_sets_hold_the_truth_as_often_as_promised_over_200_splits(confidence):
    """Whatever the network: here a bad one, whose logits have little to do with the classes."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(3000, 5)) * 4
    y = np.where(rng.random(3000) < 0.4, z.argmax(axis=1), rng.integers(0, 5, 3000))
    scores, covered = class_scores(z), []
    for _ in range(SPLITS):
        order = rng.permutation(3000)
        fit, test = order[:200], order[200:500]
        q = ConformalScores.of(scores[fit, y[fit]]).quantile(confidence)
        covered.append(int(prediction_sets(z[test], q)[np.arange(300), y[test]].sum()))
    assert all(within_bound(covered, 200, 300, confidence))


def test_intervals_hold_the_truth_as_often_as_promised_over_200_splits():
    """A regression that is far off, with errors that are not normal; each of two values by itself."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3000, 2)).astype(np.float32)
    y = np.stack([x[:, 0] + rng.exponential(size=3000), 5 * rng.standard_t(3, size=3000)], axis=1)
    model = pl.Model(pl.Network([pl.Input(2), pl.Regression(2)], seed=1))
    covered = []
    for _ in range(SPLITS):
        order = rng.permutation(3000)
        fit, test = order[:99], order[99:199]
        model.conformal(x, y, rows=fit)
        low, high = model.predict_interval(x[test], 0.9)
        covered.append(((low <= y[test]) & (y[test] <= high)).sum(axis=0))
    for column in np.array(covered).T.tolist():
        assert all(within_bound(column, 99, 100, 0.9))
