"""How long it takes before anything is computed: whole processes."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path


def measure() -> dict[str, float]:
    pellucid = str(Path(sys.executable).parent / "pellucid")
    everything = "import pellucid as pl; [getattr(pl, name) for name in dir(pl)]"
    return {
        "python": seconds_of(sys.executable, "-c", "pass"),
        "import numpy": seconds_of(sys.executable, "-c", "import numpy"),
        "import numpy, pellucid": seconds_of(sys.executable, "-c", "import numpy, pellucid"),
        "every public name of pellucid": seconds_of(sys.executable, "-c", everything),
        "pellucid --help": seconds_of(pellucid, "--help"),
    }


def seconds_of(*command: str, runs: int = 11) -> float:
    """The median wall time of a command."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - start)
    return statistics.median(times)
