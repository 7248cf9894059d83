"""The learning curve: how right a model is by the number of pictures that it has learned from, and what more would give.

Errors of learners fall like a power of the number n of samples a class, over a wide range:

    error(n) = a n^-b        a line in the logarithms; b by least squares on the last points, between 0 and 1

C. Cortes, L. D. Jackel, S. A. Solla, V. Vapnik, J. S. Denker, "Learning curves: asymptotic values and rate of convergence",
NIPS 1993; J. Hestness and others, "Deep learning scaling is predictable, empirically", 2017.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pellucid.core.checks import number_between, positive_integer

SIZES = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000)  # pictures a class
USED = 4  # points, the last ones
FEWEST = 3
LEAST_ERRORS = 0.5  # of all answers: none wrong does not mean that none ever will be


@dataclass(frozen=True)
class LearningPoint:
    """Learned from ``count`` pictures a class: the mean ``accuracy`` on others over ``draws`` of them, each judged by
    ``judged`` answers, and the standard deviation (``spread``) from draw to draw, 0 for one."""

    count: int
    accuracy: float
    spread: float
    draws: int
    judged: int

    def __post_init__(self) -> None:
        for name in ("count", "draws", "judged"):
            positive_integer(getattr(self, name), f"the {name} of a point of a learning curve")
        for name in ("accuracy", "spread"):
            number = number_between(getattr(self, name), f"the {name} of a point of a learning curve", 0.0, 1.0)
            object.__setattr__(self, name, number)


def exponent(curve: Sequence[LearningPoint]) -> float | None:
    """b in error = a n^-b, from the last points; None if there are too few to tell."""
    points = curve[-USED:]
    if len(points) < FEWEST:
        return None
    errors = [max(1 - point.accuracy, LEAST_ERRORS / (point.judged * point.draws)) for point in points]
    n, error = np.log([point.count for point in points]), np.log(errors)
    n = n - n.mean()
    return float(np.clip(-(n @ (error - error.mean())) / (n @ n), 0.0, 1.0))


def expected_accuracy(curve: Sequence[LearningPoint], times: float) -> float | None:
    """The accuracy to expect from ``times`` as many pictures as the last point has; None if it cannot be told."""
    b = exponent(curve)
    return None if b is None else 1 - (1 - curve[-1].accuracy) * times**-b


def forecast(curve: Sequence[LearningPoint]) -> str | None:
    """What twice as many photos would give, as a sentence; None if it cannot be told."""
    more = expected_accuracy(curve, 2.0)
    if more is None:
        return None
    now = curve[-1].accuracy
    if now == 1.0:
        return "None of the answers was wrong: what more photos would give does not show in these."
    if f"{more:.1%}" == f"{now:.1%}":
        return f"With twice as many photos expect hardly more right answers than now, {now:.1%}."
    return f"With twice as many photos expect about {more:.1%} right, after {now:.1%} now."
