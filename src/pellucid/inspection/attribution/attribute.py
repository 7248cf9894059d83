"""Attribution by the method that suits the network."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from pellucid.core.checks import as_numbers, number_between, one_of, positive_integer
from pellucid.core.errors import ArgumentError, ShapeError
from pellucid.core.shapes import Array
from pellucid.core.suggestions import suggests_arguments
from pellucid.executors.logits import compute_logits
from pellucid.inspection.attribution.case import FLOAT64, Case, Indices, case_of, check_columns, score_of
from pellucid.inspection.attribution.categories import UNSEEN, behind, folded, front_of
from pellucid.inspection.attribution.encoded import integrator_behind
from pellucid.inspection.attribution.exact import obstacle, split
from pellucid.inspection.attribution.integrated_gradients import integrate
from pellucid.inspection.attribution.result import EXACT, INTEGRATED_GRADIENTS, Attribution
from pellucid.nn.layers.base import Context
from pellucid.nn.layers.outputs.classification import ClassifyingOutput
from pellucid.nn.layers.rescale import Rescale
from pellucid.nn.layers.tabular.embedding import Embedding
from pellucid.nn.stack import Stack

METHODS = ("auto", EXACT, INTEGRATED_GRADIENTS)
TOLERANCE, MOST_STEPS = 1e-5, 2048
Found: TypeAlias = tuple[Array, Array, dict[str, Array], Indices]  # score, dscore/dx, parts, steps


@suggests_arguments
def attribute(
    network: Stack,
    x: Any,
    target: Any = None,
    method: str = "auto",
    *,
    against: Any = None,
    baseline: Any = None,
    columns: Sequence[str] | None = None,
    tolerance: float = TOLERANCE,
    max_steps: int = MOST_STEPS,
) -> Attribution:
    """Why this answer: the score of each sample x (B, ...) as a sum over its inputs and the biases of the network.

    target      the class (or the value of a regression) whose score is explained, a number or one for each sample; None:
                the class that the network chooses. The score is a logit, see ``against`` for a difference of two
    method      "exact": score = sum_d x_d dscore/dx_d + the biases, each by name, for networks that are piecewise linear.
                "integrated_gradients" (Sundararajan et al. 2017): the gradient averaged on the way from the baseline, for
                any network; behind a `PiecewiseLinearEncoding` in front the way is straight in what it gives, and each
                column gets what its own numbers give. "auto": exact where it can be
    against     a class, or one for each sample: the score is then logit of target - logit of against
    baseline    one sample, in whose terms the contributions are counted: those of x - baseline. Default: black, or 0; for a
                table, the means that a `Rescale` in front of the network has measured; for a category that an `Embedding`
                there turns into a vector, -1, which is none of its categories
    columns     the names of the columns of a table (B, D)
    tolerance   of integrated gradients: the gap, as a part of the score, at which refining ends; at most ``max_steps``
                gradients are taken for each sample (but 32 at least)

    Raises `ArgumentError` for "exact" on a network that bends elsewhere than in corners, naming the layer.
    """
    one_of(method, METHODS, "method")
    number_between(tolerance, "tolerance", 0.0, 1.0, open_low=True)
    positive_integer(max_steps, "max_steps")
    case = case_of(network, x, target, against)
    names = check_columns(columns, case.stack)
    origin = _baseline(case, baseline)
    front = front_of(case)
    inner, start = (case, origin) if front is None else behind(case, front, origin)
    reason = obstacle(inner.stack.nodes)
    if method == EXACT and reason is not None:
        raise ArgumentError(
            f'method="exact" needs a network that is linear between corners; {reason}, which is not. '
            f'Use method="integrated_gradients".'
        )
    if method == "auto":
        method = EXACT if reason is None else INTEGRATED_GRADIENTS
    score, slopes, parts, steps = (
        _exact(inner, start) if method == EXACT else _integrated(inner, start, tolerance, max_steps)
    )
    kind = "class" if isinstance(case.stack.output, ClassifyingOutput) else "value"
    contributions: Array = (inner.numbers - start) * slopes
    if front is not None:
        contributions, slopes = folded(front, contributions, slopes, case.stack.input.shape[0])
    return Attribution(
        *(case.x, contributions, slopes * case.unit, parts, score, case.target, case.against, origin / case.unit),
        *(method, steps, names, kind),
    )


def _exact(case: Case, origin: Array) -> Found:
    """The split at x, counted from the baseline: sum_d x0_d dscore/dx_d is a constant too."""
    scores, slopes, parts = zip(*(split(case.stack, *block) for block in case.blocks()), strict=True)
    slope = np.concatenate(slopes)
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    if origin.any():
        joined = {"baseline": slope.reshape(len(case), -1) @ origin.ravel()} | joined
    return np.concatenate(scores), slope, joined, np.ones(len(case), np.int64)


def _integrated(case: Case, origin: Array, tolerance: float, max_steps: int) -> Found:
    pairs = zip(case.numbers, case.selector, strict=True)
    way = integrator_behind(case.stack) or partial(integrate, case.stack)
    slopes, steps = zip(*(way(x, origin, s, tolerance, max_steps) for x, s in pairs), strict=True)
    score = score_of(compute_logits(case.stack, case.numbers), case.selector)
    parts = {"baseline": case.selector @ compute_logits(case.stack, origin[None])[0]}
    return score, np.stack(slopes), parts, np.array(steps, np.int64)


def _baseline(case: Case, baseline: Any) -> Array:
    """One sample as the network reads it, in float64."""
    shape = case.stack.input.shape
    if baseline is None:
        front = case.stack.layers[1]  # there is always an output layer
        origin = _zero_of(front, shape) if len(shape) == 1 and isinstance(front, Rescale) else np.zeros(shape)
        if isinstance(front, Embedding):
            origin[[column for column, _, _ in front.columns]] = UNSEEN
        return origin
    expected = f"one sample of the shape {shape} is expected"
    given = as_numbers(baseline, "baseline", expected)
    if given.shape not in ((), shape):
        raise ShapeError(f"baseline has the shape {given.shape}; {expected}, or one number for all of it.")
    if not np.isfinite(given).all():
        raise ShapeError(f"baseline holds NaN or infinity; {expected}, of finite numbers.")
    return np.broadcast_to(given, shape) * case.unit


def _zero_of(layer: Rescale, shape: tuple[int, ...]) -> Array:
    """Where scale x + offset = 0: what ``Rescale.fit`` has found to be the mean of each column."""
    offset, _ = layer.forward({}, np.zeros(shape), Context(dtype=FLOAT64))
    scale = np.broadcast_to(np.asarray(layer.scale, np.float64), shape)
    return np.where(scale != 0, -offset / np.where(scale != 0, scale, 1.0), 0.0)
