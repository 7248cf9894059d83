"""Events: what the trainer says while it works. It prints nothing itself; whoever listens may.

A callback is any function of one event: ``fit(callbacks=[print])`` works. Raising `StopTraining` in a callback ends the
training in good order after the current step.
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
    """Before the first step: how many epochs, steps an epoch and samples an epoch are ahead, in batches of what size."""

    epochs: int
    steps_per_epoch: int
    samples_per_epoch: int
    batch_size: int


@dataclass(frozen=True)
class StepFinished(Event):
    """After each step: ``metrics`` are the means over the epoch so far, ``samples`` the samples seen in this epoch."""

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
    """At the end; ``reason`` is "completed", "stopped early", "interrupted", "diverged" or "failed"."""

    reason: str
    metrics: dict[str, float] = field(default_factory=dict)


class Patient:
    """The base of listeners that do not look at the network after each step.

    If all are such, steps may be made several at once, and `StepFinished` be told of them a moment later; stop the training
    at the end of an epoch then. For any other listener each step is told before the next one is made.
    """


Callback: TypeAlias = Callable[[Event], object]
