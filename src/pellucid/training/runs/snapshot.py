"""A snapshot: the checkpoint of a training as one file, from which it goes on bit for bit.

    tensors    "parameters", "state"                 the vectors of the network
               "optimizer.m" ...                     the optimizer's slots
               "best.parameters", "best.state"       the best that early stopping has seen, if there are such
    metadata   "pellucid-snapshot" -> a JSON object  the position: see `_position`

The order of samples is a function of (seed, epoch), all other chance one of (seed, step); so the position is the state of
chance too. Every size is compared with that of the network before a snapshot is entered.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.core.errors import RunError
from pellucid.core.shapes import AnyArray
from pellucid.core.tensor_file import tensor_file_pieces
from pellucid.core.version import __version__
from pellucid.executors.base import OptimizerState
from pellucid.mathematics.means import WeightedMeans
from pellucid.training.checkpoints import Checkpoint
from pellucid.training.early_stopping import Waiting
from pellucid.training.loop import TrainingLoop

KEY, FORMAT = "pellucid-snapshot", 1
MOST_TEXT = 64 << 20  # of the position: a million epochs
ENDS = (None, "completed", "stopped early")


@dataclass(frozen=True)
class Snapshot:
    """A checkpoint, and the metrics of the epochs that this training had finished there."""

    checkpoint: Checkpoint
    epochs: list[dict[str, float]] = field(default_factory=list)

    @property
    def loss(self) -> float | None:
        """What the last finished epoch is judged by: the validation loss, else the loss."""
        return self.checkpoint.losses[-1] if self.checkpoint.losses else None

    def pieces(self) -> list[bytes | memoryview]:
        """The content of its file."""
        held = self.checkpoint
        tensors = {"parameters": held.parameters, "state": held.state}
        tensors |= {f"optimizer.{name}": slot for name, slot in held.optimizer_state.slots.items()}
        if held.waiting.best is not None:
            tensors["best.parameters"], tensors["best.state"] = held.waiting.best
        text = json.dumps(_position(self), allow_nan=False, separators=(",", ":"))
        return tensor_file_pieces(tensors, {KEY: text})


def read_snapshot(path: Path) -> Snapshot:
    """The snapshot in a file. Raises `RunError` for one that is missing, damaged, foreign or too new."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            text = (file.metadata() or {}).get(KEY, "")
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, OSError, TypeError) as error:
        raise RunError(f"{path} is no snapshot, or was cut off ({error}).") from None
    try:
        if not text or len(text) > MOST_TEXT:
            raise ValueError("its description is missing or too long")
        return _snapshot(json.loads(text), tensors)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, OverflowError) as error:
        raise RunError(f"{path} is no snapshot, or damaged ({type(error).__name__}: {error}).") from None


def check_fits(snapshot: Snapshot, loop: TrainingLoop) -> None:
    """Raise `RunError` unless the loop can be entered there: the same sizes and types, and a position that it has."""
    held, parameters, state = snapshot.checkpoint, loop.stack.parameters.vector, loop.stack.state.vector
    slots, best = held.optimizer_state.slots, held.waiting.best or (parameters, state)
    pairs = [(held.parameters, parameters), (held.state, state), (best[0], parameters), (best[1], state)]
    pairs += [(slot, parameters) for slot in slots.values()]
    if any(one.shape != other.shape or one.dtype != other.dtype for one, other in pairs):
        raise RunError("the snapshot is of another network: its vectors have other sizes or types.")
    if slots and set(slots) != set(loop.plan.rules.optimizer.needed_slots()):
        raise RunError("the snapshot is of another optimizer.")
    if not all(np.isfinite(vector).all() for vector, _ in pairs):
        raise RunError("the snapshot holds numbers that are not finite.")
    if held.within >= loop.steps_per_epoch or held.made > loop.planned_steps:
        raise RunError("the snapshot is of a training with other epochs.")


def _position(snapshot: Snapshot) -> dict[str, Any]:
    """All of a snapshot but its vectors, as plain data. Numbers that JSON does not have, such as infinity, are words."""
    held, means = snapshot.checkpoint, snapshot.checkpoint.means.to_data()
    return {
        "format": FORMAT,
        "pellucid": __version__,
        "step": held.step,
        "epoch": held.epoch,
        "within": held.within,
        "made": held.made,
        "ended": held.ended,
        "restored": held.restored,
        "updates": held.optimizer_state.updates,
        "losses": [_plain(loss) for loss in held.losses],
        "means": means | {"sums": {name: _plain(total) for name, total in means["sums"].items()}},
        "early_stopping": {
            "value": _plain(held.waiting.value),
            "epoch": held.waiting.epoch,
            "waited": held.waiting.waited,
            "seen": held.waiting.seen,
        },
        "epochs": [{name: _plain(value) for name, value in epoch.items()} for epoch in snapshot.epochs],
    }


def _snapshot(position: dict[str, Any], tensors: dict[str, AnyArray]) -> Snapshot:
    if position["format"] != FORMAT:
        raise ValueError(f"format {position['format']!r:.20}, where {FORMAT} is expected")
    if position["ended"] not in ENDS:
        raise ValueError(f"an end called {position['ended']!r:.20}")
    stopping, slots = position["early_stopping"], {}
    best = None if "best.parameters" not in tensors else (tensors.pop("best.parameters"), tensors.pop("best.state"))
    parameters, state = tensors.pop("parameters"), tensors.pop("state")
    for name, tensor in tensors.items():
        if not name.startswith("optimizer."):
            raise ValueError(f"an unknown tensor {name!r:.40}")
        slots[name.removeprefix("optimizer.")] = tensor
    checkpoint = Checkpoint(
        step=_count(position["step"]),
        epoch=_count(position["epoch"]),
        within=_count(position["within"]),
        made=_count(position["made"]),
        ended=position["ended"],
        losses=tuple(float(loss) for loss in position["losses"]),
        means=WeightedMeans.from_data(position["means"]),
        waiting=Waiting(
            value=float(stopping["value"]),
            epoch=_count(stopping["epoch"]),
            waited=_count(stopping["waited"]),
            seen=_count(stopping["seen"]),
            best=best,
        ),
        restored=_count(position["restored"]),
        parameters=parameters,
        state=state,
        optimizer_state=OptimizerState(slots, _count(position["updates"])),
    )
    epochs = [{str(name): float(value) for name, value in epoch.items()} for epoch in position["epochs"]]
    return Snapshot(checkpoint, epochs)


def _plain(value: float) -> float | str:
    return value if np.isfinite(value) else str(value)


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 62:
        raise ValueError(f"{value!r:.40} is no count")
    return value
