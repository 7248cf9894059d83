"""Samples, and batches of them: which come in which order, gathered only when a step needs them.

The data stay as they were given (uint8 pixels stay bytes); a split is a list of row numbers, not a copy. The order is a
pure function of (seed, epoch), an augmentation of (seed, step), so any earlier batch can be made again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from pellucid.core import random
from pellucid.core.errors import ArgumentError
from pellucid.core.shapes import AnyArray, Array, Shape, describe
from pellucid.data.augmentation.mixup import Mixes, Mixture

Augmentation: TypeAlias = Callable[[AnyArray, random.Key], Array]
"""Changes a batch of inputs (B, ...) at random: a pure function of the batch and the key.

One that `Mixes` also says how inputs and targets are mixed after that.
"""


@dataclass(frozen=True)
class Batch:
    """Samples for one step: x as `Input` takes it, y in the output layer's compact form, weights (B,) or None.

    With a ``mixture``, x is mixed already; the executor mixes the targets that it makes of y.
    """

    x: AnyArray
    y: AnyArray
    weights: Array | None = None
    mixture: Mixture | None = None


@dataclass(frozen=True)
class Samples:
    """Checked samples: the ``rows`` in use of x (N, ...), y and weights (N,)."""

    x: AnyArray
    y: AnyArray
    rows: NDArray[np.int64]
    weights: Array | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, rows: NDArray[np.int64]) -> Batch:
        """The batch of these rows of x."""
        return Batch(self.x[rows], self.y[rows], None if self.weights is None else self.weights[rows])

    def in_order(self, size: int) -> Iterator[Batch]:
        """All samples in batches, for evaluation."""
        for start in range(0, len(self), size):
            yield self.take(self.rows[start : start + size])

    def epoch(
        self, size: int, *, seed: int, epoch: int, first_step: int, shuffle: bool, augment: Augmentation | None
    ) -> Iterator[BatchIndices]:
        """The batches of one epoch, as indices; the last one holds what is left."""
        rows = self.rows
        if shuffle:
            rows = rows[random.permutation(random.key(seed, random.Purpose.SHUFFLE, epoch), len(self))]
        for index, start in enumerate(range(0, len(self), size)):
            yield BatchIndices(self, rows[start : start + size], augment, seed, first_step + index)


@dataclass(frozen=True)
class BatchIndices:
    """Which samples a step sees, before anything is gathered: ``rows`` (B,) of ``samples``, and how they are augmented."""

    samples: Samples
    rows: NDArray[np.int64]
    augment: Augmentation | None
    seed: int
    step: int

    def batch(self) -> Batch:
        """Gather, augment and mix the samples."""
        batch = self.samples.take(self.rows)
        mixes: object = self.augment
        if self.augment is None:
            return batch
        key = random.key(self.seed, random.Purpose.AUGMENT, self.step)
        x = _checked(self.augment(batch.x, key), batch.x.shape)
        mixture = mixes.mixture(len(self.rows), key) if isinstance(mixes, Mixes) else None
        if mixture is not None:
            x = mixture.of(x / np.float32(255) if x.dtype == np.uint8 else x)
        return replace(batch, x=x, mixture=mixture)

    @property
    def weight(self) -> float:
        """The sum of the weights: how much the step counts in a mean over steps."""
        weights = self.samples.weights
        return float(len(self.rows)) if weights is None else float(weights[self.rows].sum(dtype=np.float64))


def _checked(x: object, shape: Shape) -> AnyArray:
    """The result of an augmentation, if it has the same shape and holds floating-point numbers or pixels."""
    if isinstance(x, np.ndarray) and x.shape == shape and (np.issubdtype(x.dtype, np.floating) or x.dtype == np.uint8):
        return x
    came = describe(x) if isinstance(x, np.ndarray) else type(x).__name__
    raise ArgumentError(f"augment gave {came}; it must give floating-point numbers or uint8 of the shape {shape}.")


def split(samples: Samples, fraction: float, seed: int, labels: AnyArray | None) -> tuple[Samples, Samples]:
    """(training, validation): a random ``fraction`` of the samples is held out.

    With ``labels`` (N,) the split is stratified: each class gives its share, and at least one sample stays for training.
    """
    order = samples.rows[random.permutation(random.key(seed, random.Purpose.SPLIT), len(samples))]
    groups = [order] if labels is None else [order[labels[order] == k] for k in np.unique(labels[order])]
    shares = _shares(np.array([len(group) for group in groups]), fraction)
    validation = np.sort(np.concatenate([group[:share] for group, share in zip(groups, shares, strict=True)]))
    if not len(validation):
        raise ArgumentError(
            f"validation={fraction} of {len(samples)} samples holds none out; use a larger fraction, or give (x, y)."
        )
    training = np.setdiff1d(samples.rows, validation)
    return replace(samples, rows=training), replace(samples, rows=validation)


def _shares(counts: NDArray[np.int64], fraction: float) -> NDArray[np.int64]:
    """How many of each group: together the fraction of all, rounded by largest remainders; never a whole group."""
    exact = counts * fraction
    shares = np.floor(exact).astype(np.int64)
    missing = round(float(counts.sum()) * fraction) - int(shares.sum())
    shares[np.argsort(shares - exact, kind="stable")[:missing]] += 1
    return np.minimum(shares, counts - 1)
