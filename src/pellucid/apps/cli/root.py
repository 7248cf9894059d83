"""The command line: ``pellucid inspect | train | runs | evaluate | predict | explain | studio | ...``. One command a file.

Results go to standard output, progress and messages to standard error. A known error is one sentence and exit code 2;
Ctrl-C is 130, and 141 a pipe whose reader has gone, as in ``| head``.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import click

from pellucid.core.version import __version__

READER_GONE = 141  # as a shell says of a program that the signal SIGPIPE ended: 128 + 13

COMMANDS = {
    "inspect": "Say what is in a table or a folder of pictures.",
    "train": "Train a network on a data set and save it.",
    "runs": "List trainings, with their state and progress.",
    "resume": "Go on with a training, bit for bit.",
    "replay": "Make a step of a training again, and show it.",
    "fork": "Go on with a training differently from some step.",
    "compare": "Show where two trainings part.",
    "evaluate": "Evaluate a saved model on test data.",
    "predict": "Predict for pictures, or the rows of a table.",
    "explain": "Show why a model gives its answer, number by number.",
    "studio": "Draw, look inside and train, in the browser.",
    "info": "Show what is in a model file.",
    "gradcheck": "Check the gradients of a saved model.",
}


class ReaderGone(Exception):
    """The reader of a pipe has gone. Click would end a `BrokenPipeError` itself, with the exit code of a wrong gradient."""


@contextmanager
def told_of_readers() -> Iterator[None]:
    """Raise `ReaderGone` in place of a `BrokenPipeError`."""
    try:
        yield
    except BrokenPipeError as error:
        raise ReaderGone from error


class LazyGroup(click.Group):
    """Commands that are imported when they are used, so that ``--help`` answers at once."""

    @told_of_readers()
    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        return super().make_context(*arguments, **options)

    @told_of_readers()
    def invoke(self, context: click.Context) -> Any:
        return super().invoke(context)

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        if name == "studio":  # threads slow its small matrix products down; to be set before NumPy is loaded
            os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        command = import_module(f"pellucid.apps.cli.commands.{name}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, context: click.Context, words: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if words[0] not in COMMANDS and not words[0].startswith("-"):
            from pellucid.core.vocabulary import explained

            context.fail(f"No such command {words[0]!r}{explained(words[0], COMMANDS, 'command')}")
        return super().resolve_command(context, words)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pellucid")
def root() -> None:
    """Neural networks for images and tables, clear as glass."""


def main() -> None:
    """Run the command of ``sys.argv``; errors become a sentence and an exit code."""
    _prepare_streams()
    try:
        code = root.main(prog_name="pellucid", standalone_mode=False) or 0
        sys.stdout.flush()
    except BaseException as error:
        code = _explain(error)
    sys.exit(code)


def run() -> None:
    """Run `main`, and then ignore Ctrl-C, which could only disturb the end of the process."""
    try:
        try:
            main()
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
    except KeyboardInterrupt:  # it came between the two
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        sys.exit(130)


def _prepare_streams() -> None:
    """Make every character printable, as an escape at worst, and missing streams harmless."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - lives as long as the process
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _explain(error: BaseException) -> int:
    """Print the error in one sentence and return the exit code; an unexpected error is raised again."""
    from pellucid.apps.cli.terminal import say
    from pellucid.core.display.text import printable
    from pellucid.core.errors import PellucidError

    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 1
    if isinstance(error, KeyboardInterrupt | click.Abort):
        say("Interrupted.", err=True)
        return 130
    if isinstance(error, ReaderGone | BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_GONE
    if isinstance(error, click.UsageError) and error.ctx is not None:
        say(error.ctx.get_usage(), err=True)
    if isinstance(error, click.ClickException):
        message = error.format_message()
        say(f"Error: {message}" if message.endswith("?") else f"Error: {message.rstrip('.')}.", err=True)
    elif isinstance(error, PellucidError):
        say(printable(f"Error: {error}"), err=True)
    elif isinstance(error, MemoryError):
        say("Error: not enough memory; a smaller network, batch or picture needs less.", err=True)
    elif isinstance(error, OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left in the buffer cannot be written
        say(f"Error: {error.strerror or error}.", err=True)
    else:
        raise error
    return 2
