"""The NumPy executor, which defines a training step: gradient of loss + penalty, clipping, update."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np

from pellucid.core.shapes import Array
from pellucid.data.samples import Batch, BatchIndices
from pellucid.executors.base import Executor, OptimizerState, Rules, diverged, targets_of
from pellucid.mathematics.losses import each_member
from pellucid.mathematics.means import weighted_mean
from pellucid.nn.objective import Objective
from pellucid.nn.stack import Pass, Stack

BLOCK = 1 << 17  # numbers a block: large enough to hide the cost of calls, small enough for a shared cache


class NumpyExecutor(Executor):
    """Runs any layers in float32 or float64."""

    name = "numpy"

    def __init__(self, stack: Stack, rules: Rules, optimizer_state: OptimizerState) -> None:
        self.stack = stack
        self.rules = rules
        self.optimizer_state = optimizer_state
        self.objective = Objective(stack, rules.regularizer)
        self.parameters = stack.parameters.vector
        self.gradient = self.objective.gradient
        self.blocks = _blocks(stack, rules)
        self._good = (self.parameters.copy(), stack.state.vector.copy())

    def train_steps(self, batches: Sequence[BatchIndices], step: int, rates: Sequence[float]) -> list[dict[str, float]]:
        return [
            self.train_step(one.batch(), step + i, rate) for i, (one, rate) in enumerate(zip(batches, rates, strict=True))
        ]

    def train_step(self, batch: Batch, step: int, rate: float) -> dict[str, float]:
        """One step; see `Executor.train_steps`."""
        with np.errstate(all="ignore"):  # what is not finite is found below
            targets = targets_of(self.stack, batch)
            loss, done, _ = self.objective.descend(batch.x, targets, batch.weights, step=step)
            if not np.isfinite(loss):
                self._give_up(done, step, f"the loss is {loss}")
            np.copyto(self._good[0], self.parameters)  # finite, and gave a finite loss; the update may spoil them
            np.copyto(self._good[1], self.stack.state.vector)
            if self.rules.clipping is not None:
                if not _are_finite(self.gradient):  # clipping could hide it; else the parameters below show it
                    self._give_up(done, step, "the gradient is not finite")
                self.rules.clipping.clip(self.gradient)
            self._update(rate)
            self._advance_state(done)
            if not (_are_finite(self.parameters) and _are_finite(self.stack.state.vector)):
                self._give_up(done, step, "the update left numbers that are not finite")
        logits, targets, weights = each_member(done.logits, targets, batch.weights)
        return {"loss": loss, self.stack.output.metric: weighted_mean(self.stack.output.score(logits, targets), weights)}

    def _update(self, rate: float) -> None:
        state = self.optimizer_state
        state.updates += 1
        for part, decays in self.blocks:
            slots = {name: vector[part] for name, vector in state.slots.items()}
            p, g = self.parameters[part], self.gradient[part]
            self.rules.optimizer.step(p, g, slots, state.updates, rate, decays=decays)

    def _advance_state(self, done: Pass) -> None:
        for node, own, cache in zip(self.stack.nodes, self.objective.arrays, done.caches, strict=True):
            for name, value in node.layer.next_state(own, cache).items():
                own[name][...] = value

    def _give_up(self, done: Pass, step: int, what: str) -> None:
        where = self.first_non_finite(done)
        np.copyto(self.parameters, self._good[0])
        np.copyto(self.stack.state.vector, self._good[1])
        raise diverged(step, what, where)

    def first_non_finite(self, done: Pass) -> str:
        """Says which layer, gradient or array is the first that is not finite."""
        for node, output in zip(self.stack.nodes, done.outputs, strict=True):
            if not np.isfinite(output).all():
                return f"the first layer whose output is not finite is {node.name}"
        for node, own in zip(reversed(self.stack.nodes), reversed(self.objective.gradient_arrays), strict=True):
            for name, gradient in own.items():
                if not np.isfinite(gradient).all():
                    return f"the first gradient that is not finite is that of {node.name}.{name}"
        for name, array in {**self.stack.parameters, **self.stack.state}.items():
            if not np.isfinite(array).all():
                return f"the first array that is not finite is {name}"
        return "every layer is finite"


def _are_finite(vector: Array) -> bool:
    """Whether all numbers are finite: by their squared norm, and one by one if that is not finite."""
    return bool(np.isfinite(vector @ vector) or np.isfinite(vector).all())


def _blocks(stack: Stack, rules: Rules) -> list[tuple[slice, bool]]:
    """The ranges of the flat vector that are updated at once, and whether weight decay applies: cut where that begins or
    ends, and after every `BLOCK` numbers."""
    blocks: list[tuple[slice, bool]] = []
    slots = stack.parameters.layout.slots.values()
    for decays, alike in groupby(slots, lambda slot: slot.spec.is_weight and rules.optimizer.decays_weights):
        run = list(alike)
        stop = run[-1].stop
        blocks += ((slice(i, min(i + BLOCK, stop)), decays) for i in range(run[0].start, stop, BLOCK))
    return blocks
