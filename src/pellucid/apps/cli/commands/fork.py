"""``pellucid fork``: a training goes on differently from some step."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from pellucid.apps.cli.recorded import Recorder, found_run, read_words, train_again, visit, words_of_run
from pellucid.core.errors import RunError
from pellucid.training.history import History
from pellucid.training.loop import TrainingLoop
from pellucid.training.runs.folder import is_run
from pellucid.training.runs.run import Origin, Run


@click.command("fork", context_settings={"ignore_unknown_options": True})
@click.argument("run", metavar="DIR", type=click.Path())
@click.option("--step", type=click.IntRange(min=0), required=True, help="The step after which it goes on.")
@click.option("--out", type=click.Path(), metavar="DIR2", required=True, help="The new folder for it.")
@click.argument("changes", nargs=-1, metavar="[OPTIONS OF TRAIN]...", type=click.UNPROCESSED)
def command(run: str, step: int, out: str, changes: tuple[str, ...]) -> None:
    """Go on with the training in DIR from one of its steps, with other options, in the new folder DIR2.

    All options of pellucid train can be changed, but for the data: --learning-rate 0.01, --epochs 40, --dropout 0.3. What
    fits the changed network comes along: parameters of the same shape, the memory of the same optimizer.
    """
    parent, folder = found_run(run), Path(os.path.abspath(out))
    if is_run(folder):
        raise RunError(f"{out} holds a run already; name a new folder.")
    words = [*(word for word in words_of_run(parent) if not word.startswith("--out=")), *changes]

    read_words(words)  # what is wrong is said before the way to the step is gone again

    def look(loop: TrainingLoop, history: History, settings: dict[str, Any]) -> Origin:
        of = {"run": str(parent.folder), "step": loop.step}
        return Origin(loop, loop.checkpoint(), list(history.epochs), int(settings["first_epoch"]), of)

    origin = visit(parent, step, look)
    notes = {"command": words, "folder": os.getcwd()}
    train_again(parent, words, Recorder(lambda every: Run(folder, every, notes=notes, origin=origin)))
