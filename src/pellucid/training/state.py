"""The training state of a network, over all its trainings."""

from __future__ import annotations

from dataclasses import dataclass, field

from pellucid.executors.base import OptimizerState
from pellucid.mathematics.optimizers import Optimizer
from pellucid.nn.stack import Stack


@dataclass
class TrainingState:
    """Epochs begun, steps made, the optimizer and its slots, and the settings of the last training in words."""

    epoch: int = 0
    step: int = 0
    optimizer: Optimizer | None = None
    optimizer_state: OptimizerState = field(default_factory=OptimizerState)
    settings: dict[str, str] = field(default_factory=dict)

    def use(self, optimizer: Optimizer, stack: Stack) -> None:
        """Continue with ``optimizer``, and with the same slots if it is of the same kind and needs the same."""
        same = type(optimizer) is type(self.optimizer) and set(self.optimizer_state.slots) == set(optimizer.needed_slots())
        if not same:
            self.optimizer_state = OptimizerState.fresh(optimizer, stack.parameters.vector)
        self.optimizer = optimizer
