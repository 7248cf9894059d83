"""Restores the parameters of an earlier step by running the last steps again from a copy, with the same bits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pellucid.core.shapes import AnyArray

if TYPE_CHECKING:
    from pellucid._native import Plan

STEPS_BETWEEN_COPIES = 64
BYTES_BETWEEN_COPIES = 64 << 20  # of augmented inputs

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class Data:
    """Samples as the plan takes them: x (N, D) uint8 or float32, y as labels (N,) or targets (N, V)."""

    x: AnyArray
    labels: NDArray[np.int32] | None
    targets: Float32 | None
    weights: NDArray[np.float64] | None


@dataclass(frozen=True)
class StepBlock:
    """The steps of one call of the plan, with all that is needed to run them again."""

    data: Data
    rows: NDArray[np.int64]
    rates: NDArray[np.float64]
    step: int
    update: int

    def first(self, count: int, batch_size: int) -> StepBlock:
        """The first ``count`` steps."""
        return StepBlock(self.data, self.rows[: count * batch_size], self.rates[:count], self.step, self.update)


class Copy:
    """Parameters, state and slots after some step, and the blocks run since."""

    def __init__(self, parameters: Float32, state: Float32, slots: Sequence[Float32]) -> None:
        self.parameters, self.state, self.slots = parameters.copy(), state.copy(), [slot.copy() for slot in slots]
        self.blocks: list[StepBlock] = []
        self.steps = self.bytes = 0

    def add(self, block: StepBlock, owns_inputs: bool) -> None:
        """Note a block that was run; ``owns_inputs`` if its inputs were made for it and stay in memory."""
        self.blocks.append(block)
        self.steps += len(block.rates)
        self.bytes += block.data.x.nbytes if owns_inputs else 0


class Replay:
    """The last one or two copies, so that there is always a step to go back to, and the blocks run since.

    ``run`` lets the plan run a block.
    """

    def __init__(self, plan: Plan, run: Callable[[StepBlock], object], batch_size: int) -> None:
        self._plan, self._run, self._batch_size = plan, run, batch_size
        self._copies: list[Copy] = []

    def begin(self, copy: Copy) -> None:
        """Start from this copy."""
        self._copies = [*self._copies[-1:], copy]

    def remember(self, block: StepBlock, owns_inputs: bool) -> None:
        """Note a block that was run; after some steps, take a new copy."""
        last = self._copies[-1]
        last.add(block, owns_inputs)
        if last.steps >= STEPS_BETWEEN_COPIES or last.bytes >= BYTES_BETWEEN_COPIES:
            self._copies = [last, self.now()]
        elif len(self._copies) > 1 and last.steps:
            del self._copies[0]

    def now(self) -> Copy:
        """A copy of what the plan holds."""
        last = self._copies[-1]
        copy = Copy(last.parameters, last.state, last.slots)  # for arrays of these sizes
        self._plan.store(copy.parameters, copy.state, copy.slots)
        return copy

    def before(self, block: StepBlock, back: int) -> Copy:
        """The state ``back`` steps before the end of the block (or the earliest known), which the plan then holds too."""
        last = self._copies[-1]
        left = last.steps + len(block.rates) - back
        origin = last if left >= 0 else self._copies[0]
        left += 0 if origin is last else origin.steps
        self._plan.load(origin.parameters, origin.state, origin.slots)
        for again in (*origin.blocks, block):
            part = again.first(max(left, 0), self._batch_size)
            if len(part.rates):
                self._run(part)
            left -= len(part.rates)
        return self.now()
