"""How fast a run trains, with a limit that lets eyes follow; and how much time work such as looks may take."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

SECONDS_OF_A_FRAME = 0.04  # of the steps that are made at once, if there is a limit
SECONDS_TO_MEASURE = 0.05
SHARE = 70  # of the time of a look, until the next one; sending and drawing it cost about as much again
LEAST_SECONDS = 0.08  # between two looks: twelve a second are smooth enough


class Pace:
    """``limit`` is how many steps may be made in a second; None: as many as can be."""

    def __init__(self) -> None:
        self.limit: float | None = None
        self._since = (0, 0.0)  # a step and its time, from which the limit counts
        self._measured_since = (0, 0.0)
        self._speed = 0.0

    def start(self, step: int) -> None:
        """Count from this step on."""
        self._since = self._measured_since = step, time.perf_counter()
        self._speed = 0.0

    def most(self) -> int | None:
        """How many steps may be made at once; None: any number."""
        return None if self.limit is None else max(1, round(self.limit * SECONDS_OF_A_FRAME))

    def rest(self, step: int) -> float:
        """Seconds to wait after this step."""
        if self.limit is None:
            return 0.0
        first, since = self._since
        now = time.perf_counter()
        rest = since + (step - first) / self.limit - now
        if rest < 0:  # too slow for the limit: lost time is not made up for
            self._since = step, now
        return max(rest, 0.0)

    def speed(self, step: int) -> float:
        """Steps a second since the last call."""
        first, since = self._measured_since
        now = time.perf_counter()
        if now - since > SECONDS_TO_MEASURE:
            self._speed = (step - first) / (now - since)
            self._measured_since = step, now
        return self._speed


class Budget:
    """Allows work again after ``share`` times its duration, and at least ``least_seconds``."""

    def __init__(self, share: float = SHARE, least_seconds: float = LEAST_SECONDS) -> None:
        self._share = share
        self._least = least_seconds
        self._next = 0.0

    def allows(self) -> bool:
        return time.perf_counter() >= self._next

    def idle_for(self, seconds: float) -> bool:
        """Whether it has been allowed for this time."""
        return time.perf_counter() >= self._next + seconds

    @contextmanager
    def spend(self) -> Iterator[None]:
        """Around the work."""
        start = time.perf_counter()
        try:
            yield
        finally:
            end = time.perf_counter()
            self._next = end + max(self._share * (end - start), self._least)
