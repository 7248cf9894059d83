"""The learning rate of "sgd" that falls, as scikit-learn lets it fall."""

from __future__ import annotations

from dataclasses import dataclass

from pellucid.mathematics.schedules import Position, Schedule


def inverse_scaling(power: float, samples: int, seen: int, *, begins: bool) -> Schedule:
    """factor = 1 / (t + 1)^power, t the samples seen by the end of the last epoch.

    ``samples`` are those of an epoch, ``seen`` those before this training. A training that ``begins`` has the factor 1 in
    its first epoch.
    """
    return _InverseScaling(power, samples, seen, begins)


@dataclass(frozen=True)
class _InverseScaling(Schedule):
    """It counts the samples of an estimator, and is none for the catalogue."""

    power: float
    samples: int
    seen: int
    begins: bool

    def factor(self, position: Position) -> float:
        if position.epoch == 0 and self.begins:
            return 1.0
        return float((self.seen + position.epoch * self.samples + 1) ** -self.power)
