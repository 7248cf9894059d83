"""Callbacks that come with the package: early stopping. (The progress display is in `pellucid.training.progress`.)"""

from __future__ import annotations

import math
from collections.abc import Collection

from pellucid.core.errors import ArgumentError
from pellucid.core.shapes import Array, number_between, positive_integer
from pellucid.nn.stack import Stack
from pellucid.training.events import EpochFinished, Event, Patient, StopTraining, TrainingFinished, TrainingStarted


class EarlyStopping(Patient):
    """Stop when the validation loss has not fallen for ``patience`` epochs, and give the best parameters back.

    ``monitor`` is a figure of the history: one with "loss", "mae" or "penalty" in its name should fall, any other rise.
    Better means better by more than ``min_delta``. ``restore_best=False`` keeps the last parameters. The first
    ``start_from_epoch`` epochs of a training are passed over: while the rate is high, a figure of few samples is chance.
    """

    def __init__(
        self,
        patience: int = 5,
        monitor: str = "validation_loss",
        min_delta: float = 0.0,
        restore_best: bool = True,
        start_from_epoch: int = 0,
    ) -> None:
        self.patience = positive_integer(patience, "EarlyStopping(patience)")
        self.monitor = monitor
        self.min_delta = number_between(min_delta, "EarlyStopping(min_delta)", 0.0)
        self.restore_best = restore_best
        if isinstance(start_from_epoch, bool) or not isinstance(start_from_epoch, int) or start_from_epoch < 0:
            raise ArgumentError(
                f"EarlyStopping(start_from_epoch) must be a whole number of at least 0, not {start_from_epoch!r}."
            )
        self.start_from_epoch = start_from_epoch
        self.best_epoch = 0
        self._sign = 1.0 if any(word in monitor for word in ("loss", "mae", "penalty")) else -1.0
        self._stack: Stack | None = None
        self._forget()

    def watch(self, stack: Stack) -> EarlyStopping:
        """Say whose parameters to keep; ``fit`` does this."""
        self._stack = stack
        return self

    def __call__(self, event: Event) -> None:
        if isinstance(event, TrainingStarted):
            self._forget()
        elif isinstance(event, EpochFinished):
            self._judge(event)
        elif isinstance(event, TrainingFinished) and event.reason in ("completed", "stopped early"):
            self._restore()

    def check(self, figures: Collection[str]) -> None:
        """Raise `ArgumentError` if ``monitor`` is none of the ``figures`` that will be measured; ``fit`` does this."""
        if self.monitor not in figures:
            raise ArgumentError(
                f"early stopping watches {self.monitor!r}, which is not measured (there is {', '.join(figures)}). "
                f"Give fit a validation set: validation=0.1 or validation=(x, y)."
            )

    def _restore(self) -> None:
        if self.restore_best and self._best is not None and self._stack is not None:
            self._stack.parameters.vector[...], self._stack.state.vector[...] = self._best

    def _forget(self) -> None:
        self._best_value = math.inf
        self._waited = 0
        self._epochs = 0
        self._best: tuple[Array, Array] | None = None

    def _judge(self, event: EpochFinished) -> None:
        self.check(event.metrics)
        self._epochs += 1
        if self._epochs <= self.start_from_epoch:
            return
        value = self._sign * event.metrics[self.monitor]
        if value < self._best_value - self.min_delta:
            self._best_value, self._waited, self.best_epoch = value, 0, event.epoch
            if self.restore_best and self._stack is not None:
                self._best = (self._stack.parameters.vector.copy(), self._stack.state.vector.copy())
            return
        self._waited += 1
        if self._waited >= self.patience:
            raise StopTraining
