"""One training step of 784-128-10 with Adam: Pellucid's NumPy executor against a plain hand-written loop, in turns."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Iterator

from contestants.plain_numpy import train

import pellucid as pl

ROUNDS, STEPS = 15, 100


def pellucid_steps(batch_size: int) -> Iterator[float]:
    """Steps of ``Network.fit`` itself, with everything that it does in a step; a callback hands the loss out."""
    import threading
    from queue import Queue

    (x, y), _ = pl.datasets.digits()
    network = pl.Network([pl.Input(28, 28), pl.Dense(128, "relu"), pl.Classification(10)])
    go: Queue[bool] = Queue()
    done: Queue[float] = Queue()

    def hand_over(event: pl.events.Event) -> None:
        if isinstance(event, pl.events.StepFinished):
            if event.step % STEPS == 0:
                done.put(event.metrics["loss"])
                go.get()
        elif isinstance(event, pl.events.TrainingStarted):
            go.get()

    options = {"epochs": 1000, "batch_size": batch_size, "callbacks": [hand_over], "progress": "none", "engine": "numpy"}
    threading.Thread(target=network.fit, args=(x, y), kwargs=options, daemon=True).start()
    while True:
        go.put(True)
        yield done.get()


def measure(batch_size: int) -> dict[str, float]:
    """Medians over rounds of alternating blocks of steps, in microseconds a step, and the median of the ratios."""
    (x, y), _ = pl.datasets.digits()
    ours, plain = pellucid_steps(batch_size), train(x, y, batch_size)
    times: dict[str, list[float]] = {"pellucid": [], "plain": []}
    for round_ in range(ROUNDS + 2):
        for name in ("pellucid", "plain"):
            start = time.perf_counter()
            if name == "pellucid":
                next(ours)
            else:
                for _ in range(STEPS):
                    next(plain)
            if round_ >= 2:  # the first rounds warm up
                times[name].append((time.perf_counter() - start) / STEPS * 1e6)
    ratios = [a / b for a, b in zip(times["pellucid"], times["plain"], strict=True)]
    return {
        "pellucid_us": statistics.median(times["pellucid"]),
        "plain_us": statistics.median(times["plain"]),
        "ratio": statistics.median(ratios),
    }


if __name__ == "__main__":
    json.dump({f"batch {size}": measure(size) for size in (32, 128)}, sys.stdout)
