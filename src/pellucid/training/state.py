"""How far a network has come in its life."""

from __future__ import annotations

from dataclasses import dataclass, field

from pellucid.executors.base import OptimizerState
from pellucid.mathematics.optimizers import Optimizer
from pellucid.nn.stack import Stack


@dataclass
class TrainingState:
    """How far a network has come: epochs begun and steps made in its life, what its optimizer remembers, and the settings
    of the last training in words."""

    epoch: int = 0
    step: int = 0
    optimizer: Optimizer | None = None
    optimizer_state: OptimizerState = field(default_factory=OptimizerState)
    settings: dict[str, str] = field(default_factory=dict)

    def use(self, optimizer: Optimizer, stack: Stack) -> None:
        """Go on with ``optimizer``; it keeps its memory if it needs the same slots as before, else starts afresh."""
        same = type(optimizer) is type(self.optimizer) and set(self.optimizer_state.slots) == set(optimizer.needed_slots())
        if not same:
            self.optimizer_state = OptimizerState.fresh(optimizer, stack.parameters.vector)
        self.optimizer = optimizer
