"""Integrated gradients (Sundararajan, Taly and Yan 2017): what each input gives on the way from a baseline to the sample.

    contribution_d = (x_d - x0_d) * integral from 0 to 1 of dscore/dx_d at x0 + t (x - x0)  dt

By the fundamental theorem of calculus the contributions add up to score(x) - score(x0). That holds for each stretch of the
way too, so the error of a stretch is known and need not be estimated: it is the difference between the sum of its
contributions and what the score gains on it. Stretches begin as quarters of the way, and are halved where they err most.
"""

from __future__ import annotations

import numpy as np

from pellucid.core.shapes import Array
from pellucid.executors.logits import block_size, compute_logits
from pellucid.inspection.attribution.case import gradient
from pellucid.nn.stack import Stack

STRETCHES = 4  # at the beginning
RULE = np.polynomial.legendre.leggauss(8)  # Gauss-Legendre: points and weights on -1 .. 1
POINTS, WEIGHTS = (RULE[0] + 1) / 2, RULE[1] / 2  # on 0 .. 1


def integrate(
    stack: Stack, x: Array, baseline: Array, selector: Array, tolerance: float, max_steps: int
) -> tuple[Array, int]:
    """(slope, steps) of one sample: the mean of dscore/dx on the way, of the shape of x, and the number of points for it.

    x and baseline are one sample each, the selector is (K,). Ends when the errors of all stretches, each taken without its
    sign, add up to at most ``tolerance`` of the larger score of both ends (if both are 0, of the largest between them), or
    when ``max_steps`` would be exceeded; the worst stretches are halved first.
    """
    way = x - baseline
    edges = np.linspace(0.0, 1.0, STRETCHES + 1)
    scores = compute_logits(stack, _points(x, baseline, edges)) @ selector
    allowed = tolerance * float(np.abs(scores[[0, -1]]).max() or np.abs(scores).max())
    begin, end, low, high = edges[:-1], edges[1:], scores[:-1], scores[1:]
    slope, error, steps = np.zeros_like(x), 0.0, 0
    while True:
        slopes = _slopes(stack, x, baseline, selector, begin, end)
        steps += len(POINTS) * len(begin)
        errors = np.abs(high - low - slopes.reshape(len(slopes), -1) @ way.ravel())
        room = (max_steps - steps) // (2 * len(POINTS))  # for so many stretches to be halved
        if error + errors.sum() <= allowed or room < 1:
            return slope + slopes.sum(axis=0), steps
        halved = errors > (allowed - error) / len(errors)
        halved[np.argsort(-errors)[room:]] = False
        slope, error = slope + slopes[~halved].sum(axis=0), error + errors[~halved].sum()
        begin, end, low, high = begin[halved], end[halved], low[halved], high[halved]
        middle = (begin + end) / 2
        between = compute_logits(stack, _points(x, baseline, middle)) @ selector
        begin, end = np.concatenate([begin, middle]), np.concatenate([middle, end])
        low, high = np.concatenate([low, between]), np.concatenate([between, high])


def _points(x: Array, baseline: Array, t: Array) -> Array:
    """The samples at these parts of the way: (T,) -> (T, ...)."""
    return baseline + t.reshape(-1, *[1] * x.ndim) * (x - baseline)


def _slopes(stack: Stack, x: Array, baseline: Array, selector: Array, begin: Array, end: Array) -> Array:
    """The integral of dscore/dx over each stretch, (S, ...)."""
    t = (begin[:, None] + (end - begin)[:, None] * POINTS).ravel()
    weights = ((end - begin)[:, None] * WEIGHTS).ravel()
    total = np.zeros((len(begin), *x.shape))
    step = block_size(stack)
    for start in range(0, len(t), step):
        part = slice(start, start + step)
        points = _points(x, baseline, t[part])
        dx = gradient(stack, points, np.broadcast_to(selector, (len(points), len(selector))))
        stretch = np.arange(start, start + len(points)) // len(POINTS)
        np.add.at(total, stretch, weights[part].reshape(-1, *[1] * x.ndim) * dx)
    return total
