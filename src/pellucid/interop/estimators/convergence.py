"""When a training has converged, by scikit-learn's rule, and what the estimator remembers of each epoch."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pellucid.core.shapes import Array
from pellucid.interop.estimators.parameters import NetworkParameters
from pellucid.interop.estimators.units import Units
from pellucid.training.events import EpochFinished, Event, Patient, StopTraining
from pellucid.training.loop import TrainingLoop

FIFTH = 5.0  # by which "adaptive" divides the rate
SMALLEST_RATE = 1e-6


@dataclass
class Progress:
    """What an estimator remembers over all its calls of ``fit``, ``partial_fit`` and warm starts."""

    loss_curve: list[float] = field(default_factory=list)
    validation_losses: list[float] = field(default_factory=list)
    validation_scores: list[float] = field(default_factory=list)
    best_loss: float = np.inf
    best_score: float = -np.inf
    best: tuple[Array, Array] | None = None  # parameters and state of the epoch with the best score
    waited: int = 0  # epochs in a row that were no better
    seen: int = 0  # samples
    rate: float | None = None  # the learning rate that "adaptive" has arrived at


class Convergence(Patient):
    """Stops a training when for more than ``n_iter_no_change`` epochs the loss has not fallen by ``tol``, or with
    ``early_stopping`` the validation score has not risen by as much. "adaptive" then takes a fifth of the rate instead."""

    def __init__(
        self, parameters: NetworkParameters, progress: Progress, loop: TrainingLoop, units: Units, samples: int
    ) -> None:
        self.parameters, self.progress, self.loop, self.units = parameters, progress, loop, units
        self.samples = samples  # of an epoch
        self.epochs = 0
        self.converged = False
        self.metric = {"accuracy": "accuracy", "mae": "r2"}[loop.stack.output.metric]  # scikit-learn's score

    def __call__(self, event: Event) -> None:
        if not isinstance(event, EpochFinished):
            return
        progress = self.progress
        self.epochs += 1
        progress.seen += self.samples
        progress.loss_curve.append(self.units.loss(event.metrics["loss"], event.metrics.get("penalty", 0.0)))
        self._say(f"Iteration {self.epochs}, loss = {progress.loss_curve[-1]:.8f}")
        if self.loop.validation is not None:
            progress.validation_losses.append(self.units.loss(event.metrics["validation_loss"], 0.0))
            progress.validation_scores.append(event.metrics[f"validation_{self.metric}"])
            self._say(f"Validation score: {progress.validation_scores[-1]:f}")
        progress.waited = 0 if self._is_better() else progress.waited + 1
        if progress.waited > self.parameters.n_iter_no_change:
            self._stand_still()

    def _is_better(self) -> bool:
        """Whether this epoch is by ``tol`` better than the best one before it."""
        progress, tol = self.progress, self.parameters.tol
        if not self.parameters.early_stopping:
            loss = progress.loss_curve[-1]
            better = not loss > progress.best_loss - tol
            progress.best_loss = min(progress.best_loss, loss)
            return better
        score, stack = progress.validation_scores[-1], self.loop.stack
        better = not score < progress.best_score + tol
        if score > progress.best_score:
            progress.best_score = score
            progress.best = stack.parameters.vector.copy(), stack.state.vector.copy()
        return better

    def _stand_still(self) -> None:
        what = "Validation score did not improve" if self.parameters.early_stopping else "Training loss did not improve"
        text = f"{what} more than tol={self.parameters.tol:f} for {self.parameters.n_iter_no_change} consecutive epochs."
        is_adaptive = self.parameters.solver == "sgd" and self.parameters.learning_rate == "adaptive"
        if is_adaptive and self.units.rate(self.loop.learning_rate) > SMALLEST_RATE:
            self.loop.learning_rate /= FIFTH
            self.progress.waited = 0
            self._say(f"{text} Setting learning rate to {self.units.rate(self.loop.learning_rate):f}")
            return
        self._say(f"{text} Learning rate too small. Stopping." if is_adaptive else f"{text} Stopping.")
        self.converged = True
        raise StopTraining

    def _say(self, text: str) -> None:
        if self.parameters.verbose:
            print(text)
