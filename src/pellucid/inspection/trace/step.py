"""From a gradient to a step, on copies: what the optimizer would make of each parameter, and nothing is changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pellucid.core.shapes import Array
from pellucid.executors.base import OptimizerState
from pellucid.inspection.trace.layer_trace import UpdateTrace
from pellucid.mathematics.optimizers import Optimizer
from pellucid.nn.parameters import Layout


@dataclass(frozen=True)
class StepTrace:
    """The update that a trace shows: by which optimizer, at which rate, and the how manieth of its updates it is."""

    optimizer: Optimizer
    rate: float
    update: int


def step_trace(optimizer: Optimizer, state: OptimizerState) -> StepTrace:
    """The next step after this state of the optimizer, at its own learning rate."""
    return StepTrace(optimizer, optimizer.learning_rate, state.updates + 1)


def updates(
    step: StepTrace, state: OptimizerState, layout: Layout, parameters: Mapping[str, Array], gradient: Array
) -> dict[str, UpdateTrace]:
    """What the step makes of each parameter, by its full name; ``gradient`` (P,) is that of loss + penalty."""
    slots = {name: np.asarray(vector, np.float64) for name, vector in state.slots.items()}
    made: dict[str, UpdateTrace] = {}
    for name, slot in layout.slots.items():
        before = {kept: layout.view(vector, name) for kept, vector in slots.items()}
        after = {kept: np.array(array) for kept, array in before.items()}
        new = np.array(parameters[name])
        own = layout.view(gradient, name)
        step.optimizer.step(new, own, after, step.update, step.rate, decays=slot.spec.is_weight)
        made[name] = UpdateTrace(before, after, new)
    return made
