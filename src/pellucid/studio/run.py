"""A run: an experiment that is carried out in a thread of its own, and does what it is told between two steps."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any

from pellucid.errors import DivergenceError, PellucidError
from pellucid.executors.base import OptimizerState
from pellucid.history import History
from pellucid.model import Model
from pellucid.network import Network
from pellucid.studio.course import Course, Place, graft
from pellucid.studio.experiment import Experiment
from pellucid.studio.figures import Figures
from pellucid.studio.kept import Kept
from pellucid.studio.looks import Looks
from pellucid.studio.material import Material, network_of
from pellucid.studio.turns import Turns
from pellucid.studio.watch import Budget, Watch
from pellucid.summary import describe_layer
from pellucid.training import calibrate

SECONDS_BETWEEN_FIGURES = 0.02
SECONDS_BETWEEN_STATES = 0.1
SECONDS_OF_A_COPY = 0.5  # of a network that is learning, until it is copied anew
SECONDS_OF_A_FRAME = 0.04  # between two looks at a run whose pace is held


class Run:
    """``state`` is "paused", "running", "finished", "diverged" or "failed"; ``message`` says why, where there is more.
    Every method may be called from any thread; runs that share their ``turns`` train by turns.

    A rewound run keeps what lay ahead, so that one may go forward again, until it trains on from where it is.
    """

    def __init__(
        self,
        name: str,
        experiment: Experiment,
        material: Material,
        turns: Turns,
        start: tuple[Course, Place] | None = None,
        parent: dict[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.experiment = experiment
        self.material = material
        self.parent = parent
        self.network = network_of(experiment, material)
        self.course = Course(self.network, material.training, material.validation, experiment.recipe.fit_options())
        if start is not None:
            graft(*start, self.course)
        self.state = "paused"
        self.message: str | None = None
        self.watch = Watch()
        self._engine = self.course.executor.name  # fails now, not in the thread, for what is too large
        self._turns = turns
        self._thread: threading.Thread | None = None
        self._until = 0
        self._version = 0  # of the parameters
        self._saved: int | None = None
        self._copy: tuple[int, float, Model] | None = None
        self._figures = Figures(self.course)
        self._looks = Looks(self.network, material)
        self._look: tuple[int, dict[str, Any]] | None = None
        self._kept = Kept()
        self._figures_budget = Budget(0, SECONDS_BETWEEN_FIGURES)
        self._state_budget = Budget(0, SECONDS_BETWEEN_STATES)
        self._look_budget = Budget()
        self._pace: float | None = None  # steps a second, at most
        self._paced_since = (0, 0.0)  # a step, and when it was made
        self._nudge = threading.Event()  # wakes the thread from a rest
        self._speed = 0.0
        self._speed_since = (0, 0.0)
        self._kept.keep(self.course.place())
        self._figures.measure()

    def resume(self) -> None:
        """Train until the last planned epoch has ended; from there on, as many epochs more."""
        with self._turns:
            course = self.course
            self._go_until((course.step // course.steps_per_round + 1) * course.steps_per_round)

    def epoch(self) -> None:
        """Train to the end of this epoch."""
        with self._turns:
            course = self.course
            self._go_until((course.step // course.steps_per_epoch + 1) * course.steps_per_epoch)

    def pause(self) -> None:
        """Stop after the step that is being made."""
        with self._turns:
            if self.state == "running":
                self._stop("paused")

    def make_step(self) -> None:
        """One step, and no more."""
        with self._turns:
            self._until = self.course.step + 1
            self._advance()

    def set_learning_rate(self, rate: float) -> None:
        """What the schedule multiplies from the next step on."""
        with self._turns:
            self.course.learning_rate = rate
            self._tell_state()

    def set_pace(self, steps_per_second: float | None) -> None:
        """Make no more steps than this in a second, for eyes that want to follow; None: as fast as it can."""
        with self._turns:
            self._pace = steps_per_second
            self._paced_since = self.course.step, time.perf_counter()
            self._nudge.set()
            self._tell_state()

    def rewind(self, step: int) -> None:
        """Go to the last kept place at or before this step, and stop there."""
        with self._turns:
            self._keep()
            self.course.enter(self._kept.at(step))
            self._version += 1
            self._stop("finished" if self.course.is_at_round_end else "paused")

    def place(self, step: int | None) -> Place:
        """The last kept place at or before the step; without one, where it is now."""
        with self._turns:
            return self.course.place() if step is None else self._kept.at(step)

    def close(self) -> None:
        """End its thread and its listeners; give its memory back as soon as nobody holds it."""
        with self._turns:
            self.state = "paused"
            self.course.release()
            self.watch.close()

    def mark_saved(self, model: Model) -> None:
        """``model``, a copy that `model` gave, is in a file."""
        with self._turns:
            if self._copy is not None and self._copy[2] is model:
                self._saved = self._copy[0]

    @property
    def is_saved(self) -> bool:
        return self._saved == self._version

    def model(self) -> Model:
        """A copy of the network as it is now, with pipeline and labels; calibrated on what is kept aside, unless it is just
        learning. While nothing changes it is the same copy."""
        with self._turns:
            learning, now = self.state == "running", time.perf_counter()
            if self._copy is not None:
                version, made, model = self._copy
                if version == self._version or (learning and now - made < SECONDS_OF_A_COPY):
                    return model
            model = self.material.model(self._copied_network())
            validation = self.material.validation
            if validation is not None and not learning:
                calibrate(model, validation.x, validation.y, validation.rows)
            self._copy = self._version, now, model
            return model

    def summary(self) -> dict[str, Any]:
        """A RunSummary."""
        with self._turns:
            course = self.course
            return self._state() | {
                "name": self.name,
                "experiment": self.experiment.to_data(),
                "kind": "points" if self.experiment.is_of_points else "images",
                "labels": list(self.material.labels),
                "layers": [describe_layer(layer) for layer in self.network.layers],
                "parameters": self.network.parameters.layout.size,
                "engine": self._engine,
                "steps_per_epoch": course.steps_per_epoch,
                "extent": None if self.material.points is None else self.material.points.extent,
                "kept": self._kept.steps,
                "history": self._figures.history,
                "saved": self.is_saved,
                "parent": self.parent,
            }

    def present(self) -> list[tuple[str, Any]]:
        """The events that show somebody who comes now where the run is."""
        with self._turns:
            return self._shown()

    # What follows is called within a turn.

    def _go_until(self, step: int) -> None:
        self._until = step
        self.state, self.message = "running", None
        self._speed_since = self._paced_since = self.course.step, time.perf_counter()
        self._tell_state()
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=self.name, daemon=True)
            self._thread.start()

    def _work(self) -> None:
        """What the thread does."""
        while True:
            with self._turns:
                if self.state != "running":
                    self._thread = None
                    return
                self._advance()
                self._nudge.clear()
                rest = self._rest()
            if rest > 0:
                self._nudge.wait(rest)

    def _rest(self) -> float:
        """Seconds until the next step, so that the pace is kept."""
        if self._pace is None or self.state != "running":
            return 0.0
        step, since = self._paced_since
        now = time.perf_counter()
        rest = since + (self.course.step - step) / self._pace - now
        if rest < 0:  # it cannot be kept: nothing is made up for later
            self._paced_since = self.course.step, now
        return rest

    def _advance(self) -> None:
        """Some steps on the way to ``_until``, and what is to be told of them."""
        course = self.course
        try:
            self._leave_what_lay_ahead()
            most = self._until - course.step
            course.advance(most if self._pace is None else min(most, max(1, round(self._pace * SECONDS_OF_A_FRAME))))
            self._version += 1
            if course.step >= self._until:
                self._stop("finished" if course.is_at_round_end else "paused")
            else:
                self._report()
        except DivergenceError as error:
            self._stop("diverged", str(error))
        except (PellucidError, MemoryError) as error:
            self._stop("failed", str(error) or "not enough memory: use a smaller batch_size, or smaller layers.")

    def _report(self) -> None:
        """On the way: whatever is due."""
        course, events = self.course, []
        if course.is_at_epoch_end:
            self._keep()
            if self._figures_budget.allows():
                with self._figures_budget.spend():
                    events.append(("figures", self._figures.measure()))
        if not self.watch.has_listeners:
            return
        if self._state_budget.allows():
            with self._state_budget.spend():
                events += [("state", self._state()), ("kept", self._kept_now())]
        if self._look_budget.allows():
            with self._look_budget.spend():
                if not events and not course.is_at_epoch_end:
                    events.append(("figures", self._figures.measure(validate=False)))
                self.watch.tell([*events, ("look", self._look_now())])
        else:
            self.watch.tell(events)

    def _stop(self, state: str, message: str | None = None) -> None:
        """Stand still, and show everything as it is now."""
        self.state, self.message, self._speed = state, message, 0.0
        self._nudge.set()
        self.course.release()
        self._keep()
        try:
            if not self._figures.are_of(self.course.step) and not self._is_rewound():
                self._figures.measure()
        except DivergenceError as error:
            self.state, self.message = "diverged", str(error)
        if self.watch.has_listeners:
            self.watch.tell(self._shown())

    def _shown(self) -> list[tuple[str, Any]]:
        return [
            ("state", self._state()),
            ("kept", self._kept_now()),
            *(("figures", figures) for figures in self._figures.history[-1:]),
            ("look", self._look_now()),
        ]

    def _leave_what_lay_ahead(self) -> None:
        if self._is_rewound():
            self._kept.forget_after(self.course.step)
            self._figures.forget_after(self.course.step)

    def _is_rewound(self) -> bool:
        return self._kept.steps[-1] > self.course.step

    def _keep(self) -> None:
        if not self._is_rewound() and self._kept.steps[-1] < self.course.step:
            self._kept.keep(self.course.place())

    def _tell_state(self) -> None:
        if self.watch.has_listeners:
            self.watch.tell([("state", self._state())])

    def _state(self) -> dict[str, Any]:
        course, now = self.course, time.perf_counter()
        step, since = self._speed_since
        if self.state == "running" and now - since > SECONDS_BETWEEN_STATES / 2:
            self._speed, self._speed_since = (course.step - step) / (now - since), (course.step, now)
        return {
            "state": self.state,
            "message": self.message,
            "epoch": course.step // course.steps_per_epoch,
            "step": course.step,
            "learning_rate": course.learning_rate,
            "steps_per_second": self._speed,
            "pace": self._pace,
        }

    def _kept_now(self) -> dict[str, Any]:
        steps = self._kept.steps
        return {"step": steps[-1], "kept": steps}

    def _look_now(self) -> dict[str, Any]:
        if self._look is None or self._look[0] != self._version:
            self._look = self._version, self._looks.look()
        return self._look[1]

    def _copied_network(self) -> Network:
        """A network of its own with the same numbers, which can go on training from here."""
        old = self.network
        network = Network(old.layers, old.seed, arrays={**old.parameters, **old.state})
        memory = old.training_state.optimizer_state
        slots = {name: slot.copy() for name, slot in memory.slots.items()}
        settings = {name: repr(value) for name, value in self.experiment.recipe.fit_options().items() if value is not None}
        network.training_state = replace(
            old.training_state, optimizer_state=OptimizerState(slots, memory.updates), settings=settings
        )
        network.history = History([_of_an_epoch(figures) for figures in self._figures.history], self.state)
        return network


def _of_an_epoch(figures: dict[str, Any]) -> dict[str, float]:
    """The figures as a model file holds them."""
    return {name: value for name, value in figures.items() if name not in ("step", "epoch") and value is not None}
