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
    """The next update, which a trace shows: by which optimizer, at its own rate, and the how manieth of its updates."""

    optimizer: Optimizer
    rate: float
    update: int


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
