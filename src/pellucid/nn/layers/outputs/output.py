"""Output layers: each owns its weighted sum, its activation and its loss, so that they always fit together.

    Classification        z = x W + b (B, K)   softmax   cross-entropy          labels 0 .. K-1
    BinaryClassification  z = x W + b (B, 1)   sigmoid   binary cross-entropy   labels 0 and 1
    Regression            z = x W + b (B, V)   identity  mean squared error ... real numbers
                                               e^z       Poisson                counts

With ``members`` an output is that of an ensemble (`pellucid.nn.layers.ensemble_dense`): each of the M members has weights
of its own, z_m = x_m W_m + b_m, (B, M, D) -> (B, M, V). The loss is the mean of the members' losses; the logits of the
answer are the mean of theirs.

``forward`` gives z, the *logits*; the loss works on them in a stable form; `predict` (and ``probabilities``)
turn them into predictions.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, NamedTuple

import numpy as np

from pellucid.core.errors import ShapeError
from pellucid.core.shapes import AnyArray, Array, Shape, size_of
from pellucid.mathematics.initializers import Initializer, initializer
from pellucid.mathematics.losses import Loss
from pellucid.mathematics.regularizers import Regularizer
from pellucid.nn.layers.affine import affine_backward, affine_forward, affine_specs, check_affine
from pellucid.nn.layers.base import Context, Gradients, Layer, Named, ParameterSpec
from pellucid.nn.layers.members import check_members, own_affine_backward, own_affine_forward, own_affine_specs

MAX_OUTPUTS = 1 << 24


class OutputCache(NamedTuple):
    x: Array
    needs_dx: bool


class OutputLayer(Layer):
    """The interface of the last layer.

    ``metric`` is reported beside the loss, as a mean over the samples; ``metric_rises`` says that larger is better.
    ``overall_metrics`` are those that an evaluation computes from all samples together.
    """

    place = "last"
    metric: ClassVar[str]
    metric_rises: ClassVar[bool] = True
    overall_metrics: ClassVar[tuple[str, ...]] = ()
    initializer: str | Initializer
    use_bias: bool
    regularizer: str | Regularizer | None
    members: int = 1

    @property
    @abstractmethod
    def num_outputs(self) -> int:
        """How many weighted sums: K, 1 or V."""

    @property
    @abstractmethod
    def loss_function(self) -> Loss:
        """The loss of this output, on logits (B, num_outputs) and targets of the same shape."""

    def rises(self, metric: str) -> bool:
        """Whether a larger value of this metric is better: true for accuracy and r2, false for losses and errors."""
        name = metric.removeprefix("validation_")
        return name == "r2" or (name == self.metric and self.metric_rises)

    @abstractmethod
    def check_targets(self, y: Any, count: int, what: str = "y") -> AnyArray:
        """``y`` as checked targets of ``count`` samples, or an error that says what is wrong with it."""

    def warn_about_scale(self, y: AnyArray) -> None:
        """Warn if training would silently fail on checked targets of this size. Class numbers have none."""

    @abstractmethod
    def targets(self, y: AnyArray, dtype: np.dtype[Any]) -> Array:
        """Checked targets as the array (B, num_outputs) that the loss takes."""

    @abstractmethod
    def predict(self, outputs: Array) -> AnyArray:
        """The prediction for each sample, from the logits."""

    def values(self, outputs: Array) -> Array:
        """(B, V): the numbers that ``overall_metrics`` compare with the targets, from the logits."""
        return outputs

    @abstractmethod
    def score(self, outputs: Array, targets: Array) -> Array:
        """The metric of each sample (B,), from the logits and the (B, num_outputs) targets."""

    def check_options(self) -> None:
        """Check the options that all output layers share."""
        initializer(self.initializer)
        check_affine(self)
        check_members(self.members, f"{type(self).__name__}(members)", fewest=1)

    def answer(self, scores: Array) -> Array:
        """The logits of the answer (B, V): the scores z themselves, or the mean of those of the members (B, M, V)."""
        return scores.mean(axis=1) if self.members > 1 else scores

    def answer_backward(self, dlogits: Array) -> Array:
        """dz of each member is dlogits / M, since each has a share of 1 / M in the mean."""
        if self.members == 1:
            return dlogits
        return np.repeat((dlogits / self.members)[:, None], self.members, axis=1)

    def output_shape(self, input_shape: Shape) -> Shape:
        if self.members == 1:
            return (self.num_outputs,)
        if len(input_shape) != 2 or input_shape[0] != self.members:
            raise ShapeError(
                f"{type(self).__name__} with {self.members} members takes samples ({self.members}, D), a row for each "
                f"member, as EnsembleDense(units, {self.members}) gives them; samples of the shape {input_shape} came."
            )
        return (self.members, self.num_outputs)

    def parameter_specs(self, input_shape: Shape) -> tuple[ParameterSpec, ...]:
        draw = initializer(self.initializer)
        if self.members == 1:
            return affine_specs((size_of(input_shape), self.num_outputs), draw, self.use_bias)
        return own_affine_specs(self.members, (input_shape[-1], self.num_outputs), draw, self.use_bias)

    def forward(self, parameters: Named, x: Array, context: Context) -> tuple[Array, OutputCache]:
        z = affine_forward(parameters, x) if self.members == 1 else own_affine_forward(parameters, x)
        return z, OutputCache(x, context.needs_dx)

    def backward(self, parameters: Named, cache: OutputCache, dy: Array) -> tuple[Array | None, Gradients]:
        """dy is already dL/dz, from the loss; see `affine_backward`, and `own_affine_backward` for members."""
        down = affine_backward if self.members == 1 else own_affine_backward
        return down(parameters, cache.x, dy, cache.needs_dx)
