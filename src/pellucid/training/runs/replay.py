"""Time travel: a step of the past is made again, from the snapshot before it, with the same bits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pellucid.core.errors import ArgumentError, RunError
from pellucid.executors.base import targets_of
from pellucid.nn.objective import Objective, penalty
from pellucid.training.history import History
from pellucid.training.loop import TrainingLoop
from pellucid.training.runs.folder import nearest_snapshot
from pellucid.training.runs.run import Run, check_settings


class Reached(Exception):
    """Ends a `Visit`; ``found`` is what was to be seen."""

    def __init__(self, found: Any) -> None:
        super().__init__()
        self.found = found


class Visit(Run):
    """In the place of a `Run`: goes to a ``step`` of the run in a folder, which is only read, raises `Reached` with what
    ``look`` gives there, and trains no further. The run may be one of another process that is running."""

    def __init__(self, folder: Path, step: int, look: Callable[[TrainingLoop, History, dict[str, Any]], Any]) -> None:
        super().__init__(folder)
        self.step, self._look = step, look

    def __enter__(self) -> Visit:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def begin(self, loop: TrainingLoop, history: History) -> int:
        settings = check_settings(self.folder, loop)
        first, last = int(settings["first_step"]), int(settings["first_step"]) + loop.planned_steps
        snapshot = nearest_snapshot(self.folder, loop, self.step)
        if snapshot is not None:
            loop.enter(snapshot.checkpoint)
            history.epochs[:] = snapshot.epochs
        elif loop.step != first:
            raise RunError(f"{self.folder} holds no snapshot at or before step {self.step}.")
        while loop.step < self.step and not loop.ended:
            loop.advance(self.step - loop.step)
        if loop.step != self.step:
            raise ArgumentError(f"the run goes from step {first} to {min(last, loop.step)}; there is no step {self.step}.")
        raise Reached(self._look(loop, history, settings))


class OfParameter(NamedTuple):
    """What a step did to one array: Euclidean norms of its gradient, of its change, and of itself afterwards."""

    name: str
    size: int
    gradient: float
    largest_gradient: float
    change: float
    norm: float


@dataclass(frozen=True)
class ReplayedStep:
    """One step, seen by the NumPy definition of its gradient, and made by the engine of the run.

    rows        the numbers of its samples
    loss        of its batch before the update, without the ``penalty``
    restored    the epoch whose parameters early stopping restored after it, 0 for none; changes are those of both then
    sha256      of all parameters after it, as little-endian numbers
    """

    step: int
    epoch: int
    step_of_epoch: int
    rows: list[int]
    learning_rate: float
    loss: float
    penalty: float
    parameters: list[OfParameter]
    restored: int
    sha256: str

    def to_data(self) -> dict[str, Any]:
        return asdict(self) | {"parameters": [one._asdict() for one in self.parameters]}


def replay_step(loop: TrainingLoop) -> ReplayedStep:
    """Make the next step. Raises `ArgumentError` if the training has ended."""
    if loop.ended:
        raise ArgumentError(f"the training ended with step {loop.step}; there is no step after it.")
    indices, rate = loop.next_batch()
    batch, stack, plan = indices.batch(), loop.stack, loop.plan
    objective = Objective(stack, plan.rules.regularizer)
    with np.errstate(all="ignore"):
        descent = objective.descend(batch.x, targets_of(stack, batch), batch.weights, step=loop.step)
    before, of_weights = stack.parameters.vector.copy(), penalty(stack, plan.rules.regularizer)
    step_of_epoch = loop.made % loop.steps_per_epoch + 1
    loop.advance(1)
    loop.release()
    after, view = stack.parameters.vector, stack.parameters.layout.view
    found = []
    for name in stack.parameters:
        gradient, old, new = (view(one, name).astype(np.float64) for one in (objective.gradient, before, after))
        largest = float(np.abs(gradient).max())
        found.append(OfParameter(name, new.size, _norm(gradient), largest, _norm(new - old), _norm(new)))
    return ReplayedStep(
        step=loop.step,
        epoch=loop.state.epoch,
        step_of_epoch=step_of_epoch,
        rows=indices.rows.tolist(),
        learning_rate=rate,
        loss=descent.loss,
        penalty=of_weights,
        parameters=found,
        restored=loop.restored_epoch,
        sha256=sha256(after.astype(after.dtype.newbyteorder("<")).tobytes()).hexdigest(),
    )


def _norm(values: Any) -> float:
    return float(np.linalg.norm(values.ravel()))
