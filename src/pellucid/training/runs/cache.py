"""Trainings that are kept by themselves, for whoever named no folder: in the user's cache, from their first minute on until
they are finished or their model is saved. Command and studio keep theirs alike."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

from pellucid.core.errors import RunError
from pellucid.core.files import cache_folder
from pellucid.training.runs.folder import SETTINGS, RunStatus, is_locked, is_run, status_of
from pellucid.training.runs.run import MOST_KEPT, Run

QUIET = 60.0  # seconds before the first snapshot, and between two
MOST_UNFINISHED = 10


def run_in_cache(name: str, words: Sequence[str], notes: dict[str, Any]) -> Run:
    """A run that is kept there: in the same folder again for the same words, unless that is of one that is running."""
    _forget_old_ones()
    try:
        place = _place()
    except RuntimeError:  # no home folder: what cannot be kept is said when it should be
        place = Path(os.devnull) / "runs"
    of_words = sha256(repr((os.getcwd(), words)).encode("utf-8", "surrogateescape")).hexdigest()[:8]
    names = (f"{name[:40]}-{of_words}" + ("" if number == 1 else f"-{number}") for number in count(1))
    folder = next(place / free for free in names if not is_locked(place / free))
    return Run(folder, QUIET, most_kept=1, notes=notes | {"is_temporary": True}, quiet=QUIET, is_temporary=True)


def taken_from_cache(status: RunStatus, every: object = QUIET) -> Run:
    """The run in a folder again; one that is kept by itself goes when it is finished."""
    is_temporary = status.settings.get("is_temporary") is True
    return Run(status.folder, every, is_temporary=is_temporary, most_kept=1 if is_temporary else MOST_KEPT)


def in_cache() -> list[RunStatus]:
    """The trainings that are kept there, the newest first."""
    try:
        folders = [path for path in _place().iterdir() if is_run(path)]
        folders.sort(key=lambda path: (path / SETTINGS).stat().st_mtime, reverse=True)
    except (OSError, RuntimeError):  # there is none, or this user has no home folder
        return []
    found = []
    for folder in folders:
        try:
            found.append(status_of(folder))
        except RunError:
            continue
    return found


def _place() -> Path:
    return cache_folder() / "runs"


def _forget_old_ones() -> None:
    for status in in_cache()[MOST_UNFINISHED:]:
        if status.state != "running":
            shutil.rmtree(status.folder, ignore_errors=True)
