"""The settings of a training."""

from __future__ import annotations

from dataclasses import dataclass

from pellucid.core.checks import instance_of, positive_integer
from pellucid.core.errors import ArgumentError
from pellucid.data.samples import Augmentation
from pellucid.executors.base import Rules
from pellucid.executors.choose import Engine, Precision
from pellucid.mathematics.schedules import Schedule
from pellucid.training.early_stopping import EarlyStopping


@dataclass(frozen=True)
class Plan:
    """The settings of a call of ``fit``, checked."""

    rules: Rules
    schedule: Schedule
    epochs: int
    batch_size: int
    shuffle: bool = True
    augment: Augmentation | None = None
    early_stopping: EarlyStopping | None = None
    engine: Engine = "auto"
    threads: int | None = None
    precision: Precision = "float32"

    def __post_init__(self) -> None:
        positive_integer(self.epochs, "epochs")
        positive_integer(self.batch_size, "batch_size")
        instance_of(self.shuffle, bool, "shuffle")
        stopping = self.early_stopping
        if stopping is not None and stopping.start_from_epoch >= self.epochs:
            raise ArgumentError(
                f"EarlyStopping(start_from_epoch={stopping.start_from_epoch}) passes over all epochs of a training of "
                f"{self.epochs}, so it could never stop it; begin earlier, or leave early stopping out."
            )
        if self.augment is not None and (not callable(self.augment) or isinstance(self.augment, type)):
            what = "a function of a batch and a key, such as Distortion()"
            raise ArgumentError(f"augment is {what}, not {self.augment!r}.")

    def in_words(self) -> dict[str, str]:
        """The settings that are not None, for people to read."""
        things = {
            "optimizer": self.rules.optimizer,
            "schedule": self.schedule,
            "regularizer": self.rules.regularizer,
            "clipping": self.rules.clipping,
            "augmentation": self.augment,
            "epochs": self.epochs,
            "batch size": self.batch_size,
        }
        return {name: repr(thing) for name, thing in things.items() if thing is not None}
