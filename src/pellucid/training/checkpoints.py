"""Checkpoints: all that training needs to continue from a step; and those that a run can go back to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from pellucid.core.shapes import Array
from pellucid.executors.base import OptimizerState
from pellucid.mathematics.means import WeightedMeans
from pellucid.training.early_stopping import Waiting
from pellucid.training.timeline import Timeline

MOST_BYTES = 64 << 20
MOST_CHECKPOINTS = 400
FEWEST_CHECKPOINTS = 3  # the beginning and the last two, however large they are


@dataclass(frozen=True)
class Checkpoint:
    """All that training needs to continue as if it had never stopped.

    step, epoch   steps made and epochs begun in the life of the network
    within        steps made in the current epoch; 0 between two epochs
    made          steps made since this training began
    ended         "completed" or "stopped early" if this training has ended; else None
    losses        of the epochs finished in this training, as schedules monitor them
    means         mean loss and metric of the current epoch so far
    waiting       the state of early stopping
    restored      the epoch whose parameters early stopping has restored; 0 if it has not
    parameters, state, optimizer_state   the numbers of the network and of its optimizer
    """

    step: int
    epoch: int
    within: int
    made: int
    ended: str | None
    losses: tuple[float, ...]
    means: WeightedMeans
    waiting: Waiting
    restored: int
    parameters: Array
    state: Array
    optimizer_state: OptimizerState

    @cached_property
    def nbytes(self) -> int:
        own = (self.parameters, self.state, *self.optimizer_state.slots.values())
        return sum(vector.nbytes for vector in own) + self.waiting.nbytes


def checkpoints(most_bytes: int = MOST_BYTES, most: int = MOST_CHECKPOINTS) -> Timeline[Checkpoint]:
    """The checkpoints of a run: at most ``most``, of at most ``most_bytes``."""

    def are_too_many(kept: list[Checkpoint]) -> bool:
        if len(kept) <= FEWEST_CHECKPOINTS:
            return False
        return len(kept) > most or sum(checkpoint.nbytes for checkpoint in kept) > most_bytes

    return Timeline(lambda checkpoint: checkpoint.step, are_too_many)
