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
from pellucid.mathematics.losses import REGRESSION_LOSSES, Loss, regression_loss
from pellucid.mathematics.regularizers import Regularizer
from pellucid.nn.layers.input import first_non_finite
from pellucid.nn.layers.outputs.output import MAX_OUTPUTS, OutputLayer

FARTHEST = 10.0  # a mean this many standard deviations from 0 takes long to reach
SMALLEST, LARGEST = 0.03, 100.0  # a standard deviation and a number beyond which training may fail
FEWEST = 10  # samples that tell a mean and a deviation


@dataclass(frozen=True)
class Regression(OutputLayer):
    """Real numbers: the output is z itself. ``loss`` is "mse", "mae", "huber", or a `Loss`. Targets: (N,) or (N, V).
    ``members`` is that of an ensemble."""

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
        regression_loss(self.loss)
        if isinstance(self.loss, str):
            object.__setattr__(self, "loss", one_of(self.loss, REGRESSION_LOSSES, "regression loss"))  # ours
        self.check_options()

    @property
    def loss_function(self) -> Loss:
        return regression_loss(self.loss)

    @property
    def num_outputs(self) -> int:
        return self.num_values

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
        return array

    def warn_about_scale(self, y: AnyArray) -> None:
        """Warn where training would silently fail or take very long: values far from 0, or not of the size 1.

        Looks at the first samples only. Few samples say too little of this, and a value that is the same in all of them
        is no reason to warn.
        """
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
        return y.astype(dtype)

    def predict(self, outputs: Array) -> AnyArray:
        """(B,) for one value, else (B, V)."""
        return outputs[:, 0] if self.num_values == 1 else outputs

    def score(self, outputs: Array, targets: Array) -> Array:
        return np.abs(np.subtract(outputs, targets, dtype=np.float64)).mean(axis=-1)
