"""Early stopping: training ends when the validation loss no longer falls, and the best parameters are restored.

Its state is an immutable value, `Waiting`, which a checkpoint can hold.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from pellucid.core.checks import number_between, one_of, positive_integer
from pellucid.core.errors import ArgumentError
from pellucid.core.shapes import Array
from pellucid.nn.stack import Stack


@dataclass
class EarlyStopping:
    """Stop when a metric has not improved for ``patience`` epochs, and restore the best parameters.

    ``monitor`` is a metric that the history has for each epoch. Accuracy and r2 improve by rising, the loss and all others
    by falling; by more than ``min_delta``. ``restore_best=False`` keeps the last parameters. The first
    ``start_from_epoch`` epochs of a training are ignored: while the learning rate is high, the metrics of few samples are
    noise.

    ``best_epoch`` is the best epoch so far (of the network's life, from 1); 0 before there is one.
    """

    patience: int = 5
    monitor: str = "validation_loss"
    min_delta: float = 0.0
    restore_best: bool = True
    start_from_epoch: int = 0
    best_epoch: int = field(default=0, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        positive_integer(self.patience, "EarlyStopping(patience)")
        self.min_delta = number_between(self.min_delta, "EarlyStopping(min_delta)", 0.0)
        start = self.start_from_epoch
        if isinstance(start, bool) or not isinstance(start, int) or start < 0:
            raise ArgumentError(f"EarlyStopping(start_from_epoch) must be a whole number of at least 0, not {start!r}.")

    def check(self, metrics: Collection[str]) -> None:
        """Raise `ArgumentError` if ``monitor`` is none of the ``metrics`` that will be measured; ``fit`` does this."""
        if "validation_loss" in metrics or not str(self.monitor).startswith("val"):
            one_of(self.monitor, metrics, "metric")
        elif self.monitor not in metrics:
            raise ArgumentError(
                f"early stopping monitors {self.monitor!r}, which is not measured (there is {', '.join(metrics)}). "
                f"Give fit a validation set: validation=0.1 or validation=(x, y)."
            )


@dataclass(frozen=True)
class Waiting:
    """The state of early stopping after some epochs of a training.

    value   the best value of the metric, negated if it should rise
    epoch   the epoch that had it; 0 before there is one
    waited  how many epochs have passed since
    seen    how many have passed in all
    best    parameters and state of that epoch, if they are to be restored
    """

    value: float = math.inf
    epoch: int = 0
    waited: int = 0
    seen: int = 0
    best: tuple[Array, Array] | None = None

    def after(self, rule: EarlyStopping, epoch: int, metrics: Mapping[str, float], stack: Stack) -> Waiting:
        """The state after one more epoch, which ended with these metrics."""
        seen = self.seen + 1
        if seen <= rule.start_from_epoch:
            return Waiting(seen=seen)
        rule.check(metrics)
        value = metrics[rule.monitor] * (-1.0 if stack.output.rises(rule.monitor) else 1.0)
        if math.isnan(value) and not self.epoch:  # after a number, NaN is an epoch that is no better
            raise ArgumentError(
                f"early stopping monitors {rule.monitor!r}, which is not a number (NaN) after epoch {epoch}, so no epoch "
                f"would be better than another. Monitor another of {', '.join(metrics)}."
            )
        if not value < self.value - rule.min_delta:
            return Waiting(self.value, self.epoch, self.waited + 1, seen, self.best)
        best = (stack.parameters.vector.copy(), stack.state.vector.copy()) if rule.restore_best else None
        return Waiting(value, epoch, 0, seen, best)

    def restore(self, stack: Stack) -> None:
        """Restore the best parameters."""
        if self.best is not None:
            stack.parameters.vector[...], stack.state.vector[...] = self.best

    @property
    def nbytes(self) -> int:
        return 0 if self.best is None else sum(vector.nbytes for vector in self.best)
