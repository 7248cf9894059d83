"""The figures of a run: loss and accuracy on samples it learns from, and on those kept aside.

Both are measured as in prediction and at the same step, so that the gap between them is what the network remembers and
cannot use on new samples; the running mean that ``fit`` reports lags behind, and has dropout in it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from pellucid.data.samples import Samples
from pellucid.evaluation.evaluate import evaluate
from pellucid.executors.native.compile_images import multiply_adds
from pellucid.nn.stack import Stack
from pellucid.training.loop import Course

MOST_MEASURED, FEWEST_MEASURED = 1_000, 200  # training samples
WORK = 1_000_000_000  # multiply-adds of measuring on training samples
WORK_ASIDE = 60_000_000_000  # and on those kept aside: all of them but for very large networks, which could not be stopped
MOST_FIGURES = 1_000


class Figures:
    """``history`` holds the figures in the order of their steps; of very many, every second one of the older half goes."""

    def __init__(self, course: Course) -> None:
        self.history: list[dict[str, Any]] = []
        self._course = course
        self._training = some(_spread(course.training, MOST_MEASURED), course.stack, WORK)
        self._aside = None if course.validation is None else some(course.validation, course.stack, WORK_ASIDE)

    def measure(self, *, validate: bool = True) -> dict[str, Any]:
        """Measure where the course is now, note it in the history, and give it: the data of a ``figures`` event.

        Raises `DivergenceError` when the network gives numbers that are not finite.
        """
        course = self._course
        seen = evaluate(course.stack, self._training)
        new = None
        if validate and self._aside is not None:
            new = evaluate(course.stack, self._aside)
        figures = {
            "step": course.step,
            "epoch": course.step / course.steps_per_epoch,
            "loss": seen["loss"],
            "accuracy": seen["accuracy"],
            "validation_loss": None if new is None else new["loss"],
            "validation_accuracy": None if new is None else new["accuracy"],
            "learning_rate": course.last_rate,
        }
        self._note(figures)
        return figures

    def are_of(self, step: int) -> bool:
        """Whether the step was measured in full."""
        if not self.history or self.history[-1]["step"] != step:
            return False
        return self._aside is None or self.history[-1]["validation_loss"] is not None

    def at(self, step: int) -> dict[str, Any] | None:
        """The last figures at or before this step; None if there are none."""
        return next((figures for figures in reversed(self.history) if figures["step"] <= step), None)

    def forget_after(self, step: int) -> None:
        """Drop the figures beyond this step: from here the run goes another way."""
        self.history = [figures for figures in self.history if figures["step"] <= step]

    def _note(self, figures: dict[str, Any]) -> None:
        if self.history and self.history[-1]["step"] == figures["step"]:
            self.history.pop()
        self.history.append(figures)
        if len(self.history) > MOST_FIGURES:
            older = len(self.history) // 2
            self.history = self.history[: older + 1 : 2] + self.history[older + 1 :]


def some(samples: Samples, stack: Stack, work: int) -> Samples:
    """As many of them as so many multiply-adds reach for, but `FEWEST_MEASURED` at least; evenly spread."""
    most = max(work // max(multiply_adds(stack), 1), FEWEST_MEASURED)
    return samples if len(samples) <= most else _spread(samples, most)


def _spread(samples: Samples, count: int) -> Samples:
    places = np.linspace(0, len(samples) - 1, min(count, len(samples))).astype(int)
    return replace(samples, rows=samples.rows[places], weights=None)
