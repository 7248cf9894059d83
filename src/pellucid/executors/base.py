"""The interface of executors, which run the training steps of a stack of layers.

The layers define every number; an executor only decides how it is computed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from pellucid.core.checks import instance_of
from pellucid.core.errors import DivergenceError
from pellucid.core.shapes import Array
from pellucid.data.samples import Batch, BatchIndices
from pellucid.mathematics.clipping import Clipping
from pellucid.mathematics.optimizers import Optimizer
from pellucid.mathematics.regularizers import Regularizer
from pellucid.nn.stack import Stack


@dataclass(frozen=True)
class Rules:
    """How a gradient becomes an update."""

    optimizer: Optimizer
    regularizer: Regularizer | None = None
    clipping: Clipping | None = None

    def __post_init__(self) -> None:
        instance_of(self.optimizer, Optimizer, "optimizer")
        if self.regularizer is not None:
            instance_of(self.regularizer, Regularizer, "regularizer")
        if self.clipping is not None:
            instance_of(self.clipping, Clipping, "clipping")


@dataclass
class OptimizerState:
    """What the optimizer remembers: its slots (P,) by name, and the number of updates made."""

    slots: dict[str, Array] = field(default_factory=dict)
    updates: int = 0

    @classmethod
    def fresh(cls, optimizer: Optimizer, parameters: Array) -> OptimizerState:
        """All slots zero, no update made."""
        return cls({name: np.zeros_like(parameters) for name in optimizer.needed_slots()})


class Executor(ABC):
    """The interface. ``name`` is what ``network.engine`` and ``pellucid info`` show."""

    name: str
    note: str = ""  # why it is NumPy, or with which instructions the native one runs

    @property
    def steps_at_once(self) -> int:
        """How many steps one call should make, if no listener needs to hear of each before the next."""
        return 1

    @abstractmethod
    def train_steps(self, batches: Sequence[BatchIndices], step: int, rates: Sequence[float]) -> list[dict[str, float]]:
        """Update the parameters once for each batch, with its learning rate; ``step`` counts the updates made before.

        Gives the mean loss and metric of each batch before its update. May make fewer steps than asked, at least one.
        Raises `DivergenceError`, naming layer and step, when a number is not finite; the parameters are then the last
        ones that were finite and gave a finite loss.
        """

    def settle(self) -> None:  # noqa: B027 - most executors have nothing to do
        """Bring the named views of parameters and state up to date, if this executor works on copies."""


def targets_of(stack: Stack, batch: Batch) -> Array:
    """The targets of a batch, (B, num_outputs), mixed as its inputs are."""
    targets = stack.output.targets(batch.y, stack.dtype)
    return targets if batch.mixture is None else batch.mixture.of(targets)


def diverged(step: int, what: str, where: str) -> DivergenceError:
    """The error for training that diverged at a step (from 0): what is not finite, and where it began."""
    return DivergenceError(
        f"training diverged at step {step + 1}: {what}; {where}. The last good parameters were kept.",
        "A smaller learning rate, inputs scaled to about 1, or clipping=pl.ClipByGlobalNorm(1.0) usually help.",
    )
