"""The head is multinomial logistic regression: scikit-learn's, found on the same features scaled by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from pellucid.evaluation.conformal import class_scores
from pellucid.models.transfer.head import PRIOR, STRENGTHS, HeadProblem, folds_of


def problem_of(count, width, classes, views=1, seed=0):
    """Features (N, V, D) that overlap, and classes that all occur."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(count) % classes)
    centres = rng.normal(size=(classes, width))
    scales = rng.uniform(0.1, 3.0, width)
    features = (centres[y][:, None] + rng.normal(size=(count, views, width))) * scales + rng.normal(size=width)
    return features.astype(np.float32), y


def by_scikit_learn(features, y, strength, weights=None):
    """(weights (D, K), bias (K,)) on the features as they are: C = 1 / (2 strength * the sum of the weights)."""
    count, views, width = features.shape
    x = features.reshape(-1, width).astype(np.float64)
    own = x.var(axis=0)
    scale = np.sqrt((count * own + PRIOR * own.mean()) / (count + PRIOR))
    z = (x - x.mean(axis=0)) / scale
    each = np.repeat(np.ones(count) if weights is None else weights, views)
    each = each / each.sum()
    model = LogisticRegression(C=1 / (2 * strength), tol=1e-10, max_iter=10_000)
    model.fit(z, np.repeat(y, views), sample_weight=each)
    coefficients, bias = model.coef_.T, model.intercept_
    weight = coefficients / scale[:, None]
    return weight, bias - x.mean(axis=0) @ weight


@pytest.mark.parametrize("views", [1, 2])
@pytest.mark.parametrize(("count", "width"), [(40, 9), (20, 60)])
@pytest.mark.parametrize("strength", [0.1, 0.003])
def test_the_head_is_that_of_scikit_learn(count, width, views, strength):
    features, y = problem_of(count, width, 3, views)
    head = HeadProblem(features, y, 3).head(strength)
    weight, bias = by_scikit_learn(features, y, strength)
    x = features[:, 0]
    theirs = x @ weight + bias
    np.testing.assert_allclose(class_scores(head.logits(x)), class_scores(theirs), atol=2e-4)
    np.testing.assert_allclose(head.weight, weight, atol=2e-4)


def test_sample_weights_are_those_of_scikit_learn():
    features, y = problem_of(30, 8, 3)
    weights = np.random.default_rng(1).uniform(0.2, 3.0, 30)
    head = HeadProblem(features, y, 3, weights).head(0.01)
    np.testing.assert_allclose(head.weight, by_scikit_learn(features, y, 0.01, weights)[0], atol=2e-4)


def test_two_classes_are_the_sigmoid_of_their_difference():
    """Softmax over two logits, each with its penalty: half of the difference d to each costs strength d^2 / 2."""
    features, y = problem_of(30, 5, 2)
    head = HeadProblem(features, y, 2).head(0.02)
    np.testing.assert_allclose(head.weight[:, 0], -head.weight[:, 1], atol=1e-6)
    x = features[:, 0].astype(np.float64)
    scale = np.sqrt((30 * x.var(axis=0) + PRIOR * x.var(axis=0).mean()) / (30 + PRIOR))
    z = (x - x.mean(axis=0)) / scale
    model = LogisticRegression(C=1 / 0.02 / 30, tol=1e-10, max_iter=10_000).fit(z, y)  # 1/2 d^2 / C, C in samples
    np.testing.assert_allclose(head.weight[:, 1] - head.weight[:, 0], model.coef_[0] / scale, atol=2e-4)


def test_a_feature_that_never_changes_has_no_part():
    features, y = problem_of(20, 4, 3)
    features[..., 2] = 7.0
    head = HeadProblem(features, y, 3).head(0.01)
    np.testing.assert_allclose(head.weight[2], 0, atol=1e-9)
    assert np.isfinite(head.weight).all()


def test_pictures_that_are_all_alike_give_the_shares_of_the_classes():
    features, y = np.ones((12, 1, 4), np.float32), np.repeat([0, 1, 2], [6, 4, 2])
    head = HeadProblem(features, y, 3).head(0.01)
    p = np.exp(-class_scores(head.logits(features[:1, 0])))
    np.testing.assert_allclose(p[0], [1 / 2, 1 / 3, 1 / 6], atol=1e-5)


def test_each_picture_is_judged_by_a_head_that_has_not_seen_it():
    """The answers about a fold do not depend on its classes, since they are those of a head that the others give."""
    features, y = problem_of(24, 30, 2)
    found = HeadProblem(features, y, 2).cross_validation(0)
    assert len(found.rows) == 24
    fold = folds_of(y, 0)
    problem = HeadProblem(features, y, 2)
    for k in (0, 3):
        held_out = fold == k
        weights = problem.fit(found.strength, np.flatnonzero(~held_out))
        logits = problem.turned[held_out, 0] @ weights[:-1] + weights[-1]
        np.testing.assert_allclose(class_scores(found.logits[held_out]), class_scores(logits), rtol=0.01, atol=1e-3)
    other = y.copy()
    other[np.flatnonzero(fold == 0)] = 1 - other[fold == 0]
    rows = np.flatnonzero(fold != 0)
    expected = problem.fit(0.1, rows)
    problem.y = other
    np.testing.assert_array_equal(problem.fit(0.1, rows), expected)


def test_the_strength_has_the_least_loss_on_held_out_pictures():
    features, y = problem_of(60, 12, 3)
    found = HeadProblem(features, y, 3).cross_validation(1)
    assert [strength for strength, _ in found.losses] == list(STRENGTHS)
    best = min(loss for _, loss in found.losses)
    assert dict(found.losses)[found.strength] == best
    own = class_scores(found.logits)[np.arange(len(found.rows)), y[found.rows]]
    assert own.mean() == pytest.approx(best)


@pytest.mark.parametrize(("counts", "folds"), [([30, 30], 10), ([150, 80], 5), ([2, 2, 12], 10), ([12, 1], 10)])
def test_folds_are_even_and_stratified(counts, folds):
    y = np.repeat(np.arange(len(counts)), counts)
    fold = folds_of(y, 3)
    assert set(fold[fold >= 0]) == set(range(folds))
    for k, count in enumerate(counts):
        mine = fold[y == k]
        if count == 1:
            assert mine == -1, "the only one of a class is always learned from"
        else:
            sizes = np.bincount(mine, minlength=folds)
            assert sizes.max() - sizes.min() <= 1
            assert sizes.max() < count, "one of a class is left to learn from"
    np.testing.assert_array_equal(fold, folds_of(y, 3))
    assert counts[0] < 3 or (folds_of(y, 4) != fold).any()


def test_of_very_many_a_fifth_is_held_out_once():
    y = np.arange(6_000) % 3
    fold = folds_of(y, 0)
    assert set(fold) == {-1, 0}
    assert (fold == 0).sum() == 1_200


def test_few_pictures_choose_no_strength():
    features, y = problem_of(8, 5, 2)
    assert HeadProblem(features, y, 2).cross_validation(0) is None


def test_very_many_rows_in_float32_give_the_same_head(monkeypatch):
    features, y = problem_of(200, 20, 3)
    expected = HeadProblem(features, y, 3).head(0.01)
    monkeypatch.setattr("pellucid.models.transfer.head.WIDE", 100)
    found = HeadProblem(features, y, 3)
    assert found.turned.dtype == np.float32
    np.testing.assert_allclose(found.head(0.01).weight, expected.weight, atol=2e-3 * np.abs(expected.weight).max())
    losses = HeadProblem(features, y, 3).cross_validation(0).losses
    np.testing.assert_allclose(found.cross_validation(0).losses, losses, rtol=1e-3)
