"""The training loop, which can be left at any step, and continued from any checkpoint.

The order of samples is a function of (seed, epoch), random numbers are one of (seed, step), the learning rate is one of the
position; so training that is interrupted and continued gives the same bits. `Trainer` runs the loop for ``fit``, with
callbacks and Ctrl-C; the studio runs it a few steps at a time.
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
from pellucid.training.history import Restored
from pellucid.training.plan import Plan
from pellucid.training.state import TrainingState


class TrainingLoop:
    """Trains ``stack`` on ``training`` by ``plan``, and updates ``state``.

    Training ends after the planned epochs, or by early stopping; the next step then begins another training, as a second
    call of ``fit`` does. ``tell`` is called for each step and each epoch; without it, an epoch is measured only if early
    stopping or the schedule needs its loss. The schedule multiplies ``learning_rate``, which may be changed between two
    steps.
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
        self.last_rate = 0.0  # of the last step
        self.ended: str | None = None  # "completed" or "stopped early" after the end of a training
        self.restored_epoch = 0  # the epoch whose parameters early stopping has restored
        self.tell, self.tells_steps = tell, True
        state.use(plan.rules.optimizer, stack)
        state.settings = plan.in_words()
        self._within = 0  # these five as in `Checkpoint`
        self._made = 0
        self._losses: tuple[float, ...] = ()
        self._means = WeightedMeans()
        self._waiting = Waiting()
        self._order: tuple[int, list[BatchIndices]] = -1, []  # an epoch, and its batches
        self._begun = time.perf_counter()  # when the epoch began
        self._executor: Executor | None = None

    @property
    def step(self) -> int:
        """Steps made in the life of the network."""
        return self.state.step

    @property
    def is_at_epoch_end(self) -> bool:
        return self.step > 0 and self._within == 0

    @property
    def made(self) -> int:
        """Steps made since this training began."""
        return self._made

    @property
    def end(self) -> int:
        """The step after which the training of the next step ends, unless it stops early."""
        return self.step + self.planned_steps - (0 if self.ended else self._made)

    @property
    def executor(self) -> Executor:
        """What computes the steps."""
        if self._executor is None:
            self.state.use(self.plan.rules.optimizer, self.stack)
            self._executor = choose_executor(
                self.stack,
                self.plan.rules,
                self.state.optimizer_state,
                batch_size=min(self.plan.batch_size, len(self.training)),
                engine=self.plan.engine,
                threads=self.plan.threads,
                precision=self.plan.precision,
            )
        return self._executor

    def advance(self, most: int | None = None) -> int:
        """Make at least one step of this epoch and at most ``most``; gives how many were made.

        Raises `DivergenceError` when a number is not finite; the network then has its last good parameters.
        """
        if self.ended:
            self.ended, self._made, self._losses, self._waiting = None, 0, (), Waiting()
        if self._within == 0:
            self._begun = time.perf_counter()
        epoch = self.state.epoch + (self._within == 0)
        at_once = self.executor.steps_at_once if most is None else min(most, self.executor.steps_at_once)
        batches = self._batches(epoch)[self._within : self._within + at_once]
        rates = [self.learning_rate * self._factor(ahead) for ahead in range(len(batches))]
        try:
            metrics = self.executor.train_steps(batches, self.step, rates)
        except DivergenceError:
            self.release()
            self.state.optimizer_state = OptimizerState()  # the moments led to the divergence
            raise
        self.state.epoch, before, made = epoch, self.step, len(metrics)
        self.last_rate, self.restored_epoch = rates[made - 1], 0
        for step, (batch, rate, measured) in enumerate(zip(batches, rates, metrics, strict=False), before + 1):
            self._means.add(measured, batch.weight, len(batch.rows))
            if self.tell is not None and self.tells_steps:
                self.state.step = step
                self.tell(StepFinished(epoch, step, self._means.samples, rate, self._means.means()))
        self.state.step = before + made
        self._within += made
        self._made += made
        if self._within == self.steps_per_epoch:
            self._finish_epoch()
        return made

    def next_batch(self) -> tuple[BatchIndices, float]:
        """What the next step will see, and its learning rate, unless this training has ended."""
        batch = self._batches(self.state.epoch + (self._within == 0))[self._within]
        return batch, self.learning_rate * self._factor(0)

    def checkpoint(self) -> Checkpoint:
        """The checkpoint of this step."""
        parameters = self.stack.parameters.vector.copy()  # first: reading it brings the slots up to date too
        return Checkpoint(
            step=self.step,
            epoch=self.state.epoch,
            within=self._within,
            made=self._made,
            ended=self.ended,
            losses=self._losses,
            means=deepcopy(self._means),
            waiting=self._waiting,
            restored=self.restored_epoch,
            parameters=parameters,
            state=self.stack.state.vector.copy(),
            optimizer_state=deepcopy(self.state.optimizer_state),
        )

    def enter(self, checkpoint: Checkpoint) -> None:
        """Continue from a checkpoint."""
        self.release()
        self.stack.parameters.vector[...] = checkpoint.parameters
        self.stack.state.vector[...] = checkpoint.state
        self.state.optimizer_state = deepcopy(checkpoint.optimizer_state)
        self.state.step, self.state.epoch = checkpoint.step, checkpoint.epoch
        self._within, self._made, self.ended = checkpoint.within, checkpoint.made, checkpoint.ended
        self.restored_epoch = checkpoint.restored
        self._losses, self._means, self._waiting = checkpoint.losses, deepcopy(checkpoint.means), checkpoint.waiting
        if self.plan.early_stopping is not None:
            self.plan.early_stopping.best_epoch = checkpoint.waiting.epoch or checkpoint.restored

    def release(self) -> None:
        """Bring the network up to date, and free the executor."""
        if self._executor is not None:
            self._executor.settle()
            self._executor = None

    def restore_best(self) -> None:
        """Restore the best parameters that early stopping has seen."""
        if self._waiting.best is not None:
            self._waiting.restore(self.stack)
            self.restored_epoch = self._waiting.epoch

    def restored(self, place: int) -> Restored | None:
        """The epoch whose parameters early stopping has restored, if it has; ``place`` is where a history has it."""
        rule = self.plan.early_stopping
        return Restored(place, self.restored_epoch, rule.monitor) if self.restored_epoch and rule is not None else None

    def _finish_epoch(self) -> None:
        metrics, self._means, self._within = self._means.means(), WeightedMeans(), 0
        rule = self.plan.early_stopping
        if self.tell or rule or isinstance(self.plan.schedule, ReduceOnPlateau):
            self._measure(metrics)
        if self._made == self.planned_steps:
            self.ended = "completed"
        if rule is None:
            return
        self._waiting = self._waiting.after(rule, self.state.epoch, metrics, self.stack)
        rule.best_epoch = self._waiting.epoch
        if self._waiting.waited >= rule.patience:
            self.ended = "stopped early"
        if self.ended:
            self.restore_best()
            self._waiting = Waiting()

    def _measure(self, metrics: dict[str, float]) -> None:
        """Add what is measured at the end of an epoch."""
        regularizer = self.plan.rules.regularizer
        if penalties(self.stack, regularizer):
            metrics["penalty"] = penalty(self.stack, regularizer)
        if self.validation is not None:
            metrics |= {f"validation_{name}": value for name, value in evaluate(self.stack, self.validation).items()}
        metrics |= {"learning_rate": self.last_rate, "seconds": time.perf_counter() - self._begun}
        self._losses = (*self._losses, metrics["loss" if self.validation is None else "validation_loss"])
        if self.tell is not None:
            self.tell(EpochFinished(self.state.epoch, dict(metrics)))

    def _factor(self, ahead: int) -> float:
        schedule = self.plan.schedule
        factor = schedule.factor(Position(self._made + ahead, self.planned_steps, self.steps_per_epoch, self._losses))
        return number_between(factor, f"the factor that {type(schedule).__name__} gave", 0.0)

    def _batches(self, epoch: int) -> list[BatchIndices]:
        """The batch indices of this epoch, which counts from 1."""
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
