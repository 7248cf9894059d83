"""A run: a training that writes its position into a directory, and can be taken up there, bit for bit."""

from __future__ import annotations

import contextlib
import math
import os
import re
import shutil
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pellucid.core.checks import number_between
from pellucid.core.errors import ArgumentError, DataError, RunError
from pellucid.core.files import clear_parts, name_of_path, sync_folder, write_whole
from pellucid.core.locks import file_lock
from pellucid.training.checkpoints import Checkpoint
from pellucid.training.events import EpochFinished, Event
from pellucid.training.fork import fork
from pellucid.training.history import History
from pellucid.training.loop import TrainingLoop
from pellucid.training.runs.event_log import EventLog, read_events
from pellucid.training.runs.folder import (
    EVENTS,
    LOCK,
    MODEL,
    SETTINGS,
    SNAPSHOTS,
    check_is_free,
    is_run,
    nearest_snapshot,
    snapshot_path,
    snapshot_steps,
    which_stay,
)
from pellucid.training.runs.settings import differences, read_settings, settings_of, write_settings
from pellucid.training.runs.snapshot import Snapshot

SECONDS = 10.0  # between two snapshots
SHARE = 0.02  # of the time, at most, where nobody says how often: those of large networks come less often
MOST_KEPT = 5
_EVERY = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(s|seconds?|minutes?|epochs?)\s*")


@dataclass(frozen=True)
class Every:
    """How often: after so many seconds, or epochs; after seconds not for more than a ``share`` of the time."""

    seconds: float = SECONDS
    epochs: int = 0
    share: float = math.inf

    @classmethod
    def of(cls, given: object) -> Every:
        """Of seconds, or of words such as "30 s", "5 minutes" or "2 epochs". Raises `ArgumentError` for others."""
        if given is None:
            return cls(share=SHARE)
        if not isinstance(given, str):
            return cls(number_between(given, "snapshot_every", 0.0))
        match = _EVERY.fullmatch(given)
        if match is None or (match[2].startswith("epoch") and not (match[1].isdigit() and int(match[1]) > 0)):
            raise ArgumentError(f'snapshot_every is a number of seconds, "5 minutes" or "2 epochs", not {given!r:.60}.')
        if match[2].startswith("epoch"):
            return cls(epochs=int(match[1]))
        return cls(float(match[1]) * (60.0 if match[2].startswith("minute") else 1.0))


@dataclass(frozen=True)
class Origin:
    """Where a fork begins: a checkpoint of another loop, with the epochs before it, and which run that was."""

    loop: TrainingLoop
    checkpoint: Checkpoint
    epochs: list[dict[str, float]]
    first_epoch: int
    parent: dict[str, Any]


class Run:
    """The run in a folder, for one training: begun there, or taken up if there is one. Used by ``with``, which holds its
    lock; the outermost ``with`` is the one that `finish` counts for.

    notes         are kept beside its settings; ``origin`` is that of a fork
    quiet         seconds in which nothing is written: the folder comes into being after them
    is_temporary  whether the folder goes when the run is finished
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        every: object = None,
        *,
        most_kept: int = MOST_KEPT,
        notes: dict[str, Any] | None = None,
        origin: Origin | None = None,
        quiet: float | None = None,
        is_temporary: bool = False,
    ) -> None:
        name = name_of_path(folder, RunError)
        if not name.strip():
            raise RunError("an empty name is no folder; choose one, such as runs/first.")
        self.folder = Path(name)
        self.every = Every.of(every)
        self.most_kept, self.notes, self.origin = most_kept, notes or {}, origin
        self.quiet, self.is_temporary = quiet, is_temporary
        self._depth = 0
        self._is_there = False  # whether the folder is, with settings and the lock
        self._open = ExitStack()
        self._log: EventLog | None = None
        self._losses: dict[int, float] = {}  # of snapshots
        self._cost = 0.0  # seconds, of the last snapshot
        self._saved: tuple[int, str | None] | None = None  # step and end of the last snapshot
        self._has_warned = False

    def __enter__(self) -> Run:
        if self._depth == 0 and self.quiet is None:
            self._lock()
        self._depth += 1
        return self

    def __exit__(self, *error: object) -> None:
        self._depth -= 1
        if self._depth == 0:
            if not self._is_there and not is_run(self.folder):
                self._leave_nothing()
            self._open.close()
            self._is_there, self._log = False, None

    @property
    def has_snapshot(self) -> bool:
        """Whether the training could be taken up where it is."""
        return self._saved is not None

    def begin(self, loop: TrainingLoop, history: History) -> int:
        """Before the first step: enter the last snapshot if there is one, else write the first. Gives the number of the
        first epoch of the run; ``history`` gets those that it has finished, and will get the others.

        Raises `RunError` if the folder holds another training, or cannot be written.
        """
        self._loop, self._history = loop, history
        self._began = self._at = time.monotonic()
        self._first = self._epoch = loop.state.epoch + 1
        if self.quiet is not None:
            return self._first
        if is_run(self.folder):
            return self._take_up()
        if self.origin is not None:
            fork(self.origin.loop, self.origin.checkpoint, loop)
            history.epochs[:] = self.origin.epochs
            self._first = self.origin.first_epoch
        self._create()
        self._save()
        return self._first

    def hear(self, event: Event) -> None:
        """Note the end of an epoch."""
        if isinstance(event, EpochFinished) and self._is_there:
            self._note("epoch", epoch=event.epoch, step=self._loop.step, metrics=event.metrics)

    def after_steps(self) -> None:
        """Write a snapshot if one is due: called between two steps."""
        if self.every.epochs:
            is_due = self._loop.is_at_epoch_end and self._loop.state.epoch - self._epoch + 1 >= self.every.epochs
        else:
            now, least = time.monotonic(), max(self.every.seconds, self._cost / self.every.share)
            is_due = now - self._at >= least and (self._is_there or now - self._began >= (self.quiet or 0.0))
        if is_due:
            self.keep()

    def keep(self) -> None:
        """Write a snapshot of this step, called between two of them. If that fails, the one before stays, and a warning
        says why."""
        loop = self._loop
        if self._saved == (loop.step, loop.ended):
            return
        try:
            if not self._is_there:
                self._lock()
                self._clear()
                self._create()
            self._save()
        except RunError as error:
            self._warn(str(error))
        except MemoryError:
            self._warn(f"there is not enough memory for a snapshot in {self.folder}.")
        self._at, self._epoch = time.monotonic(), loop.state.epoch + 1

    def end(self, reason: str) -> None:
        """Note how the training ended; of one that is over, write its last snapshot."""
        if self._is_there:
            if self._loop.ended:
                self.keep()
            self._note("ended", reason=reason, step=self._loop.step)

    def finish(self, model: Callable[[], bytes] | None) -> None:
        """The training is over, and its model made: write it, unless it is None and has been written. Only the outermost
        ``with`` does that: it knows the whole model. A folder that came into being by itself goes."""
        if self._depth > 1:
            return
        if self.is_temporary:
            self.drop()
        if not self._is_there:
            return
        try:
            if model is not None:
                write_whole(self.folder / MODEL, model(), RunError)
        except RunError as error:
            self._warn(str(error))
        else:
            self._note("finished", step=self._loop.step)

    def drop(self) -> None:
        """Remove the folder; if the training goes on, it comes into being again."""
        self._open.close()
        if self._is_there:
            shutil.rmtree(self.folder, ignore_errors=True)
        self._is_there, self._log, self._saved, self._losses = False, None, None, {}
        self._began = self._at = time.monotonic()

    def _lock(self) -> None:
        """Make the folder, and keep other processes out."""
        folder = self.folder
        try:
            (folder / SNAPSHOTS).mkdir(parents=True, exist_ok=True)
            if not is_run(folder):
                check_is_free(folder)
            self._open.enter_context(file_lock(folder / LOCK, patience=1.0))
            clear_parts(folder)
            clear_parts(folder / SNAPSHOTS)
        except DataError:
            raise RunError(f"{folder} is in use: another process trains there. Wait for its end, or end it.") from None
        except OSError as error:
            raise RunError(f"{folder} cannot be the folder of a run: {error.strerror or error}.") from None

    def _leave_nothing(self) -> None:
        """Remove the folder of a training that never began, if it is empty."""
        with contextlib.suppress(OSError):
            (self.folder / SNAPSHOTS).rmdir()
            (self.folder / LOCK).unlink()
            self.folder.rmdir()

    def _clear(self) -> None:
        """Remove what an earlier run has left in a folder that came into being by itself."""
        for path in (self.folder / SETTINGS, self.folder / EVENTS, *(self.folder / SNAPSHOTS).iterdir()):
            path.unlink(missing_ok=True)

    def _create(self) -> None:
        """Write the settings: from now on there is a run."""
        loop = self._loop
        begins = {"first_epoch": self._first, "first_step": loop.step - loop.made, "steps": loop.planned_steps}
        parent = {} if self.origin is None else {"parent": self.origin.parent}
        try:
            write_settings(self.folder / SETTINGS, settings_of(loop) | begins | self.notes | parent)
            sync_folder(self.folder.parent)
        except OSError as error:
            raise RunError(f"{self.folder} cannot be written: {error.strerror or error}.") from None
        self._is_there = True
        self._note("started", time=time.time(), step=loop.step, threads=loop.plan.threads)
        for number, metrics in enumerate(self._history.epochs, self._first):  # of a fork, or before the folder was there
            self._note("epoch", epoch=number, metrics=metrics)

    def _take_up(self) -> int:
        """Go on with the run in the folder."""
        loop, before = self._loop, check_settings(self.folder, self._loop)
        snapshot = nearest_snapshot(self.folder, loop)
        self._is_there = True
        for event in read_events(self.folder / EVENTS):
            if event["event"] == "snapshot" and isinstance(event.get("loss"), float):
                self._losses[event["step"]] = event["loss"]
        if snapshot is None:  # it died before its first one
            self._note("taken up", time=time.time(), step=loop.step, epoch=loop.state.epoch)
            self._save()
            return loop.state.epoch + 1
        loop.enter(snapshot.checkpoint)
        self._history.epochs[:] = snapshot.epochs
        finished = loop.state.epoch - (snapshot.checkpoint.within > 0)
        self._note("taken up", time=time.time(), step=loop.step, epoch=finished, threads=loop.plan.threads)
        self._saved, self._epoch = (loop.step, loop.ended), loop.state.epoch + 1
        return int(before["first_epoch"])

    def _save(self) -> None:
        """Write a snapshot, then drop those that need not stay. Raises `RunError`; what was there then stays."""
        began = time.perf_counter()
        loop = self._loop
        snapshot = Snapshot(loop.checkpoint(), self._history.epochs)
        write_whole(snapshot_path(self.folder, loop.step), snapshot.pieces(), RunError)
        self._saved = loop.step, loop.ended
        if snapshot.loss is not None:
            self._losses[loop.step] = snapshot.loss
        self._cost = time.perf_counter() - began
        self._note("snapshot", step=loop.step, epoch=loop.state.epoch, loss=snapshot.loss, seconds=round(self._cost, 4))
        steps = snapshot_steps(self.folder)
        stay = which_stay([step for step in steps if step <= loop.step], self._losses, self.most_kept)
        for step in set(steps) - stay:  # also what cannot be read, of a later step
            with contextlib.suppress(OSError):
                snapshot_path(self.folder, step).unlink()

    def _note(self, event: str, **fields: Any) -> None:
        try:
            if self._log is None:
                self._log = EventLog(self.folder / EVENTS)
                self._open.callback(self._log.close)
            self._log.add(event, **fields)
        except OSError as error:
            self._warn(f"{self.folder / EVENTS} cannot be written: {error.strerror or error}.")

    def _warn(self, what: str) -> None:
        if not self._has_warned:
            self._has_warned = True
            warnings.warn(f"{what} The training goes on; what was kept before stays.", stacklevel=2)


def check_settings(folder: Path, loop: TrainingLoop) -> dict[str, Any]:
    """The settings of the run in a folder, if the loop has the same. Raises `RunError` for others."""
    before, now = read_settings(folder / SETTINGS), settings_of(loop)
    changed = differences(before, now)
    if changed:
        words = "; ".join(f"{name} was {_short(old)}, and is {_short(new)}" for name, (old, new) in changed.items())
        raise RunError(f"{folder} holds a run with other settings: {words}. Name a new folder, or fork that run.")
    if before.get("instructions") != now["instructions"]:
        warnings.warn(
            f"the run was computed with {before.get('instructions')}, and goes on with {now['instructions']}: the last "
            "bits of its numbers may differ from those of a training on one machine.",
            stacklevel=6,
        )
    return before


@contextmanager
def recording(run: str | os.PathLike[str] | Run | None, every: object = None) -> Iterator[Run | None]:
    """The run in a folder, or one that is used already; None for None."""
    if run is None:
        if every is not None:
            raise ArgumentError("snapshot_every is for a run: name its folder, run=...")
        yield None
        return
    with run if isinstance(run, Run) else Run(run, every) as used:
        yield used


@contextmanager
def recorded(options: dict[str, Any]) -> Iterator[tuple[Run | None, dict[str, Any]]]:
    """The run that options of ``fit`` name, and the options that use it: for who makes a model of the network then."""
    with recording(options.get("run"), options.get("snapshot_every")) as record:
        yield record, options | {"run": record, "snapshot_every": None}


def _short(value: Any) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
