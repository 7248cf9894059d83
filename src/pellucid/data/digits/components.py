"""Which parts of the ink belong to the figure: connected components, without dust, frames and ruled lines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_DUST = 0.03  # parts with less than this share of the figure's ink are dust
_EQUAL = 0.3  # parts with at least this share of the figure's ink may be figures of their own
_APART = 0.6  # parts farther off than this share of the figure's longest side do not belong to it


@dataclass(frozen=True)
class Figure:
    """The figure in a mask (H, W).

    mask     (H, W) bool: the pixels of its parts
    parts    number of parts that belong to it
    left     share of all ink that was left out: dust, lines, other figures
    several  whether parts of similar height stand side by side, as in a number of several digits
    """

    mask: NDArray[np.bool_]
    parts: int
    left: float
    several: bool


def find_figure(amount: NDArray[np.floating], threshold: float) -> Figure:
    """The main component of ``amount > threshold`` (H, W) and those that belong to it: near and not tiny."""
    labels, count = label(amount > threshold)
    if count <= 1:
        return Figure(labels > 0, count, 0.0, False)
    weight = np.bincount(labels.ravel(), weights=amount.ravel(), minlength=count + 1)[1:]
    boxes = _boxes(labels, count)
    score = weight * _plausibility(boxes, labels.shape)
    main = int(np.argmax(score))
    longest = max(boxes[main, 2:] - boxes[main, :2])
    keep = (score >= _DUST * score[main]) & (_gap(boxes, boxes[main]) <= _APART * longest)
    keep[main] = True
    mask = np.concatenate([[False], keep])[labels]
    left = float(1.0 - weight[keep].sum() / weight.sum())
    return Figure(mask, int(keep.sum()), left, _side_by_side(boxes[score >= _EQUAL * score[main]], boxes[main]))


def label(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int32], int]:
    """Number the 8-connected components of a mask (H, W): labels (H, W) from 1, 0 outside, and their number.

    Works on runs of neighbouring pixels in a row: those of consecutive rows that touch, also at corners, are united.
    """
    height, width = mask.shape
    framed = np.zeros((height, width + 2), np.int8)
    framed[:, 1:-1] = mask
    change = np.flatnonzero(np.diff(framed.ravel()))
    start, stop = change[0::2] + 1, change[1::2] + 1
    row = start // (width + 2)
    roots = _unite(row.tolist(), (start - row * (width + 2)).tolist(), (stop - row * (width + 2)).tolist())
    number, inverse = np.unique(np.array(roots, np.int64), return_inverse=True)
    lengths = stop - start
    labels = np.zeros(height * (width + 2), np.int32)
    labels[framed.ravel() > 0] = np.repeat(inverse.astype(np.int32) + 1, lengths)
    return labels.reshape(height, width + 2)[:, 1:-1], len(number)


def _unite(rows: list[int], starts: list[int], stops: list[int]) -> list[int]:
    """The root run of every run: union-find over runs that touch those of the row above."""
    parent = list(range(len(rows)))

    def root(run: int) -> int:
        while parent[run] != run:
            parent[run] = parent[parent[run]]
            run = parent[run]
        return run

    above = 0
    for run, row in enumerate(rows):
        while above < run and (rows[above] < row - 1 or (rows[above] == row - 1 and stops[above] < starts[run])):
            above += 1
        other = above
        while other < run and rows[other] == row - 1 and starts[other] <= stops[run]:
            parent[root(run)] = root(other)
            other += 1
    return [root(run) for run in range(len(rows))]


def _boxes(labels: NDArray[np.int32], count: int) -> NDArray[np.int64]:
    """Boxes (components, 4) as top, left, bottom, right, edges exclusive."""
    y, x = np.nonzero(labels)
    which = labels[y, x] - 1
    boxes = np.empty((count, 4), np.int64)
    for column, values in enumerate((y, x)):
        low, high = np.full(count, np.iinfo(np.int64).max), np.full(count, -1)
        np.minimum.at(low, which, values)
        np.maximum.at(high, which, values)
        boxes[:, column], boxes[:, column + 2] = low, high + 1
    return boxes


def _gap(boxes: NDArray[np.int64], box: NDArray[np.int64]) -> NDArray[np.float64]:
    """The distance (components,) of every box from one box; 0 where they overlap."""
    dy = np.maximum(np.maximum(boxes[:, 0] - box[2], box[0] - boxes[:, 2]), 0)
    dx = np.maximum(np.maximum(boxes[:, 1] - box[3], box[1] - boxes[:, 3]), 0)
    return np.asarray(np.hypot(dy, dx), np.float64)


def _side_by_side(boxes: NDArray[np.int64], main: NDArray[np.int64]) -> bool:
    """Whether one of the boxes is nearly as high as the main one and beside it, without a common column."""
    high = boxes[:, 2] - boxes[:, 0] >= 0.7 * (main[2] - main[0])
    level = (boxes[:, 0] < (main[0] + main[2]) / 2) & (boxes[:, 2] > (main[0] + main[2]) / 2)
    beside = (boxes[:, 1] >= main[3]) | (boxes[:, 3] <= main[1])
    return bool(np.any(high & level & beside))


def _plausibility(boxes: NDArray[np.int64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """How much each component looks like a figure rather than a frame, an edge or a ruled line: 1, 0.4 or 0.02.

    A thin line between two opposite sides of the picture, or a component that touches all four, is no figure if there is
    another one. A component that touches the border at all is less likely to be the figure (a shadow, a thumb).
    """
    height, width = shape
    tall, wide = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    ruled = ((wide == width) & (tall * 8 <= height)) | ((tall == height) & (wide * 8 <= width))
    framed = (wide == width) & (tall == height)
    inside = (boxes[:, 0] > 0) & (boxes[:, 1] > 0) & (boxes[:, 2] < height) & (boxes[:, 3] < width)
    return np.where(ruled | framed, 0.02, np.where(inside, 1.0, 0.4))
