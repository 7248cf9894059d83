"""The run in which ``pellucid train`` keeps its position, and the command that takes it up: the same words again."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar

import click

from pellucid.apps.cli.terminal import say
from pellucid.core.errors import ArgumentError, RunError
from pellucid.training.history import History
from pellucid.training.loop import TrainingLoop
from pellucid.training.runs.cache import in_cache, run_in_cache
from pellucid.training.runs.folder import MODEL, RunStatus, is_run, status_of
from pellucid.training.runs.replay import Reached, Visit
from pellucid.training.runs.run import Run

Command = TypeVar("Command", bound=Callable[..., Any])
NOT_KEPT = {"run"}  # the folder is where the words are
NOT_REPEATED = "--account="  # written already; and what is in a folder cannot name a file to write but a model


def run_options(command: Command) -> Command:
    """The options that say where and how often a training is kept."""
    every = click.option(
        "--snapshot-every", metavar="TIME", help='How often --run keeps it: "30 s", "2 epochs".  [default: 10 s]'
    )
    where = click.option(
        "--run",
        type=click.Path(),
        metavar="DIR",
        help="Keep the training in this new folder, with its position: whatever ends it, pellucid resume DIR goes on.",
    )
    return where(every(command))


def words_of(context: click.Context) -> list[str]:
    """The words of a command, as they could be typed again: its data, then the options that were given."""
    words = [context.params["data"]]
    words[0] = os.path.join(os.curdir, words[0]) if words[0].startswith("-") else words[0]
    for option in context.command.params:
        name, value = option.name or "", context.params.get(option.name or "")
        is_given = context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
        if isinstance(option, click.Option) and is_given and name not in NOT_KEPT:
            if isinstance(value, bool):
                words.append(option.opts[0] if value else option.secondary_opts[0])
            else:
                values = value if isinstance(value, tuple) else (value,)
                words += [f"{option.opts[0]}={one}" for one in values]
    return words


def run_of(context: click.Context, folder: str | None, every: str | None) -> Run:
    """Where this training is kept: in the folder of ``--run``; without one, after a minute, in the user's cache."""
    if isinstance(context.obj, Recorder):
        return context.obj.make(every)
    if folder is None and every is not None:
        raise ArgumentError("--snapshot-every is for a training that is kept in a folder: add --run DIR.")
    words = words_of(context)
    notes = {"command": words, "folder": os.getcwd()}
    if folder is not None:
        if is_run(Path(folder)):
            raise RunError(f"{folder} holds a run already. {go_on(Path(folder))}")
        return Run(folder, every, notes=notes)
    _say_what_is_unfinished(context.params["data"])
    return run_in_cache(Path(words[0]).resolve().stem, words, notes)


class Recorder:
    """What another command puts in the place of `run_of`: ``make(every)`` gives the run."""

    def __init__(self, make: Callable[[str | None], Run]) -> None:
        self.make = make


def words_of_run(status: RunStatus) -> list[str]:
    """The words of the command that began a run. Raises `ArgumentError` if none did."""
    words = status.settings.get("command")
    if "studio" in status.settings:
        raise ArgumentError(f"the run in {status.folder} is of the studio: pellucid studio takes it up.")
    if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
        raise ArgumentError(
            f"the run in {status.folder} was not begun by pellucid train: start its program again, whose fit(run=...) then "
            "goes on."
        )
    return [word for word in words if not word.startswith(NOT_REPEATED)]


def train_again(status: RunStatus, words: Sequence[str], recorder: Recorder) -> None:
    """Run the command ``train`` with the words of a run, in its place, and record it in another way."""
    folder = status.settings.get("folder")
    if isinstance(folder, str) and os.path.isdir(folder):
        os.chdir(folder)  # the words name files as seen from there
    with read_words(words, recorder) as context:
        context.command.invoke(context)


def read_words(words: Sequence[str], recorder: Recorder | None = None) -> click.Context:
    """The words of a command ``train`` as it reads them. Raises `click.UsageError` for others."""
    root = click.get_current_context().find_root()
    assert isinstance(root.command, click.Group)
    command = root.command.get_command(root, "train")
    assert command is not None
    return command.make_context("train", list(words), parent=click.get_current_context(), obj=recorder)


def visit(status: RunStatus, step: int, look: Callable[[TrainingLoop, History, dict[str, Any]], Any]) -> Any:
    """What ``look`` finds at a step of a run, which is not changed. What the command says on its way there is dropped."""
    try:
        with redirect_stderr(StringIO()):
            train_again(status, words_of_run(status), Recorder(lambda every: Visit(status.folder, step, look)))
    except Reached as reached:
        return reached.found
    raise RunError(f"{status.folder} is of a training that does not reach its first step any more.")


def out_of(run: Run) -> str | None:
    """The model file of a run, unless the run is only kept until it has been trained."""
    return None if run.is_temporary else os.fspath(run.folder / MODEL)


def found_run(folder: str) -> RunStatus:
    """The run in a folder, named from everywhere. Raises `RunError` if there is none."""
    return status_of(Path(os.path.abspath(folder)))


def _say_what_is_unfinished(data: str) -> None:
    """Say which trainings of these data can be taken up."""
    for status in in_cache():
        if status.can_be_taken_up and _is_of(status, data):
            done = f"{status.made:,} of {status.steps:,} steps"
            say(f"A training of these data was {status.state} after {done}. {go_on(status.folder)}", err=True)


def _is_of(status: RunStatus, data: str) -> bool:
    """Whether a run trains on these data."""
    words, folder = status.settings.get("command"), status.settings.get("folder")
    if not isinstance(words, list) or not words or not isinstance(folder, str):
        return False
    named = str(words[0])
    return data == named or os.path.realpath(data) == os.path.realpath(os.path.join(folder, named))


def go_on(folder: Path) -> str:
    """The words that say how a run is taken up."""
    return f"Go on with: pellucid resume {shlex.quote(os.fspath(folder))}"
