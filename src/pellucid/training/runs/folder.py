"""The directory of a run: what lies in it, which snapshots stay, and how far a run is, also one of another process.

settings.json          what decides every bit of it (`pellucid.training.runs.settings`)
events.jsonl           what happened, a line an event (`pellucid.training.runs.event_log`)
snapshots/             step-000001234.safetensors ... (`pellucid.training.runs.snapshot`)
model.safetensors      the model, once the training has ended
lock                   held by the process that trains, and released by its death
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pellucid.core.errors import DataError, RunError
from pellucid.core.locks import file_lock
from pellucid.training.loop import TrainingLoop
from pellucid.training.runs.event_log import epochs_of, read_events
from pellucid.training.runs.settings import read_settings
from pellucid.training.runs.snapshot import Snapshot, check_fits, read_snapshot

SETTINGS, EVENTS, SNAPSHOTS, MODEL, LOCK = "settings.json", "events.jsonl", "snapshots", "model.safetensors", "lock"
NAMES = {SETTINGS, EVENTS, SNAPSHOTS, MODEL, LOCK}
_SNAPSHOT = re.compile(r"step-(\d{12,18})\.safetensors")


def is_run(folder: Path) -> bool:
    """Whether there is a run."""
    return (folder / SETTINGS).is_file()


def model_file(path: str) -> str:
    """The file of a model: if ``path`` is the folder of a run, that of the run. Raises `RunError` if it has none yet."""
    if not is_run(Path(path)):
        return path
    if not (Path(path) / MODEL).is_file():
        raise RunError(f"the training in {path} has no model yet: its state is {status_of(Path(path)).state!r}.")
    return os.path.join(path, MODEL)


def check_is_free(folder: Path) -> None:
    """Raise `RunError` if a new run there would mix with other files."""
    others = [path.name for path in folder.iterdir() if path.name not in NAMES and not path.name.startswith(".pellucid-")]
    if others:
        raise RunError(f"{folder} holds other files ({sorted(others)[0]}); name a new folder, or that of a run.")


def snapshot_path(folder: Path, step: int) -> Path:
    return folder / SNAPSHOTS / f"step-{step:012d}.safetensors"


def snapshot_steps(folder: Path) -> list[int]:
    """The steps of the snapshots, in their order."""
    try:
        names = [path.name for path in (folder / SNAPSHOTS).iterdir()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RunError(f"{folder} cannot be read: {error.strerror or error}.") from None
    return sorted(int(match[1]) for name in names if (match := _SNAPSHOT.fullmatch(name)))


def nearest_snapshot(folder: Path, loop: TrainingLoop, step: int | None = None) -> Snapshot | None:
    """The last snapshot at or before a step that is whole; without a step, the last. None if there is none."""
    for found in reversed(snapshot_steps(folder)):
        if step is None or found <= step:
            try:
                snapshot = read_snapshot(snapshot_path(folder, found))
                check_fits(snapshot, loop)
            except RunError:
                continue
            return snapshot
    return None


def which_stay(steps: list[int], losses: dict[int, float], most: int) -> set[int]:
    """Of the snapshots at these steps, in their order, the ``most`` that stay: the last, the one with the lowest loss, the
    first; and of the others those that leave gaps which grow with their age."""
    best = min((step for step in steps if step in losses), key=lambda step: (losses[step], step), default=steps[-1])
    spared, kept, last = list(dict.fromkeys([steps[-1], best, steps[0]]))[:most], list(steps), steps[-1]
    while len(kept) > most:
        places = [place for place, step in enumerate(kept) if step not in spared]
        # one at an end is not between two others, and goes at once: the first, if not even that is spared
        gaps = {place: (kept[place + 1] - kept[place - 1]) / (last - kept[place]) if place else 0.0 for place in places}
        del kept[min(places, key=gaps.__getitem__)]
    return set(kept)


@dataclass(frozen=True)
class RunStatus:
    """How far a run is: ``state`` is "running", "finished", "interrupted", "diverged", "failed", or "killed", of one
    whose process died."""

    folder: Path
    state: str
    settings: dict[str, Any]
    step: int
    epochs: dict[int, dict[str, float]] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        """How many it makes in all."""
        return _count(self.settings, "steps")

    @property
    def made(self) -> int:
        """How many it has made."""
        return max(0, self.step - _count(self.settings, "first_step"))

    @property
    def can_be_taken_up(self) -> bool:
        return self.state in ("interrupted", "killed", "failed")


def status_of(folder: Path) -> RunStatus:
    """The status of the run in a folder. Raises `RunError` if there is none."""
    settings, events = read_settings(folder / SETTINGS), read_events(folder / EVENTS)
    epochs = epochs_of(events)
    ends = [event for event in events if event["event"] in ("started", "taken up", "ended", "finished")]
    last = ends[-1] if ends else {"event": "started"}
    if is_locked(folder):
        state = "running"
    elif last["event"] == "finished":
        state = "finished"
    else:
        reason = str(last.get("reason", "killed"))
        state = {"completed": "killed", "stopped early": "killed"}.get(reason, reason)  # it died before its model was there
    per_epoch, first = _count(settings, "steps_per_epoch"), _count(settings, "first_epoch")
    of_epochs = _count(settings, "first_step") + (max(epochs) - first + 1) * per_epoch if epochs else 0
    steps = [*snapshot_steps(folder), of_epochs]
    return RunStatus(folder, state, settings, max(steps, default=0), epochs)


def is_locked(folder: Path) -> bool:
    """Whether a process holds its lock."""
    if not (folder / LOCK).exists():
        return False
    try:
        with file_lock(folder / LOCK, patience=0.0):
            return False
    except DataError:
        return True
    except OSError:
        return False


def _count(settings: dict[str, Any], name: str) -> int:
    value = settings.get(name)
    return value if isinstance(value, int) and value >= 0 else 0
