"""A case: the samples whose answers are to be explained, and which number of the network counts as the answer's score."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.core.checks import as_numbers, plain_list
from pellucid.core.errors import ArgumentError, DivergenceError, ShapeError
from pellucid.core.shapes import AnyArray, Array
from pellucid.executors.logits import block_size, compute_logits
from pellucid.nn.layers.base import Context
from pellucid.nn.layers.outputs.classification import BinaryClassification, ClassifyingOutput
from pellucid.nn.layers.outputs.output import OutputLayer
from pellucid.nn.stack import Stack

FLOAT64: np.dtype[Any] = np.dtype(np.float64)
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Case:
    """``stack`` is the network in float64, ``x`` (B, ...) the samples as they were given, ``numbers`` the same as the
    network reads them (pixels as x / 255), ``unit`` the factor between the two.

    The score of a sample is a weighted sum of its logits (B, K): score_b = sum_k selector_bk logits_bk. The selector has
    a 1 at the ``target`` (B,), and a -1 at the class that it is compared ``against`` (B,), if there is one.
    """

    stack: Stack
    x: AnyArray
    numbers: Array
    unit: float
    target: Indices
    against: Indices | None
    selector: Array

    def __len__(self) -> int:
        return len(self.x)

    def blocks(self) -> Iterator[tuple[Array, Array]]:
        """(numbers, selector) of a part of the samples at a time, whose intermediate numbers fit into the memory."""
        step = block_size(self.stack)
        for start in range(0, len(self), step):
            yield self.numbers[start : start + step], self.selector[start : start + step]


def case_of(network: object, x: Any, target: Any = None, against: Any = None) -> Case:
    """The case of these samples, checked.

    target    a class number, or one for each sample (B,); None: the class that the network chooses. For a regression the
              number of the value, None if there is only one. For yes or no, the score of 1 is the logit z, that of 0 is -z
    against   a class: the score is then the logit of ``target`` minus that of this class
    """
    stack = check_network(network).twin(FLOAT64)
    checked = stack.input.check(x)
    numbers, cache = stack.input.forward({}, checked, Context(dtype=FLOAT64))
    output, count = stack.output, len(checked)
    chosen = _target(stack, numbers, target)
    selector = np.zeros((count, output.num_outputs))
    if isinstance(output, BinaryClassification):
        selector[:, 0] = 2.0 * chosen - 1
    else:
        selector[np.arange(count), chosen] = 1.0
    other = None if against is None else _against(output, against, chosen)
    if other is not None:
        selector[np.arange(count), other] = -1.0
    return Case(stack, checked, numbers, cache.scale, chosen, other, selector)


def check_network(network: object) -> Stack:
    """``network`` if it is one, else an `ArgumentError`."""
    if not isinstance(network, Stack):
        raise ArgumentError(f"a network is expected, not {type(network).__name__}; of a model, take model.network.")
    return network


def check_columns(columns: object, stack: Stack) -> tuple[str, ...] | None:
    """The names of the columns of a table, checked, or None."""
    if columns is None:
        return None
    shape = stack.input.shape
    if len(shape) != 1:
        raise ArgumentError(f"columns names those of a table (B, D); this network takes samples of the shape {shape}.")
    columns = plain_list(columns)
    if not isinstance(columns, list) or not all(isinstance(name, str) for name in columns):
        raise ArgumentError(f"columns is a list of names, not {columns!r}.")
    if len(columns) != shape[0] or len(set(columns)) != len(columns):
        raise ArgumentError(f"columns has {len(set(columns))} different names; the network takes {shape[0]} columns.")
    return tuple(columns)


def score_of(logits: Array, selector: Array) -> Array:
    """(B,): sum_k selector_bk logits_bk, whose gradient by the logits is the selector."""
    return np.einsum("bk,bk->b", logits, selector)


def gradient(stack: Stack, numbers: Array, selector: Array) -> Array:
    """dscore/dx of each sample, (B, ...), as in prediction: the selector, taken down by the chain rule of the layers."""
    arrays = stack.arrays()
    of_parameters = stack.gradient_arrays(np.empty_like(stack.parameters.vector))  # which nobody reads
    with np.errstate(all="ignore"):  # what is not finite is named below
        done = stack.propagate(numbers, arrays, needs_dx=True, keep=True)
        dx = stack.backpropagate(done, selector, arrays, of_parameters, needs_dx=True)
    assert dx is not None
    check_finite(score_of(done.logits, selector), dx)
    return dx


def check_finite(score: Array, dx: Array) -> None:
    """Nothing, or a `DivergenceError`."""
    if not (np.isfinite(score).all() and np.isfinite(dx).all()):
        raise DivergenceError(
            "the score or its gradient is not finite, so it cannot be divided among the inputs: scale them as in training, "
            "or look for parameters that are not finite."
        )


def _target(stack: Stack, numbers: Array, target: Any) -> Indices:
    output = stack.output
    if target is not None:
        return _indices(target, len(numbers), _choices(output), "target")
    if isinstance(output, ClassifyingOutput):
        return output.predict(compute_logits(stack, numbers)).astype(np.int64)
    if output.num_outputs > 1:
        raise ArgumentError(
            f"the network predicts {output.num_outputs} values; say which one to explain: target=0 to "
            f"{output.num_outputs - 1}."
        )
    return np.zeros(len(numbers), np.int64)


def _against(output: OutputLayer, against: Any, target: Indices) -> Indices:
    if not isinstance(output, ClassifyingOutput) or isinstance(output, BinaryClassification):
        raise ArgumentError("against compares one class with another; this network has no two logits to compare.")
    other = _indices(against, len(target), _choices(output), "against")
    if (other == target).any():
        same = int(other[other == target][0])
        raise ArgumentError(f"target and against are both {same}; a class can only be compared with another one.")
    return other


def _choices(output: OutputLayer) -> int:
    return output.num_labels if isinstance(output, ClassifyingOutput) else output.num_outputs


def _indices(value: Any, count: int, choices: int, what: str) -> Indices:
    """One number for all samples, or one for each."""
    expected = f"a whole number from 0 to {choices - 1} is expected, or one for each sample, (B,)"
    array = as_numbers(value, what, expected)
    if array.shape not in ((), (count,)):
        raise ShapeError(f"{what} has the shape {array.shape} for {count} samples; {expected}.")
    if not np.issubdtype(array.dtype, np.integer) or (array < 0).any() or (array >= choices).any():
        raise ArgumentError(f"{what} is {value!r}; {expected}.")
    return np.broadcast_to(array.astype(np.int64), (count,))
