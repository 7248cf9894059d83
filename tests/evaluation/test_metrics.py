"""Figures against scikit-learn, and by hand where it has no answer."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn import metrics as reference

import pellucid as pl
from pellucid.evaluation.metrics import (
    ClassFigures,
    auc,
    class_figures,
    confusion_matrix,
    difference_interval,
    r2,
    wilson_interval,
)
from pellucid.mathematics.means import WeightedMeans
from pellucid.nn.catalogue import OUTPUTS

RNG = np.random.default_rng(5)
Y = RNG.integers(0, 6, 500)
PREDICTED = np.where(RNG.random(500) < 0.6, Y, RNG.integers(0, 6, 500))


def test_confusion_matrix():
    ours = confusion_matrix(Y, PREDICTED, 6)
    np.testing.assert_array_equal(ours, reference.confusion_matrix(Y, PREDICTED, labels=range(6)))
    assert ours.sum() == 500
    np.testing.assert_array_equal(
        confusion_matrix(np.array([0, 0, 2]), np.array([0, 1, 2]), 4), [[1, 1, 0, 0], [0] * 4, [0, 0, 1, 0], [0] * 4]
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64])
def test_confusion_matrix_of_small_integers_does_not_overflow(dtype):
    """200 classes: 199 * 200 does not fit in a byte."""
    y = np.arange(200).astype(dtype)
    np.testing.assert_array_equal(confusion_matrix(y, y, 200), np.eye(200))


def test_precision_recall_and_f1():
    figures = class_figures(confusion_matrix(Y, PREDICTED, 6))
    precision, recall, f1, support = reference.precision_recall_fscore_support(Y, PREDICTED, labels=range(6))
    assert [row.precision for row in figures] == pytest.approx(list(precision))
    assert [row.recall for row in figures] == pytest.approx(list(recall))
    assert [row.f1 for row in figures] == pytest.approx(list(f1))
    assert [row.support for row in figures] == list(support)
    for k, row in enumerate(figures):
        right = int(((k == Y) & (k == PREDICTED)).sum())
        assert row.precision_interval == wilson_interval(right, int((k == PREDICTED).sum()))
        assert row.recall_interval == wilson_interval(right, int((k == Y).sum()))


def test_what_divides_by_zero_is_none_and_not_zero():
    # class 0: never predicted; class 1: never true; class 2: neither
    assert class_figures(confusion_matrix(np.array([0, 0]), np.array([1, 1]), 3)) == [
        ClassFigures(None, 0.0, 0.0, 2, (0.0, 1.0), wilson_interval(0, 2)),
        ClassFigures(0.0, None, 0.0, 0, wilson_interval(0, 2), (0.0, 1.0)),
        ClassFigures(None, None, None, 0, (0.0, 1.0), (0.0, 1.0)),
    ]


@pytest.mark.parametrize("values", [1, 3])
def test_r2(values):
    y = RNG.normal(size=(80, values))
    predicted = y + 0.5 * RNG.normal(size=(80, values))
    assert r2(y, predicted) == pytest.approx(reference.r2_score(y, predicted), rel=1e-12)
    assert r2(y[:, 0], predicted[:, 0]) == pytest.approx(reference.r2_score(y[:, 0], predicted[:, 0]), rel=1e-12)


def test_r2_of_one_constant_target_is_not_a_number():
    assert math.isnan(r2(np.ones(5), np.ones(5)))
    assert math.isnan(r2(np.ones(5), np.zeros(5)))


def test_evaluate_of_a_classifier_against_scikit_learn(digits):
    x, y = digits
    network = pl.Network([pl.Input(28, 28), pl.Dense(12, "relu"), pl.Classification(10)])
    network.fit(x, y, epochs=2, progress="none")
    weights = RNG.uniform(0, 3, len(y)) * (y != 4)
    p = network.predict_proba(x)
    for given_weights in (None, weights):
        figures = network.evaluate(x, y, sample_weight=given_weights)
        expected = reference.log_loss(y, p / p.sum(axis=1, keepdims=True), labels=range(10), sample_weight=given_weights)
        assert figures["loss"] == pytest.approx(expected, rel=1e-5)
        expected = reference.accuracy_score(y, network.predict(x), sample_weight=given_weights)
        assert figures["accuracy"] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
def test_evaluate_of_a_regression_against_scikit_learn(table, weighted):
    x, y = table
    network = pl.Network([pl.Input(4), pl.Regression()], dtype="float64")
    network.fit(x, y, epochs=5, optimizer=pl.Adam(0.05), progress="none")
    weights = np.where(np.arange(len(y)) % 3, 1.0, 0.0) * (1 + x[:, 0] ** 2) if weighted else None
    figures, predicted = network.evaluate(x, y, sample_weight=weights), network.predict(x)
    assert figures["loss"] == pytest.approx(reference.mean_squared_error(y, predicted, sample_weight=weights), rel=1e-9)
    assert figures["mae"] == pytest.approx(reference.mean_absolute_error(y, predicted, sample_weight=weights), rel=1e-9)
    assert figures["r2"] == pytest.approx(reference.r2_score(y, predicted, sample_weight=weights), rel=1e-9)


def test_each_output_layer_names_what_an_evaluation_gives(table):
    x, y = table
    for output in OUTPUTS:
        layer = output(2) if output is pl.Classification else output()
        network, targets = pl.Network([pl.Input(4), layer]), y if output is pl.Regression else (y > 0).astype(int)
        named = ["loss", layer.metric, *layer.overall_metrics]
        assert list(network.evaluate(x, targets)) == named
        network.fit(x, targets, epochs=1, validation=0.2, progress="none")
        validated = [name for name in network.history if name.startswith("validation_")]
        assert validated == [f"validation_{name}" for name in named]


def test_figures_do_not_depend_on_the_blocks(digits, monkeypatch):
    from pellucid.executors import logits

    x, y = digits
    network = pl.Network([pl.Input(28, 28), pl.Dense(12, "relu"), pl.Classification(10)])
    whole, p = network.evaluate(x, y), network.predict_proba(x)
    monkeypatch.setattr(logits, "block_size", lambda stack: 7)
    np.testing.assert_allclose(network.predict_proba(x), p, rtol=1e-5)
    assert network.evaluate(x, y) == pytest.approx(whole, rel=1e-6)


@given(st.lists(st.tuples(st.integers(1, 50), st.floats(-100, 100), st.floats(0, 10)), min_size=1, max_size=8))
def test_weighted_means_over_uneven_batches(batches):
    means = WeightedMeans()
    for count, mean, weight in batches:
        means.add({"loss": mean}, weight, count)
    weights = np.array([weight for *_, weight in batches])
    values = np.array([mean for _, mean, _ in batches])
    assert means.samples == sum(count for count, *_ in batches)
    if weights.sum():
        assert means.means()["loss"] == pytest.approx(np.average(values, weights=weights), rel=1e-9, abs=1e-9)
    else:
        assert means.means()["loss"] == 0.0


@given(st.integers(1, 10_000).flatmap(lambda count: st.tuples(st.integers(0, count), st.just(count))))
def test_the_interval_of_a_share_is_that_of_scipy(counts):
    expected = binomtest(*counts).proportion_ci(0.95, method="wilson")
    assert wilson_interval(*counts) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_nothing_is_known_from_no_samples():
    assert wilson_interval(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [((56, 70), (48, 80), (0.0524, 0.3339)), ((9, 10), (3, 10), (0.1705, 0.8090)), ((5, 56), (0, 29), (-0.0381, 0.1926))],
)
def test_the_interval_of_a_difference_is_that_of_newcombe(first, second, expected):
    """The figures of table II in his paper of 1998, method 10."""
    assert difference_interval(first, second) == pytest.approx(expected, abs=5e-5)
    assert difference_interval(second, first) == pytest.approx(tuple(-end for end in reversed(expected)), abs=5e-5)


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=60))
def test_auc_with_many_ties(samples):
    """By scikit-learn, and as the definition says: over all pairs of a positive and a negative sample."""
    scores, positive = np.array([s for s, _ in samples]) / 3, np.array([p for _, p in samples])
    ours = auc(scores, positive)
    if positive.all() or not positive.any():
        assert ours is None
        return
    assert ours == pytest.approx(reference.roc_auc_score(positive, scores), abs=1e-12)
    pairs = scores[positive][:, None] - scores[~positive]
    assert ours == pytest.approx(((pairs > 0) + 0.5 * (pairs == 0)).mean(), abs=1e-12)


def test_auc_of_infinite_scores():
    assert auc(np.array([0.0, np.inf, np.inf, 1.0]), np.array([False, True, False, True])) == (1 + 0.5 + 1 + 0) / 4
