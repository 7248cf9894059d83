"""The table of thresholds: scikit-learn's figures for each row."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support

from pellucid.evaluation.thresholds import threshold_table


def test_every_row_is_what_scikit_learn_says():
    rng = np.random.default_rng(0)
    p = rng.random(300)
    y = (rng.random(300) < p).astype(int)
    rows = threshold_table(p, y)
    assert [row.threshold for row in rows] == sorted(row.threshold for row in rows)
    for row in rows:
        said = (p >= row.threshold).astype(int)
        precision, recall, f1, _ = precision_recall_fscore_support(y, said, average="binary")
        specificity = precision_recall_fscore_support(y, said, pos_label=0, average="binary")[1]
        assert (row.precision, row.recall, row.f1, row.specificity) == pytest.approx((precision, recall, f1, specificity))
        assert row.positive == said.sum()


def test_what_divides_by_zero_is_none():
    (row,) = threshold_table(np.array([0.1, 0.2]), np.array([0, 0]), [0.5])
    assert (row.precision, row.recall, row.f1, row.specificity, row.positive) == (None, None, None, 1.0, 0)
    (row,) = threshold_table(np.array([0.5, 0.9]), np.array([1, 1]), [0.5])
    assert (row.precision, row.recall, row.f1, row.specificity, row.positive) == (1.0, 1.0, 1.0, None, 2)
