"""Training steps of convolutional networks beside PyTorch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from contestants.contest import Contestant, hold, median, median_ratio
from jobs.images import IMAGE_JOBS

ROUNDS = 9


def measure(peers_python: str, folder: Path) -> dict[str, Any]:
    """Job -> milliseconds a step, their ratio, and the loss to which each contestant came in the same steps."""
    figures = {}
    for job in IMAGE_JOBS:
        arguments = (job.to_json(), str(folder))
        with (
            Contestant("images_ours", *arguments) as ours,
            Contestant("images_torch", *arguments, python=peers_python) as peer,
        ):
            trainers = {"pellucid": ours, "torch": peer}
            rounds = hold(trainers, ROUNDS)
            figures[job.name] = {
                "ms": {name: median(rounds, name) / job.steps * 1e3 for name in trainers},
                "ratio": median_ratio(rounds, "pellucid", "torch"),
                "loss": {name: trainer.ask("loss") for name, trainer in trainers.items()},
            }
    return figures
