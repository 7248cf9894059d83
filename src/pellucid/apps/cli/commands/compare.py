"""``pellucid compare``: where two trainings part, in settings and in curves."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from pellucid.apps.cli.terminal import say, write_json, write_table
from pellucid.training.runs.compare import Comparison, compare

EPOCHS_SHOWN = 12


@click.command("compare")
@click.argument("one", metavar="DIR", type=click.Path())
@click.argument("other", metavar="DIR2", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Write one JSON document to standard output.")
def command(one: str, other: str, as_json: bool) -> None:
    """Compare the trainings in DIR and DIR2: their settings, and their metrics epoch by epoch."""
    found = compare(Path(one), Path(other))
    if as_json:
        write_json(_as_data(found))
        return
    for name, (old, new) in found.settings.items():
        say(f"{name}\n  {one}: {_short(old)}\n  {other}: {_short(new)}")
    if not found.settings:
        say("the settings that decide the bits are the same")
    for name, run in ((one, found.runs[0]), (other, found.runs[1])):
        parent = run.settings.get("parent")
        origin = f", forked from {parent.get('run')} after step {parent.get('step'):,}" if isinstance(parent, dict) else ""
        say(f"{name}: {run.state}, {run.made:,} of {run.steps:,} steps{origin}")
    if not found.common:
        say("there is no epoch that both have finished")
        return
    say(
        f"the metrics of all {len(found.common)} epochs that both have are the same"
        if found.parted is None
        else f"they part in epoch {found.parted}"
    )
    names = list(dict.fromkeys(name for run in found.runs for epoch in found.common for name in run.epochs[epoch]))
    names = [name for name in names if name not in ("seconds", "learning_rate")]
    rows = [
        (str(epoch), *(_number(run.epochs[epoch].get(name)) for name in names for run in found.runs))
        for epoch in _spread(found.common)
    ]
    header = ["epoch", *(part for name in names for part in (name.replace("_", " "), "other"))]
    write_table(f"{one}, and beside it the other, {other}", header, rows)


def _spread(epochs: list[int]) -> list[int]:
    """The first and the last, and some between them."""
    if len(epochs) <= EPOCHS_SHOWN:
        return epochs
    return [epochs[round(place * (len(epochs) - 1) / (EPOCHS_SHOWN - 1))] for place in range(EPOCHS_SHOWN)]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _short(value: Any) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 200 else f"{text[:197]}..."


def _as_data(found: Comparison) -> dict[str, Any]:
    return {
        "runs": [os.fspath(run.folder) for run in found.runs],
        "settings": {name: list(values) for name, values in found.settings.items()},
        "parted": found.parted,
        "epochs": [{"epoch": epoch, "metrics": [run.epochs[epoch] for run in found.runs]} for epoch in found.common],
    }
