"""Temperature scaling: one number that calibrates the probabilities of a classifier.

    p = softmax(z / T)        T > 1 makes every answer less confident, T < 1 more; the order of the classes stays

T minimises the negative log-likelihood of held-out samples, which is convex in beta = 1 / T:

    NLL(beta) = mean_n [log sum_k exp(beta z_nk) - beta z_ny]
    dNLL/dbeta = mean_n [sum_k p_nk z_nk - z_ny]                    grows with beta, so bisection finds its zero

The Fisher information of log T is I = sum_n Var_p(z_n / T), so log T has the standard error 1 / sqrt(I).

Guo, Pleiss, Sun, Weinberger, "On calibration of modern neural networks", ICML 2017.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.core.checks import number_between, positive_integer
from pellucid.core.shapes import AnyArray, Array

LOWEST, HIGHEST = 0.01, 100.0
HALVINGS = 60
FARTHEST = -1e150  # from the largest logit: the probability is 0 anyway, and squares of larger numbers overflow
NEXT_TO_FIRST = 1 - 2.0**-50  # the largest ratio of another class's probability to that of the first


@dataclass(frozen=True)
class Temperature:
    """A fitted temperature: its ``value``, its ``standard_error``, and on how many ``samples`` it was fitted.

    ``standard_error`` is None if the samples do not determine a temperature. The value stays 1 if every answer is right,
    where lower is always better, and if all temperatures are about as good.
    """

    value: float
    standard_error: float | None
    samples: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", number_between(self.value, "a temperature", LOWEST, HIGHEST))
        if self.standard_error is not None:
            error = number_between(self.standard_error, "the standard error of a temperature", 0.0)
            object.__setattr__(self, "standard_error", error)
        positive_integer(self.samples, "the number of samples of a temperature")

    def probabilities(self, logits: Array) -> NDArray[np.float64]:
        """softmax(z / T) of logits (B, K)."""
        return probabilities(logits, self.value)

    def __str__(self) -> str:
        if self.standard_error is None:
            return f"{self.value:.3g}: the {self.samples:,} samples do not determine it"
        return f"{self.value:.3g} ± {self.standard_error:.2g}, from {self.samples:,} samples"


def probabilities(logits: Array, temperature: float = 1.0) -> NDArray[np.float64]:
    """softmax(z / T) of logits (B, K), in float64. The largest logit always has the largest probability."""
    z = logits.astype(np.float64)
    below = z - z.max(axis=1, keepdims=True)
    p = np.exp(below / temperature)
    p[below < 0] = np.minimum(p[below < 0], NEXT_TO_FIRST)  # logits that differ give probabilities that differ
    return p / p.sum(axis=1, keepdims=True)


def fit_temperature(logits: Array, y: AnyArray) -> Temperature:
    """The temperature with the least negative log-likelihood of the classes y (N,), from logits (N, K); in 0.01..100."""
    z = logits.astype(np.float64)
    z = np.maximum(z - z.max(axis=1, keepdims=True), FARTHEST)
    truth = z[np.arange(len(y)), y]
    if not truth.any():  # each true class has the largest logit
        return Temperature(1.0, None, len(y))
    if _slope(z, truth, 1 / HIGHEST) >= 0:
        return Temperature(HIGHEST, None, len(y))
    if _slope(z, truth, 1 / LOWEST) <= 0:
        return Temperature(LOWEST, None, len(y))
    beta = _zero(z, truth)
    information = float(_moments(z, beta)[1].sum()) * beta**2
    if information <= 1:  # the standard error is as large as the temperature
        return Temperature(1.0, None, len(y))
    return Temperature(1 / beta, 1 / (beta * math.sqrt(information)), len(y))


def _zero(z: Array, truth: Array) -> float:
    """The beta at which the slope is 0, by bisection of its logarithm."""
    low, high = math.log(1 / HIGHEST), math.log(1 / LOWEST)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _slope(z, truth, math.exp(middle)) < 0 else (low, middle)
    return math.exp((low + high) / 2)


def _slope(z: Array, truth: Array, beta: float) -> float:
    return float((_moments(z, beta)[0] - truth).mean())


def _moments(z: Array, beta: float) -> tuple[Array, Array]:
    """Mean and variance (N,) of the logits of each row under p = softmax(beta z); the largest of a row is 0."""
    p = np.exp(beta * z)
    p /= p.sum(axis=1, keepdims=True)
    mean = (p * z).sum(axis=1)
    return mean, (p * (z - mean[:, None]) ** 2).sum(axis=1)
