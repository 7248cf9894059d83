"""The trainer: epochs, steps, validation, and the events that tell of them. It prints nothing."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from pellucid.core.errors import ArgumentError, DivergenceError
from pellucid.core.shapes import instance_of, number_between, positive_integer
from pellucid.data.samples import Augmentation, Samples
from pellucid.evaluation.evaluate import evaluate
from pellucid.executors.base import Rules, is_priced, penalty
from pellucid.executors.choose import Engine, Precision, choose_executor
from pellucid.mathematics.means import WeightedMeans
from pellucid.mathematics.schedules import Position, Schedule
from pellucid.nn.stack import Stack
from pellucid.training.early_stopping import EarlyStopping
from pellucid.training.events import (
    Callback,
    EpochFinished,
    Event,
    Patient,
    StepFinished,
    StopTraining,
    TrainingFinished,
    TrainingStarted,
)
from pellucid.training.history import History
from pellucid.training.interrupt import Interrupt, deferred_interrupt
from pellucid.training.state import TrainingState


@dataclass(frozen=True)
class Plan:
    """Everything that a call of ``fit`` decides besides the data."""

    rules: Rules
    schedule: Schedule
    epochs: int
    batch_size: int
    shuffle: bool = True
    augment: Augmentation | None = None
    callbacks: Sequence[Callback] = ()
    engine: Engine = "auto"
    threads: int | None = None
    precision: Precision = "float32"

    def __post_init__(self) -> None:
        positive_integer(self.epochs, "epochs")
        positive_integer(self.batch_size, "batch_size")
        instance_of(self.shuffle, bool, "shuffle")
        if self.augment is not None and (not callable(self.augment) or isinstance(self.augment, type)):
            what = "a function of a batch and a key, such as Distortion()"
            raise ArgumentError(f"augment is {what}, not {self.augment!r}.")

    def in_words(self) -> dict[str, str]:
        """The settings that differ from nothing, for people to read."""
        things = {
            "optimizer": self.rules.optimizer,
            "schedule": self.schedule,
            "regularizer": self.rules.regularizer,
            "clipping": self.rules.clipping,
            "augmentation": self.augment,
            "epochs": self.epochs,
            "batch size": self.batch_size,
        }
        return {name: repr(thing) for name, thing in things.items() if thing is not None}


class Trainer:
    """Trains ``stack`` on ``training`` by ``plan``; ``history`` and ``state`` grow while it runs."""

    def __init__(
        self, stack: Stack, state: TrainingState, training: Samples, validation: Samples | None, plan: Plan
    ) -> None:
        self.stack = stack
        self.state = state
        self.training = training
        self.validation = validation
        self.plan = plan
        self.history = History()
        state.use(plan.rules.optimizer, stack)
        state.settings = plan.in_words()
        self.executor = choose_executor(
            *(stack, plan.rules, state.optimizer_state),
            batch_size=min(plan.batch_size, len(training)),
            engine=plan.engine,
            threads=plan.threads,
            precision=plan.precision,
        )
        self.steps_per_epoch = -(-len(training) // plan.batch_size)
        self._first_step = state.step
        self._losses: tuple[float, ...] = ()  # of the finished epochs, as schedules monitor them
        # early stopping hears of an epoch last, since it may end the training
        self._listeners = sorted(plan.callbacks, key=lambda callback: isinstance(callback, EarlyStopping))
        self._step_by_step = not all(isinstance(callback, Patient) for callback in plan.callbacks)

    def run(self) -> History:
        """Train; gives the history of this call.

        Raises `DivergenceError` when a number is not finite, and `KeyboardInterrupt` after the step in which Ctrl-C was
        pressed; in both cases the network holds its last good parameters, and ``history`` the finished epochs.
        """
        plan, reason = self.plan, "failed"
        try:
            with deferred_interrupt() as interrupt:
                first, count = self.state.epoch + 1, len(self.training)
                self._tell(TrainingStarted(first, plan.epochs, self.steps_per_epoch, count, plan.batch_size))
                for _ in range(plan.epochs):
                    self._run_epoch(interrupt)
                interrupt.check()
            reason = "completed"
        except StopTraining:
            reason = "stopped early"
        except KeyboardInterrupt:
            reason = "interrupted"
            raise
        except DivergenceError:
            reason = "diverged"
            self.state.optimizer_state.slots.clear()  # they hold the moments that led here
            raise
        finally:
            self.executor.settle()
            self.history.reason = reason
            last = self.history.epochs[-1] if self.history.epochs else {}
            self._tell_the_end(TrainingFinished(self.state.epoch, reason, last))
        return self.history

    def _run_epoch(self, interrupt: Interrupt) -> None:
        plan, state = self.plan, self.state
        start = time.perf_counter()
        epoch, state.epoch = state.epoch, state.epoch + 1
        means, rates = WeightedMeans(), [0.0]
        draws = self.training.epoch(
            plan.batch_size,
            seed=self.stack.seed,
            epoch=epoch,
            first_step=state.step,
            shuffle=plan.shuffle,
            augment=plan.augment,
        )
        while some := list(islice(draws, 1 if self._step_by_step else self.executor.steps_at_once)):
            while some:
                interrupt.check()
                rates = [plan.rules.optimizer.learning_rate * self._factor(i) for i in range(len(some))]
                figures = self.executor.train_steps(some, state.step, rates)
                for draw, rate, figure in zip(some, rates, figures, strict=False):
                    means.add(figure, draw.weight, len(draw.rows))
                    state.step += 1
                    if self._listeners:
                        self._tell(StepFinished(state.epoch, state.step, means.samples, rate, means.means()))
                some = some[len(figures) :]
        if self._step_by_step:
            self.executor.settle()  # for listeners who hold a view; all others look anew
        self._finish_epoch(means.means(), rates[-1], start)

    def _finish_epoch(self, figures: dict[str, float], rate: float, start: float) -> None:
        rules = self.plan.rules
        if is_priced(self.stack, rules.regularizer):
            figures["penalty"] = penalty(self.stack, rules.regularizer)
        if self.validation is not None:
            figures |= {f"validation_{name}": value for name, value in evaluate(self.stack, self.validation).items()}
        figures |= {"learning_rate": rate, "seconds": time.perf_counter() - start}
        self.history.epochs.append(figures)
        self._losses = (*self._losses, figures["loss" if self.validation is None else "validation_loss"])
        self._tell(EpochFinished(self.state.epoch, dict(figures)))

    def _factor(self, ahead: int) -> float:
        factor = self.plan.schedule.factor(self._position(ahead))
        return number_between(factor, f"the factor that {type(self.plan.schedule).__name__} gave", 0.0)

    def _position(self, ahead: int) -> Position:
        total = self.plan.epochs * self.steps_per_epoch
        return Position(self.state.step - self._first_step + ahead, total, self.steps_per_epoch, self._losses)

    def _tell(self, event: Event) -> None:
        for callback in self._listeners:
            callback(event)

    def _tell_the_end(self, event: TrainingFinished) -> None:
        """Early stopping gives the best parameters back; so it hears of the end first, and all others see them."""
        for callback in sorted(self._listeners, key=lambda callback: not isinstance(callback, EarlyStopping)):
            with suppress(StopTraining):
                callback(event)
