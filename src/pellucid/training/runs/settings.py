"""The settings of a run: what decides every bit of it, as a JSON file, to be compared when the run is taken up again."""

from __future__ import annotations

import json
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.core.errors import RunError
from pellucid.core.files import write_whole
from pellucid.core.version import __version__
from pellucid.data.samples import Samples
from pellucid.nn import catalogue
from pellucid.training.loop import TrainingLoop

KIND, FORMAT = "pellucid-run", 1
DECISIVE = ("network", "plan", "data")  # equal ones give equal bits
MOST_TEXT = 64 << 20
HASHED_BYTES = 256 << 20  # of larger inputs, samples that are evenly spread


def settings_of(loop: TrainingLoop) -> dict[str, Any]:
    """Of a loop. Raises `ArgumentError` for a layer that is not in the catalogue."""
    stack, plan = loop.stack, loop.plan
    return {
        "kind": KIND,
        "format": FORMAT,
        "pellucid": __version__,
        "network": {
            "seed": stack.seed,
            "dtype": str(stack.dtype),
            "layers": [catalogue.to_dict(layer) for layer in stack.layers],
        },
        "plan": {
            "optimizer": repr(plan.rules.optimizer),
            "schedule": repr(plan.schedule),
            "regularizer": repr(plan.rules.regularizer),
            "clipping": repr(plan.rules.clipping),
            "augmentation": _word(plan.augment),
            "early stopping": repr(plan.early_stopping),
            "epochs": plan.epochs,
            "batch size": plan.batch_size,
            "shuffle": plan.shuffle,
            "engine": loop.executor.name,
            "precision": plan.precision,
        },
        "data": {
            "training": _hash(loop.training),
            "validation": None if loop.validation is None else _hash(loop.validation),
        },
        "instructions": loop.executor.note,
        "steps_per_epoch": loop.steps_per_epoch,
    }


def write_settings(path: Path, settings: dict[str, Any]) -> None:
    """Raises `RunError` if they cannot be written."""
    text = json.dumps(settings, indent=1, ensure_ascii=False)
    write_whole(path, text.encode("utf-8", "surrogateescape"), RunError)


def read_settings(path: Path) -> dict[str, Any]:
    """Raises `RunError` for a file that is missing, damaged, foreign or too new."""
    try:
        with path.open("rb") as file:
            text = file.read(MOST_TEXT + 1)
        settings = json.loads(text.decode("utf-8", "surrogateescape")) if len(text) <= MOST_TEXT else None
    except OSError as error:
        raise RunError(f"{path.parent} holds no run that can be read: {error.strerror or error}.") from None
    except (ValueError, RecursionError):
        settings = None
    if not isinstance(settings, dict) or settings.get("kind") != KIND or not isinstance(settings.get("format"), int):
        raise RunError(f"{path} does not describe a run, or is damaged.")
    if settings["format"] > FORMAT:
        raise RunError(f"{path} is of Pellucid {settings.get('pellucid')!r:.20}, this is {__version__}: upgrade it.")
    return settings


def differences(before: dict[str, Any], now: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Name of a setting -> what it was, and what it is now; of those that differ."""
    found = {}
    for key in DECISIVE:
        old, new = before.get(key), now.get(key)
        if not (isinstance(old, dict) and isinstance(new, dict)):
            old, new = {key: old}, {key: new}
        for name in dict.fromkeys([*old, *new]):
            one, other = _as_json(old.get(name)), _as_json(new.get(name))
            if one != other:
                found[{"training": "data", "validation": "validation data"}.get(name, name)] = (one, other)
    return found


def _as_json(value: Any) -> Any:
    """As reading it from a file gives it."""
    return json.loads(json.dumps(value))


def _word(thing: object) -> str | None:
    """A description that is the same in every process."""
    if thing is None or is_dataclass(thing):
        return repr(thing) if thing is not None else None
    named = thing if hasattr(thing, "__qualname__") else type(thing)
    return f"{named.__module__}.{named.__qualname__}"


def _hash(samples: Samples) -> str:
    """The SHA-256 of the samples in use, their targets and weights."""
    from hashlib import sha256

    x, rows = samples.x, samples.rows
    found = sha256(f"{x.dtype} {x.shape} {samples.y.dtype} {samples.y.shape} {len(rows)}".encode())
    found.update(np.ascontiguousarray(rows).data)
    found.update(np.ascontiguousarray(samples.y[rows]).data)
    if samples.weights is not None:
        found.update(np.ascontiguousarray(samples.weights[rows]).data)
    each = x.nbytes // max(len(x), 1) or 1
    spread = rows[:: max(1, -(-each * len(rows) // HASHED_BYTES))]
    for start in range(0, len(spread), 1024):
        found.update(np.ascontiguousarray(x[spread[start : start + 1024]]).data)
    return found.hexdigest()
