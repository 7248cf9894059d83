"""Calibration: bins as scikit-learn makes them, and the error by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from pellucid.evaluation.calibration import expected_calibration_error, reliability


def test_the_error_by_hand():
    """Two answers claim 0.9 and 0.8 in (0.5, 1]: claim 0.85, right 0.5; one claims 0.4 in (0, 0.5] and is right."""
    bins = reliability(np.array([0.9, 0.8, 0.4]), np.array([True, False, True]), bins=2)
    assert [(each.low, each.high, each.count, each.right) for each in bins] == [(0.0, 0.5, 1, 1), (0.5, 1.0, 2, 1)]
    assert [each.confidence for each in bins] == pytest.approx([0.4, 0.85])
    assert expected_calibration_error(bins) == pytest.approx((1 * 0.6 + 2 * 0.35) / 3)


@given(st.lists(st.tuples(st.floats(0, 1, width=32), st.booleans()), min_size=1, max_size=80), st.integers(1, 20))
def test_bins_are_those_of_scikit_learn(answers, count):
    claimed, right = (np.array(column) for column in zip(*answers, strict=True))
    bins = reliability(claimed, right, bins=count)
    accuracy, confidence = calibration_curve(right.astype(int), claimed, n_bins=count, pos_label=1)
    edges = np.linspace(0, 1, count + 1)[1:-1]
    if np.abs(claimed[:, None] - edges[None, :]).min(initial=1) < 1e-9:
        return  # on an edge, the rounding of the edge decides
    np.testing.assert_allclose([each.accuracy for each in bins], accuracy)
    np.testing.assert_allclose([each.confidence for each in bins], confidence)
    assert sum(each.count for each in bins) == len(answers)
    assert all(each.low <= each.confidence <= each.high + 1e-12 for each in bins)


def test_an_edge_belongs_to_the_bin_below():
    assert [each.high for each in reliability(np.array([0.0, 0.5, 1.0]), np.ones(3, bool), bins=2)] == [0.5, 1.0]
    assert [each.count for each in reliability(np.array([0.0, 0.5, 1.0]), np.ones(3, bool), bins=2)] == [2, 1]


def test_perfect_and_perfectly_wrong():
    assert expected_calibration_error(reliability(np.ones(5), np.ones(5, bool))) == 0.0
    assert expected_calibration_error(reliability(np.ones(5), np.zeros(5, bool))) == 1.0
    assert expected_calibration_error([]) == 0.0
