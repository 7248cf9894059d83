"""RESULTS.md: what was asked and reached, then the figures of each section."""

from __future__ import annotations

import statistics
from typing import Any

from claims import claims, mean_ranks, standard_error
from jobs.dense import TRAINING
from jobs.images import IMAGE_JOBS
from jobs.tables import REAL, SMALL
from sections.cold import OTHERS, OURS, PEERS
from sections.deletion import BENDS
from sections.million_rows import LEARNED, ROWS
from sections.sklearn_figures import times_faster

Lines = list[str]


def as_markdown(results: dict[str, Any]) -> str:
    about = "; ".join(f"{name} {value}" for name, value in results["machine"].items())
    lines = [
        f"# Figures\n\nWritten by `make bench`. {about}.\n",
        "Everyone works with two threads and in float32. Contestants are processes that work in turns, in the same",
        "minutes; times are medians over rounds, and a ratio is the median of the ratios in each round: below 1,",
        "Pellucid is faster.\n",
        "## What was asked\n",
        *table(["figure", "measured", "asked", "reached"], [claim.cells() for claim in claims(results)]),
    ]
    for section, tell in SECTIONS.items():
        lines += tell(results[section]) if section in results else []
    return "\n".join(lines)


def table(header: list[str], rows: list[list[str]]) -> Lines:
    """A Markdown table, with an empty line after it."""
    return [*("| " + " | ".join(row) + " |" for row in [header, ["---"] * len(header), *rows]), ""]


def training(figures: dict[str, Any]) -> Lines:
    rows = []
    for job in TRAINING:
        if job.name in figures:
            found = figures[job.name]
            us, ratio, loss = found["us"], found["ratio"], found["loss"]
            rows.append(
                [
                    *(job.name, f"{us['pellucid']:.0f} us", f"{us['jax']:.0f} us", f"{us['torch']:.0f} us"),
                    *(f"{ratio['jax']:.2f}", f"{ratio['torch']:.2f}", f"{found['peak_share']:.0%}"),
                    " / ".join(f"{loss[name]:.3f}" for name in ("pellucid", "jax", "torch")),
                ]
            )
    return [
        "## Training: one step with Adam\n",
        "`Network.fit` on shuffled epochs, with everything that it does around its steps, against JAX (all epochs of",
        "a round in one compiled `lax.scan`, state donated) and PyTorch (eager, data in memory, fused Adam). Pixels",
        "of the digits are zero four times out of five; *dense* jobs are the same on random inputs without zeros. The",
        "share of the peak counts the matrix products alone. The losses, on the same 10,000 rows after the same",
        "number of steps, show that all three learn the same.\n",
        *table(["job", "Pellucid", "JAX", "PyTorch", "to JAX", "to PyTorch", "share of peak", "losses"], rows),
    ]


def images(figures: dict[str, Any]) -> Lines:
    rows = []
    for job in IMAGE_JOBS:
        if job.name in figures:
            found = figures[job.name]
            ms, loss = found["ms"], found["loss"]
            losses = " / ".join(f"{loss[name]:.3f}" for name in ("pellucid", "torch"))
            rows.append([job.name, f"{ms['pellucid']:.1f} ms", f"{ms['torch']:.1f} ms", f"{found['ratio']:.2f}", losses])
    return [
        "## Convolutional networks: one step with Adam, batch 128, digits\n",
        "PyTorch with channels last and the fused Adam; the losses as above.\n",
        *table(["network", "Pellucid", "PyTorch", "ratio", "losses"], rows),
    ]


def fashion(figures: dict[str, Any]) -> Lines:
    return [
        "## Fashion-MNIST: recipes\n",
        *table(
            ["recipe", "network", "test accuracy", "training"],
            [[n, r["network"], f"{r['accuracy']:.2%}", f"{r['seconds']:.0f} s"] for n, r in figures.items()],
        ),
    ]


def cats(figures: dict[str, Any]) -> Lines:
    learned, tested = figures["pictures"]
    seeds = range(len(figures["pretrained"]))
    times = (
        [f"The whole command takes {s['cold']:.1f} s, {s['again']:.1f} s where the cache knows the features."]
        if (s := figures.get("seconds"))
        else []
    )
    nothing = {f"{name}, from nothing": found for name, found in figures["from nothing"].items()}
    networks = {"pretrained": figures["pretrained"], **nothing}
    return [
        f"## Is this a cat? {learned} photos to learn from, {tested} to test\n",
        "`pl.train(pl.datasets.folder(...))` with all defaults; and from nothing. One of the 209 photos has the same bytes",
        "as one of the test, and is left out. With 50 photos, one more or less right is 2 %.",
        *times,
        "",
        *table(
            ["network", "mean", *(f"seed {seed}" for seed in seeds)],
            [
                [name, f"{statistics.mean(found):.1%}", *(f"{accuracy:.0%}" for accuracy in found)]
                for name, found in networks.items()
            ],
        ),
        "Pretrained, from few of these photos, drawn at random:\n",
        *table(
            ["photos a class", "draws", "mean", "least"],
            [[n, str(len(f)), f"{statistics.mean(f):.1%}", f"{min(f):.0%}"] for n, f in figures["few"].items()],
        ),
    ]


def tables(figures: dict[str, Any]) -> Lines:
    lines = [
        "## Tables: the default recipe beside scikit-learn\n",
        "All with their defaults, on the same rows; each program by itself, in turn. California housing: a fifth of the",
        "rows to test, RMSE in 100,000 dollars (less is better). Adult: its own test file, accuracy. Seconds are medians,",
        "with all that a program does with the columns.\n",
    ]
    for name, form in (("california", "{:.3f}"), ("adult", "{:.2%}")):
        rows = [
            [program, form.format(statistics.mean(found["figures"])), *(form.format(figure) for figure in found["figures"]),
             f"{statistics.median(found['seconds']):.1f} s"]
            for program, found in figures[name].items()
        ]  # fmt: skip
        seeds = range(len(figures[name]["pellucid"]["figures"]))
        lines += table([name, "mean", *(f"seed {seed}" for seed in seeds), "time"], rows)
    return lines


def more_tables(figures: dict[str, Any]) -> Lines:
    lines = [
        "## Thirteen more tables\n",
        "All with their defaults, on the same rows. Eight real ones, chosen before anything was trained on them, a fifth",
        "of the rows to test, another one for each seed; five small ones of scikit-learn in five times five folds. Mean",
        "figure, its standard error, and the median time. RMSE (less is better) in the target's unit, or accuracy.\n",
    ]
    programs = list(next(iter(figures.values())))
    rows = []
    for one in REAL + SMALL:
        found, form = figures[one.name], "{:.4g}" if one.is_regression else "{:.2%}"
        error = {name: standard_error(found[name]["figures"]) for name in programs}
        cells = [
            f"{form.format(statistics.mean(found[name]['figures']))} ± {form.format(error[name])}, "
            f"{statistics.median(found[name]['seconds']):.1f} s"
            for name in programs
        ]
        rows.append([f"{one.name} ({one.package or 'scikit-learn'}, {one.terms})", *cells])
    ranks = mean_ranks(figures, programs)
    rows.append(["mean rank on the eight", *(f"{ranks[name]:.2f}" for name in programs)])
    return lines + table(["set", *programs], rows)


def million_rows(figures: dict[str, Any]) -> Lines:
    ways = {name: found for name, found in figures.items() if name != "file"}
    rows = [
        [name, f"{found['seconds']:.1f} s", f"{ROWS / found['seconds']:,.0f}", f"{found['memory']:,.0f} MB"]
        for name, found in ways.items()
    ]
    return [
        "## A table of 1,000,000 rows\n",
        f"30 columns, two of them categories, {figures['file']:.0f} MB of CSV text; the model, by the default recipe,",
        f"learned from {LEARNED:,} of the rows. Each process by itself, from its start to its end.\n",
        *table(["", "time", "rows/s", "memory"], rows),
    ]


def sklearn_door(figures: dict[str, Any]) -> Lines:
    rows = []
    for name, found in figures.items():
        both = [found[program] for program in ("pellucid", "scikit-learn")]
        rows.append(
            [
                *(name, f"{found['rows']:,}", str(found["features"])),
                *(f"{statistics.median(one['seconds']):.2f} s" for one in both),
                f"{times_faster(found):.1f}",
                *(f"{statistics.mean(one['scores']):.4f} {found['score']}" for one in both),
                " / ".join(f"{statistics.median(one['epochs']):.0f}" for one in both),
            ]
        )
    return [
        "## One import changed: beside scikit-learn's MLP\n",
        "`NetworkClassifier` or `NetworkRegressor`, and `MLPClassifier` or `MLPRegressor`: fit and answers, with their",
        "defaults, on the same arrays, in turns. Seconds are medians, scores means on rows that neither has seen; *faster*",
        "is the median of the ratios of the rounds.\n",
        *table(["set", "rows", "features", "Pellucid", "scikit-learn", "faster", "score", "theirs", "epochs"], rows),
    ]


def photos(figures: dict[str, Any]) -> Lines:
    return [
        "## Reading folders of pictures, to 64x64\n",
        "`pl.datasets.folder`: hashed, decoded, resized and written to the cache. *Again*: the same folder, unchanged.\n",
        *table(
            ["folder", "pictures a minute", "busy cores", "again"],
            [
                [n, f"{r['a_minute']:,.0f}", f"{r['cores']:.2f} of {r['of_cores']}", f"{r['again_seconds']:.2f} s"]
                for n, r in figures.items()
            ],
        ),
    ]


def studio(figures: dict[str, Any]) -> Lines:
    rows = []
    for name, found in figures.items():
        seconds = [f"{found[f'{way}_seconds']:.2f} s" for way in ("fit", "alone", "watched")]
        rows.append([name, *seconds, *(f"{found[f'watched_to_{way}']:.2f}" for way in ("fit", "alone"))])
        rows[-1].append(f"{found['looks_a_second']:.1f}")
    return [
        "## The studio: what watching costs\n",
        "The same training by `Network.fit`, in the studio, and in the studio while another process reads all events as a",
        "page does, and the ratios of the last to the two others.\n",
        *table(["training", "fit", "not watched", "watched", "to fit", "to not watched", "looks a second"], rows),
    ]


def pages(figures: dict[str, Any]) -> Lines:
    rows = [[f"open {name}", f"{seconds:.2f} s", ""] for name, seconds in figures["seconds_to_open"].items()]
    for what, name in (("from a stroke to the bars", "stroke_to_bars_ms"), ("from a frame to the next", "frame_ms")):
        rows.append([what, f"{figures[name]['median']:.1f} ms", f"{figures[name]['most']:.1f} ms"])
    return [
        "## The studio: in the browser\n",
        "Chromium without a window, whose pictures the processor paints. Frames are those of Look inside while the pointer",
        "runs over four layers of 512 and keys choose neurons. All files together take",
        f"{figures['compressed_bytes'] / 1000:.0f} kB, compressed.\n",
        *table(["", "median", "19 of 20 below"], rows),
    ]


def prediction(figures: dict[str, Any]) -> Lines:
    rows = []
    for name, found in figures.items():
        peers = [f"{us:.1f} us" for peer, us in found["us"].items() if peer != "pellucid"]
        ratio, difference = f"{found['ratio']:.2f}", f"{found['difference']:.0e}"
        rows.append([name, f"{found['us']['pellucid']:.1f} us", *peers, ratio, difference])
    return [
        "## Prediction: 784-128-10\n",
        "`Network.predict_proba` on float32 rows against `InferenceSession.run` of onnxruntime with the same",
        "parameters, with one thread and with two; the ratio is to the faster one.\n",
        *table(["rows", "Pellucid", "onnxruntime, 1", "onnxruntime, 2", "ratio", "largest difference"], rows),
    ]


def photo_answers(figures: dict[str, Any]) -> Lines:
    rows = [
        [name, *(f"{ms:.2f} ms" for ms in found["ms"].values()), f"{found['ratio']:.2f}", f"{found['difference']:.0e}"]
        for name, found in figures.items()
    ]
    return [
        "## What is in a photo: EfficientNet-Lite0 at 224x224\n",
        "`Network.predict_proba` on float32 pictures against onnxruntime with the same weights, channels first and, of",
        "many, 25 pictures a call. Milliseconds a picture, all that `predict_proba` checks included.\n",
        *table(["pictures", "Pellucid", "onnxruntime", "ratio", "largest difference"], rows),
    ]


def bf16(figures: dict[str, Any] | None) -> Lines:
    if figures is None:
        return []
    rows = [
        [name, f"{figures['us'][name]:.0f} us", f"{figures['accuracy'][name]:.2%}"]
        + [f"{accuracy:.2%}" for accuracy in figures["accuracies"][name]]
        for name in figures["us"]
    ]
    seeds = [f"seed {seed}" for seed in range(figures["seeds"])]
    return [
        "## Products of bfloat16: 784-512-512-10, batch 128, digits\n",
        "Four epochs with Adam at a falling rate; epochs of both precisions in turns.\n",
        *table(["precision", "step", "test accuracy", *seeds], rows),
    ]


def cold(figures: dict[str, Any]) -> Lines:
    rows = [
        [name, f"{figures['seconds'][name]:.1f} s", f"{figures['epochs'][name]:.0f}", f"{figures['reached'][name]}"]
        for name in (*OURS, *PEERS, *OTHERS)
    ]
    return [
        "## From nothing to 98 % of the test digits\n",
        "Whole processes: import, load, train 784-256-10, judge after each epoch. Peers train with Adam at the",
        "constant rate that suits them; Pellucid with the one-cycle schedule. What the schedule is worth shows",
        f"beside: Pellucid without it takes {figures['ratio_constant']:.2f} of the time of {figures['peer']}, and",
        f"with it {figures['ratio_scheduled']:.2f} of the time of JAX with such a schedule.\n",
        *table(["", "time", "epochs", f"of {figures['runs']} runs reached 98 %"], rows),
    ]


def growth(figures: dict[str, Any]) -> Lines:
    rows = [
        [
            *(f"{series} {key}", f"{point['step_us']:,.0f} us", f"{point['step_us'] / point['samples']:,.2f} us"),
            *(f"{point['roofline_us']:,.0f} us", f"{point['ratio']:.2f}"),
            *(f"{point['gflops']:.0f} GFLOP/s", f"{point['gbytes']:.0f} GB/s"),
        ]
        for series in ("width", "batch")
        for key, point in figures[series].items()
    ]
    return [
        "## Cost as the work grows\n",
        "784-W-W-10 in batches of 128 against the width W, and 784-512-512-10 against the batch. The roofline is what",
        "the machine must spend at least: FLOPs of the matrix products at the peak measured in the same round, or,",
        f"where the parameters and their moments exceed the last cache ({figures['cache_bytes'] >> 20} MiB), reading",
        "and writing them once at the bandwidth measured in the same round. The grey band reaches to 1.5 times the",
        "roofline.\n",
        "![time per sample against width and batch](roofline.png)\n",
        *table(["", "step", "per sample", "roofline", "ratio", "peak", "bandwidth"], rows),
    ]


def recipes(figures: dict[str, Any]) -> Lines:
    kinds = next(iter(figures.values()))["pictures"]
    return [
        "## Digits: recipes\n",
        *table(
            ["recipe", "network", "test accuracy", "training", "peak memory"],
            [
                [n, r["network"], f"{r['accuracy']:.2%}", f"{r['seconds']:.1f} s", f"{r['peak_memory_mb']:.0f} MB"]
                for n, r in figures.items()
            ],
        ),
        "## Pictures that are not MNIST\n",
        "`model.predict` on the first 2,000 test digits, changed, and on the 1,797 digits of the UCI collection",
        "(other writers, 8x8 pixels).\n",
        *table(
            ["pictures", *figures],
            [[kind, *(f"{recipe['pictures'][kind]:.2%}" for recipe in figures.values())] for kind in kinds],
        ),
    ]


def trace(figures: dict[str, float]) -> Lines:
    return [
        "## Every number: the trace of one digit through 784-128-64-10\n",
        "`Network.trace` in float64, and its `to_json`; medians of 15.\n",
        *table(["what", "time"], [[name, f"{ms:.1f} ms"] for name, ms in figures.items()]),
    ]


def deletion(figures: dict[str, Any]) -> Lines:
    columns = [figures[activation] for activation in BENDS]
    names = [name for name in columns[0]["areas"] if name != columns[0]["method"]]
    methods = " / ".join(found["method"].replace("_", " ") for found in columns)
    attributed = [f"`attribute`: {methods}", *(f"{found['areas'][found['method']]:.3f}" for found in columns)]
    others = [[name, *(f"{found['areas'][name]:.3f}" for found in columns)] for name in names]
    return [
        f"## Do attributions find the pixels that matter? {figures['digits']} test digits\n",
        f"784-128-64-10 after {figures['epochs']} epochs. Pixels are set to black in the order of a method; the area under",
        "the probability of the answer: low is good. Random orders are the mean of five.\n",
        *table(["order", *BENDS], [attributed, *others]),
    ]


def step(figures: dict[str, Any]) -> Lines:
    return [
        "## The NumPy executor: one step of 784-128-10 with Adam\n",
        '`Network.fit(engine="numpy")` against `contestants/plain_numpy.py`, in turns in one process.\n',
        *table(
            ["batch", "Pellucid", "plain loop", "ratio"],
            [
                [name.split()[1], f"{r['pellucid_us']:.0f} us", f"{r['plain_us']:.0f} us", f"{r['ratio']:.2f}"]
                for name, r in figures.items()
            ],
        ),
    ]


def startup(figures: dict[str, float]) -> Lines:
    return [
        "## Start-up\n",
        "Whole processes, medians of 11.\n",
        *table(["command", "seconds"], [[name, f"{seconds:.3f}"] for name, seconds in figures.items()]),
    ]


SECTIONS = {
    "training": training,
    "images": images,
    "prediction": prediction,
    "photo_answers": photo_answers,
    "bf16": bf16,
    "cold": cold,
    "growth": growth,
    "recipes": recipes,
    "fashion": fashion,
    "cats": cats,
    "tables": tables,
    "more_tables": more_tables,
    "million_rows": million_rows,
    "sklearn_door": sklearn_door,
    "photos": photos,
    "trace": trace,
    "deletion": deletion,
    "studio": studio,
    "pages": pages,
    "step": step,
    "startup": startup,
}
