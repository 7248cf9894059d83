"""Events: what training reports to its callbacks.

A callback is any function of one event: ``fit(callbacks=[print])`` works. Raising `StopTraining` in a callback ends the
training after the current step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias


class StopTraining(Exception):
    """Raised by a callback to end training; ``fit`` then returns as usual."""


@dataclass(frozen=True)
class Event:
    """The base of all events. ``epoch`` counts from 1 over the whole life of the network."""

    epoch: int


@dataclass(frozen=True)
class TrainingStarted(Event):
    """Before the first step: the size of the training ahead."""

    epochs: int
    steps_per_epoch: int
    samples_per_epoch: int
    batch_size: int


@dataclass(frozen=True)
class StepFinished(Event):
    """After each step: ``metrics`` are the means over the epoch so far, ``samples`` how many it has seen."""

    step: int
    samples: int
    learning_rate: float
    metrics: dict[str, float]


@dataclass(frozen=True)
class EpochFinished(Event):
    """After each epoch and its validation: ``metrics`` holds loss, accuracy, validation_loss, learning_rate, seconds ..."""

    metrics: dict[str, float]


@dataclass(frozen=True)
class TrainingFinished(Event):
    """At the end; ``reason`` is "completed", "stopped early", "interrupted", "diverged" or "failed".

    ``metrics`` are those of ``restored_epoch``, whose parameters early stopping restored; of the last epoch if that is 0.
    """

    reason: str
    metrics: dict[str, float] = field(default_factory=dict)
    restored_epoch: int = 0


class Patient:
    """The base of callbacks that need not see the network after each step.

    If all callbacks are such, several steps are made at once, which is faster, and `StepFinished` comes for each of them
    afterwards; stop the training at the end of an epoch then. Any other callback hears of each step before the next one.
    """


Callback: TypeAlias = Callable[[Event], object]
