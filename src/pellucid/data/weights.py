"""Sample and class weights: how much each sample counts in the loss. The two multiply."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np

from pellucid.core.checks import as_numbers, number_between
from pellucid.core.errors import ArgumentError, ShapeError
from pellucid.core.shapes import AnyArray, Array
from pellucid.data.samples import Samples
from pellucid.nn.layers.outputs.classification import ClassifyingOutput, class_numbers
from pellucid.nn.layers.outputs.output import OutputLayer

ClassWeight: TypeAlias = dict[int, float] | Literal["balanced"]

LEAST = 1e-200  # of the largest weight: a smaller one counts as 0


def check_sample_weights(sample_weight: Any, count: int) -> Array | None:
    """``sample_weight`` as float64 (N,), each at least 0 and not all 0; raises `ShapeError`."""
    if sample_weight is None:
        return None
    weights = as_numbers(sample_weight, "sample_weight", f"{count} numbers are expected").astype(np.float64)
    if weights.shape != (count,):
        raise ShapeError(f"sample_weight has the shape {weights.shape}; one number a sample, ({count},), is expected.")
    with np.errstate(over="ignore"):
        total = weights.sum()
    if not np.isfinite(total) or (weights < 0).any():
        raise ShapeError("sample_weight must be finite numbers of at least 0, with a finite sum.")
    if not weights.any():
        raise ShapeError("all sample weights are 0: there is nothing to learn from.")
    return _scaled(weights)


def check_some_count(samples: Samples, what: str) -> None:
    """Raise `ArgumentError` if all weights of these samples are 0."""
    if samples.weights is not None and not samples.weights[samples.rows].any():
        raise ArgumentError(f"all sample weights of the {what} samples are 0; give validation=(x, y), or other weights.")


def weights_by_class(class_weight: ClassWeight, samples: Samples, output: OutputLayer) -> Array:
    """The weights of all samples (N,): each one's own times that of its class; raises `ArgumentError`."""
    classes = class_numbers(samples.y) if isinstance(output, ClassifyingOutput) else None
    if not isinstance(output, ClassifyingOutput) or classes is None:
        raise ArgumentError("class_weight needs class numbers or one-hot rows as targets; use sample_weight here.")
    weights = _scaled(_class_weights(class_weight, classes[samples.rows], output.num_labels))[classes]
    if samples.weights is not None:
        weights = weights * samples.weights
    if not weights[samples.rows].any():
        raise ArgumentError("all weights are 0: there is nothing to learn from.")
    return _scaled(weights)


def _scaled(weights: Array) -> Array:
    """The weights times a power of 2, so that the largest is in [1/2, 1), and those below `LEAST` are 0.

    Every mean over samples divides by the sum of the weights, so it stays what it was, bit for bit; and no sum or product
    of weights and losses leaves the range of float64, where the engines would differ.
    """
    scaled = np.ldexp(weights, -np.frexp(weights.max())[1])
    scaled[scaled < LEAST] = 0.0
    return scaled


def _class_weights(class_weight: ClassWeight, targets: AnyArray, num_labels: int) -> Array:
    """One weight a class (K,); "balanced" is N / (K count), so that all classes weigh the same."""
    if isinstance(class_weight, str) and class_weight == "balanced":
        counts = np.bincount(targets, minlength=num_labels)
        return len(targets) / (num_labels * np.maximum(counts, 1))
    if not isinstance(class_weight, dict):
        raise ArgumentError(f'class_weight is a dict from class to weight, or "balanced", not {class_weight!r}.')
    weights = np.ones(num_labels)
    for label, weight in class_weight.items():
        if isinstance(label, bool) or not isinstance(label, int | np.integer) or not 0 <= label < num_labels:
            raise ArgumentError(f"class_weight names the class {label!r}; there are 0 to {num_labels - 1}.")
        weights[label] = number_between(weight, f"class_weight[{label}]", 0.0)
    return weights
