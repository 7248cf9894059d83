"""How many threads make the steps. No bit depends on it."""

from __future__ import annotations

import math

from pellucid.core.machine import available_cores
from pellucid.core.shapes import size_of
from pellucid.executors.native.compile_images import multiply_adds
from pellucid.nn.stack import Stack

CALLS_TO_WARM_UP, OFTEN, SELDOM, SLOW = 8, 6, 100, 1.5
WORK_OF_A_THREAD = 400_000  # operations of a step: some microseconds, more than a thread costs


def default_threads(stack: Stack, batch_size: int) -> int:
    """As many as there are cores, but no more than the work of a step keeps busy; the bits are the same anyway."""
    weights = sum(size_of(slot.spec.shape) for slot in stack.parameters.layout.slots.values() if slot.spec.is_weight)
    work = 6 * batch_size * multiply_adds(stack) + 32 * weights  # products, and an update of about 32 operations
    return max(1, min(available_cores(), work // WORK_OF_A_THREAD))


class Crew:
    """How many threads work: ``most`` of them, or fewer while other programs use the machine. No bit depends on it.

    Threads that meet several times in a step lose more to a core that is taken away than one alone. So when steps take much
    longer than they did at best (and seldom otherwise), a short call is made by half as many, and the faster size is kept;
    by and by the larger one is tried again.
    """

    def __init__(self, most: int) -> None:
        self.most = self.size = self._usual = most
        self._lately: dict[int, float] = {}  # seconds a step, by size
        self._least = math.inf
        self._calls = 0

    @property
    def is_trying(self) -> bool:
        return self.size != self._usual

    def learn(self, seconds: float) -> None:
        """A call with this ``size`` took so long for each of its steps; decides the size of the next."""
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
