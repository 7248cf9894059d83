"""Output layers that choose among classes, and give each a probability."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.core.checks import as_numbers, number_between, positive_integer
from pellucid.core.errors import ArgumentError, ShapeError
from pellucid.core.shapes import AnyArray, Array, Shape, describe
from pellucid.mathematics.activations import sigmoid, softmax
from pellucid.mathematics.initializers import Initializer
from pellucid.mathematics.losses import BinaryCrossEntropy, CrossEntropy, Loss
from pellucid.mathematics.regularizers import Regularizer
from pellucid.nn.layers.outputs.output import MAX_OUTPUTS, OutputLayer


class ClassifyingOutput(OutputLayer):
    """What both classifications share: class labels as targets, and probabilities."""

    metric = "accuracy"

    @property
    def num_labels(self) -> int:
        """The number of classes."""
        return self.num_outputs

    @abstractmethod
    def probabilities(self, outputs: Array) -> Array:
        """(B, num_labels): the probability of each class; each row sums to 1."""

    def class_logits(self, outputs: Array) -> Array:
        """(B, num_labels): a logit for each class; their softmax gives the probabilities."""
        return outputs

    def predict(self, outputs: Array) -> AnyArray:
        """The most probable class (B,), int64: that of the largest logit."""
        return self.class_logits(outputs).argmax(axis=-1)

    def check_targets(self, y: Any, count: int, what: str = "y") -> AnyArray:
        """Class numbers (N,) as int64; `Classification` also takes probabilities (N, K)."""
        last = self.num_labels - 1
        expected = f"{count} class numbers 0 to {last} are expected, shape ({count},)"
        if _are_names(y):
            expected += "; for names, use: classes, y = numpy.unique(names, return_inverse=True)"
        array = as_numbers(y, what, expected)
        if array.ndim == 2 and array.shape[1] == 1:
            array = array[:, 0]
        if array.shape != (count,):
            raise ShapeError(f"{what} has the shape {array.shape}; {expected}.")
        if np.isnan(array).any():
            raise ShapeError(f"{what}[{int(np.isnan(array).argmax())}] is NaN; leave out such samples; {expected}.")
        if not (np.isfinite(array) & (array == np.floor(array))).all():
            raise ShapeError(f"{what} is {describe(array)}, not whole; {expected}.")
        if array.min() < 0 or array.max() > last:
            wrong = array[(array < 0) | (array > last)][0]
            raise ShapeError(f"{what} holds the class {wrong:.17g}; this {type(self).__name__} takes 0 to {last}.")
        return array.astype(np.int64)


@dataclass(frozen=True)
class Classification(ClassifyingOutput):
    """One of K classes: p = softmax(z), cross-entropy. Targets: class numbers (N,), or rows of probabilities (N, K).
    ``members`` is that of an ensemble."""

    num_classes: int
    label_smoothing: float = 0.0
    initializer: str | Initializer = "glorot_uniform"
    use_bias: bool = True
    regularizer: str | Regularizer | None = None
    members: int = 1

    def __post_init__(self) -> None:
        number = positive_integer(self.num_classes, "Classification(num_classes)")
        if number == 1:
            raise ArgumentError(
                "Classification(1) would answer the same for every input; use BinaryClassification() for yes or no."
            )
        if number > MAX_OUTPUTS:
            raise ArgumentError(f"Classification takes at most {MAX_OUTPUTS:,} classes, not {number:,}.")
        number_between(self.label_smoothing, "Classification(label_smoothing)", 0.0, 1.0, open_high=True)
        self.check_options()

    @property
    def num_outputs(self) -> int:
        return self.num_classes

    @property
    def loss_function(self) -> Loss:
        return CrossEntropy(self.label_smoothing)

    def check_targets(self, y: Any, count: int, what: str = "y") -> AnyArray:
        if _shape(y) != (count, self.num_classes):
            return super().check_targets(y, count, what)
        rows = as_numbers(y, what, f"probabilities of {self.num_classes} classes are expected").astype(np.float64)
        if not np.isfinite(rows).all() or (rows < 0).any() or (np.abs(rows.sum(axis=1) - 1) > 1e-3).any():
            raise ShapeError(f"each row of {what} must be probabilities of the {self.num_classes} classes that sum to 1.")
        return rows

    def targets(self, y: AnyArray, dtype: np.dtype[Any]) -> Array:
        if y.ndim == 2:
            return y.astype(dtype)
        one_hot = np.zeros((len(y), self.num_classes), dtype=dtype)
        one_hot[np.arange(len(y)), y] = 1
        return one_hot

    def probabilities(self, outputs: Array) -> Array:
        return softmax(outputs)

    def score(self, outputs: Array, targets: Array) -> Array:
        return (outputs.argmax(axis=-1) == targets.argmax(axis=-1)).astype(np.float64)


@dataclass(frozen=True)
class BinaryClassification(ClassifyingOutput):
    """Yes or no: p = sigmoid(z) is the probability of class 1, binary cross-entropy. Targets: 0 and 1 (N,). ``members`` is
    that of an ensemble."""

    num_outputs = 1
    num_labels = 2

    label_smoothing: float = 0.0
    initializer: str | Initializer = "glorot_uniform"
    use_bias: bool = True
    regularizer: str | Regularizer | None = None
    members: int = 1

    def __post_init__(self) -> None:
        number_between(self.label_smoothing, "BinaryClassification(label_smoothing)", 0.0, 1.0, open_high=True)
        self.check_options()

    @property
    def loss_function(self) -> Loss:
        return BinaryCrossEntropy(self.label_smoothing)

    def targets(self, y: AnyArray, dtype: np.dtype[Any]) -> Array:
        return y.astype(dtype).reshape(len(y), 1)

    def probabilities(self, outputs: Array) -> Array:
        """(B, 2): 1 - p and p, each by its own sigmoid so that the smaller one keeps its digits."""
        return np.concatenate([sigmoid(-outputs), sigmoid(outputs)], axis=-1)

    def class_logits(self, outputs: Array) -> Array:
        """(B, 2): 0 and z, since sigmoid(z) is the second of softmax(0, z)."""
        return np.concatenate([np.zeros_like(outputs), outputs], axis=1)

    def score(self, outputs: Array, targets: Array) -> Array:
        return ((outputs[:, 0] > 0) == (targets[:, 0] > 0.5)).astype(np.float64)


def class_numbers(y: AnyArray) -> AnyArray | None:
    """The class of each sample (N,) from checked targets; None if they are probabilities that are not one-hot."""
    if y.ndim == 1:
        return y
    return y.argmax(axis=1) if (y == 1).any(axis=1).all() else None


def _shape(y: Any) -> Shape | None:
    """The shape of an array or of nested lists; None when rows differ in length."""
    try:
        return np.shape(y)
    except ValueError:
        return None


def _are_names(y: Any) -> bool:
    """Whether this holds text, also among other objects."""
    if hasattr(y, "to_numpy"):
        y = y.to_numpy()
    if isinstance(y, np.ndarray):
        return y.dtype.kind in "US" or (y.dtype.kind == "O" and any(isinstance(item, str) for item in y.ravel()))
    return isinstance(y, list | tuple) and any(isinstance(item, str) for item in y)
