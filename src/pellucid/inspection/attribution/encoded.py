"""Integrated gradients of a network that begins with a `PiecewiseLinearEncoding`: along a straight way behind it.

The encoding has corners at every edge, and the way of plain integrated gradients crosses many of them. But each of its
numbers belongs to one column, and what lies behind it is smooth. So the way goes straight from e(x0) to e(x), and

    contribution_d = sum over the numbers j of column d of (e_j(x) - e_j(x0)) * mean of dscore/de_j on the way

which add up to score(x) - score(x0), too: integrated gradients of the network behind the encoding, summed to columns.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from pellucid.core.shapes import Array
from pellucid.inspection.attribution.integrated_gradients import integrate
from pellucid.nn.layers.base import Context
from pellucid.nn.layers.input import Input
from pellucid.nn.layers.tabular.piecewise_linear_encoding import PiecewiseLinearEncoding
from pellucid.nn.stack import Stack

Integrator: TypeAlias = Callable[[Array, Array, Array, float, int], tuple[Array, int]]
"""(x, baseline, selector, tolerance, max_steps) of one sample -> (slope, steps), as `integrate`."""


def integrator_behind(stack: Stack) -> Integrator | None:
    """What integrates behind the encoding, or None if the first layer behind the input is none.

    slope_d (x_d - baseline_d) is what column d gives. A column that stays where it is gives nothing; its slope is that of
    the encoding at x.
    """
    encoding = stack.layers[1]
    if not isinstance(encoding, PiecewiseLinearEncoding):
        return None
    (width,) = encoding.output_shape(stack.input.shape)
    behind = Stack([Input(width), *stack.layers[2:]], dtype=stack.dtype, arrays={**stack.parameters, **stack.state})

    def integrate_behind(x: Array, baseline: Array, selector: Array, tolerance: float, max_steps: int) -> tuple[Array, int]:
        both, cache = encoding.forward({}, np.stack([x, baseline]), Context(dtype=x.dtype))
        inner, steps = integrate(behind, both[0], both[1], selector, tolerance, max_steps)
        given = _by_column(encoding, inner * (both[0] - both[1]))
        local = _by_column(encoding, inner * np.concatenate([np.ones_like(x), cache.slopes[0]]))
        way = x - baseline
        return np.where(way != 0, given / np.where(way != 0, way, 1.0), local), steps

    return integrate_behind


def _by_column(encoding: PiecewiseLinearEncoding, numbers: Array) -> Array:
    """The numbers (D + T,) of the encoding summed to its columns (D,)."""
    count = len(encoding.edges)
    return numbers[:count] + np.bincount(encoding.bins.column, numbers[count:], count)
