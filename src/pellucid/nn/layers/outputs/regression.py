"""The output layer that predicts real numbers."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.core.checks import as_numbers, one_of, positive_integer
from pellucid.core.errors import ArgumentError, ShapeError
from pellucid.core.shapes import AnyArray, Array
from pellucid.mathematics.initializers import Initializer
from pellucid.mathematics.losses import REGRESSION_LOSSES, Loss, PinballLoss, PoissonLoss, regression_loss
from pellucid.mathematics.regularizers import Regularizer
from pellucid.nn.layers.input import first_non_finite
from pellucid.nn.layers.outputs.output import MAX_OUTPUTS, OutputLayer

FARTHEST = 10.0  # a mean this many standard deviations from 0 takes long to reach
SMALLEST, LARGEST = 0.03, 100.0  # a standard deviation and a number beyond which training may fail
FEWEST = 10  # samples that tell a mean and a deviation


@dataclass(frozen=True)
class Regression(OutputLayer):
    """Real numbers: the output is z itself. ``loss`` is "mse", "mae", "huber", or a `Loss`. Targets: (N,) or (N, V).

    "poisson" is for counts: the output is e^z. "pinball" is for quantiles of one value, of the levels 0.1, 0.5 and 0.9
    or of others, as "pinball:0.05,0.95": an output for each, in ascending order, so that they never cross. ``members`` is
    that of an ensemble.
    """

    metric = "mae"
    metric_rises = False
    overall_metrics = ("r2",)

    num_values: int = 1
    loss: str | Loss = "mse"
    initializer: str | Initializer = "glorot_uniform"
    use_bias: bool = True
    regularizer: str | Regularizer | None = None
    members: int = 1

    def __post_init__(self) -> None:
        if positive_integer(self.num_values, "Regression(num_values)") > MAX_OUTPUTS:
            raise ArgumentError(f"Regression takes at most {MAX_OUTPUTS:,} values, not {self.num_values:,}.")
        loss = regression_loss(self.loss)
        if isinstance(loss, PinballLoss):
            if self.num_values > 1:
                raise ArgumentError(f"the pinball loss gives quantiles of one value, not of {self.num_values}.")
            object.__setattr__(self, "loss", loss)
        elif isinstance(self.loss, str):
            object.__setattr__(self, "loss", one_of(self.loss, REGRESSION_LOSSES, "regression loss"))  # ours
        self.check_options()

    @property
    def loss_function(self) -> Loss:
        return regression_loss(self.loss)

    @property
    def num_outputs(self) -> int:
        return len(self.levels) or self.num_values

    @property
    def is_of_counts(self) -> bool:
        """Whether the logits are logarithms of expected counts."""
        return isinstance(self.loss_function, PoissonLoss)

    @property
    def levels(self) -> tuple[float, ...]:
        """Of the quantiles that are the outputs; () if they are none."""
        loss = self.loss_function
        return loss.levels if isinstance(loss, PinballLoss) else ()

    def check_targets(self, y: Any, count: int, what: str = "y") -> AnyArray:
        expected = f"({count}, {self.num_values})"
        array = as_numbers(y, what, f"real numbers are expected, of the shape {expected}")
        if self.num_values == 1 and array.ndim == 1:
            array = array[:, None]
        if array.shape != (count, self.num_values):
            raise ShapeError(f"{what} has the shape {np.shape(y)}; {expected} is expected.")
        array = array.astype(np.float64)
        bad = first_non_finite(array)
        if bad is not None:
            raise ShapeError(f"{what}[{bad}] is NaN or infinite; remove or fill in such samples first.")
        if self.is_of_counts and (array < 0).any():
            raise ShapeError(f"{what} holds {array[array < 0][0]:.6g}; the Poisson loss takes counts, of 0 or more.")
        return array

    def warn_about_scale(self, y: AnyArray) -> None:
        """Warn where training would silently fail or take very long: values far from 0, or not of the size 1.

        Looks at the first samples only. Few samples say too little of this, and a value that is the same in all of them
        is no reason to warn.
        """
        if self.is_of_counts:
            return
        seen = y[:4096]
        for value, column in enumerate(seen.T if len(seen) >= FEWEST else (), 1):
            mean, deviation = float(column.mean()), float(column.std())
            is_far = abs(mean) > FARTHEST * deviation or deviation < SMALLEST or np.abs(column).max() > LARGEST
            if is_far and column.min() < column.max():  # rounding gives equal values a deviation too
                which = "y" if self.num_values == 1 else f"value {value} of y"
                warnings.warn(
                    f"{which} has the mean {mean:.4g} and the standard deviation {deviation:.4g}; networks learn targets "
                    f"with a mean of about 0 and a deviation of about 1. Train on (y - mean) / std, with mean = "
                    f"y.mean(axis=0) and std = y.std(axis=0), and turn answers back: answers * std + mean.",
                    stacklevel=4,
                )
                return

    def targets(self, y: AnyArray, dtype: np.dtype[Any]) -> Array:
        """The same target for each level of quantiles."""
        return np.broadcast_to(y, (len(y), self.num_outputs)).astype(dtype)

    def answers(self, outputs: Array) -> Array:
        """(B, num_outputs): the logits, e^z for counts, or the quantiles in ascending order."""
        if self.is_of_counts:
            return np.exp(outputs)
        return np.sort(outputs, axis=-1) if self.levels else outputs

    def values(self, outputs: Array) -> Array:
        """(B, V): one answer for each value, of quantiles that of the level nearest to 0.5."""
        loss, answers = self.loss_function, self.answers(outputs)
        return answers[:, [loss.middle]] if isinstance(loss, PinballLoss) else answers

    def predict(self, outputs: Array) -> AnyArray:
        """(B,) for one value, else (B, V); of quantiles (B, K), one for each level."""
        answers = self.answers(outputs)
        return answers[:, 0] if self.num_outputs == 1 else answers

    def score(self, outputs: Array, targets: Array) -> Array:
        values = self.values(outputs)
        return np.abs(np.subtract(values, targets[:, : values.shape[1]], dtype=np.float64)).mean(axis=-1)
