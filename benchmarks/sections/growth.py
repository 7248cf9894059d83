"""The cost of a step as the work grows, beside the roofline: what the machine must spend at least on these numbers.

roofline = max(FLOPs / peak of matrix products, bytes / bandwidth of memory)

FLOPs are those of the matrix products alone. Bytes are counted where parameters and the two moments of Adam do not fit in
the last cache: each is read and written once in a step, 24 bytes a parameter. Peak and bandwidth are measured anew in every
round.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import replace
from pathlib import Path
from typing import Any

from contestants.contest import Contestant, hold, median
from jobs.dense import Job

PLOT = Path(__file__).parents[1] / "roofline.png"
ROUNDS = 5
WIDTHS = [2**n for n in range(6, 13)]
BATCHES = [2**n for n in range(13)]
LIMIT, FROM_US = 1.5, 1000  # the ratio asked for, and from where on
LEAST_STEPS, LEAST_SECONDS = 30, 0.4  # of a round


def measure(peers_python: str, folder: Path) -> dict[str, Any]:
    """Two series of points: against the width of 784-W-W-10 in batches of 128, and against the batch of 784-512-512-10."""
    widths = [Job((784, width, width, 10), 128) for width in WIDTHS]
    batches = [Job((784, 512, 512, 10), batch) for batch in BATCHES]
    cache = last_cache()
    with Contestant("peak", python=peers_python) as machine:
        return {
            "cache_bytes": cache,
            "width": {str(job.sizes[1]): point(job, cache, machine, folder) for job in widths},
            "batch": {str(job.batch): point(job, cache, machine, folder) for job in batches},
        }


def point(job: Job, cache: int, machine: Contestant, folder: Path) -> dict[str, float]:
    """Medians over rounds; in each, the step is held against the peak and the bandwidth of the same moment."""
    gigabytes = 24 * job.parameters / 1e9 if 12 * job.parameters > cache else 0.0
    job = of_fair_length(job)
    with Contestant("ours", job.to_json(), str(folder)) as ours:
        contestants = {"step": ours, "gflops": machine, "gbytes": machine}
        rounds = hold(contestants, ROUNDS, {"gflops": "gflops", "gbytes": "gbytes"})
    for answers in rounds:
        answers["step"] /= job.steps
        answers["roofline"] = max(job.flops / 1e9 / answers["gflops"], gigabytes / answers["gbytes"])
    return {
        "step_us": median(rounds, "step") * 1e6,
        "roofline_us": median(rounds, "roofline") * 1e6,
        "samples": job.batch,
        "ratio": statistics.median(answers["step"] / answers["roofline"] for answers in rounds),
        "gflops": median(rounds, "gflops"),
        "gbytes": median(rounds, "gbytes"),
    }


def of_fair_length(job: Job) -> Job:
    """So many rows and epochs that what a call of ``fit`` does once is small beside its steps."""
    likely_seconds = 1e-4 + job.flops / 150e9
    steps = max(LEAST_STEPS, int(LEAST_SECONDS / likely_seconds))
    steps_an_epoch = min(steps, job.rows // job.batch)
    return replace(job, max_rows=steps_an_epoch * job.batch, epochs=math.ceil(steps / steps_an_epoch))


def last_cache() -> int:
    """Bytes of the last cache that the processor reports (32 MiB where it reports none)."""
    sizes = Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size")
    return max((int(path.read_text().strip().removesuffix("K")) for path in sizes), default=32 << 10) << 10


def draw(figures: dict[str, Any], path: Path = PLOT) -> None:
    """Two panels: time per sample against width and against batch, with the roofline below."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import FuncFormatter, LogLocator

    panels = {
        "width": ("units in each hidden layer W", "784-W-W-10, batch 128"),
        "batch": ("samples in a batch B", "784-512-512-10, batch B"),
    }
    band = f"up to {LIMIT} times the roofline"
    figure, axes = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
    for axis, (series, (label, title)) in zip(axes, panels.items(), strict=True):
        places = [int(key) for key in figures[series]]
        measured, roofline = (
            [point[name] / point["samples"] for point in figures[series].values()] for name in ("step_us", "roofline_us")
        )
        axis.plot(places, measured, "o-", color="#1f5fa8", label="Pellucid, Network.fit")
        axis.plot(places, roofline, "--", color="#444444", label="roofline of the machine")
        axis.fill_between(
            places, roofline, [LIMIT * value for value in roofline], color="#444444", alpha=0.12, lw=0, label=band
        )
        axis.set(xscale="log", yscale="log", xlabel=label, ylabel="microseconds per sample", title=title)
        axis.set_xticks(places, map(str, places), rotation=45)
        axis.minorticks_off()
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.grid(alpha=0.25)
        axis.spines[["top", "right"]].set_visible(False)
        axis.legend(frameon=False, loc="best")
    figure.savefig(path, dpi=150)
    plt.close(figure)
