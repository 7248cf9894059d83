"""Ctrl-C between two steps, never inside of one."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INSIST = 1.0  # seconds: a second Ctrl-C this long after the first does not wait for the end of the step


class Interrupt:
    """Whether Ctrl-C was pressed, and when."""

    def __init__(self) -> None:
        self.pressed_at: float | None = None

    def check(self) -> None:
        """Raise `KeyboardInterrupt` if it was; called between two steps."""
        if self.pressed_at is not None:
            raise KeyboardInterrupt

    def handle(self, number: int, frame: FrameType | None) -> None:
        """The signal handler."""
        now = time.monotonic()
        if self.pressed_at is not None and now - self.pressed_at > INSIST:
            raise KeyboardInterrupt
        self.pressed_at = self.pressed_at or now


_active: list[Interrupt] = []


@contextmanager
def deferred_interrupt() -> Iterator[Interrupt]:
    """Within it, Ctrl-C is only noted, for `Interrupt.check` to raise; pressed again a second later, it acts at once.

    A nested one gives the `Interrupt` of the outer one. Outside the main thread, where signals cannot be handled, and with
    a handler of the user's own, nothing changes, and the `Interrupt` given is never pressed.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and _active:
        yield _active[-1]
        return
    interrupt = Interrupt()
    previous = signal.getsignal(signal.SIGINT)
    if not is_main or previous is not signal.default_int_handler:
        yield interrupt
        return
    _active.append(interrupt)
    signal.signal(signal.SIGINT, interrupt.handle)
    try:
        yield interrupt
    finally:
        signal.signal(signal.SIGINT, previous)
        _active.pop()
