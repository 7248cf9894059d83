"""How many threads run the steps. The results do not depend on it, bit for bit."""

from __future__ import annotations

import math

from pellucid.core.machine import available_cores
from pellucid.core.shapes import size_of
from pellucid.executors.native.compile_images import multiply_adds
from pellucid.nn.stack import Stack

CALLS_TO_WARM_UP = 8
OFTEN, SELDOM = 6, 100  # calls between two trials, while steps are slow and while they are not
SLOW = 1.5  # times as long as the fastest step
WORK_OF_A_THREAD = 400_000  # operations of a step: some microseconds, more than a thread costs


def default_threads(stack: Stack, batch_size: int) -> int:
    """As many as there are cores, but no more than the work of a step keeps busy."""
    weights = sum(size_of(slot.spec.shape) for slot in stack.parameters.layout.slots.values() if slot.spec.is_weight)
    work = 6 * batch_size * multiply_adds(stack) + 32 * weights  # an update takes about 32 operations a weight
    return max(1, min(available_cores(), work // WORK_OF_A_THREAD))


class Crew:
    """How many threads run: ``most``, or fewer while other programs use the machine.

    Threads wait for each other several times a step, so one busy core slows all of them. When steps take much longer than
    the fastest ones did (and seldom otherwise), a short call tries half as many threads, and the faster number is kept;
    later the larger number is tried again.
    """

    def __init__(self, most: int) -> None:
        self.most = self.size = self._usual = most
        self._lately: dict[int, float] = {}  # seconds a step, by size
        self._least = math.inf
        self._calls = 0

    @property
    def is_trying(self) -> bool:
        return self.size != self._usual

    def record(self, seconds: float) -> None:
        """Note the seconds a step of a call with this ``size``, and decide the size of the next call."""
        before = self._lately.get(self.size, seconds)
        self._lately[self.size] = seconds if self.is_trying else (before + seconds) / 2
        if self._calls >= CALLS_TO_WARM_UP and not self.is_trying and self.size == self.most:
            self._least = min(self._least, seconds)
        self._calls += 1
        self._usual = min(self._lately, key=lambda size: (self._lately[size], -size))
        self.size = self._usual
        is_slow = self._usual < self.most or self._lately[self._usual] > SLOW * self._least
        if self._calls == CALLS_TO_WARM_UP or self._calls % (OFTEN if is_slow else SELDOM) == 0:
            self.size = min(2 * self._usual, self.most) if self._usual < self.most else max(self.most // 2, 1)
