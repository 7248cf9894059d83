"""Schedules: how the learning rate changes during training.

A schedule is a pure function from a `Position` to a factor; the learning rate of a step is the optimizer's
``learning_rate`` times that factor. Positions count from the start of one call of ``fit``.
"""

from __future__ import annotations

import math
import warnings
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace

from pellucid.core.checks import instance_of, number_between, one_of, positive_integer


@dataclass(frozen=True)
class Position:
    """Where training is: ``step`` (from 0) of ``total_steps``, and the monitored losses of the finished epochs."""

    step: int
    total_steps: int
    steps_per_epoch: int
    losses: tuple[float, ...] = ()

    @property
    def epoch(self) -> int:
        return self.step // self.steps_per_epoch

    @property
    def fraction(self) -> float:
        """0 at the first step, 1 at the last."""
        return min(self.step / max(self.total_steps - 1, 1), 1.0)


class Schedule(ABC):
    """The interface: how the learning rate changes."""

    @abstractmethod
    def factor(self, position: Position) -> float:
        """The factor of the learning rate at this position."""


@dataclass(frozen=True)
class ConstantRate(Schedule):
    """factor = 1."""

    def factor(self, position: Position) -> float:
        return 1.0


@dataclass(frozen=True)
class StepDecay(Schedule):
    """factor = drop ^ floor(epoch / every)."""

    every: int = 10
    drop: float = 0.1

    def __post_init__(self) -> None:
        positive_integer(self.every, "StepDecay(every)")
        number_between(self.drop, "StepDecay(drop)", 0.0, 1.0, open_low=True)

    def factor(self, position: Position) -> float:
        return float(self.drop ** (position.epoch // self.every))


@dataclass(frozen=True)
class ExponentialDecay(Schedule):
    """factor = decay ^ (step / steps_per_epoch): smooth, ``decay`` for each epoch."""

    decay: float = 0.95

    def __post_init__(self) -> None:
        number_between(self.decay, "ExponentialDecay(decay)", 0.0, 1.0, open_low=True)

    def factor(self, position: Position) -> float:
        return float(self.decay ** (position.step / position.steps_per_epoch))


@dataclass(frozen=True)
class Cosine(Schedule):
    """factor = final + (1 - final) (1 + cos(pi step / total_steps)) / 2: half a cosine, from 1 towards ``final``.

    Loshchilov and Hutter 2017, without restarts. The step after the last would have the factor ``final``, so that no step
    is made with the rate 0.
    """

    final: float = 0.0

    def __post_init__(self) -> None:
        number_between(self.final, "Cosine(final)", 0.0, 1.0)

    def factor(self, position: Position) -> float:
        return _cosine(1.0, self.final, position.step / position.total_steps)


@dataclass(frozen=True)
class Warmup(Schedule):
    """(step + 1) / steps for the first ``steps`` steps; then the schedule ``then`` over the remaining steps.

    ``at_most`` is the largest fraction of all steps that the rise takes: a short training then has its rest too.
    """

    steps: int
    then: Schedule = field(default_factory=ConstantRate)
    at_most: float = 1.0

    def __post_init__(self) -> None:
        positive_integer(self.steps, "Warmup(steps)")
        instance_of(self.then, Schedule, "Warmup(then)")
        number_between(self.at_most, "Warmup(at_most)", 0.0, 1.0, open_low=True)

    def steps_of(self, total_steps: int) -> int:
        """How many steps the rise takes in a training of ``total_steps``."""
        if self.at_most == 1.0:
            return self.steps  # also if the training is shorter: `warn_about_length` says so
        return min(self.steps, max(int(self.at_most * total_steps), 1))

    def warn_about_length(self, total_steps: int) -> None:
        """Warn if the training is too short for the rate to rise to its full value."""
        rule: Schedule = self
        while isinstance(rule, Warmup) and total_steps > 0:
            steps = rule.steps_of(total_steps)
            if steps > total_steps:
                what = f"the warm-up takes {steps:,} steps, but only {total_steps:,} are left for it in this training"
                warnings.warn(f"{what}: the rate never rises to its full value. Choose fewer steps.", stacklevel=4)
            rule, total_steps = rule.then, total_steps - steps

    def factor(self, position: Position) -> float:
        steps = self.steps_of(position.total_steps)
        if position.step < steps:
            return (position.step + 1) / steps
        rest = replace(position, step=position.step - steps, total_steps=max(position.total_steps - steps, 1))
        return self.then.factor(rest)


@dataclass(frozen=True)
class OneCycle(Schedule):
    """From ``start`` up to 1 over the fraction ``rise`` of all steps, then down to ``final``, both along a cosine.

    The learning rate of the optimizer is the peak (Smith and Topin 2018, with PyTorch's cosine and default ratios).
    A training too short for a step within the rise begins at the peak.
    """

    rise: float = 0.3
    start: float = 0.04
    final: float = 4e-6

    def __post_init__(self) -> None:
        number_between(self.rise, "OneCycle(rise)", 0.0, 1.0, open_low=True, open_high=True)
        number_between(self.start, "OneCycle(start)", 0.0, 1.0, open_low=True)  # a step with the rate 0 changes nothing
        number_between(self.final, "OneCycle(final)", 0.0, 1.0, open_low=True)

    def factor(self, position: Position) -> float:
        rise = self.rise if self.rise * (position.total_steps - 1) >= 1 else 0.0
        if position.fraction < rise:
            return _cosine(self.start, 1.0, position.fraction / rise)
        return _cosine(1.0, self.final, (position.fraction - rise) / (1 - rise))


@dataclass(frozen=True)
class CosineLog(Schedule):
    """factor = (1 - cos(2 pi log2(1 + (2^humps - 1) t))) / 2  with  t = (step + 1) / (total_steps + 1)

    It goes up and down ``humps`` times, each time twice as long as before; never below 1e-4, so that every step moves.
    Holzmüller, Grinsztajn and Steinwart 2024 (RealMLP, arXiv:2407.04491), with four humps.
    """

    humps: int = 4

    def __post_init__(self) -> None:
        positive_integer(self.humps, "CosineLog(humps)")
        number_between(self.humps, "CosineLog(humps)", 1, 30)

    def factor(self, position: Position) -> float:
        t = (position.step + 1) / (position.total_steps + 1)
        return max(1e-4, (1 - math.cos(2 * math.pi * math.log2(1 + (2**self.humps - 1) * t))) / 2)


@dataclass(frozen=True)
class ReduceOnPlateau(Schedule):
    """factor = drop ^ (number of plateaus so far), at least ``minimum``.

    A plateau is ``patience`` epochs in a row in which the monitored loss (validation if there is one, else training) was
    not below (1 - threshold) times the best so far; after one, counting starts again.
    """

    drop: float = 0.5
    patience: int = 3
    threshold: float = 1e-4
    minimum: float = 1e-3

    def __post_init__(self) -> None:
        number_between(self.drop, "ReduceOnPlateau(drop)", 0.0, 1.0, open_low=True, open_high=True)
        positive_integer(self.patience, "ReduceOnPlateau(patience)")
        number_between(self.threshold, "ReduceOnPlateau(threshold)", 0.0, 1.0, open_high=True)
        number_between(self.minimum, "ReduceOnPlateau(minimum)", 0.0, 1.0)

    def factor(self, position: Position) -> float:
        best, waited, plateaus = math.inf, 0, 0
        for loss in position.losses:
            if loss < best * (1 - self.threshold) or best == math.inf:
                best, waited = loss, 0
            else:
                waited += 1
            if waited == self.patience:
                plateaus, waited = plateaus + 1, 0
        return max(float(self.drop**plateaus), self.minimum)


def _cosine(start: float, end: float, fraction: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * fraction)) / 2


SCHEDULES: dict[str, Schedule] = {
    "constant": ConstantRate(),
    "step": StepDecay(),
    "exponential": ExponentialDecay(),
    "cosine": Cosine(),
    "warmup": Warmup(200, Cosine(), at_most=0.2),
    "one_cycle": OneCycle(),
    "cosine_log": CosineLog(),
    "reduce_on_plateau": ReduceOnPlateau(),
}


def schedule(choice: str | Schedule) -> Schedule:
    """The schedule of that name with its defaults, or the given one itself."""
    if isinstance(choice, Schedule):
        return choice
    return SCHEDULES[one_of(choice, list(SCHEDULES), "schedule")]
