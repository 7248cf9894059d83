"""The slope of a function phi of one number at 0: the one that somebody claims, and the one that differences of phi give.

    left = (phi(0) - phi(-h)) / h        right = (phi(h) - phi(0)) / h        across = (left + right) / 2

Of a smooth function the left and the right slope differ by about h, so that a hundredth of the step leaves a hundredth of
the difference. At a corner (of ReLU, say) they differ by the same at every h: there is no slope, only the two of its sides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.core.shapes import Array

STEPS = (1e-5, 1e-6, 1e-7)
LAST_STEPS = (1e-8, 1e-9)  # where none of the others agrees: in large networks corners lie that close
SMALL = 1e-8  # what a slope of a function of the size 1 must be to be more than rounding
EPSILON = 2.0**-52  # the rounding of a number near 1
MOST_ROUNDING = 1e-3  # of the size of the gradient: a slope that is wrong by a hundredth is never excused


@dataclass(frozen=True)
class Comparison:
    """``error`` is |analytic - numeric| relative to the size of the gradient; ``largest``, the largest slope of all."""

    analytic: float
    numeric: float
    error: float
    largest: float
    at_corner: bool


def compare(phi: Callable[[float], float], analytic: float, size: float, tolerance: float) -> Comparison:
    """The claimed slope with the slope across 0, for the step at which they agree best.

    Rounding spoils small steps and corners nearby spoil large ones; a wrong slope is wrong at all of them. Where none
    agrees, rounding is taken off, as far as it can have spoilt a step: the gradients of a trained network are small.
    """
    here = phi(0.0)
    left, right = one_sided(phi, here)
    floor = max(tolerance * size, smallest(here))
    corner = bool(corners(left, right, floor))
    trials = [(_error(analytic, across, size), across) for across in ((left + right) / 2).tolist()]
    for h in LAST_STEPS:
        if min(trials)[0] > tolerance:
            across = (phi(h) - phi(-h)) / (2 * h)
            trials.append((_error(analytic, across, size), across))
    if min(trials)[0] > tolerance and size > 0:
        for h, (error, across) in zip(STEPS, trials[: len(STEPS)], strict=True):
            rounding = min(EPSILON * max(1.0, abs(here)) / h / size, MOST_ROUNDING)
            trials.append((max(error - rounding, 0.0), across))
    if min(trials)[0] > tolerance:  # then a corner that is small beside others nearby counts too
        *_, before, last = np.abs(right - left).tolist()
        corner = corner or last > max(floor, before / 2)
    error, numeric = min(trials, key=lambda trial: (trial[0], abs(trial[1])))  # of equal errors, the least rounding
    return Comparison(analytic, numeric, error, max(abs(analytic), abs(numeric)), corner)


def compare_at_corners(
    each: Callable[[Array], Array], z: Array, claimed: Array
) -> tuple[NDArray[np.bool_], list[Comparison]]:
    """Which of the numbers z are at a corner of ``each``, a function of every number by itself, and a comparison for each
    of those: any slope from that of the left side to that of the right is right."""
    here = each(z)
    left, right = one_sided(lambda s: each(z + s), here)
    at = corners(left, right, smallest(here))
    found = []
    for analytic, *sides in zip(claimed[at].tolist(), left[-1][at].tolist(), right[-1][at].tolist(), strict=True):
        nearest, largest = float(np.clip(analytic, min(sides), max(sides))), max(map(abs, sides))
        found.append(Comparison(analytic, nearest, _error(analytic, nearest, largest), largest, at_corner=True))
    return at, found


def one_sided(phi: Callable[[float], float | Array], here: float | Array) -> tuple[Array, Array]:
    """(left, right): the slopes of both sides, for each of `STEPS`."""
    left, right = ([(phi(s) - here) / s for s in (sign * h for h in STEPS)] for sign in (-1.0, 1.0))
    return np.array(left), np.array(right)


def corners(left: Array, right: Array, floor: float | Array) -> NDArray[np.bool_]:
    """Where the slopes of the two sides differ by more than ``floor``, and hardly less at a smaller step."""
    gap = np.abs(right - left)
    found: NDArray[np.bool_] = np.all(gap > floor, axis=0) & np.all(gap[1:] > gap[:-1] / 2, axis=0)
    return found


def smallest(here: float | Array) -> float | Array:
    """The smallest slope that can be told from the rounding of a function with this value."""
    return SMALL * np.maximum(1.0, np.abs(here))


def _error(analytic: float, numeric: float, size: float) -> float:
    error = abs(analytic - numeric) / max(size, abs(numeric), 1e-300)
    return error if np.isfinite(error) else np.inf
