"""A lock that is given in the order in which it was asked for.

A thread that trains asks for its turn again as soon as it has given it back; with a usual lock it could keep all others
waiting for ever. Several runs that share one `Turns` train by turns, and whoever wants to read a run comes between two of
its steps.
"""

from __future__ import annotations

import threading
from collections import deque


class Turns:
    """``with turns:`` waits for its turn. One thread must not ask for a turn within its turn."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._line: deque[threading.Lock] = deque()  # the first one is having its turn

    def __enter__(self) -> None:
        mine = threading.Lock()
        mine.acquire()
        with self._guard:
            self._line.append(mine)
            if len(self._line) == 1:
                mine.release()
        mine.acquire()

    def __exit__(self, *error: object) -> None:
        with self._guard:
            self._line.popleft()
            if self._line:
                self._line[0].release()
