"""Measure everything that is claimed; writes results.json, RESULTS.md and roofline.png beside this file.

``python benchmarks/run.py`` takes about half an hour on a machine that does nothing else. ``--quick`` leaves out the best
recipe and keeps what an earlier run found for it; ``--only training`` measures that section alone and keeps the others.
``fashion`` needs the data (a download, or PELLUCID_DATA), ``cats``, ``tables`` and ``sklearn_door`` their folders, which
PELLUCID_CATS and PELLUCID_TABLES name, ``more_tables`` some twenty minutes: they are measured when they are asked for by
``--only``. The peers live in an environment of their own (requirements.txt), whose interpreter ``--peers`` or PEERS_PYTHON
names.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from claims import claims
from jobs.data import write_digits
from machine import describe
from report import as_markdown
from sections import cold, growth, images, photo_answers, prediction, startup, training

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
PEERS_PYTHON = os.environ.get("PEERS_PYTHON", str(HERE.parent / ".venv-peers" / "bin" / "python"))
OF_OTHER_DATA = ("fashion", "cats", "tables", "more_tables", "sklearn_door")
BESIDE_PEERS = {"training", "images", "prediction", "photo_answers", "cold", "growth"}
ROUNDS_AT_THE_DOOR = 3
BUSY = 0.5  # load average before, from which on figures are not to be trusted


def main() -> None:
    options = arguments()
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    measured = sections(options, results.get("recipes", {}))
    chosen = options.only or [name for name in measured if name not in OF_OTHER_DATA]
    if not Path(options.peers).exists() and set(chosen) & BESIDE_PEERS:
        sys.exit(f"No interpreter of the peers at {options.peers}: `make bench` sets it up, or name one with --peers.")
    if os.getloadavg()[0] > BUSY:
        print(f"The machine is busy (load {os.getloadavg()[0]:.1f}): do not trust these figures.", file=sys.stderr)
    machine = describe(options.peers if Path(options.peers).exists() else None)
    if options.only and "machine" in results:  # what the others were measured on stays true
        machine = results["machine"] | {", ".join(chosen): f"measured later, load before {machine['load before']}"}
    results["machine"] = machine
    for name in chosen:
        print(f"{name} ...", file=sys.stderr)
        results[name] = measured[name]()
        write(results)
    print(as_markdown(results))
    missed = [f"{claim.what} {claim.form.format(claim.figure)}" for claim in claims(results) if not claim.reached]
    if missed:
        sys.exit("Not reached: " + "; ".join(missed))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure everything that is claimed.")
    names = ["startup", "step", "prediction", "photo_answers", "training", "images", "bf16", "cold", "growth", "photos"]
    names += ["trace", "deletion", "studio", "pages", "million_rows", "recipes"]
    parser.add_argument("--quick", action="store_true", help="leave out the best recipe, keep its earlier figures")
    parser.add_argument(
        "--only", action="append", choices=[*names, *OF_OTHER_DATA], help="measure this section, keep the others"
    )
    parser.add_argument("--peers", default=PEERS_PYTHON, help="the Python interpreter of the peers' environment")
    return parser.parse_args()


def sections(options: argparse.Namespace, old_recipes: dict[str, Any]) -> dict[str, Callable[[], Any]]:
    """Name -> what measures it."""
    return {
        "startup": startup.measure,
        "step": lambda: run_section("step"),
        "prediction": lambda: beside_peers(prediction.measure, options.peers),
        "photo_answers": lambda: beside_peers(photo_answers.measure, options.peers),
        "training": lambda: beside_peers(training.measure, options.peers),
        "images": lambda: beside_peers(images.measure, options.peers),
        "bf16": lambda: run_section("bf16"),
        "cold": lambda: beside_peers(cold.measure, options.peers),
        "growth": lambda: beside_peers(growth.measure, options.peers),
        "photos": lambda: run_section("photos"),
        "trace": lambda: run_section("trace"),
        "deletion": lambda: run_section("deletion"),
        "studio": lambda: run_section("studio"),
        "pages": lambda: run_section("pages"),
        "million_rows": lambda: run_section("million_rows"),
        "recipes": lambda: recipes(options.quick, old_recipes),
        "fashion": lambda: run_section("fashion"),
        "cats": lambda: run_section("cats", os.environ["PELLUCID_CATS"]),
        "tables": lambda: run_section("tables", os.environ["PELLUCID_TABLES"]),
        "more_tables": lambda: more_tables(options.peers),
        "sklearn_door": lambda: run_section("sklearn_door", os.environ["PELLUCID_TABLES"], str(ROUNDS_AT_THE_DOOR)),
    }


def beside_peers(measure: Callable[[str, Path], Any], python: str) -> Any:
    """What ``measure`` finds with the peers' interpreter and a folder that holds the digits."""
    with tempfile.TemporaryDirectory() as folder:
        write_digits(Path(folder))
        return measure(python, Path(folder))


def more_tables(python: str) -> Any:
    """On tables that packages in the peers' environment carry."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([python, str(HERE / "jobs" / "tables.py"), folder], check=True)
        return run_section("more_tables", folder)


def recipes(quick: bool, old: dict[str, Any]) -> dict[str, Any]:
    figures = {name: run_section("recipes", name) for name in ("default", "conv")}
    if not quick:
        figures["best"] = run_section("recipes", "best")
    elif "best" in old:
        figures["best"] = old["best"]
    return figures


def run_section(name: str, *arguments: str) -> Any:
    """The JSON that a section prints, run in a process and a folder of its own."""
    paths = [str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", f"sections.{name}", *arguments]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
        done = subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def write(results: dict[str, Any]) -> None:
    """After each section, so that nothing is lost when a later one fails."""
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    (HERE / "RESULTS.md").write_text(as_markdown(results))
    if "growth" in results:
        growth.draw(results["growth"])


if __name__ == "__main__":
    main()
