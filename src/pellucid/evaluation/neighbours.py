"""Pictures that look alike to a network: the nearest by features, labels that disagree with them, and near duplicates.

    similarity of x and x' = cosine of the angle between x - m and x' - m        m: the mean of those compared with

1 for pictures with the same features, about 0 for two that have nothing in common. The features have never seen the
labels, so what they say of a label is evidence from elsewhere.

C. G. Northcutt, L. Jiang, I. L. Chuang, "Confident learning", JAIR 70, 2021, on how often labels are wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.core.shapes import AnyArray

NEIGHBOURS = 5  # that have a say about a label
OF_ONE_MIND = 4  # of them, with one other label
SAME_SCENE = 0.85  # from this similarity on two pictures show about the same
BLOCK = 1024  # pictures that are compared at a time


@dataclass(frozen=True)
class Neighbours:
    """The ``rows`` (M, C) of the pictures that are nearest to each of M others, and their ``similarity`` (M, C), the
    nearest first."""

    rows: NDArray[np.int64]
    similarity: NDArray[np.float64]


@dataclass(frozen=True)
class Disagreement:
    """The picture of a ``row`` has one label, and so many of its nearest have this ``other`` one; ``nearest`` are their
    rows."""

    row: int
    other: int
    votes: int
    nearest: tuple[int, ...]
    similarity: float


@dataclass(frozen=True)
class NearDuplicate:
    """Two pictures that show about the same: a row to learn from and one to test with."""

    training: int
    test: int
    similarity: float


class FeatureSpace:
    """Features (N, D) of pictures that others are compared with."""

    def __init__(self, features: AnyArray) -> None:
        self._mean = features.mean(axis=0, dtype=np.float64)
        self._units = self._unit(features)

    def nearest(self, features: AnyArray, count: int, *, are_the_same: bool = False) -> Neighbours:
        """The nearest to each of M pictures, by their features (M, D); if they ``are_the_same``, none is near to itself."""
        count = min(count, len(self._units) - int(are_the_same))
        rows, similarity = [np.zeros((0, count), np.int64)], [np.zeros((0, count))]
        for start in range(0, len(features), BLOCK):
            found = self._unit(features[start : start + BLOCK]) @ self._units.T
            if are_the_same:
                places = np.arange(len(found))
                found[places, start + places] = -np.inf
            order = np.argsort(-found, axis=1, kind="stable")[:, :count]
            rows.append(order)
            similarity.append(np.take_along_axis(found, order, axis=1))
        return Neighbours(np.concatenate(rows), np.concatenate(similarity))

    def _unit(self, features: AnyArray) -> NDArray[np.float64]:
        x = features.astype(np.float64) - self._mean
        length = np.sqrt(np.einsum("nd,nd->n", x, x))[:, None]
        found: NDArray[np.float64] = x / np.where(length > 0, length, 1.0)
        return found


def disagreements(features: AnyArray, y: AnyArray) -> list[Disagreement]:
    """Pictures whose label y (N,) nearly all of their nearest disagree with, and agree on another: the most alike first. A
    class with too few pictures to be among the nearest is left alone."""
    counts = np.bincount(y)
    found = FeatureSpace(features).nearest(features, NEIGHBOURS, are_the_same=True)
    suspects = []
    for row, (near, similarity) in enumerate(zip(found.rows, found.similarity, strict=True)):
        votes = np.bincount(y[near], minlength=len(counts))
        other = int(votes.argmax())
        if other != y[row] and votes[other] >= OF_ONE_MIND and counts[y[row]] > NEIGHBOURS:
            mean = float(similarity[y[near] == other].mean())
            suspects.append(Disagreement(row, other, int(votes[other]), tuple(near.tolist()), mean))
    return sorted(suspects, key=lambda each: (-each.votes, -each.similarity, each.row))


def near_duplicates(training: AnyArray, test: AnyArray) -> list[NearDuplicate]:
    """For each test picture the one to learn from that shows about the same, if there is one: the most alike first."""
    found = FeatureSpace(training).nearest(test, 1)
    pairs = (
        NearDuplicate(int(rows[0]), number, float(similarity[0]))
        for number, (rows, similarity) in enumerate(zip(found.rows, found.similarity, strict=True))
        if similarity[0] >= SAME_SCENE
    )
    return sorted(pairs, key=lambda each: (-each.similarity, each.test))
