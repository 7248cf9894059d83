"""A fair lock: threads get it in the order in which they asked for it.

A thread that trains asks for it again as soon as it has released it; with an ordinary lock it could starve all others.
Runs that share one `Turns` train alternately, and a thread that reads a run gets in between two of its steps.
"""

from __future__ import annotations

import threading
from collections import deque


class Turns:
    """``with turns:`` waits for its turn. It is not reentrant."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._line: deque[threading.Lock] = deque()  # the first one has its turn

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
