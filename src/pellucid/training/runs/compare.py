"""Two runs compared: in which settings they differ, and after which epoch their curves part."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pellucid.training.runs.folder import RunStatus, status_of
from pellucid.training.runs.settings import differences

TIMES = ("seconds",)  # are never the same


@dataclass(frozen=True)
class Comparison:
    """``settings``: name -> the values of the one and of the other, where they differ. ``parted``: the first epoch whose
    metrics differ; None if those of all epochs that both have are the same."""

    runs: tuple[RunStatus, RunStatus]
    settings: dict[str, tuple[Any, Any]]
    parted: int | None

    @property
    def common(self) -> list[int]:
        """The epochs that both have."""
        return sorted(self.runs[0].epochs.keys() & self.runs[1].epochs.keys())


def compare(one: Path, other: Path) -> Comparison:
    """Compare the runs in two folders. Raises `RunError` where there is none."""
    runs = status_of(one), status_of(other)
    parted = next((epoch for epoch in sorted(runs[0].epochs) if _of(runs[0], epoch) != _of(runs[1], epoch)), None)
    if parted is not None and parted not in runs[1].epochs:
        parted = None
    return Comparison(runs, differences(runs[0].settings, runs[1].settings), parted)


def _of(run: RunStatus, epoch: int) -> dict[str, float]:
    return {name: value for name, value in run.epochs.get(epoch, {}).items() if name not in TIMES}
