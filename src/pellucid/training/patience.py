"""Early stopping of a course, by the rule of `pellucid.EarlyStopping`: what it knows is a value, so that a run can be
rewound to before it was learned."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pellucid.core.shapes import Array
from pellucid.nn.stack import Stack


@dataclass(frozen=True)
class Waiting:
    """What is known after some epochs of a round.

    loss    the lowest validation loss
    epochs  how many have passed since
    best    parameters and state at that loss; None before the first epoch
    """

    loss: float = math.inf
    epochs: int = 0
    best: tuple[Array, Array] | None = None

    def after(self, loss: float, network: Stack) -> Waiting:
        """What is known after one more epoch, which ended with this loss."""
        if loss < self.loss:
            return Waiting(loss, 0, (network.parameters.vector.copy(), network.state.vector.copy()))
        return Waiting(self.loss, self.epochs + 1, self.best)

    def restore(self, network: Stack) -> None:
        """Give the network its best parameters back."""
        if self.best is not None:
            network.parameters.vector[...], network.state.vector[...] = self.best

    @property
    def nbytes(self) -> int:
        return 0 if self.best is None else sum(vector.nbytes for vector in self.best)
