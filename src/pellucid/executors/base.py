"""What an executor is: it runs the steps of training a stack of layers.

The meaning of every number is in the layers; an executor decides only how it is computed. `Rules` is what a step needs
besides the network: which optimizer, what price on weights, what bound on the gradient.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from pellucid.core.errors import DivergenceError
from pellucid.core.shapes import Array, instance_of
from pellucid.data.samples import Draw
from pellucid.mathematics.clipping import Clipping
from pellucid.mathematics.optimizers import Optimizer
from pellucid.mathematics.regularizers import Regularizer
from pellucid.nn.parameters import Slot
from pellucid.nn.stack import Stack


@dataclass(frozen=True)
class Rules:
    """How a gradient becomes a step."""

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
    note: str = ""  # why this one runs, or what it runs on

    @property
    def steps_at_once(self) -> int:
        """How many steps are best made by one call, when nobody needs to hear of each before the next."""
        return 1

    @abstractmethod
    def train_steps(self, draws: Sequence[Draw], step: int, rates: Sequence[float]) -> list[dict[str, float]]:
        """One update of the network's parameters for each draw, the first of them step number ``step`` of the network's
        life; gives for each the batch's mean loss and metric before it. It may make fewer steps than asked, at least one.

        Raises `DivergenceError`, naming layer and step, when a number is not finite; the parameters are then the last
        ones that were finite and gave a finite loss.
        """

    def settle(self) -> None:  # noqa: B027 - most executors have nothing to do
        """Bring the named views of parameters and state up to date, if this executor works elsewhere."""


def diverged(step: int, what: str, where: str) -> DivergenceError:
    """The error for a training that cannot go on: at which step, what was not finite, where it began, what helps."""
    return DivergenceError(
        f"training diverged at step {step + 1}: {what}; {where}. The last good parameters were kept. "
        f"A smaller learning rate, inputs scaled to about 1, or clipping=pl.ClipByGlobalNorm(1.0) usually help."
    )


def price_of(stack: Stack, slot: Slot, common: Regularizer | None) -> Regularizer | None:
    """The regularizer of one array: its layer's own, else the common one; None for biases and the like."""
    if not slot.spec.is_weight:
        return None
    name, own = slot.name.split(".", 1)
    layer = next(node.layer for node in stack.nodes if node.name == name)
    return layer.penalty_of(own) or common


def is_priced(stack: Stack, common: Regularizer | None) -> bool:
    """Whether any weight of the network has a regularizer."""
    return any(price_of(stack, slot, common) is not None for slot in stack.parameters.layout.slots.values())


def penalty(stack: Stack, common: Regularizer | None, parameters: Array | None = None) -> float:
    """The price of all weights: what is added to the loss to make the objective."""
    vector = stack.parameters.vector if parameters is None else parameters
    total = 0.0
    for name, slot in stack.parameters.layout.slots.items():
        price = price_of(stack, slot, common)
        if price is not None:
            total += price.penalty(stack.parameters.layout.view(vector, name))
    return total
