"""A run: an experiment that trains in a thread of its own and takes commands between two steps."""

from __future__ import annotations

import threading
from typing import Any

from pellucid.apps.studio.runs.within_turn import WithinTurn
from pellucid.core.errors import ArgumentError
from pellucid.models.model import Model
from pellucid.nn.summary import describe_layer
from pellucid.training.checkpoints import Checkpoint


class Run(WithinTurn):
    """Every method may be called from any thread; runs that share their ``turns`` train alternately. A run that was rewound
    keeps its later checkpoints until it trains on.
    """

    _is_closed = False
    _thread: threading.Thread | None = None

    def resume(self) -> None:
        """Train to the end of the last planned epoch; after that, as many epochs more."""
        with self._turns:
            self._go_until(self.loop.end)

    def epoch(self) -> None:
        """Train to the end of this epoch."""
        with self._turns:
            self._go_until((self.loop.step // self.loop.steps_per_epoch + 1) * self.loop.steps_per_epoch)

    def make_step(self) -> None:
        """Train one step."""
        with self._turns:
            self._check_open()
            self._until = self.loop.step + 1
            self._advance()

    def pause(self) -> None:
        """Stop after the steps in progress."""
        with self._turns:
            if self.state == "running":
                self._stop("paused")

    def wait(self) -> None:
        """Wait until it stands still."""
        thread = self._thread
        if thread is not None:
            thread.join()

    def set_learning_rate(self, rate: float) -> None:
        """Set what the schedule multiplies, from the next step on."""
        with self._turns:
            self.loop.learning_rate = rate
            self._tell_state()

    def set_pace(self, steps_per_second: float | None) -> None:
        """Limit the steps in a second; None: no limit."""
        with self._turns:
            self._pace.limit = steps_per_second
            self._pace.start(self.loop.step)
            self._nudge.set()
            self._tell_state()

    def rewind(self, step: int) -> None:
        """Go to the last checkpoint at or before this step, and stop there."""
        with self._turns:
            if self.state in ("paused", "running", "finished"):
                self._keep()
            self.loop.enter(self._kept_at(step))
            self._version += 1
            self._stop("finished" if self.loop.ended else "paused")

    def go_forward(self) -> bool:
        """Go to the last checkpoint if it is later than this step and in no file; returns whether it is."""
        with self._turns:
            last = self._kept.steps[-1]
            if last <= self.loop.step or last == self._saved_step:
                return False
            self.loop.enter(self._kept_at(last))
            self._version += 1
            return True

    def checkpoint(self, step: int | None) -> Checkpoint:
        """The last checkpoint at or before the step; without a step, a new one."""
        with self._turns:
            return self.loop.checkpoint() if step is None else self._kept_at(step)

    def model(self) -> Model:
        """A copy of the network as it is now; see `Copies.model`."""
        with self._turns:
            return self._copies.model(self._version, self._figures.history(), is_learning=self.state == "running")

    def mark_saved(self, model: Model) -> None:
        """``model``, a copy that `model` gave, is in a file."""
        with self._turns:
            self._copies.mark_saved(model)
            if self.is_saved:
                self._saved_step = self.loop.step
                if self.record is not None:
                    self.record.drop()

    @property
    def is_saved(self) -> bool:
        return self._copies.is_saved(self._version)

    def close(self) -> None:
        """End its thread and its listeners, for good."""
        with self._turns:
            self._is_closed = True
            if self.state == "running":
                self.state = "paused"
            self._nudge.set()
            self.loop.release()
            self.watch.close()

    def summary(self) -> dict[str, Any]:
        """A RunSummary (web/src/pages/train/types.ts)."""
        with self._turns:
            points = self.material.points
            return self._state() | {
                "name": self.name,
                "experiment": self.experiment.to_data(),
                "kind": self.material.kind,
                "extent": None if points is None else points.extent,
                "table": self._of_table(),
                "labels": list(self.material.labels),
                "layers": [describe_layer(layer) for layer in self.network.layers],
                "parameters": self.network.parameters.layout.size,
                "engine": self._engine,
                "steps_per_epoch": self.loop.steps_per_epoch,
                "kept": self._kept.steps,
                "history": list(self._figures.timeline.items),
                "measured": self._measured(),
                "saved": self.is_saved,
                "parent": self.parent,
            }

    def _of_table(self) -> dict[str, Any] | None:
        """Of which table and of what it learns, and by which rules."""
        if self.material.table is None:
            return None
        training = self.material.table.training
        return {
            "name": self.material.table.name,
            "target": ", ".join(column.name for column in training.table.targets),
            "rows": len(training.training),
            "held_out": len(training.held_out),
            "chosen": "\n".join([*self.material.table.notes, training.recipe.in_words()]),
        }

    def present(self) -> list[tuple[str, Any]]:
        """The events that tell a new listener where the run is."""
        with self._turns:
            return self._everything()

    def _check_open(self) -> None:
        if self._is_closed:  # by another thread
            raise ArgumentError(f"{self.name} trains no more: it was deleted, or the studio is stopping.")

    def _go_until(self, step: int) -> None:
        self._check_open()
        self._until = step
        self.state, self.message = "running", None
        self._pace.start(self.loop.step)
        self._tell_state()
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=self.name, daemon=True)
            self._thread.start()

    def _work(self) -> None:
        """The body of the thread."""
        while True:
            with self._turns:
                if self.state != "running":
                    self._thread = None
                    return
                self._advance()
                self._nudge.clear()
                rest = self._pace.rest(self.loop.step) if self.state == "running" else 0.0
            if rest:
                self._nudge.wait(rest)
