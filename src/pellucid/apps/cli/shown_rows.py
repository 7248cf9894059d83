"""The rows of a long table, with a display on standard error of how far they are read."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from pellucid.core.display.text import printable
from pellucid.data.tables.account import Account
from pellucid.data.tables.frames import NO_OFFSET
from pellucid.data.tables.records import Chunk
from pellucid.data.tables.table import Rows
from pellucid.data.unpacking import is_packed
from pellucid.training.progress import SECONDS_BETWEEN_LINES

SECONDS_BEFORE_BAR = 0.5  # a shorter reading shows nothing


class ShownRows:
    """The rows of a file as they are; on a terminal a bar shows their number and how much of the file is read, elsewhere a
    line does so now and then."""

    def __init__(self, rows: Rows, path: str | os.PathLike[str]) -> None:
        self._rows = rows
        is_plain = os.path.isfile(path) and not is_packed(path)
        self._size = os.path.getsize(path) if is_plain else None  # offsets count the bytes of a plain file

    @property
    def name(self) -> str:
        return self._rows.name

    @property
    def names(self) -> tuple[str, ...]:
        return self._rows.names

    def chunks(self, account: Account) -> Iterator[Chunk]:
        display = _display(f"reading {os.path.basename(self.name)}")
        try:
            for chunk in self._rows.chunks(account):
                yield chunk
                at = int(chunk.offsets[-1])
                done = None if self._size is None or at == NO_OFFSET else min(at / max(self._size, 1), 1.0)
                display.show(int(chunk.rows[-1]), done)
        finally:
            display.stop()


def _display(what: str) -> _Lines | _Bar:
    is_live = sys.stderr.isatty() and os.environ.get("TERM", "") != "dumb"
    return _Bar(what) if is_live else _Lines(what)


class _Lines:
    """A line at most every two seconds, none if all is done sooner."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._printed_at = time.monotonic()

    def show(self, rows: int, done: float | None) -> None:
        now = time.monotonic()
        if now - self._printed_at >= SECONDS_BETWEEN_LINES:
            self._printed_at = now
            part = "" if done is None else f" ({done:.0%})"
            with suppress(OSError):
                print(printable(f"{self._what}: {rows:,} rows{part}"), file=sys.stderr, flush=True)

    def stop(self) -> None:
        pass


class _Bar:
    """A bar that appears after half a second, and goes when all is read."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._began = time.monotonic()
        self._bar: Any = None  # made when it appears

    def show(self, rows: int, done: float | None) -> None:
        if self._bar is None:
            if time.monotonic() - self._began < SECONDS_BEFORE_BAR:
                return
            self._start()
        self._bar.update(self._task, completed=done or 0.0, total=None if done is None else 1.0, rows=f"{rows:,} rows")

    def _start(self) -> None:
        from rich.console import Console
        from rich.markup import escape
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn(escape(printable(self._what))),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[rows]}"),
            TimeRemainingColumn(),
        )
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task("", total=None, rows="")
        self._bar.start()

    def stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
