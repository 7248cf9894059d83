"""The training loop: steps in their order, one checkpoint after the other, to be left and entered anywhere.

The order of samples is a function of (seed, epoch), chance one of (seed, step), the learning rate one of the position: so
a training that is left and entered again makes the bits of one that was not. `Trainer` runs the loop for ``fit``, with
listeners and Ctrl-C; the studio runs it a few steps at a time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from copy import deepcopy

from pellucid.core.checks import number_between
from pellucid.core.errors import DivergenceError
from pellucid.data.samples import BatchIndices, Samples
from pellucid.evaluation.evaluate import evaluate
from pellucid.executors.base import Executor, OptimizerState
from pellucid.executors.choose import choose_executor
from pellucid.mathematics.means import WeightedMeans
from pellucid.mathematics.schedules import Position, ReduceOnPlateau
from pellucid.nn.objective import penalties, penalty
from pellucid.nn.stack import Stack
from pellucid.training.checkpoints import Checkpoint
from pellucid.training.early_stopping import Waiting
from pellucid.training.events import EpochFinished, Event, StepFinished
from pellucid.training.plan import Plan
from pellucid.training.state import TrainingState


class TrainingLoop:
    """Trains ``stack`` on ``training`` by ``plan``; ``state`` moves along with it.

    A training ends after the planned epochs, or when early stopping ends it; the next step then begins another one, as a
    second call of ``fit`` does. ``tell`` hears of each step and each epoch; without it, an epoch is measured only if early
    stopping or the schedule needs its loss. ``learning_rate`` is what the schedule multiplies; it may be changed between
    two steps.
    """

    def __init__(
        self,
        stack: Stack,
        state: TrainingState,
        training: Samples,
        validation: Samples | None,
        plan: Plan,
        tell: Callable[[Event], None] | None = None,
    ) -> None:
        self.stack, self.state, self.plan = stack, state, plan
        self.training, self.validation = training, validation
        self.steps_per_epoch = -(-len(training) // plan.batch_size)
        self.planned_steps = plan.epochs * self.steps_per_epoch
        self.learning_rate = plan.rules.optimizer.learning_rate
        self.last_rate = 0.0  # of the step made last
        self.ended: str | None = None  # "completed" or "stopped early" where a training has ended
        self.tells_steps = True  # if somebody is told at all
        state.use(plan.rules.optimizer, stack)
        state.settings = plan.in_words()
        self._tell = tell
        self._measures = bool(tell or plan.early_stopping or isinstance(plan.schedule, ReduceOnPlateau))
        self._within = 0  # steps made of the epoch that is under way
        self._made = 0  # steps made since this training began
        self._losses: tuple[float, ...] = ()  # of its finished epochs
        self._means = WeightedMeans()  # of the steps made in this epoch
        self._waiting = Waiting()
        self._order: tuple[int, list[BatchIndices]] = -1, []  # an epoch, and its batches
        self._begun = time.perf_counter()  # the epoch
        self._executor: Executor | None = None

    @property
    def step(self) -> int:
        """Steps made in the life of the network."""
        return self.state.step

    @property
    def is_at_epoch_end(self) -> bool:
        return self.step > 0 and self._within == 0

    @property
    def end(self) -> int:
        """The step at which the training ends that the next step belongs to, unless it is stopped early."""
        return self.step + self.planned_steps - (0 if self.ended else self._made)

    @property
    def executor(self) -> Executor:
        """What computes the steps; it is made when it is needed."""
        if self._executor is None:
            self.state.use(self.plan.rules.optimizer, self.stack)
            self._executor = choose_executor(
                *(self.stack, self.plan.rules, self.state.optimizer_state),
                batch_size=min(self.plan.batch_size, len(self.training)),
                engine=self.plan.engine,
                threads=self.plan.threads,
                precision=self.plan.precision,
            )
        return self._executor

    def advance(self, most: int | None = None) -> int:
        """Make some steps of this epoch, at least one and at most so many; gives their number.

        Raises `DivergenceError` when a number is not finite; the network then holds its last good parameters.
        """
        if self.ended:
            self.ended, self._made, self._losses, self._waiting = None, 0, (), Waiting()
        if self._within == 0:
            self._begun = time.perf_counter()
        epoch = self.state.epoch + (self._within == 0)  # it begins with its first step
        at_once = self.executor.steps_at_once
        batches = self._batches(epoch)[self._within :][: at_once if most is None else min(most, at_once)]
        rates = [self.learning_rate * self._factor(ahead) for ahead in range(len(batches))]
        try:
            figures = self.executor.train_steps(batches, self.step, rates)
        except DivergenceError:
            self.release()
            self.state.optimizer_state = OptimizerState()  # the slots hold the moments that led here
            raise
        self.state.epoch = epoch
        for batch, rate, figure in zip(batches, rates, figures, strict=False):
            self._means.add(figure, batch.weight, len(batch.rows))
            self.state.step += 1
            self._within += 1
            self._made += 1
            self.last_rate = rate
            if self._tell is not None and self.tells_steps:
                self._tell(StepFinished(self.state.epoch, self.step, self._means.samples, rate, self._means.means()))
        if self._within == self.steps_per_epoch:
            self._finish_epoch()
        return len(figures)

    def checkpoint(self) -> Checkpoint:
        """All that is needed to go on from here."""
        parameters = self.stack.parameters.vector.copy()  # reading it brings the slots up to date too
        memory = self.state.optimizer_state
        return Checkpoint(
            *(self.step, self.state.epoch, self._within, self._made, self.ended, self._losses),
            *(deepcopy(self._means), self._waiting, parameters, self.stack.state.vector.copy()),
            *({name: slot.copy() for name, slot in memory.slots.items()}, memory.updates),
        )

    def enter(self, checkpoint: Checkpoint) -> None:
        """Go on from there."""
        self.release()
        self.stack.parameters.vector[...] = checkpoint.parameters
        self.stack.state.vector[...] = checkpoint.state
        slots = {name: slot.copy() for name, slot in checkpoint.slots.items()}
        self.state.optimizer_state = OptimizerState(slots, checkpoint.updates)
        self.state.step, self.state.epoch = checkpoint.step, checkpoint.epoch
        self._within, self._made, self.ended = checkpoint.within, checkpoint.made, checkpoint.ended
        self._losses, self._means, self._waiting = checkpoint.losses, deepcopy(checkpoint.means), checkpoint.waiting

    def release(self) -> None:
        """Bring the network up to date, and give the memory of the executor back."""
        if self._executor is not None:
            self._executor.settle()
            self._executor = None

    def restore_best(self) -> None:
        """Give the network the parameters back that early stopping holds to be the best."""
        self._waiting.restore(self.stack)

    def _finish_epoch(self) -> None:
        figures, self._means, self._within = self._means.means(), WeightedMeans(), 0
        if self._measures:
            self._measure(figures)
        if self._made == self.planned_steps:
            self.ended = "completed"
        rule = self.plan.early_stopping
        if rule is None:
            return
        self._waiting = self._waiting.after(rule, self.state.epoch, figures, self.stack)
        rule.best_epoch = self._waiting.epoch
        if self._waiting.waited >= rule.patience:
            self.ended = "stopped early"
        if self.ended:
            self.restore_best()
            self._waiting = Waiting()

    def _measure(self, figures: dict[str, float]) -> None:
        """Add what is measured at the end of an epoch, and tell of it."""
        regularizer = self.plan.rules.regularizer
        if penalties(self.stack, regularizer):
            figures["penalty"] = penalty(self.stack, regularizer)
        if self.validation is not None:
            figures |= {f"validation_{name}": value for name, value in evaluate(self.stack, self.validation).items()}
        figures |= {"learning_rate": self.last_rate, "seconds": time.perf_counter() - self._begun}
        self._losses = (*self._losses, figures["loss" if self.validation is None else "validation_loss"])
        if self._tell is not None:
            self._tell(EpochFinished(self.state.epoch, dict(figures)))

    def _factor(self, ahead: int) -> float:
        schedule = self.plan.schedule
        factor = schedule.factor(Position(self._made + ahead, self.planned_steps, self.steps_per_epoch, self._losses))
        return number_between(factor, f"the factor that {type(schedule).__name__} gave", 0.0)

    def _batches(self, epoch: int) -> list[BatchIndices]:
        """The batches of this epoch (counted from 1), in order."""
        if self._order[0] != epoch:
            batches = self.training.epoch(
                self.plan.batch_size,
                seed=self.stack.seed,
                epoch=epoch - 1,
                first_step=self.step - self._within,
                shuffle=self.plan.shuffle,
                augment=self.plan.augment,
            )
            self._order = epoch, list(batches)
        return self._order[1]
