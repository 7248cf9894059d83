"""Maps beside the attributions: gradients, and what happens when a part of the picture is covered."""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.core.checks import as_numbers, instance_of
from pellucid.core.errors import ArgumentError, ShapeError
from pellucid.core.shapes import AnyArray, Array
from pellucid.core.suggestions import suggests_arguments
from pellucid.executors.logits import block_size, compute_logits
from pellucid.inspection.attribution.case import Case, case_of, gradient, score_of
from pellucid.nn.layers.windows import Pair, pair
from pellucid.nn.stack import Stack


@suggests_arguments
def gradient_map(network: Stack, x: Any, target: Any = None, *, against: Any = None, times_input: bool = False) -> Array:
    """dscore/dx of each sample, in float64 and of the shape of x: which way the score would go, for a small change.

    Its absolute value is the saliency map of Simonyan et al. (2013). ``times_input`` gives x dscore/dx (Shrikumar et al.
    2016). Pixels count as the numbers 0..1 that they become. ``target`` and ``against`` are those of `attribute`.
    """
    instance_of(times_input, bool, "times_input")
    case = case_of(network, x, target, against)
    slopes = np.concatenate([gradient(case.stack, *block) for block in case.blocks()])
    return slopes * case.numbers if times_input else slopes


@suggests_arguments
def occlusion(
    network: Stack,
    x: Any,
    target: Any = None,
    *,
    against: Any = None,
    window: int | Pair = 4,
    stride: int | Pair = 1,
    fill: float = 0.0,
) -> Array:
    """How much the score falls when a window of the picture is covered: (B, H, W) (Zeiler and Fergus 2014).

    A ``window`` (one size, or height and width) moves by ``stride``, and once more to the edge where that leaves a rest;
    what it covers gets the value ``fill``, in units of x, in all channels. The number of a pixel is the mean of
    score(x) - score(covered) over all windows that cover it. The logits are computed as ``network.predict`` does.
    """
    case = case_of(network, x, target, against)
    shape = case.stack.input.shape
    if len(shape) not in (2, 3):
        raise ShapeError(f"occlusion covers parts of pictures (H, W) or (H, W, C), not of samples of the shape {shape}.")
    size, step = pair(window, "window"), pair(stride, "stride")
    _check_windows(shape, size, step)
    value = _fill(fill, case.x)
    places = [(i, j) for i in _starts(shape[0], size[0], step[0]) for j in _starts(shape[1], size[1], step[1])]
    plain = score_of(compute_logits(network, case.x), case.selector)
    covered = np.stack([_covered_scores(network, case, b, places, size, value) for b in range(len(case))])
    total, count = np.zeros((len(case), *shape[:2])), np.zeros(shape[:2])
    for (i, j), drop in zip(places, (plain[:, None] - covered).T, strict=True):
        total[:, i : i + size[0], j : j + size[1]] += drop[:, None, None]
        count[i : i + size[0], j : j + size[1]] += 1
    return total / count


def _covered_scores(network: Stack, case: Case, b: int, places: list[Pair], size: Pair, value: Any) -> Array:
    """The score of one sample with each window covered in turn, (places,)."""
    scores = []
    step = block_size(network)
    for start in range(0, len(places), step):
        part = places[start : start + step]
        covered = np.repeat(case.x[b : b + 1], len(part), axis=0)
        for picture, (i, j) in zip(covered, part, strict=True):
            picture[i : i + size[0], j : j + size[1]] = value
        scores.append(compute_logits(network, covered) @ case.selector[b])
    return np.concatenate(scores)


def _starts(length: int, size: int, step: int) -> list[int]:
    """Where windows begin along one axis; the last one ends at the edge."""
    starts = list(range(0, length - size + 1, step))
    return starts if starts[-1] == length - size else [*starts, length - size]


def _check_windows(shape: tuple[int, ...], size: Pair, step: Pair) -> None:
    if size[0] > shape[0] or size[1] > shape[1]:
        raise ArgumentError(f"a window of {size[0]}x{size[1]} is larger than the picture, {shape[0]}x{shape[1]}.")
    if step[0] > size[0] or step[1] > size[1]:
        raise ArgumentError(
            f"stride {step} is larger than the window {size}: pixels between the windows would have no number."
        )


def _fill(fill: object, x: AnyArray) -> Any:
    value = as_numbers(fill, "fill", "one number is expected, in units of x")
    if value.shape != () or not np.isfinite(value):
        raise ArgumentError(f"fill is one finite number, in units of x, not {fill!r}.")
    if x.dtype == np.uint8 and (value != int(value) or not 0 <= value <= 255):
        raise ArgumentError(f"fill covers uint8 pixels, so it is a whole number from 0 to 255, not {fill!r}.")
    return x.dtype.type(value)
