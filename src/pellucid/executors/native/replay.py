"""Going back without having copied at each step: the last steps are made again, bit by bit, from an earlier copy.

A step is a function of its position, so this gives the numbers that were there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.core.shapes import AnyArray

STEPS_BETWEEN_COPIES = 64
BYTES_BETWEEN_COPIES = 64 << 20  # of inputs that augmentation has made

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class Data:
    """Samples in the form that the plan reads: x (N, D) uint8 or float32, y as labels (N,) or targets (N, V)."""

    x: AnyArray
    labels: NDArray[np.int32] | None
    targets: Float32 | None
    weights: NDArray[np.float64] | None


@dataclass(frozen=True)
class StepBlock:
    """Steps that the plan makes in one go; enough to make them again."""

    data: Data
    rows: NDArray[np.int64]
    rates: NDArray[np.float64]
    step: int
    update: int

    def first(self, count: int, batch_size: int) -> StepBlock:
        """Its first steps alone."""
        return StepBlock(self.data, self.rows[: count * batch_size], self.rates[:count], self.step, self.update)


class Copy:
    """Parameters, state and slots at one moment, and the blocks done since."""

    def __init__(self, parameters: Float32, state: Float32, slots: Sequence[Float32]) -> None:
        self.parameters, self.state, self.slots = parameters.copy(), state.copy(), [slot.copy() for slot in slots]
        self.blocks: list[StepBlock] = []
        self.steps = self.bytes = 0

    def add(self, block: StepBlock, owns_inputs: bool) -> None:
        """Note a block done; inputs that were made for it stay in memory with it."""
        self.blocks.append(block)
        self.steps += len(block.rates)
        self.bytes += block.data.x.nbytes if owns_inputs else 0


class Replay:
    """The last one or two copies, so that there is always a step to go back, and the blocks since.

    ``make`` lets the plan make a block of steps, ``load`` gives it the numbers of a copy, ``take`` copies what it holds.
    """

    def __init__(
        self,
        make: Callable[[StepBlock], object],
        load: Callable[[Copy], None],
        take: Callable[[Copy], Copy],
        batch_size: int,
    ) -> None:
        self._make, self._load, self._take = make, load, take
        self._batch_size = batch_size
        self._copies: list[Copy] = []

    def begin(self, copy: Copy) -> None:
        """The next steps start from this copy."""
        self._copies = [*self._copies[-1:], copy]

    def remember(self, block: StepBlock, owns_inputs: bool) -> None:
        """Note a block done; after some steps, take a new copy to start from."""
        last = self._copies[-1]
        last.add(block, owns_inputs)
        if last.steps >= STEPS_BETWEEN_COPIES or last.bytes >= BYTES_BETWEEN_COPIES:
            self._copies = [last, self.now()]
        elif len(self._copies) > 1 and last.steps:
            del self._copies[0]

    def now(self) -> Copy:
        """What the plan holds."""
        return self._take(self._copies[-1])

    def before(self, block: StepBlock, back: int) -> Copy:
        """The numbers ``back`` steps before the end of the block (or the earliest known); the plan holds them, too."""
        last = self._copies[-1]
        origin = last if last.steps + len(block.rates) >= back else self._copies[0]
        blocks = [*origin.blocks, block] if origin is last else origin.blocks
        left = sum(len(one.rates) for one in blocks) - (back if origin is last else back - last.steps - len(block.rates))
        self._load(origin)
        for again in blocks:
            part = again.first(min(max(left, 0), len(again.rates)), self._batch_size)
            if len(part.rates):
                self._make(part)
            left -= len(part.rates)
        return self.now()
