"""Neighbours against all pairs by hand; labels that disagree; near duplicates."""

from __future__ import annotations

import numpy as np
import pytest

from pellucid.evaluation import neighbours
from pellucid.evaluation.neighbours import FeatureSpace, disagreements, near_duplicates

RNG = np.random.default_rng(0)
FEATURES = RNG.normal(size=(40, 6)) + 3


def cosine(a, b, mean):
    a, b = a - mean, b - mean
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


@pytest.mark.parametrize("block", [7, 1024])
def test_the_nearest_are_those_of_all_pairs(block, monkeypatch):
    monkeypatch.setattr(neighbours, "BLOCK", block)
    mean = FEATURES.mean(axis=0)
    others = RNG.normal(size=(9, 6)) + 3
    found = FeatureSpace(FEATURES).nearest(others, 3)
    for m, other in enumerate(others):
        by_hand = sorted(((cosine(other, one, mean), -n) for n, one in enumerate(FEATURES)), reverse=True)[:3]
        assert found.rows[m].tolist() == [-n for _, n in by_hand]
        np.testing.assert_allclose(found.similarity[m], [similarity for similarity, _ in by_hand], atol=1e-12)


@pytest.mark.parametrize("block", [7, 1024])
def test_none_is_its_own_neighbour(block, monkeypatch):
    monkeypatch.setattr(neighbours, "BLOCK", block)
    found = FeatureSpace(FEATURES).nearest(FEATURES, 39, are_the_same=True)
    for row in range(40):
        assert sorted(found.rows[row]) == [n for n in range(40) if n != row]
    assert (FeatureSpace(FEATURES).nearest(FEATURES, 1).rows[:, 0] == np.arange(40)).all()


def test_fewer_pictures_than_neighbours_and_pictures_that_are_all_alike():
    assert FeatureSpace(FEATURES[:2]).nearest(FEATURES[:2], 5, are_the_same=True).rows.tolist() == [[1], [0]]
    same = FeatureSpace(np.ones((4, 3))).nearest(np.ones((2, 3)), 2)
    assert np.isfinite(same.similarity).all()


def two_crowds(count=12):
    rng = np.random.default_rng(1)
    features = np.concatenate([rng.normal(size=(count, 4)) * 0.3 + centre for centre in ([3, 0, 0, 0], [0, 3, 0, 0])])
    return features, np.repeat([0, 1], count)


def test_a_wrong_label_is_found_and_right_ones_are_not():
    features, y = two_crowds()
    assert disagreements(features, y) == []
    y[3], y[20] = 1, 0
    found = {each.row: each for each in disagreements(features, y)}
    assert set(found) == {3, 20}
    assert (found[3].other, found[20].other) == (0, 1)
    assert found[3].votes >= 4
    assert len(found[3].nearest) == 5
    assert 3 not in found[3].nearest


def test_a_class_of_few_pictures_is_left_alone():
    features, y = two_crowds()
    y[:5] = 2  # five pictures of a class can never be its five nearest
    assert not {each.row for each in disagreements(features, y)} & set(range(5))


def test_near_duplicates_are_pairs_across_the_parts():
    training, _ = two_crowds()
    test = np.concatenate([training[[7]] + 1e-3, -training[[2]], training[[15]] + 1e-3])
    found = near_duplicates(training, test)
    assert {(each.training, each.test) for each in found} >= {(7, 0), (15, 2)}
    assert all(each.similarity >= neighbours.SAME_SCENE for each in found)
    assert 1 not in {each.test for each in found}
    assert [each.similarity for each in found] == sorted((each.similarity for each in found), reverse=True)
