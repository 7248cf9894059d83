"""Early stopping: training ends when the validation loss has not fallen for a while, and the best parameters come back.

What is known after some epochs is a value, `Waiting`: so a checkpoint can hold it, and a run can be gone back to before it
was learned.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from pellucid.core.checks import number_between, positive_integer
from pellucid.core.errors import ArgumentError
from pellucid.core.shapes import Array
from pellucid.nn.stack import Stack


@dataclass
class EarlyStopping:
    """Stop when a figure has not become better for ``patience`` epochs, and give the best parameters back.

    ``monitor`` is a figure of the history: the validation loss, or another one that each epoch has. A metric that says of
    itself that it rises (accuracy, r2) should rise, any other figure fall. Better means better by more than ``min_delta``.
    ``restore_best=False`` keeps the last parameters. The first ``start_from_epoch`` epochs of a training are passed over:
    while the rate is high, a figure of few samples is chance.

    ``best_epoch`` is the epoch (of the network's life, from 1) that was the best so far; 0 before there is one.
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

    def check(self, figures: Collection[str]) -> None:
        """Raise `ArgumentError` if ``monitor`` is none of the ``figures`` that will be measured; ``fit`` does this."""
        if self.monitor not in figures:
            raise ArgumentError(
                f"early stopping watches {self.monitor!r}, which is not measured (there is {', '.join(figures)}). "
                f"Give fit a validation set: validation=0.1 or validation=(x, y)."
            )


@dataclass(frozen=True)
class Waiting:
    """What early stopping knows after some epochs of a training.

    value   the best value of the figure, negated if it should rise
    epoch   the epoch that had it; 0 before there is one
    waited  how many epochs have passed since
    seen    how many have passed in all
    best    parameters and state of that epoch, if they are to be given back
    """

    value: float = math.inf
    epoch: int = 0
    waited: int = 0
    seen: int = 0
    best: tuple[Array, Array] | None = None

    def after(self, rule: EarlyStopping, epoch: int, figures: Mapping[str, float], stack: Stack) -> Waiting:
        """What is known after one more epoch, which ended with these figures."""
        seen = self.seen + 1
        if seen <= rule.start_from_epoch:
            return Waiting(seen=seen)
        rule.check(figures)
        value = figures[rule.monitor] * (-1.0 if stack.output.rises(rule.monitor) else 1.0)
        if not value < self.value - rule.min_delta:
            return Waiting(self.value, self.epoch, self.waited + 1, seen, self.best)
        best = (stack.parameters.vector.copy(), stack.state.vector.copy()) if rule.restore_best else None
        return Waiting(value, epoch, 0, seen, best)

    def restore(self, stack: Stack) -> None:
        """Give the network its best parameters back."""
        if self.best is not None:
            stack.parameters.vector[...], stack.state.vector[...] = self.best

    @property
    def nbytes(self) -> int:
        return 0 if self.best is None else sum(vector.nbytes for vector in self.best)
