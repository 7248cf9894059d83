"""The runs of a studio, by name. Those that are running train alternately, some steps each."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from threading import Lock
from typing import Any

from pellucid.apps.studio.runs.experiment import Experiment, experiment
from pellucid.apps.studio.runs.material import Material, material
from pellucid.apps.studio.runs.run import Run
from pellucid.apps.studio.runs.turns import Turns
from pellucid.core.errors import ArgumentError, UnknownNameError
from pellucid.data.photos.folder import PhotoFolder
from pellucid.training.checkpoints import Checkpoint
from pellucid.training.runs.cache import run_in_cache
from pellucid.training.runs.run import Run as Recorded

MOST_RUNS = 20
MOST_PARAMETERS = 40_000_000  # of all runs together


class Runs:
    """ "run-1", "run-2" ... ``photos`` gives the folder of pictures, if the studio has one."""

    def __init__(self, photos: Callable[[], PhotoFolder | None] = lambda: None) -> None:
        self.is_closed = False
        self._photos = photos
        self._turns = Turns()
        self._runs: dict[str, Run] = {}
        self._deleted: set[str] = set()
        self._temporary: set[str] = set()
        self._count = 0
        self._guard = Lock()

    def names(self) -> list[str]:
        return list(self._runs)

    def run(self, name: str) -> Run:
        """The run of this name; raises `UnknownNameError` if there is none."""
        found = self._runs.get(name)
        if found is None:
            known = ", ".join(self._runs) or "none yet"
            raise UnknownNameError(f"there is no run {name[:40]!r}; the runs are: {known}.")
        return found

    def has_had(self, name: str) -> bool:
        """Whether there was a run of this name, which was deleted."""
        return name in self._deleted

    def create(self, fields: Any, *, is_temporary: bool = False, record: Recorded | None = None) -> Run:
        """A new, paused run of the experiment with these fields. A temporary one, as in a chapter of Learn, is not saved
        when the studio stops. One that was kept (``record``) is where it was."""
        photos = self._photos()
        chosen = experiment(fields, photos)
        return self.add(chosen, material(chosen, photos), is_temporary=is_temporary, record=record)

    def fork(self, name: str, step: int | None, changes: Any) -> Run:
        """A new run that goes on from a checkpoint of another one (default: from where it is), with other settings."""
        if not isinstance(changes, dict):
            raise ArgumentError(f'changes must be fields of an experiment, such as {{"l2": 0.001}}, not {changes!r:.60}.')
        parent = self.run(name)
        now = {"learning_rate": parent.loop.learning_rate} if "optimizer" not in changes else {}
        checkpoint = parent.checkpoint(step)
        return self.add(parent.experiment.changed(now | changes), parent.material, (parent, checkpoint))

    def add(
        self,
        chosen: Experiment,
        its_material: Material,
        origin: tuple[Run, Checkpoint] | None = None,
        *,
        is_temporary: bool = False,
        record: Recorded | None = None,
    ) -> Run:
        """A new, paused run of this experiment."""
        with self._guard:
            if len(self._runs) >= MOST_RUNS:
                raise ArgumentError(f"at most {MOST_RUNS} runs are kept: delete one to start another.")
            name = f"run-{self._count + 1}"
            if record is None and not is_temporary and chosen.data != "table":  # which could not be made again
                words = [str(os.getpid()), name, str(time.time())]
                record = run_in_cache(f"studio-{name}", words, {"studio": chosen.to_data()})
            run = Run(name, chosen, its_material, self._turns, origin, record)
            total = sum(one.network.parameters.layout.size for one in [*self._runs.values(), run])
            if total > MOST_PARAMETERS:
                raise ArgumentError(
                    f"all runs together would have {total:,} parameters; at most {MOST_PARAMETERS:,} are kept: delete one."
                )
            self._count += 1
            if is_temporary:
                self._temporary.add(run.name)
            self._runs[run.name] = run
        if self.is_closed:  # in the meantime
            run.close()
        return run

    def delete(self, name: str) -> None:
        """Stop it and forget it."""
        run = self.run(name)
        with self._guard:
            self._runs.pop(name, None)
            self._deleted.add(name)
        run.close()
        if run.record is not None:
            run.record.drop()

    def all(self) -> list[Run]:
        return list(self._runs.values())

    def unsaved(self) -> list[str]:
        """The names of the runs whose training is in no file and should be."""
        return [name for name, run in self._lasting() if run.loop.step > 0 and not run.is_saved]

    def go_forward(self) -> list[str]:
        """Bring rewound runs back to their last step if it is in no file; returns their names."""
        return [name for name, run in self._lasting() if run.go_forward()]

    def close(self) -> None:
        """Stop all training and end all streams, for good; the networks stay."""
        self.is_closed = True
        for run in self.all():
            run.pause()
            run.close()

    def _lasting(self) -> list[tuple[str, Run]]:
        return [(name, run) for name, run in list(self._runs.items()) if name not in self._temporary]
