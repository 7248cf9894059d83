"""The deletion curve: a test of attributions. What matters is deleted first, and the answer should soon be lost."""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.core.checks import as_numbers, positive_integer
from pellucid.core.errors import ArgumentError, ShapeError
from pellucid.core.shapes import Array
from pellucid.core.suggestions import suggests_arguments
from pellucid.executors.logits import answer
from pellucid.inspection.attribution.case import case_of
from pellucid.nn.layers.outputs.classification import ClassifyingOutput
from pellucid.nn.stack import Stack


@suggests_arguments
def deletion_curve(network: Stack, x: Any, importance: Any, target: Any = None, *, steps: int = 28) -> Array:
    """(B, steps + 1): the probability of the target class while pixels are set to 0, the most important ones first.

    x (B, H, W) or (B, H, W, C); ``importance`` (B, H, W), such as the maps of an attribution; step s has deleted the first
    s / steps of all pixels. The mean of a curve is the area under it: the lower, the better the order (Petsiuk et al.
    2018). ``target`` is that of `attribute`.
    """
    case = case_of(network, x, target)
    shape, count = case.stack.input.shape, len(case)
    if not isinstance(case.stack.output, ClassifyingOutput):
        raise ArgumentError("a deletion curve follows the probability of a class; a regression has none.")
    if len(shape) not in (2, 3):
        raise ShapeError(f"deletion takes pictures (H, W) or (H, W, C), not samples of the shape {shape}.")
    expected = f"one number for each pixel is expected, {(count, *shape[:2])}"
    given = as_numbers(importance, "importance", expected)
    if given.shape != (count, *shape[:2]):
        raise ShapeError(f"importance has the shape {given.shape}; {expected}.")
    if np.isnan(given).any():
        raise ShapeError(f"importance holds NaN, which has no place in an order; {expected}.")
    positive_integer(steps, "steps")
    order = np.argsort(-given.reshape(count, -1), axis=1, kind="stable")
    left = case.x.reshape(count, order.shape[1], -1).copy()
    curve = np.empty((count, steps + 1))
    rows = np.arange(count)
    for step in range(steps + 1):
        gone = order[:, : round(step / steps * order.shape[1])]
        left[rows[:, None], gone] = 0
        curve[:, step] = answer(network, left.reshape(case.x.shape), probabilities=True)[rows, case.target]
    return curve
