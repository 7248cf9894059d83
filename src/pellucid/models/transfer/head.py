"""The head: multinomial logistic regression on features, the last layer of a network, computed in place of trained.

    objective(W, b) = sum_n w_n [-log softmax(z_n W + b)_y] / sum_n w_n + strength * sum W^2        z = (x - mean) / scale

It is convex, so there is one minimum, which does not depend on chance; `pellucid.mathematics.lbfgs` finds it. A network
that is given x and not z has W / scale and b - (mean / scale) W.

The scale of a feature is its deviation in the N pictures, drawn towards the mean of all features where N is small, where
its own says little:  scale^2 = (N own^2 + PRIOR mean^2) / (N + PRIOR).

The penalty is the same along all directions, so the features may be turned: onto the directions in which the pictures
differ, at most as many as there are rows. In these the objective has about the curvature c S^2 / N + 2 strength, c = (1 -
1/K) / K, with which they are scaled: then few steps are enough.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.core import random
from pellucid.core.shapes import AnyArray
from pellucid.evaluation.conformal import class_scores
from pellucid.mathematics.lbfgs import minimize

STRENGTHS = (0.1, 0.03, 0.01, 0.003, 0.001)
USUAL = 0.003  # where nothing tells which
PRIOR = 30.0  # pictures
FEWEST_JUDGED = 10  # pictures, fewer do not choose a strength
FOLDS = ((200, 10), (2_000, 5))  # up to so many pictures, so many folds; of more a fifth is held out once
ALL_FOLDS = 500  # pictures, up to which all folds choose the strength; of more the first is enough
WIDE = 4_000  # rows, from which on float32 has to do
ROUNDING = {np.float64: 1e-10, np.float32: 1e-6}  # of the largest eigenvalue
TOLERANCE, OF_HEAD = 1e-6, 1e-8  # of the gradient: where heads are compared, and of the one that is kept

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Head:
    """weight (D, K) and bias (K,) on the features as they are; and the strength of the penalty."""

    weight: Float64
    bias: Float64
    strength: float

    def logits(self, features: AnyArray) -> Float64:
        """(N, K) of features (N, D)."""
        return features.astype(np.float64) @ self.weight + self.bias


@dataclass(frozen=True)
class CrossValidation:
    """Each picture of ``rows`` judged by a head that has not seen it: ``logits`` (R, K); ``losses`` has the mean log loss
    of each strength."""

    rows: NDArray[np.int64]
    logits: Float64
    losses: tuple[tuple[float, float], ...]
    folds: int

    @property
    def strength(self) -> float:
        """The one with the least loss; the strongest of equal ones."""
        return min(self.losses, key=lambda each: (each[1], -each[0]))[0]


class HeadProblem:
    """The objective for features (N, V, D) of V views of N pictures, classes y (N,) and weights (N,), in turned
    coordinates."""

    def __init__(self, features: AnyArray, y: AnyArray, classes: int, weights: AnyArray | None = None) -> None:
        count, self.views, width = features.shape
        x: AnyArray = features.reshape(-1, width)
        self.mean, own = x.mean(axis=0, dtype=np.float64), x.var(axis=0, dtype=np.float64)
        scale = np.sqrt((count * own + PRIOR * own.mean()) / (count + PRIOR))
        self.scale = np.where(scale > 0, scale, 1.0)
        dtype = np.float64 if len(x) < WIDE else np.float32
        x = x.astype(dtype)
        x -= self.mean.astype(dtype)
        x /= self.scale.astype(dtype)
        is_wide = len(x) <= width
        values, vectors = np.linalg.eigh((x @ x.T if is_wide else x.T @ x).astype(np.float64))
        kept = values > ROUNDING[dtype] * max(values[-1], 1e-300)
        self.squares = values[kept]  # S^2
        vectors = vectors[:, kept]
        self.directions = x.T @ (vectors / np.sqrt(self.squares)) if is_wide else vectors  # (D, R)
        turned = vectors * np.sqrt(self.squares) if is_wide else x @ vectors.astype(dtype)
        self.turned = turned.reshape(count, self.views, -1)
        self.y, self.classes = y, classes
        self.weights = np.ones(count) if weights is None else weights.astype(np.float64)

    def fit(self, strength: float, rows: AnyArray, start: Float64 | None = None, tolerance: float = TOLERANCE) -> Float64:
        """The minimum for these pictures, as (R + 1, K): the weights of the turned coordinates, and below them the bias."""
        views, classes = self.views, self.classes
        x = self.turned[rows].reshape(len(rows) * views, -1)
        y, weights = np.repeat(self.y[rows], views), np.repeat(self.weights[rows], views)
        weights = (weights / weights.sum())[:, None]
        curvature = (1 - 1 / classes) / classes
        rates = 1 / np.sqrt(curvature * self.squares / (len(self.turned) * views) + 2 * strength)
        x *= rates.astype(x.dtype)  # a copy is what rows give
        ridge = 2 * strength * (rates * rates)[:, None]
        truth, width = (np.arange(len(y)), y), x.shape[1]

        def value_and_gradient(point: Float64) -> tuple[float, Float64]:
            u = point.reshape(-1, classes)
            logits = (x @ u[:-1].astype(x.dtype, copy=False)).astype(np.float64, copy=False) + u[-1]
            logits -= logits.max(axis=1, keepdims=True)
            p = np.exp(logits)
            total = p.sum(axis=1, keepdims=True)
            losses = np.log(total[:, 0]) - logits[truth]
            p /= total
            p[truth] -= 1
            p *= weights
            shrunk = ridge * u[:-1]
            value = float(weights[:, 0] @ losses) + 0.5 * float((shrunk * u[:-1]).sum())
            gradient = np.empty_like(u)
            gradient[:-1], gradient[-1] = x.T @ p.astype(x.dtype, copy=False) + shrunk, p.sum(axis=0)
            return value, gradient.ravel()

        first = np.zeros((width + 1, classes)) if start is None else start.copy()
        first[:-1] /= rates[:, None]
        found = minimize(value_and_gradient, first.ravel(), tolerance)[0].reshape(-1, classes)
        found[:-1] *= rates[:, None]
        return found

    def head(self, strength: float) -> Head:
        """The head that all pictures give."""
        found = self.fit(strength, np.arange(len(self.y)), tolerance=OF_HEAD)
        weight = (self.directions @ found[:-1]) / self.scale[:, None]
        return Head(weight, found[-1] - self.mean @ weight, strength)

    def cross_validation(self, seed: int) -> CrossValidation | None:
        """None if too few pictures can be held out."""
        fold = folds_of(self.y, seed)
        rows = np.flatnonzero(fold >= 0)
        if len(rows) < FEWEST_JUDGED:
            return None
        last = int(fold.max())
        choosing = range(last + 1 if len(self.y) <= ALL_FOLDS else 1)
        logits = np.zeros((len(STRENGTHS), len(rows), self.classes))
        for k in choosing:
            found = None
            for number, strength in enumerate(STRENGTHS):  # the strongest first: each begins where the one before ended
                found = self._hold_out(fold, k, strength, rows, logits[number], found)
        chosen = np.flatnonzero(fold[rows] <= choosing[-1])
        weights, own = self.weights[rows][chosen], (np.arange(len(chosen)), self.y[rows][chosen])
        losses = [float(weights @ class_scores(each[chosen])[own] / weights.sum()) for each in logits]
        best = min(range(len(losses)), key=lambda number: losses[number])
        for k in range(len(choosing), last + 1):
            self._hold_out(fold, k, STRENGTHS[best], rows, logits[best])
        return CrossValidation(rows, logits[best], tuple(zip(STRENGTHS, losses, strict=True)), last + 1)

    def _hold_out(
        self, fold: AnyArray, k: int, strength: float, rows: AnyArray, logits: Float64, start: Float64 | None = None
    ) -> Float64:
        """Write the logits of the pictures of fold k, which are some of the ``rows``; gives the weights they are from."""
        held_out = np.flatnonzero(fold == k)
        found = self.fit(strength, np.flatnonzero(fold != k), start)
        logits[np.searchsorted(rows, held_out)] = self.turned[held_out, 0] @ found[:-1] + found[-1]
        return found


def folds_of(y: AnyArray, seed: int) -> NDArray[np.int64]:
    """(N,) which fold holds each picture out, each class spread evenly; -1 for one that never is: the only one of its
    class, or where there are so many that one fold is enough."""
    order = random.permutation(random.key(seed, random.Purpose.SPLIT), len(y))
    wanted = next((folds for most, folds in FOLDS if len(y) <= most), 0)
    fold, taken = np.full(len(y), -1, np.int64), 0
    for k in np.unique(y):
        members = order[y[order] == k]
        if len(members) > 1:
            fold[members] = (taken + np.arange(len(members))) % (wanted or 5)
            taken += len(members)
    if not wanted:
        fold[fold > 0] = -1
    return np.where(fold < 0, -1, np.unique(fold, return_inverse=True)[1] - int((fold < 0).any()))
