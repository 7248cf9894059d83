"""The listeners of a run.

Training never waits for a page: events go into the `Mailbox` of each listener, where a new state or look replaces an older
one that was not fetched yet.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

MOST_WAITING = 200  # events that do not replace each other
REPLACED = ("state", "look", "kept")  # of these only the newest one counts


def written(events: list[tuple[str, Any]]) -> list[tuple[str, str]]:
    """Each event's name, and its data as JSON."""
    return [(name, json.dumps(data)) for name, data in events]


class Mailbox:
    """The events that one listener has not fetched yet; ``wake`` is called, from any thread, for the first of them."""

    def __init__(self, wake: Callable[[], object]) -> None:
        self.is_closed = False
        self._wake = wake
        self._is_woken = False
        self._newest: dict[str, str] = {}
        self._all: deque[tuple[str, str]] = deque(maxlen=MOST_WAITING)

    def put(self, name: str, data: str) -> None:
        if name in REPLACED:
            self._newest[name] = data
        else:
            self._all.append((name, data))

    def take(self) -> list[tuple[str, str]]:
        """All events since the last call, as name and JSON."""
        self._is_woken = False  # before anything is taken, so that an event in the meantime wakes again
        taken = [(name, self._newest.pop(name)) for name in REPLACED if name in self._newest]
        while self._all:
            taken.append(self._all.popleft())
        return taken

    def wake(self) -> None:
        if self._is_woken:
            return
        self._is_woken = True
        with suppress(RuntimeError):  # the event loop of the listener has ended
            self._wake()

    def close(self) -> None:
        self.is_closed, self._is_woken = True, False
        self.wake()


class Watch:
    """The listeners of one run."""

    def __init__(self) -> None:
        self._mailboxes: tuple[Mailbox, ...] = ()
        self._is_closed = False

    @property
    def has_listeners(self) -> bool:
        return bool(self._mailboxes)

    def join(self, mailbox: Mailbox) -> None:
        self._mailboxes = (*self._mailboxes, mailbox)
        if self._is_closed:
            mailbox.close()

    def leave(self, mailbox: Mailbox) -> None:
        self._mailboxes = tuple(other for other in self._mailboxes if other is not mailbox)

    def tell(self, events: list[tuple[str, Any]]) -> None:
        """Put these events, (name, data), into every mailbox."""
        mailboxes = self._mailboxes
        if not mailboxes or not events:
            return
        texts = written(events)
        for mailbox in mailboxes:
            for name, text in texts:
                mailbox.put(name, text)
            mailbox.wake()

    def close(self) -> None:
        """Close all mailboxes, and those that join later."""
        self._is_closed = True
        for mailbox in self._mailboxes:
            mailbox.close()
