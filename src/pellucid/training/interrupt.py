"""Ctrl-C between two steps, never inside of one; and the signals that end a process, heard as Ctrl-C."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INSIST = 1.0  # seconds: a second Ctrl-C this long after the first does not wait for the end of the step
ENDS = ("SIGTERM", "SIGHUP")  # a machine that stops, a terminal that goes away


class Interrupt:
    """Whether Ctrl-C was pressed, and when; ``number`` is that of the signal."""

    def __init__(self) -> None:
        self.pressed_at: float | None = None
        self.number: int = signal.SIGINT

    def check(self) -> None:
        """Raise `KeyboardInterrupt` if it was; called between two steps."""
        if self.pressed_at is not None:
            raise KeyboardInterrupt

    def handle(self, number: int, frame: FrameType | None) -> None:
        """The signal handler."""
        now = time.monotonic()
        if self.pressed_at is not None and now - self.pressed_at > INSIST:
            raise KeyboardInterrupt
        if self.pressed_at is None:
            self.pressed_at, self.number = now, number


_active: list[Interrupt] = []


@contextmanager
def deferred_interrupt(*, also_ends: bool = False) -> Iterator[Interrupt]:
    """Within it, Ctrl-C is only noted, for `Interrupt.check` to raise; pressed again a second later, it acts at once. With
    ``also_ends`` the signals `ENDS` are noted too, which else end the process without a word.

    A nested one gives the `Interrupt` of the outer one. Outside the main thread, where signals cannot be handled, and with
    a handler of the user's own, nothing changes, and the `Interrupt` given is never pressed.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and _active:
        yield _active[-1]
        return
    interrupt, previous = Interrupt(), {}
    if is_main:
        defaults = {signal.SIGINT: signal.default_int_handler}
        if also_ends:
            defaults |= {getattr(signal, name): signal.SIG_DFL for name in ENDS if hasattr(signal, name)}
        previous = {number: usual for number, usual in defaults.items() if signal.getsignal(number) is usual}
    if not previous:
        yield interrupt
        return
    _active.append(interrupt)
    for number in previous:
        signal.signal(number, interrupt.handle)
    try:
        yield interrupt
    finally:
        for number, usual in previous.items():
            signal.signal(number, usual)
        _active.pop()
