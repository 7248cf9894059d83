"""The objective, which training minimizes, and its gradient.

    objective = L(f(x), targets) + sum over the weights w of penalty(w)

f is the stack of layers, and L the mean loss of the batch. The gradient of L comes from backpropagation; that of the
penalty is added to it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pellucid.core.checks import instance_of
from pellucid.core.shapes import AnyArray, Array
from pellucid.mathematics.regularizers import Regularizer
from pellucid.nn.stack import Pass, Stack


class Descent(NamedTuple):
    """The loss without the penalty, the forward pass, and dL/dx if it was asked for."""

    loss: float
    forward: Pass
    dx: Array | None


class Objective:
    """Loss + penalty as a function of the parameters of a stack. ``gradient`` (P,) is the one that `descend` found last.

    ``regularizer`` is that of all weights whose layers have none of their own. Targets are (B, num_outputs), weights (B,).
    """

    def __init__(self, stack: Stack, regularizer: Regularizer | None = None) -> None:
        self.stack = stack
        self.regularizer = regularizer
        self.loss = stack.output.loss_function
        self.arrays = stack.arrays()
        self.gradient: Array = np.zeros_like(stack.parameters.vector)
        self.gradient_arrays = stack.gradient_arrays(self.gradient)
        self.penalties = penalties(stack, regularizer)

    def value(self, x: AnyArray, targets: Array, weights: Array | None = None) -> float:
        """Loss + penalty of a training step, without its gradient."""
        logits = self.stack.propagate(x, self.arrays, training=True, keep=False).logits
        loss, _ = self.loss(logits, targets, weights)
        return loss + penalty(self.stack, self.regularizer)

    def descend(
        self,
        x: AnyArray,
        targets: Array,
        weights: Array | None = None,
        *,
        training: bool = True,
        step: int = 0,
        needs_dx: bool = False,
    ) -> Descent:
        """Forward, loss, backward, penalty: ``gradient`` is then that of loss + penalty."""
        stack, vector = self.stack, self.stack.parameters.vector
        forward = stack.propagate(x, self.arrays, training=training, step=step, needs_dx=needs_dx, keep=True)
        loss, dlogits = self.loss(forward.logits, targets, weights)
        dx = stack.backpropagate(forward, dlogits, self.arrays, self.gradient_arrays, needs_dx)
        view = stack.parameters.layout.view
        for name, regularizer in self.penalties.items():
            view(self.gradient, name)[...] += regularizer.gradient(view(vector, name))
        return Descent(loss, forward, dx)


def penalties(stack: Stack, common: Regularizer | None) -> dict[str, Regularizer]:
    """Full name of each weight with a penalty -> its regularizer: that of its layer, else the common one."""
    if common is not None:
        instance_of(common, Regularizer, "regularizer")
    layers = {node.name: node.layer for node in stack.nodes}
    found: dict[str, Regularizer] = {}
    for full, slot in stack.parameters.layout.slots.items():
        layer, own = full.split(".", 1)
        regularizer = (layers[layer].penalty_of(own) or common) if slot.spec.is_weight else None
        if regularizer is not None:
            found[full] = regularizer
    return found


def penalty(stack: Stack, common: Regularizer | None, parameters: Array | None = None) -> float:
    """The penalty of all weights in ``parameters`` (P,), or in the stack's own: what is added to the loss."""
    vector = stack.parameters.vector if parameters is None else parameters
    total = 0.0
    for name, regularizer in penalties(stack, common).items():
        total += regularizer.penalty(stack.parameters.layout.view(vector, name))
    return total
