"""The command line: ``pellucid train | evaluate | predict | info | gradcheck``, one command a file.

Results go to standard output, progress and messages to standard error. A known failure is one sentence and exit code 2;
Ctrl-C is 130.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click

from pellucid.version import __version__

COMMANDS = {
    "train": "Train a network on a data set and save it.",
    "evaluate": "Judge a saved model on test data.",
    "predict": "Read pictures with a saved model.",
    "info": "Show what is in a model file.",
    "gradcheck": "Prove the gradients of a saved model.",
}


class LazyGroup(click.Group):
    """Commands that are imported when they are used, so that ``--help`` answers at once."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command = import_module(f"pellucid.cli.{name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pellucid")
def root() -> None:
    """Neural networks for images and tables, clear as glass."""


def main() -> None:
    """The entry point: runs the command and turns failures into a sentence and an exit code."""
    from pellucid.errors import PellucidError

    try:
        sys.exit(root.main(prog_name="pellucid", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except PellucidError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(2)
    except (KeyboardInterrupt, click.Abort):
        click.echo("Interrupted.", err=True)
        sys.exit(130)
    except BrokenPipeError:  # the reader of a pipe has gone: nothing more to say
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except MemoryError:
        click.echo("Error: not enough memory; a smaller network, batch or picture needs less.", err=True)
        sys.exit(2)
