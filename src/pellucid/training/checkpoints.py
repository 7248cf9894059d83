"""Checkpoints: all that a training needs to go on from a step; and those that a run can go back to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from pellucid.core.shapes import Array
from pellucid.mathematics.means import WeightedMeans
from pellucid.training.early_stopping import Waiting
from pellucid.training.timeline import Timeline

MOST_BYTES = 64 << 20
MOST_CHECKPOINTS = 400
FEWEST_CHECKPOINTS = 3  # the beginning and the last two, however large they are


@dataclass(frozen=True)
class Checkpoint:
    """All that a training needs to go on as if it had never been left.

    step, epoch   steps made and epochs begun in the life of the network
    within        steps made of the epoch that is under way; 0 between two epochs
    made          steps made since this training began
    ended         "completed" or "stopped early" where this training has ended; else None
    losses        of the epochs finished in this training, as schedules monitor them
    means         of the epoch that is under way
    waiting       what early stopping knows
    parameters, state, slots, updates   the numbers of the network and of its optimizer
    """

    step: int
    epoch: int
    within: int
    made: int
    ended: str | None
    losses: tuple[float, ...]
    means: WeightedMeans
    waiting: Waiting
    parameters: Array
    state: Array
    slots: dict[str, Array]
    updates: int

    @cached_property
    def nbytes(self) -> int:
        own = (self.parameters, self.state, *self.slots.values())
        return sum(vector.nbytes for vector in own) + self.waiting.nbytes


def checkpoints(most_bytes: int = MOST_BYTES, most: int = MOST_CHECKPOINTS) -> Timeline[Checkpoint]:
    """The checkpoints of a run, within so much memory."""

    def are_too_many(kept: list[Checkpoint]) -> bool:
        if len(kept) <= FEWEST_CHECKPOINTS:
            return False
        return len(kept) > most or sum(checkpoint.nbytes for checkpoint in kept) > most_bytes

    return Timeline(lambda checkpoint: checkpoint.step, are_too_many)
