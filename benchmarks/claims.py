"""What is asked of Pellucid, and whether the figures reach it."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from jobs.dense import TRAINING
from jobs.images import IMAGE_JOBS
from jobs.tables import REAL, SMALL
from sections.deletion import BENDS
from sections.growth import FROM_US, LIMIT
from sections.sklearn_figures import times_faster

PICTURES = {
    "shifted by up to 4 pixels": 0.97,
    "scaled to half": 0.96,
    "drawn on 200x300": 0.96,
    "turned by up to 15 degrees": 0.95,
}
RECIPES = {"default": (0.983, 30), "conv": (0.995, 300), "best": (0.9965, 1200)}  # accuracy, seconds
FASHION = {"default": 0.905, "conv": 0.932}
CATS, FEW_CATS, CATS_SECONDS = 0.985, {"10": 0.95, "25": 0.985}, 10
PICTURES_A_MINUTE = 10_000
TABLES = {"pellucid": (0.452, 0.868), "pellucid, ensemble": (0.440, 0.872)}  # RMSE of California, accuracy of Adult
OURS, ENSEMBLE = TABLES
SCIKIT_LEARN = ("HistGradientBoosting", "MLP")
FASTER, MANY_ROWS, OF_SEEDS = 5.0, 10_000, 0.003  # than scikit-learn's MLP; what scores differ by between two seeds
MILLION_SECONDS, MILLION_MB = 10, 2000
MEMORY_MB, STEP_RATIO, IMPORT_SECONDS, HELP_SECONDS = 600, 1.2, 0.1, 0.3
BF16_FASTER, BF16_POINTS = 1.4, 0.1
TRACE_MS = 100
WATCHED_RATIO = 1.05
OPEN_SECONDS, STROKE_MS, FRAME_MS, PAGES_BYTES = 1.0, 50, 17.0, 400_000
ONE_ROW_US, COLD_SECONDS, COLD_RATIO = 5, 3, 0.35


@dataclass(frozen=True)
class Claim:
    """``figure`` is at most ``asked``, or at least, if ``at_least``; ``form`` writes both, such as "{:.2f} s"."""

    what: str
    figure: float
    asked: float
    form: str = "{:.2f}"
    at_least: bool = False

    @property
    def reached(self) -> bool:
        return self.figure >= self.asked if self.at_least else self.figure <= self.asked

    def cells(self) -> list[str]:
        """What, measured, asked, reached."""
        bound = "at least" if self.at_least else "at most"
        texts = self.form.format(self.figure), f"{bound} {self.form.format(self.asked)}"
        return [self.what, *texts, "yes" if self.reached else "**no**"]


def claims(results: dict[str, Any]) -> list[Claim]:
    """Those of every section that was measured."""
    return [claim for section, find in SECTIONS.items() if section in results for claim in find(results[section])]


def of_training(figures: dict[str, Any]) -> Iterator[Claim]:
    for job in TRAINING:
        if job.name in figures:
            found = figures[job.name]
            for peer, asked in job.asked.items():
                yield Claim(f"{job.name}: time beside {peer}", found["ratio"][peer], asked)
            if job.peak_asked:
                yield Claim(f"{job.name}: share of the peak", found["peak_share"], job.peak_asked, "{:.0%}", at_least=True)


def of_images(figures: dict[str, Any]) -> Iterator[Claim]:
    for job in IMAGE_JOBS:
        if job.name in figures:
            yield Claim(f"{job.name}: time beside torch", figures[job.name]["ratio"], job.asked["torch"])


def of_photos(figures: dict[str, Any]) -> Iterator[Claim]:
    for name, found in figures.items():
        if "PNG" in name:
            yield Claim(f"{name}: read in a minute", found["a_minute"], PICTURES_A_MINUTE, "{:,.0f}", at_least=True)


def of_fashion(figures: dict[str, Any]) -> Iterator[Claim]:
    for name, asked in FASHION.items():
        yield Claim(
            f"Fashion-MNIST, recipe {name}: test accuracy", figures[name]["accuracy"], asked, "{:.2%}", at_least=True
        )


def of_cats(figures: dict[str, Any]) -> Iterator[Claim]:
    mean = statistics.mean(figures["pretrained"])
    yield Claim("cats: test accuracy, mean of five seeds", mean, CATS, "{:.1%}", at_least=True)
    for count, asked in FEW_CATS.items():
        mean = statistics.mean(figures["few"][count])
        yield Claim(f"cats: {count} photos a class, mean of ten draws", mean, asked, "{:.1%}", at_least=True)
    if "seconds" in figures:
        yield Claim("cats: the whole command, cold", figures["seconds"]["cold"], CATS_SECONDS, "{:.1f} s")


def of_tables(figures: dict[str, Any]) -> Iterator[Claim]:
    for name, (houses, income) in TABLES.items():
        if name not in figures["california"]:  # measured before there was an ensemble
            continue
        rmse = statistics.mean(figures["california"][name]["figures"])
        yield Claim(
            f"tables, {name}: California housing, RMSE in 100,000 dollars, mean of the seeds", rmse, houses, "{:.3f}"
        )
        accuracy = statistics.mean(figures["adult"][name]["figures"])
        yield Claim(f"tables, {name}: Adult, test accuracy", accuracy, income, "{:.2%}", at_least=True)


def of_more_tables(figures: dict[str, Any]) -> Iterator[Claim]:
    for one in SMALL:
        found = {name: statistics.mean(entry["figures"]) for name, entry in figures[one.name].items()}
        sign = 1 if one.is_regression else -1
        peer = min(sign * found[name] for name in SCIKIT_LEARN)
        behind = (sign * found[OURS] - peer) / standard_error(figures[one.name][OURS]["figures"])
        yield Claim(f"tables, {one.name}: standard errors behind the better of scikit-learn's two", behind, 1)
    ranks = mean_ranks(figures, (OURS, *SCIKIT_LEARN))
    peer = min(ranks[name] for name in SCIKIT_LEARN)
    yield Claim("tables, eight real sets: mean rank of the default beside that of the better peer", ranks[OURS], peer)
    ranks = mean_ranks(figures, (OURS, ENSEMBLE, *SCIKIT_LEARN))
    peer = min(ranks[name] for name in (OURS, *SCIKIT_LEARN))
    yield Claim("tables, eight real sets: mean rank of the ensemble beside that of the best other", ranks[ENSEMBLE], peer)


def of_million_rows(figures: dict[str, Any]) -> Iterator[Claim]:
    ways = {name: found for name, found in figures.items() if name != "file"}
    what = "tables, 1,000,000 rows: pellucid predict, to a CSV file"
    yield Claim(what, ways["pellucid predict, to a CSV file"]["seconds"], MILLION_SECONDS, "{:.1f} s")
    memory = max(found["memory"] for found in ways.values())
    yield Claim("tables, 1,000,000 rows: largest memory of predict, inspect and train", memory, MILLION_MB, "{:,.0f} MB")


def mean_ranks(figures: dict[str, Any], programs: Sequence[str]) -> dict[str, float]:
    """The mean rank of each program over the real sets; 1 is best."""
    ranks: dict[str, list[int]] = {}
    for one in REAL:
        found = {name: statistics.mean(figures[one.name][name]["figures"]) for name in programs}
        for rank, name in enumerate(sorted(programs, key=found.__getitem__, reverse=not one.is_regression), 1):
            ranks.setdefault(name, []).append(rank)
    return {name: statistics.mean(each) for name, each in ranks.items()}


def standard_error(figures: Sequence[float]) -> float:
    return statistics.stdev(figures) / len(figures) ** 0.5


def of_sklearn_door(figures: dict[str, Any]) -> Iterator[Claim]:
    for name, found in figures.items():
        asked = FASTER if found["rows"] >= MANY_ROWS else 1.0
        what = f"scikit-learn's MLP on {name}: times as fast"
        yield Claim(what, times_faster(found), asked, "{:.1f}", at_least=True)
        ours, theirs = (statistics.mean(found[program]["scores"]) for program in ("pellucid", "scikit-learn"))
        if found["rows"] >= MANY_ROWS:
            what = f"scikit-learn's MLP on {name}: {found['score']} that it is ahead"
            yield Claim(what, theirs - ours, OF_SEEDS, "{:.4f}")


def of_prediction(figures: dict[str, Any]) -> Iterator[Claim]:
    for name, found in figures.items():
        if name.startswith("one"):
            yield Claim(f"predict {name}", found["us"]["pellucid"], ONE_ROW_US, "{:.1f} us")
        yield Claim(f"predict {name}: time beside onnxruntime", found["ratio"], 1)


def of_photo_answers(figures: dict[str, Any]) -> Iterator[Claim]:
    for name, found in figures.items():
        yield Claim(f"what is in {name}: time beside onnxruntime", found["ratio"], 1)


def of_bf16(figures: dict[str, Any] | None) -> Iterator[Claim]:
    if figures is not None:
        yield Claim("bf16: float32 takes so many times as long", figures["faster"], BF16_FASTER, at_least=True)
        lost = 100 * (figures["accuracy"]["float32"] - figures["accuracy"]["bf16"])
        yield Claim("bf16: accuracy lost, mean of five seeds", lost, BF16_POINTS, "{:.2f} points")


def of_cold(figures: dict[str, Any]) -> Iterator[Claim]:
    yield Claim("new process to 98 % of the test digits", figures["seconds"]["pellucid"], COLD_SECONDS, "{:.1f} s")
    yield Claim(f"the same beside the fastest peer, {figures['peer']}", figures["ratio"], COLD_RATIO)
    share = figures["reached"]["pellucid"] / figures["runs"]
    yield Claim("the same: runs that came to 98 %", share, 1, "{:.0%}", at_least=True)


def of_growth(figures: dict[str, Any]) -> Iterator[Claim]:
    points = [point for series in ("width", "batch") for point in figures[series].values()]
    worst = max(point["ratio"] for point in points if point["step_us"] > FROM_US)
    yield Claim("steps above 1 ms, the worst: time beside the roofline", worst, LIMIT)


def of_recipes(figures: dict[str, Any]) -> Iterator[Claim]:
    for name, found in figures.items():
        accuracy, seconds = RECIPES[name]
        yield Claim(f"recipe {name}: test accuracy", found["accuracy"], accuracy, "{:.2%}", at_least=True)
        yield Claim(f"recipe {name}: training", found["seconds"], seconds, "{:.0f} s")
        yield Claim(f"recipe {name}: peak memory", found["peak_memory_mb"], MEMORY_MB, "{:.0f} MB")
        pictures = found["pictures"]
        for kind, asked in (PICTURES | {"inverted": pictures["as they are"]}).items():
            yield Claim(f"recipe {name}: digits {kind}", pictures[kind], asked, "{:.2%}", at_least=True)


def of_trace(figures: dict[str, float]) -> Iterator[Claim]:
    yield Claim("trace of one digit, with JSON", figures["with JSON"], TRACE_MS, "{:.0f} ms")


def of_deletion(figures: dict[str, Any]) -> Iterator[Claim]:
    for activation in BENDS:
        found, areas = figures[activation]["method"], figures[activation]["areas"]
        for chance in ("random", "random among ink"):
            yield Claim(f"deletion, {activation}: area of {found} beside {chance}", areas[found], areas[chance], "{:.3f}")


def of_step(figures: dict[str, Any]) -> Iterator[Claim]:
    for name, found in figures.items():
        yield Claim(f"NumPy executor, {name}: time beside a plain loop", found["ratio"], STEP_RATIO)


def of_studio(figures: dict[str, Any]) -> Iterator[Claim]:
    for name, found in figures.items():
        yield Claim(f"{name}: time in the studio, watched, beside fit", found["watched_to_fit"], WATCHED_RATIO)


def of_pages(figures: dict[str, Any]) -> Iterator[Claim]:
    for name, seconds in figures["seconds_to_open"].items():
        yield Claim(f"studio, open {name}", seconds, OPEN_SECONDS, "{:.2f} s")
    yield Claim("studio, from a stroke to the bars", figures["stroke_to_bars_ms"]["median"], STROKE_MS, "{:.0f} ms")
    yield Claim("studio, from a frame to the next", figures["frame_ms"]["median"], FRAME_MS, "{:.1f} ms")
    yield Claim("studio, all files compressed", figures["compressed_bytes"], PAGES_BYTES, "{:,.0f} bytes")


def of_startup(figures: dict[str, float]) -> Iterator[Claim]:
    extra = figures["import numpy, pellucid"] - figures["import numpy"]
    yield Claim("import pellucid, beyond numpy", extra, IMPORT_SECONDS, "{:.3f} s")
    yield Claim("pellucid --help", figures["pellucid --help"], HELP_SECONDS, "{:.3f} s")


SECTIONS = {
    "training": of_training,
    "images": of_images,
    "prediction": of_prediction,
    "photo_answers": of_photo_answers,
    "bf16": of_bf16,
    "cold": of_cold,
    "growth": of_growth,
    "recipes": of_recipes,
    "fashion": of_fashion,
    "cats": of_cats,
    "tables": of_tables,
    "more_tables": of_more_tables,
    "million_rows": of_million_rows,
    "sklearn_door": of_sklearn_door,
    "photos": of_photos,
    "trace": of_trace,
    "deletion": of_deletion,
    "studio": of_studio,
    "pages": of_pages,
    "step": of_step,
    "startup": of_startup,
}
