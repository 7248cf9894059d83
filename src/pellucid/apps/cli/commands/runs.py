"""``pellucid runs``: which trainings are there, and how far are they?"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from pellucid.apps.cli.terminal import say, write_json, write_table
from pellucid.core.errors import RunError
from pellucid.training.progress import metrics_text
from pellucid.training.runs.cache import in_cache
from pellucid.training.runs.folder import RunStatus, is_run, status_of


@click.command("runs")
@click.argument("folders", nargs=-1, metavar="[FOLDER]...", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Write one JSON document to standard output.")
def command(folders: tuple[str, ...], as_json: bool) -> None:
    """List the runs in FOLDER (by default here), and those that are kept in the user's cache, with state and progress.

    "killed" is a run whose process died, or the machine: it can be resumed, as an interrupted one can.
    """
    found = [status for folder in folders or (os.curdir,) for status in _below(Path(folder))]
    found += [] if folders else in_cache()
    if as_json:
        write_json([_as_data(status) for status in found])
        return
    if not found:
        say("no runs here; pellucid train ... --run DIR keeps one")
        return
    rows = [
        (os.fspath(run.folder), run.state, f"{run.made:,}/{run.steps:,}", str(len(run.epochs)), _figures(run))
        for run in found
    ]
    write_table("runs", ["folder", "state", "steps", "epochs", "last epoch"], rows)


def _below(folder: Path) -> list[RunStatus]:
    """The run in a folder, or those in its folders."""
    try:
        places = [folder] if is_run(folder) else sorted(path for path in folder.iterdir() if path.is_dir() and is_run(path))
    except OSError as error:
        raise RunError(f"{folder} cannot be read: {error.strerror or error}.") from None
    return [status_of(place) for place in places]


def _figures(run: RunStatus) -> str:
    return metrics_text(run.epochs[max(run.epochs)], digits=3) if run.epochs else ""


def _as_data(run: RunStatus) -> dict[str, Any]:
    return {
        "folder": os.fspath(run.folder),
        "state": run.state,
        "command": run.settings.get("command"),
        "steps_made": run.made,
        "steps": run.steps,
        "epochs": [{"epoch": epoch, **metrics} for epoch, metrics in sorted(run.epochs.items())],
        "parent": run.settings.get("parent"),
    }
