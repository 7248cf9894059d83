"""Loss functions: how wrong an output is, and the gradient of that with respect to the output.

A loss gives a term l_i for each sample and its derivative with respect to that sample's outputs. `Loss.__call__` then
takes the weighted mean over the samples of the batch, and scales the derivative by the same factor, so that value and
gradient always belong to the same number:

    L = sum_i w_i l_i / sum_i w_i          dL/dz_i = w_i / (sum_j w_j) * dl_i/dz_i          (w_i = 1 without weights)

For several values per sample (regression) l_i is the mean over the values. A batch whose weights are all zero has the
loss 0 and no gradient. The classification losses work on *logits* (raw scores), never on probabilities.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pellucid.core.checks import number_between, one_of
from pellucid.core.errors import ArgumentError, ShapeError
from pellucid.core.shapes import Array
from pellucid.mathematics.activations import sigmoid, softplus


def each_member(outputs: Array, targets: Array, weights: Array | None) -> tuple[Array, Array, Array | None]:
    """Outputs (B, M, V) of the members of an ensemble as B M rows, with the target and the weight of its sample for each;
    outputs (B, V) as they are."""
    if outputs.ndim != 3:
        return outputs, targets, weights
    members = outputs.shape[1]
    own_weights = None if weights is None else weights.repeat(members)
    return outputs.reshape(-1, outputs.shape[2]), targets.repeat(members, axis=0), own_weights


class Loss(ABC):
    """The interface: ``terms`` gives the loss of each sample; the mean over the batch is the same for all losses."""

    @abstractmethod
    def terms(self, outputs: Array, targets: Array) -> tuple[Array, Array]:
        """(l, dl/doutputs): shapes (B,) and (B, V), from outputs and targets (B, V)."""

    def __call__(self, outputs: Array, targets: Array, weights: Array | None = None) -> tuple[float, Array]:
        """(L, dL/doutputs): the weighted mean over the batch and its gradient (B, V); ``weights`` has shape (B,).

        Of outputs (B, M, V) it is the mean over the members of an ensemble too, each against the same targets.
        """
        if outputs.ndim == 3:
            value, gradient = self(*each_member(outputs, targets, weights))
            return value, gradient.reshape(outputs.shape)
        if targets.shape != outputs.shape or (weights is not None and weights.shape != outputs.shape[:1]):
            shapes = f"{outputs.shape}, {targets.shape}" + ("" if weights is None else f" and weights {weights.shape}")
            raise ShapeError(f"a loss compares outputs and targets of one shape (B, V), weights (B,); got {shapes}.")
        values, gradient = self.terms(outputs, targets)
        if weights is None:
            return float(values.mean(dtype=np.float64)), gradient / len(values)
        total = float(weights.sum(dtype=np.float64))
        if total == 0.0:
            return 0.0, np.zeros_like(gradient)
        scale = (weights / total).astype(gradient.dtype)[:, None]
        return float(np.dot(values.astype(np.float64), weights)) / total, gradient * scale


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """Softmax and cross-entropy together, on logits z (B, K) and target probabilities t (B, K).

    l = -sum_k t_k log p_k, with p = softmax(z) and log p_k = z_k - max(z) - log sum_j e^(z_j - max(z))
    dl/dz = p sum_k t_k - t
    Label smoothing e: t <- (1 - e) t + e / K (Szegedy et al. 2016).
    """

    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        number_between(self.label_smoothing, "CrossEntropy(label_smoothing)", 0.0, 1.0, open_high=True)

    def terms(self, outputs: Array, targets: Array) -> tuple[Array, Array]:
        if self.label_smoothing:
            targets = (1 - self.label_smoothing) * targets + self.label_smoothing / targets.shape[-1]
        shifted = outputs - outputs.max(axis=-1, keepdims=True)
        p = np.exp(shifted)
        total = p.sum(axis=-1, keepdims=True)
        p /= total
        values = (targets * (np.log(total) - shifted)).sum(axis=-1)
        return values, p * targets.sum(axis=-1, keepdims=True) - targets


@dataclass(frozen=True)
class BinaryCrossEntropy(Loss):
    """Sigmoid and binary cross-entropy together, on logits z (B, V) and targets t in [0, 1] (B, V).

    l = mean_v(softplus(z) - t z) = mean_v(-t log p - (1 - t) log(1 - p)), with p = sigmoid(z)
    dl/dz = (p - t) / V
    Label smoothing e: t <- (1 - e) t + e / 2.
    """

    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        number_between(self.label_smoothing, "BinaryCrossEntropy(label_smoothing)", 0.0, 1.0, open_high=True)

    def terms(self, outputs: Array, targets: Array) -> tuple[Array, Array]:
        if self.label_smoothing:
            targets = (1 - self.label_smoothing) * targets + self.label_smoothing / 2
        values = (softplus(outputs) - targets * outputs).mean(axis=-1)
        return values, (sigmoid(outputs) - targets) / outputs.shape[-1]


@dataclass(frozen=True)
class MeanSquaredError(Loss):
    """l = mean_v((y - t)^2); dl/dy = 2 (y - t) / V. There is no factor 1/2."""

    def terms(self, outputs: Array, targets: Array) -> tuple[Array, Array]:
        error = outputs - targets
        return (error * error).mean(axis=-1), error * (2 / error.shape[-1])


@dataclass(frozen=True)
class MeanAbsoluteError(Loss):
    """l = mean_v(|y - t|); dl/dy = sign(y - t) / V, and 0 where y = t."""

    def terms(self, outputs: Array, targets: Array) -> tuple[Array, Array]:
        error = outputs - targets
        return np.abs(error).mean(axis=-1), np.sign(error) / error.shape[-1]


@dataclass(frozen=True)
class Huber(Loss):
    """Squared near zero, absolute far away (Huber 1964), with e = y - t:

    l = mean_v(e^2 / 2 where |e| <= delta, else delta (|e| - delta / 2)); dl/dy = clip(e, -delta, delta) / V
    """

    delta: float = 1.0

    def __post_init__(self) -> None:
        number_between(self.delta, "Huber(delta)", 0.0, open_low=True)

    def terms(self, outputs: Array, targets: Array) -> tuple[Array, Array]:
        error = outputs - targets
        bounded = np.clip(error, -self.delta, self.delta)
        return (bounded * (error - 0.5 * bounded)).mean(axis=-1), bounded / error.shape[-1]


@dataclass(frozen=True)
class PoissonLoss(Loss):
    """Counts t >= 0 (B, V), whose expected values are m = e^z, on the logits z (B, V):

    l = mean_v(m - t - t (z - log t)), where the last product is 0 for t = 0; dl/dz = (m - t) / V

    It is -log of the probability e^-m m^t / t! of a Poisson distribution, less what that is at m = t; so it has the same
    gradient, is never below 0, and is half of the Poisson deviance (McCullagh and Nelder, Generalized Linear Models, 1989).
    """

    def terms(self, outputs: Array, targets: Array) -> tuple[Array, Array]:
        error = np.exp(outputs) - targets
        values = error - targets * (outputs - np.log(np.where(targets > 0, targets, 1)))
        return values.mean(axis=-1), error / error.shape[-1]


MOST_LEVELS = 99


@dataclass(frozen=True)
class PinballLoss(Loss):
    """Quantiles: output k is the value that t lies below with the probability q_k, its level (Koenker and Bassett 1978).

    With e_k = t_k - z_k: l = mean_k(max(q_k e_k, (q_k - 1) e_k)); dl/dz_k = -q_k / K where e_k > 0, (1 - q_k) / K where
    e_k < 0, and 0 where e_k = 0
    """

    levels: tuple[float, ...] = (0.1, 0.5, 0.9)

    def __post_init__(self) -> None:
        levels = tuple(self.levels) if isinstance(self.levels, tuple | list) else (self.levels,)
        if not 1 <= len(levels) <= MOST_LEVELS:
            raise ArgumentError(f"PinballLoss(levels) are 1 to {MOST_LEVELS} numbers between 0 and 1, not {len(levels)}.")
        ends = {"open_low": True, "open_high": True}
        levels = tuple(number_between(level, "a level of PinballLoss", 0.0, 1.0, **ends) for level in levels)
        if any(low >= high for low, high in pairwise(levels)):
            raise ArgumentError(f"PinballLoss(levels) are in ascending order, each once, not {levels}.")
        object.__setattr__(self, "levels", levels)

    @property
    def middle(self) -> int:
        """The place of the level nearest to 0.5."""
        return int(np.argmin(np.abs(np.array(self.levels) - 0.5)))

    def of_levels(self, outputs: Array, targets: Array) -> Array:
        """The loss (B, K) of each level."""
        if outputs.shape[-1] != len(self.levels):
            raise ShapeError(f"PinballLoss of {len(self.levels)} levels takes as many outputs, not {outputs.shape[-1]}.")
        levels = np.array(self.levels, outputs.dtype)
        error = targets - outputs
        return np.asarray(np.maximum(levels * error, (levels - 1) * error))

    def terms(self, outputs: Array, targets: Array) -> tuple[Array, Array]:
        values = self.of_levels(outputs, targets)
        error, levels = targets - outputs, np.array(self.levels, outputs.dtype)
        slopes = np.where(error > 0, -levels, np.where(error < 0, 1 - levels, 0 * error))  # NaN stays NaN
        return values.mean(axis=-1), slopes / len(self.levels)


LOSSES: dict[str, type[Loss]] = {
    "cross_entropy": CrossEntropy,
    "binary_cross_entropy": BinaryCrossEntropy,
    "mse": MeanSquaredError,
    "mae": MeanAbsoluteError,
    "huber": Huber,
    "poisson": PoissonLoss,
    "pinball": PinballLoss,
}
REGRESSION_LOSSES = ("mse", "mae", "huber", "poisson", "pinball")


def regression_loss(loss: str | Loss) -> Loss:
    """The loss of that name with its defaults, with levels "pinball:0.1,0.9", or the given loss itself."""
    if isinstance(loss, CrossEntropy | BinaryCrossEntropy):
        raise ArgumentError(f"{type(loss).__name__} is a loss of classification: use that output layer, not Regression.")
    if isinstance(loss, Loss):
        return loss
    if isinstance(loss, str) and loss.startswith("pinball:"):
        return PinballLoss(_levels(loss.removeprefix("pinball:")))
    return LOSSES[one_of(loss, REGRESSION_LOSSES, "regression loss")]()


def _levels(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(level) for level in text.split(","))
    except ValueError:
        raise ArgumentError(f"the levels of pinball are numbers such as pinball:0.1,0.5,0.9, not {text!r}.") from None
