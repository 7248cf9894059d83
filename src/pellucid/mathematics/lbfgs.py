"""L-BFGS: the minimum of a smooth function of many numbers, from its values and gradients.

Newton's step is -H^-1 g. H^-1 is never formed: the last m steps s = x' - x and changes y = g' - g of the gradient tell
how the gradient answers to a step, and the product with them is two short loops:

    q = g;         for the latest pair to the oldest:  a = (s q) / (s y),  q -= a y
    r = q / c;     for the oldest pair to the latest:  b = (y r) / (s y),  r += (a - b) s        c = (y y) / (s y)
    step = -r, halved until  f(x + t step) <= f(x) + 1e-4 t (g step)

J. Nocedal, "Updating quasi-Newton matrices with limited storage", Mathematics of Computation 35, 1980; J. Nocedal,
S. J. Wright, "Numerical optimization", 2006, algorithms 7.4 and 3.1.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Vector: TypeAlias = NDArray[np.float64]

PAIRS = 20  # m
SUFFICIENT = 1e-4  # of the fall that the slope promises
SMALLEST_STEP = 1e-12


def minimize(
    value_and_gradient: Callable[[Vector], tuple[float, Vector]], start: Vector, tolerance: float = 1e-6, most: int = 500
) -> tuple[Vector, int]:
    """The point where no part of the gradient is larger than ``tolerance``, and the number of steps there; the best point
    found, if ``most`` steps or the precision of float64 do not lead there. The function should be convex and smooth."""
    x, pairs = start.copy(), deque[tuple[Vector, Vector, float]](maxlen=PAIRS)
    value, gradient = value_and_gradient(x)
    for step in range(most):
        if np.abs(gradient).max(initial=0.0) <= tolerance:
            return x, step
        direction = -_times_inverse_hessian(gradient, pairs)
        slope = float(gradient @ direction)
        length = 1.0 if pairs else min(1.0, 1.0 / float(np.sqrt(gradient @ gradient)))
        while True:
            moved = x + length * direction
            new_value, new_gradient = value_and_gradient(moved)
            if new_value <= value + SUFFICIENT * length * slope:
                break
            length /= 2
            if length < SMALLEST_STEP:  # rounding hides any further fall
                return x, step
        s, y = moved - x, new_gradient - gradient
        curvature = float(s @ y)
        if curvature > 0:  # as it is everywhere on a convex function, but for rounding
            pairs.append((s, y, curvature))
        has_fallen = new_value < value
        x, value, gradient = moved, new_value, new_gradient
        if not has_fallen:  # the gradient is as small as rounding lets it be
            return x, step + 1
    return x, most


def _times_inverse_hessian(gradient: Vector, pairs: deque[tuple[Vector, Vector, float]]) -> Vector:
    q, weights = gradient.copy(), []
    for s, y, curvature in reversed(pairs):
        weights.append(float(s @ q) / curvature)
        q -= weights[-1] * y
    if pairs:
        _, y, curvature = pairs[-1]
        q *= curvature / float(y @ y)
    for (s, y, curvature), weight in zip(pairs, reversed(weights), strict=True):
        q += (weight - float(y @ q) / curvature) * s
    return q
