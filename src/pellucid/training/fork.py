"""A fork: training that continues from a checkpoint of another training, with another network or another plan."""

from __future__ import annotations

from dataclasses import replace

from pellucid.core.shapes import Shape
from pellucid.mathematics.means import WeightedMeans
from pellucid.nn.stack import Stack
from pellucid.training.checkpoints import Checkpoint
from pellucid.training.loop import TrainingLoop


def fork(parent: TrainingLoop, checkpoint: Checkpoint, loop: TrainingLoop) -> None:
    """Let ``loop`` continue from a checkpoint of ``parent``, with all of it that fits.

    Parameters of the same name and shape are copied. So are the optimizer's slots, if all parameters are and the optimizer
    is of the same kind. Early stopping keeps its state only with the same layers: with others, even of the same shapes,
    the best parameters belong to another network. If epochs differ in their number of steps, the fork begins at the start
    of its epoch.
    """
    old, new = parent.stack, loop.stack
    _copy_arrays(old, checkpoint, new)
    fresh = loop.checkpoint()
    begun = replace(checkpoint, parameters=fresh.parameters, state=fresh.state)
    if old.layers != new.layers or loop.plan.early_stopping is None:
        begun = replace(begun, waiting=fresh.waiting, restored=0)
    same_optimizer = type(loop.plan.rules.optimizer) is type(parent.plan.rules.optimizer)
    before, now = checkpoint.optimizer_state, fresh.optimizer_state
    if not (same_optimizer and _shapes(old) == _shapes(new) and before.slots.keys() == now.slots.keys()):
        begun = replace(begun, optimizer_state=now)
    if loop.steps_per_epoch != parent.steps_per_epoch:
        step, made = _scaled(begun.step, parent, loop), _scaled(begun.made, parent, loop)
        epoch = begun.epoch - (begun.within > 0)
        begun = replace(begun, step=step, made=made, epoch=epoch, within=0, means=WeightedMeans())
    if begun.ended != "stopped early":
        made = begun.made % loop.planned_steps
        begun = replace(begun, made=made, ended="completed" if begun.made and not made else None)
    loop.enter(begun)


def _copy_arrays(old: Stack, checkpoint: Checkpoint, new: Stack) -> None:
    for holder, before, vector in (
        (new.parameters, old.parameters, checkpoint.parameters),
        (new.state, old.state, checkpoint.state),
    ):
        for name in holder:
            if name in before and before.layout.slots[name].spec.shape == holder.layout.slots[name].spec.shape:
                holder[name] = before.layout.view(vector, name)


def _scaled(steps: int, parent: TrainingLoop, loop: TrainingLoop) -> int:
    """As many whole epochs, counted in steps of the fork."""
    return steps // parent.steps_per_epoch * loop.steps_per_epoch


def _shapes(stack: Stack) -> dict[str, Shape]:
    return {name: slot.spec.shape for name, slot in stack.parameters.layout.slots.items()}
