"""A long table of 28 numbers and 2 categories, with the commands and in Python, each a process of its own."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

ROWS, LEARNED = 1_000_000, 20_000
NUMBERS = 28
COLORS = ("red", "green", "blue", "white", "black")
SHAPES = tuple(f"shape {k}" for k in range(12))
AT_ONCE = 10_000  # rows
IN_PYTHON = "import sys, pellucid as pl; print(len(pl.load(sys.argv[1]).predict(sys.argv[2])))"


def lines() -> Iterator[str]:
    """The lines of the table, with its target at the end."""
    yield ",".join([*(f"x{k}" for k in range(NUMBERS)), "color", "shape", "y"])
    chance = np.random.default_rng(0)
    for _ in range(ROWS // AT_ONCE):
        x = chance.normal(size=(AT_ONCE, NUMBERS)).round(4)
        color, shape = chance.integers(len(COLORS), size=AT_ONCE), chance.integers(len(SHAPES), size=AT_ONCE)
        y = 3 * x[:, 0] + 2 * np.sin(2 * x[:, 1]) + color + x[:, 2] * (shape > 5) + chance.normal(0, 0.1, AT_ONCE)
        for row, c, s, target in zip(x.tolist(), color.tolist(), shape.tolist(), y.round(3).tolist(), strict=True):
            yield f"{','.join(map(str, row))},{COLORS[c]},{SHAPES[s]},{target}"


def measure() -> dict[str, Any]:
    """For each of four ways to use the table the seconds and the largest memory in MB; and the size of the file in MB."""
    with tempfile.TemporaryDirectory() as folder:
        table, first, model, answers = (
            str(Path(folder) / name) for name in ("table.csv", "first.csv", "m.safetensors", "a")
        )
        with open(table, "w") as file:
            file.writelines(f"{line}\n" for line in lines())
        with open(first, "w") as file:
            file.writelines(f"{line}\n" for line in islice(lines(), 1 + LEARNED))
        pellucid = (sys.executable, "-m", "pellucid")
        cost_of(*pellucid, "train", first, "--target", "y", "--out", model, "--seed", "0")
        return {
            "file": os.path.getsize(table) / 1e6,
            "pellucid predict, to a CSV file": cost_of(*pellucid, "predict", model, table, "--out", answers),
            'model.predict("table.csv")': cost_of(sys.executable, "-c", IN_PYTHON, model, table),
            "pellucid inspect": cost_of(*pellucid, "inspect", table),
            "pellucid train --epochs 1": cost_of(
                *pellucid, "train", table, "--target", "y", "--epochs", "1", "--out", model
            ),
        }


def cost_of(*command: str) -> dict[str, float]:
    """The wall time of a process, and the most memory that it had."""
    start = time.perf_counter()
    silent = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_WRONLY, 0) for stream in (1, 2)]
    process = os.posix_spawn(command[0], command, os.environ, file_actions=silent)
    _, status, used = os.wait4(process, 0)
    if status:
        raise RuntimeError(f"{' '.join(command)} failed: {os.waitstatus_to_exitcode(status)}")
    return {"seconds": time.perf_counter() - start, "memory": used.ru_maxrss / 1e3}


if __name__ == "__main__":
    json.dump(measure(), sys.stdout)
