"""The metrics of a run: loss and accuracy (of a regression the mean error) on training samples and on validation samples.

Both are measured as in prediction and at the same step, so that the gap between them shows overfitting; the running mean
that ``fit`` reports lags behind, and includes dropout.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from pellucid.data.samples import Samples
from pellucid.evaluation.evaluate import evaluate
from pellucid.executors.native.compile_images import multiply_adds
from pellucid.nn.stack import Stack
from pellucid.reports.gap import Right, gap_in_words
from pellucid.reports.validation import CHOSE, measured_in_words
from pellucid.training.history import History
from pellucid.training.loop import TrainingLoop
from pellucid.training.timeline import Timeline

MOST_MEASURED, FEWEST_MEASURED = 1_000, 200  # training samples
WORK = 1_000_000_000  # multiply-adds for the training samples
WORK_ASIDE = 60_000_000_000  # for the validation samples: all of them, unless a large network would take too long
MOST_FIGURES = 1_000
PLACE = ("step", "epoch")  # where the figures were measured: a model file does not hold it


class Figures:
    """``timeline`` holds the metrics in the order of their steps; old ones are thinned out. ``unit`` is what a mean error
    of 1 is in the units of the target, which may have been standardised."""

    def __init__(self, loop: TrainingLoop, unit: float = 1.0) -> None:
        self.timeline = Timeline[dict[str, Any]](lambda figures: figures["step"], lambda kept: len(kept) > MOST_FIGURES)
        self._loop, self._metric, self._unit = loop, loop.stack.output.metric, unit
        self._training = some(_spread(loop.training, MOST_MEASURED), loop.stack, WORK)
        self._aside = None if loop.validation is None else some(loop.validation, loop.stack, WORK_ASIDE)
        self._commonest = 0
        if self._aside is not None and self._metric == "accuracy":
            self._commonest = int(np.bincount(self._aside.y[self._aside.rows]).max())

    def measure(self, *, validate: bool = True) -> dict[str, Any]:
        """Measure the network as it is now, and keep that; returns the data of a ``figures`` event.

        Raises `DivergenceError` if the network gives numbers that are not finite.
        """
        loop = self._loop
        seen = evaluate(loop.stack, self._training)
        new = evaluate(loop.stack, self._aside) if validate and self._aside is not None else {}
        figures = {
            "step": loop.step,
            "epoch": loop.step / loop.steps_per_epoch,
            "loss": seen["loss"],
            self._metric: self._unit * seen[self._metric],
            "validation_loss": new.get("loss"),
            f"validation_{self._metric}": self._unit * new[self._metric] if new else None,
            "learning_rate": loop.last_rate,
        }
        self.timeline.keep(figures)
        return figures

    def are_of(self, step: int) -> bool:
        """Whether the step was measured in full."""
        last = self.timeline.items[-1:]
        return bool(last) and last[0]["step"] == step and (self._aside is None or last[0]["validation_loss"] is not None)

    def history(self) -> History:
        """What was measured up to the present step, as a model file holds it."""
        past = self._past()
        epochs = [{name: value for name, value in one.items() if name not in PLACE and value is not None} for one in past]
        return History(epochs, "copied", self._loop.restored(len(past) - 1) if self._is_measured() else None)

    def measured_in_words(self) -> str | None:
        """How good the network is on validation samples; None if it was not measured at the present step."""
        return measured_in_words(self.history()) if self._is_measured() else None

    def gap_in_words(self) -> str | None:
        """What the last figures mean that were measured up to the present step; None without validation samples."""
        last = next((one for one in reversed(self._past()) if one["validation_loss"] is not None), None)
        if last is None or self._aside is None:
            return None
        if self._metric != "accuracy":
            errors = (last[self._metric], last[f"validation_{self._metric}"])
            return "Off on average by {} in training, by {} in validation.".format(*map(_rounded, errors))
        training = Right(round(last["accuracy"] * len(self._training)), len(self._training))
        validation = Right(round(last["validation_accuracy"] * len(self._aside)), len(self._aside))
        words = gap_in_words(training, validation, self._commonest)
        restored = self._loop.restored(0)
        return f"{words} {CHOSE[:1].upper()}{CHOSE[1:]}." if restored is not None and restored.is_by_validation else words

    def _past(self) -> list[dict[str, Any]]:
        """What was measured up to the present step; after a rewind there is more."""
        return [figures for figures in self.timeline.items if figures["step"] <= self._loop.step]

    def _is_measured(self) -> bool:
        """Whether the last of them are those of the present step."""
        past = self._past()
        return bool(past) and past[-1]["step"] == self._loop.step


def _rounded(error: float) -> str:
    """Four digits, without a power of ten: 38,180."""
    return f"{float(f'{error:.4g}'):,.10g}"


def some(samples: Samples, stack: Stack, work: int) -> Samples:
    """Evenly spread samples: as many as ``work`` multiply-adds allow, but at least `FEWEST_MEASURED`."""
    most = max(work // max(multiply_adds(stack), 1), FEWEST_MEASURED)
    return samples if len(samples) <= most else _spread(samples, most)


def _spread(samples: Samples, count: int) -> Samples:
    places = np.linspace(0, len(samples) - 1, min(count, len(samples))).astype(int)
    return replace(samples, rows=samples.rows[places], weights=None)
