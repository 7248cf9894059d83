"""Training steps beside JAX and PyTorch, and beside the peak of the machine."""

from __future__ import annotations

import statistics
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from contestants.contest import Contestant, hold, median, median_ratio
from jobs.dense import TRAINING, Job

ROUNDS = 7
PEERS = {"jax": "with_jax", "torch": "with_torch"}


def measure(peers_python: str, folder: Path, jobs: tuple[Job, ...] = TRAINING) -> dict[str, Any]:
    """Job -> what `contest_of` found."""
    return {job.name: contest_of(job, peers_python, folder) for job in jobs}


def contest_of(job: Job, peers_python: str, folder: Path) -> dict[str, Any]:
    """Microseconds a step, ratios, the share of the peak, and the loss to which each contestant came in the same steps."""
    with ExitStack() as stack:
        arguments = (job.to_json(), str(folder))
        trainers = {"pellucid": stack.enter_context(Contestant("ours", *arguments))}
        for peer, module in PEERS.items():
            trainers[peer] = stack.enter_context(Contestant(module, *arguments, python=peers_python))
        peak = stack.enter_context(Contestant("peak", python=peers_python))
        rounds = hold(trainers | {"peak": peak}, ROUNDS, {"peak": "gflops"})
        losses = {name: trainer.ask("loss") for name, trainer in trainers.items()}
    shares = [job.flops * job.steps / r["pellucid"] / r["peak"] / 1e9 for r in rounds]
    return {
        "engine": trainers["pellucid"].about["engine"],
        "us": {name: median(rounds, name) / job.steps * 1e6 for name in trainers},
        "ratio": {peer: median_ratio(rounds, "pellucid", peer) for peer in PEERS},
        "peak_gflops": median(rounds, "peak"),
        "peak_share": statistics.median(shares),
        "loss": losses,
    }
