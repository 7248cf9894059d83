"""The event log of a run: a file of JSON lines, to which lines are only ever added.

A line goes to the file in one write, so that a process which is killed leaves at most its last line unfinished. A training
that is taken up again repeats what came after its snapshot: of an epoch that is told twice, the later line holds.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

LONGEST_LINE = 1 << 20


class EventLog:
    """Adds lines to the file at ``path``. Raises ``OSError`` where that fails."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
        if os.fstat(self._descriptor).st_size:
            os.lseek(self._descriptor, -1, os.SEEK_END)
            if os.read(self._descriptor, 1) != b"\n":  # who wrote it was killed amid a line
                os.write(self._descriptor, b"\n")

    def add(self, event: str, **fields: Any) -> None:
        """Add an event with these fields."""
        os.write(self._descriptor, json.dumps(_plain({"event": event} | fields)).encode() + b"\n")

    def close(self) -> None:
        os.close(self._descriptor)


def read_events(path: Path) -> list[dict[str, Any]]:
    """The events of a log in their order; what is no whole line of JSON is left out. [] for a log that is not there."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError:
        return []
    events = []
    for line in lines:
        try:
            event = json.loads(line) if len(line) <= LONGEST_LINE else None
        except (ValueError, RecursionError):
            continue
        if isinstance(event, dict) and isinstance(event.get("event"), str):
            events.append(event)
    return events


def epochs_of(events: list[dict[str, Any]]) -> dict[int, dict[str, float]]:
    """Number of the epoch -> its metrics."""
    found: dict[int, dict[str, float]] = {}
    for event in events:
        if event["event"] == "taken up":
            found = {epoch: metrics for epoch, metrics in found.items() if epoch <= _whole(event.get("epoch"))}
        elif event["event"] == "epoch" and isinstance(event.get("metrics"), dict):
            metrics = {str(name): float(value) for name, value in event["metrics"].items() if _is_number(value)}
            found[_whole(event.get("epoch"))] = metrics
    return found


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _plain(value: Any) -> Any:
    """Without numbers that JSON does not have: null in their place."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return None if isinstance(value, float) and not np.isfinite(value) else value
