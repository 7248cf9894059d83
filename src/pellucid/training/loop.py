"""The course of a training: its steps in their order, one place after the other, to be left and entered anywhere.

It makes the steps that ``Network.fit`` would make, and the same bits: the order of samples is a function of (seed, epoch),
chance one of (seed, step), the learning rate one of the place. After the last planned epoch, or when early stopping ends
them, it begins another round of as many, as a second call of ``fit`` would.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from pellucid.core.errors import ArgumentError, DivergenceError
from pellucid.core.shapes import Array, Shape
from pellucid.data.samples import Draw, Samples
from pellucid.evaluation.evaluate import evaluate
from pellucid.executors.base import Executor, OptimizerState, Rules
from pellucid.executors.choose import choose_executor
from pellucid.mathematics.means import WeightedMeans
from pellucid.mathematics.schedules import Position, ReduceOnPlateau, schedule
from pellucid.nn.stack import Stack
from pellucid.training.patience import Waiting
from pellucid.training.state import TrainingState


@dataclass(frozen=True)
class Place:
    """All that a training needs to go on from a step as if it had never been left."""

    step: int
    parameters: Array
    state: Array
    slots: dict[str, Array]
    updates: int
    losses: tuple[float, ...]
    means: WeightedMeans
    round_start: int  # a step at which a round began
    waiting: Waiting

    @property
    def nbytes(self) -> int:
        own = (self.parameters, self.state, *self.slots.values())
        return sum(vector.nbytes for vector in own) + self.waiting.nbytes


class Course:
    """Trains ``stack``; ``options`` are those of ``Network.fit``. ``learning_rate`` is what the schedule multiplies; it
    may be changed between two steps.

    ``patience`` is that of early stopping, 0 for none: a round ends when the validation loss has not fallen for so many
    epochs, and at its end the network gets its best parameters back, as `EarlyStopping` does it.
    """

    def __init__(
        self,
        stack: Stack,
        state: TrainingState,
        training: Samples,
        validation: Samples | None,
        options: dict[str, Any],
        patience: int = 0,
    ) -> None:
        if patience and validation is None:
            raise ArgumentError(
                "early stopping watches samples that are kept aside, and there are none: set validation higher, give more "
                "samples, or set patience to 0."
            )
        self.stack, self.state = stack, state
        self.training = training
        self.validation = validation
        self.rules = Rules(options["optimizer"], options["regularizer"])
        self.schedule = schedule(options["schedule"])
        self.batch_size = min(options["batch_size"], len(training))
        self.augment = options["augment"]
        self.learning_rate: float = options["optimizer"].learning_rate
        self.last_rate = 0.0  # of the step made last
        self.steps_per_epoch = -(-len(training) // self.batch_size)
        self.steps_per_round = options["epochs"] * self.steps_per_epoch
        state.use(self.rules.optimizer, stack)
        self.patience = patience
        self._waiting = Waiting()
        self._round_start = 0  # where one began; the others follow it evenly
        self._needs_losses = isinstance(self.schedule, ReduceOnPlateau) or patience > 0
        self._losses: tuple[float, ...] = ()  # of the epochs finished in this round
        self._means = WeightedMeans()  # of the steps made in this epoch
        self._epoch: tuple[int, list[Draw]] = -1, []
        self._executor: Executor | None = None

    @property
    def step(self) -> int:
        """Steps made in the life of the network."""
        return self.state.step

    @property
    def is_at_epoch_end(self) -> bool:
        return self.step > 0 and self.step % self.steps_per_epoch == 0

    @property
    def is_at_round_end(self) -> bool:
        return self.step > 0 and self._within_round(self.step) == 0

    @property
    def is_stopped_early(self) -> bool:
        """Whether early stopping has ended the round here."""
        return self.step > 0 and self.step == self._round_start

    @property
    def round_end(self) -> int:
        """The step at which the round ends that the next step belongs to, unless it is stopped early."""
        return self.step + self.steps_per_round - self._within_round(self.step)

    @property
    def executor(self) -> Executor:
        """What computes the steps; it is made when it is needed."""
        if self._executor is None:
            self._executor = choose_executor(self.stack, self.rules, self.state.optimizer_state, batch_size=self.batch_size)
        return self._executor

    def advance(self, most: int) -> int:
        """Make some steps of this epoch, at most so many and at least one; gives their number.

        Raises `DivergenceError` as ``fit`` does; the network then holds its last good parameters.
        """
        step = self.step
        epoch, within = divmod(step, self.steps_per_epoch)
        count = min(most, self.executor.steps_at_once, self.steps_per_epoch - within)
        rates = [self.learning_rate * self._factor(step + i) for i in range(count)]
        draws = self._draws(epoch)[within : within + count]
        try:
            figures = self.executor.train_steps(draws, step, rates)
        except DivergenceError:
            self.release()  # its slots hold the moments that led here
            self.state.optimizer_state = OptimizerState.fresh(self.rules.optimizer, self.stack.parameters.vector)
            raise
        made = len(figures)
        self.last_rate = rates[made - 1]
        self._move_to(step + made)
        if self._needs_losses:
            for draw, figure in zip(draws, figures, strict=False):
                self._means.add(figure, draw.weight, len(draw.rows))
            if self.is_at_epoch_end:
                self._finish_epoch()
        return made

    def place(self) -> Place:
        """Where it is now."""
        memory = self.state.optimizer_state
        parameters = self.stack.parameters.vector.copy()  # reading it brings the slots up to date too
        slots = {name: slot.copy() for name, slot in memory.slots.items()}
        means = deepcopy(self._means) if self._needs_losses else self._means
        state, where = self.stack.state.vector.copy(), (self._round_start, self._waiting)
        return Place(self.step, parameters, state, slots, memory.updates, self._losses, means, *where)

    def enter(self, place: Place) -> None:
        """Go on from there."""
        self.release()
        self.stack.parameters.vector[...] = place.parameters
        self.stack.state.vector[...] = place.state
        slots = {name: slot.copy() for name, slot in place.slots.items()}
        self.state.optimizer_state = OptimizerState(slots, place.updates)
        self._losses, self._means = place.losses, deepcopy(place.means)
        self._round_start, self._waiting = place.round_start, place.waiting
        self._move_to(place.step)

    def release(self) -> None:
        """Bring the network up to date, and give the memory of the executor back."""
        if self._executor is not None:
            self._executor.settle()
            self._executor = None

    def _move_to(self, step: int) -> None:
        self.state.step, self.state.epoch = step, -(-step // self.steps_per_epoch)

    def _finish_epoch(self) -> None:
        measured = self._means.means() if self.validation is None else evaluate(self.stack, self.validation)
        self._losses = (*self._losses, measured["loss"])
        self._means = WeightedMeans()
        if self.patience:
            self._waiting = self._waiting.after(measured["loss"], self.stack)
            if self._waiting.epochs >= self.patience:
                self._round_start = self.step
        if self.is_at_round_end:
            if self.patience:
                self.release()
                self._waiting.restore(self.stack)
            self._losses, self._waiting = (), Waiting()

    def _factor(self, step: int) -> float:
        within = self._within_round(step)
        return self.schedule.factor(Position(within, self.steps_per_round, self.steps_per_epoch, self._losses))

    def _within_round(self, step: int) -> int:
        return (step - self._round_start) % self.steps_per_round

    def _draws(self, epoch: int) -> list[Draw]:
        """The draws of this epoch, in order."""
        if self._epoch[0] != epoch:
            options = {"seed": self.stack.seed, "epoch": epoch, "first_step": epoch * self.steps_per_epoch}
            draws = self.training.epoch(self.batch_size, **options, shuffle=True, augment=self.augment)
            self._epoch = epoch, list(draws)
        return self._epoch[1]


def graft(from_course: Course, place: Place, course: Course) -> None:
    """Enter a place of another course with this one, whose network or rules differ.

    Parameters of the same name and shape are taken along. So is what the optimizer remembers, if they all are and it is of
    the same kind. Early stopping waits on with the same layers; with others, even of the same shapes, the best parameters
    would mean another network. Where epochs have another number of steps, the course begins with that epoch.
    """
    old, new = from_course.stack, course.stack
    same = _shapes(old) == _shapes(new)
    for holder, before, vector in (
        (new.parameters, old.parameters, place.parameters),
        (new.state, old.state, place.state),
    ):
        for name in holder:
            if name in before and before.layout.slots[name].spec.shape == holder.layout.slots[name].spec.shape:
                holder[name] = before.layout.view(vector, name)
    step, round_start = place.step, place.round_start
    if course.steps_per_epoch != from_course.steps_per_epoch:
        step, round_start = (at // from_course.steps_per_epoch * course.steps_per_epoch for at in (step, round_start))
    fresh = course.place()
    keeps_memory = same and type(course.rules.optimizer) is type(from_course.rules.optimizer)
    keeps_memory = keeps_memory and place.slots.keys() == fresh.slots.keys()
    slots, updates = (place.slots, place.updates) if keeps_memory else (fresh.slots, 0)
    waiting = place.waiting if old.layers == new.layers and course.patience else fresh.waiting
    begun = replace(fresh, step=step, round_start=round_start, losses=place.losses, means=place.means, waiting=waiting)
    course.enter(replace(begun, slots=slots, updates=updates))


def _shapes(stack: Stack) -> dict[str, Shape]:
    return {name: slot.spec.shape for name, slot in stack.parameters.layout.slots.items()}
