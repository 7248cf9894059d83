"""From nothing to 98 % of the test digits: whole processes that import, load, train, and judge after each epoch.

Each peer trains 784-256-10 with Adam at the constant rate and the batches that suit it (1.5e-3, 128: about seven epochs).
Pellucid trains the same network with the one-cycle schedule (three epochs, sometimes four). What the schedule alone is
worth shows in two more contestants: JAX with it, and Pellucid without.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from contestants.contest import VARIABLES, median, median_ratio
from jobs.dense import THREADS

SCRIPTS = Path(__file__).parents[1] / "cold"
ROUNDS, REACHED = 5, 0.98
PEERS = {
    "keras on jax": ("with_keras.py",),
    "jax": ("with_jax.py",),
    "scikit-learn": ("with_sklearn.py",),
    "torch": ("with_torch.py",),
}
OURS = {"pellucid": ("ours.py",), "pellucid, constant rate": ("ours.py", "--constant")}
OTHERS = {"jax, scheduled rate": ("with_jax.py", "--schedule")}


def measure(peers_python: str, folder: Path) -> dict[str, Any]:
    """Seconds and epochs of each contestant, medians over seeds, and the ratio to the fastest peer."""
    everyone = OURS | PEERS | OTHERS
    seconds: list[dict[str, float]] = []
    accuracies: dict[str, list[list[float]]] = {name: [] for name in everyone}
    for seed in range(-1, ROUNDS):  # the first round brings the files into memory and is not told
        seconds.append({})
        for name, (script, *options) in everyone.items():
            python = sys.executable if name in OURS else peers_python
            command = [python, str(SCRIPTS / script), str(folder), str(max(seed, 0)), *options]
            seconds[-1][name], reached = run(command)
            accuracies[name].append(reached)
    seconds, accuracies = seconds[1:], {name: runs[1:] for name, runs in accuracies.items()}
    fastest = min(PEERS, key=lambda name: median(seconds, name))
    return {
        "seconds": {name: median(seconds, name) for name in everyone},
        "epochs": {name: statistics.median(len(epochs) for epochs in runs) for name, runs in accuracies.items()},
        "reached": {name: sum(epochs[-1] >= REACHED for epochs in runs) for name, runs in accuracies.items()},
        "runs": ROUNDS,
        "peer": fastest,
        "ratio": median_ratio(seconds, "pellucid", fastest),
        "ratio_constant": median_ratio(seconds, "pellucid, constant rate", fastest),
        "ratio_scheduled": median_ratio(seconds, "pellucid", "jax, scheduled rate"),
    }


def run(command: list[str]) -> tuple[float, list[float]]:
    """Seconds from the start of a process to its end, and the accuracy after each of its epochs."""
    environment = os.environ | {name: str(THREADS) for name in VARIABLES}
    start = time.perf_counter()
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    seconds = time.perf_counter() - start
    return seconds, [float(line) for line in done.stdout.split()]
