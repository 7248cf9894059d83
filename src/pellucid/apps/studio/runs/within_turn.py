"""What a run does within its turn, when no other thread steps or reads it."""

from __future__ import annotations

from threading import Event
from typing import Any

from pellucid.apps.server.watch import Watch
from pellucid.apps.studio.runs.copies import Copies
from pellucid.apps.studio.runs.experiment import Experiment
from pellucid.apps.studio.runs.figures import Figures
from pellucid.apps.studio.runs.looks import Looks
from pellucid.apps.studio.runs.material import Material, network_of
from pellucid.apps.studio.runs.pace import Budget, Pace
from pellucid.apps.studio.runs.turns import Turns
from pellucid.core.errors import ArgumentError, DivergenceError
from pellucid.executors.base import Rules
from pellucid.mathematics.schedules import schedule
from pellucid.training.checkpoints import Checkpoint, checkpoints
from pellucid.training.fork import fork
from pellucid.training.history import History
from pellucid.training.loop import TrainingLoop
from pellucid.training.plan import Plan
from pellucid.training.runs.run import Run as Recorded

FIRST_EPOCHS = 100  # are all measured, so that even a short run has a curve
SECONDS_BETWEEN_FIGURES = 0.02  # from then on
SECONDS_WITHOUT_FIGURES = 1.0  # after which they are measured within a long epoch too
SECONDS_BETWEEN_STATES = 0.1
NO_MEMORY = "there is not enough memory: choose a smaller batch size, or smaller layers."


class WithinTurn:
    """The loop of an experiment, with its checkpoints, metrics and looks. Its methods are called only within a turn.

    ``origin`` of a fork is the run, and the checkpoint of it, from which it continues; ``record`` keeps it, so that a
    studio that dies loses little.
    ``state`` is "paused", "running", "finished", "diverged" or "failed"; ``message`` says why, if there is more to say.
    """

    def __init__(
        self,
        name: str,
        experiment: Experiment,
        material: Material,
        turns: Turns,
        origin: tuple[WithinTurn, Checkpoint] | None = None,
        record: Recorded | None = None,
    ) -> None:
        self.name = name
        self.experiment = experiment
        self.material = material
        network = self.network = network_of(experiment, material)
        plan = _plan(experiment, material)
        self.loop = TrainingLoop(network, network.training_state, material.training, material.validation, plan)
        self.parent: dict[str, Any] | None = None
        if origin is not None:
            run, checkpoint = origin
            fork(run.loop, checkpoint, self.loop)
            self.parent = {"run": run.name, "step": checkpoint.step}
        self.record = record
        if record is not None:
            record.begin(self.loop, History())
        self.state = "paused"
        self.message: str | None = None
        self.watch = Watch()
        self._turns = turns
        self._engine = self.loop.executor.name  # a network that is too large fails here, not in the thread
        self._nudge = Event()  # wakes the thread from its wait between two turns
        self._until = 0  # the step at which it stops
        self._furthest = self.loop.step  # the last step made; a rewound run is before it
        self._saved_step: int | None = None  # the last one that is in a file
        self._version = 0  # of the parameters
        self._pace = Pace()
        self._kept = checkpoints()
        self._figures = Figures(self.loop, 1.0 if material.table is None else material.table.training.std)
        self._looks = Looks(self.network, material)
        self._look: tuple[int, dict[str, Any]] | None = None  # with the version that it shows
        self._copies = Copies(self.network, experiment, material)
        self._figures_budget = Budget(0, SECONDS_BETWEEN_FIGURES)
        self._state_budget = Budget(0, SECONDS_BETWEEN_STATES)
        self._look_budget = Budget()
        self._kept.keep(self.loop.checkpoint())
        self._figures.measure()

    def _advance(self) -> None:
        """Train some steps, at most up to ``_until``, and tell the listeners."""
        loop = self.loop
        try:
            self._leave_what_lay_ahead()
            left = self._until - loop.step
            loop.advance(min(left, self._pace.most() or left))
            self._version += 1
            self._furthest = loop.step
            if self.record is not None:
                self.record.after_steps()
            if loop.ended:
                self._stop("finished", self._what_was_restored())
            elif loop.step >= self._until:
                self._stop("paused")
            else:
                self._report()
        except DivergenceError as error:
            self._fail("diverged", error.what)
        except MemoryError as error:
            self._fail("failed", str(error) or NO_MEMORY)
        except Exception as error:  # in the thread nobody else would see it
            self._fail("failed", f"{type(error).__name__}: {error}")

    def _report(self) -> None:
        """Measure, keep and tell what is due."""
        events: list[tuple[str, Any]] = []
        at_epoch_end = self.loop.is_at_epoch_end
        if at_epoch_end:
            self._keep()
            if self.loop.step <= FIRST_EPOCHS * self.loop.steps_per_epoch or self._figures_budget.allows():
                with self._figures_budget.spend():
                    events.append(("figures", self._figures.measure()))
        if not self.watch.has_listeners:
            return
        if self._state_budget.allows():
            with self._state_budget.spend():
                events += [("state", self._state()), ("kept", self._kept_now())]
        if self._look_budget.allows():
            with self._look_budget.spend():
                if not at_epoch_end and self._figures_budget.idle_for(SECONDS_WITHOUT_FIGURES):
                    with self._figures_budget.spend():
                        events.append(("figures", self._figures.measure(validate=False)))
                self.watch.tell([*events, ("look", self._look_now())])
        else:
            self.watch.tell(events)

    def _fail(self, state: str, message: str) -> None:
        self._version += 1  # the parameters may have changed since the last good step
        try:
            self._stop(state, message)
        except Exception:  # the look itself may have failed
            self._tell_state()

    def _stop(self, state: str, message: str | None = None) -> None:
        """Stand still, and tell everything as it is now."""
        self.state, self.message = state, message
        self._nudge.set()
        self.loop.release()
        if state in ("paused", "finished") and not self._is_rewound():
            self._keep()
            if self.record is not None and self.record.has_snapshot:
                self.record.keep()
            if not self._figures.are_of(self.loop.step):
                try:
                    self._figures.measure()
                except DivergenceError as error:
                    self.state, self.message = "diverged", error.what
        if self.watch.has_listeners:
            self.watch.tell(self._everything())

    def _everything(self) -> list[tuple[str, Any]]:
        last = self._figures.timeline.at(self.loop.step)
        figures = [] if last is None else [("figures", last)]
        return [("state", self._state()), ("kept", self._kept_now()), *figures, ("look", self._look_now())]

    def _what_was_restored(self) -> str | None:
        """Which parameters the network has at the end, if early stopping chose them."""
        if not self.loop.restored_epoch:
            return None
        best = f"The best parameters were restored, those of epoch {self.loop.restored_epoch}"
        if self.loop.ended != "stopped early":
            return f"{best}: it had the lowest validation loss."
        patience = self.experiment.recipe.patience
        epochs = "an epoch" if patience == 1 else f"{patience} epochs"
        return f"Stopped early: the validation loss has not fallen for {epochs}. {best}."

    def _is_rewound(self) -> bool:
        return self.loop.step < self._furthest

    def _leave_what_lay_ahead(self) -> None:
        if self._is_rewound():
            self._kept.forget_after(self.loop.step)
            self._figures.timeline.forget_after(self.loop.step)
            self._furthest = self.loop.step
            self._saved_step = None

    def _kept_at(self, step: int) -> Checkpoint:
        """The last checkpoint at or before the step, else the first one."""
        return self._kept.at(step) or self._kept.items[0]

    def _keep(self) -> None:
        if not self._is_rewound() and self._kept.steps[-1] < self.loop.step:
            self._kept.keep(self.loop.checkpoint())

    def _tell_state(self) -> None:
        if self.watch.has_listeners:
            self.watch.tell([("state", self._state())])

    def _state(self) -> dict[str, Any]:
        step = self.loop.step
        return {
            "state": self.state,
            "message": self.message,
            "epoch": step // self.loop.steps_per_epoch,
            "step": step,
            "learning_rate": self.loop.learning_rate,
            "steps_per_second": self._pace.speed(step) if self.state == "running" else 0.0,
            "pace": self._pace.limit,
            "gap_in_words": self._gap_in_words(),
        }

    def _measured(self) -> str | None:
        """How good the network is as it stands, in words; None while it changes, or if that was not measured."""
        return self._figures.measured_in_words() if self.state in ("paused", "finished") else None

    def _gap_in_words(self) -> str | None:
        """What the gap between training and validation means."""
        words = self._figures.gap_in_words()
        is_of_before = words is not None and self.state == "diverged"
        return f"The training diverged. Before that: {words}" if is_of_before else words

    def _kept_now(self) -> dict[str, Any]:
        return {"step": self._kept.steps[-1], "kept": self._kept.steps}

    def _look_now(self) -> dict[str, Any]:
        if self._look is None or self._look[0] != self._version:
            self._look = self._version, self._looks.look()
        return self._look[1]


def _plan(experiment: Experiment, material: Material) -> Plan:
    """How the experiment trains."""
    options = experiment.recipe.fit_options()
    if options["early_stopping"] and material.validation is None:
        raise ArgumentError(
            "early stopping needs validation samples, and there are none: set validation higher, give more samples, or "
            "set patience to 0."
        )
    return Plan(
        Rules(options["optimizer"], options["regularizer"]),
        schedule(options["schedule"]),
        options["epochs"],
        min(options["batch_size"], len(material.training)),
        augment=options["augment"],
        early_stopping=options["early_stopping"],
    )
