"""What every number costs: the trace of one digit through 784-128-64-10, and all of it as JSON; medians in milliseconds."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable

import pellucid as pl

RUNS = 15


def main() -> None:
    (x, y), _ = pl.datasets.digits()
    network = pl.Network([pl.Input(28, 28), pl.Dense(128, "relu"), pl.Dense(64, "relu"), pl.Classification(10)], seed=0)
    digit, label = x[:1], y[:1]
    network.fit(x[:128], y[:128], optimizer=pl.Adam(), epochs=1, progress="none")  # Adam remembers something
    jobs: dict[str, Callable[[], object]] = {
        "forward": lambda: network.trace(digit),
        "with backward": lambda: network.trace(digit, label),
        "with the update by Adam": lambda: network.trace(digit, label, pl.Adam()),
        "with JSON": lambda: network.trace(digit, label, pl.Adam()).to_json(),
    }
    json.dump({name: milliseconds_of(job) for name, job in jobs.items()}, sys.stdout)


def milliseconds_of(job: Callable[[], object]) -> float:
    """The median of some runs after a first one."""
    job()
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        job()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


if __name__ == "__main__":
    main()
