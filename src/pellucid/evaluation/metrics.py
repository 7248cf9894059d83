"""Metrics of a trained network."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.core.shapes import AnyArray, Array


def confusion_matrix(y: AnyArray, predicted: AnyArray, num_classes: int) -> NDArray[np.int64]:
    """(K, K) counts: row = the true class, column = the predicted one."""
    flat = np.bincount(y.astype(np.int64) * num_classes + predicted, minlength=num_classes * num_classes)
    return flat.reshape(num_classes, num_classes)


@dataclass(frozen=True)
class ClassFigures:
    """How well one class is recognised; a metric that divides by zero is None.

    precision = right / predicted as this class;  recall = right / truly of this class;
    f1 = 2 precision recall / (precision + recall);  support = samples truly of this class.
    The intervals are 95 % confidence intervals.
    """

    precision: float | None
    recall: float | None
    f1: float | None
    support: int
    precision_interval: tuple[float, float]
    recall_interval: tuple[float, float]


def class_figures(confusion: NDArray[np.int64]) -> list[ClassFigures]:
    """The metrics of each class, from the confusion matrix (K, K)."""
    rows: list[ClassFigures] = []
    for k in range(len(confusion)):
        right = int(confusion[k, k])
        predicted, support = int(confusion[:, k].sum()), int(confusion[k].sum())
        precision = right / predicted if predicted else None
        recall = right / support if support else None
        f1 = 2 * right / (predicted + support) if predicted + support else None
        intervals = wilson_interval(right, predicted), wilson_interval(right, support)
        rows.append(ClassFigures(precision, recall, f1, support, *intervals))
    return rows


def wilson_interval(right: int, count: int) -> tuple[float, float]:
    """The 95 % confidence interval of a share, if ``right`` of ``count`` independent samples had it (Wilson 1927).

    The q with |share - q| <= z sqrt(q (1 - q) / count), z = 1.96; (0, 1) for no samples.
    """
    if count == 0:
        return 0.0, 1.0
    z, share = 1.959963984540054, right / count
    centre = share + z * z / (2 * count)
    reach = z * math.sqrt(share * (1 - share) / count + (z / (2 * count)) ** 2)
    scale = 1 + z * z / count
    return max(0.0, (centre - reach) / scale), min(1.0, (centre + reach) / scale)


def difference_interval(first: tuple[int, int], second: tuple[int, int]) -> tuple[float, float]:
    """The 95 % confidence interval of the difference p - q of two shares, each given as (right, count).

    With (l, u) and (m, v) as their Wilson intervals, it goes from p - q - sqrt((p - l)^2 + (v - q)^2) to
    p - q + sqrt((u - p)^2 + (q - m)^2) (Newcombe, "Interval estimation for the difference between independent
    proportions: comparison of eleven methods", Statistics in Medicine 17, 1998, method 10).
    """
    (p, (p_low, p_high)), (q, (q_low, q_high)) = ((right / n, wilson_interval(right, n)) for right, n in (first, second))
    return p - q - math.hypot(p - p_low, q_high - q), p - q + math.hypot(p_high - p, q - q_low)


def auc(scores: Array, positive: NDArray[np.bool_]) -> float | None:
    """The area under the ROC curve: how probably a random positive sample has a higher score than a random negative one,
    a tie counting half (Mann and Whitney 1947). None without both kinds.

    With R the sum of the ranks of the P positive scores among all, equal scores sharing the mean of their ranks:

        auc = (R - P (P + 1) / 2) / (P N)
    """
    p = int(positive.sum())
    n = len(positive) - p
    if not (p and n):
        return None
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = counts.cumsum() - (counts - 1) / 2
    return float((ranks[place][positive].sum() - p * (p + 1) / 2) / (p * n))


def r2(y: Array, predicted: Array, weights: Array | None = None) -> float:
    """1 - sum w (y - predicted)^2 / sum w (y - mean(y))^2, averaged over the V values; NaN where a target is constant.

    The mean of y is weighted too; w = 1 without ``weights`` (N,).
    """
    if is_constant(y, weights):
        return math.nan
    y, predicted = (np.atleast_2d(array.T).T.astype(np.float64) for array in (y, predicted))
    w = np.ones(len(y)) if weights is None else weights
    residual = w @ (y - predicted) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        total = w @ (y - (w @ y) / w.sum()) ** 2
        return float(np.mean(np.where(total > 0, 1 - residual / total, np.nan)))


def is_constant(y: Array, weights: Array | None = None) -> bool:
    """Whether one of the targets, (N,) or (N, V), is the same in all samples that count: it has no variance to explain."""
    counting = y if weights is None else y[weights > 0]
    return len(counting) == 0 or bool((counting == counting[0]).all(axis=0).any())


OVERALL_METRICS = {"r2": r2}  # of targets, outputs and weights: what `OutputLayer.overall_metrics` may name
