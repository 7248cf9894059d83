"""``pellucid resume``: a training goes on as if it had never been interrupted."""

from __future__ import annotations

import shlex

import click

from pellucid.apps.cli.recorded import Recorder, found_run, train_again, words_of_run
from pellucid.apps.cli.terminal import say
from pellucid.training.runs.cache import taken_from_cache


@click.command("resume")
@click.argument("run", metavar="DIR", type=click.Path())
@click.option("--threads", type=int, help="At most this many in the native engine; changes no result.")
def command(run: str, threads: int | None) -> None:
    """Go on with the training in DIR, whatever ended it: with the same bits as if nothing had.

    DIR is the folder that --run named, or that pellucid train names when it is interrupted. The command that began the
    training is run again, with the same options, on the same data; training begins at the last snapshot.
    """
    status = found_run(run)
    words = words_of_run(status)
    say(f"pellucid train {shlex.join(words)}\n{status.state}, {status.made:,} of {status.steps:,} steps made", err=True)
    words = [*words, *([] if threads is None else [f"--threads={threads}"])]
    train_again(status, words, Recorder(lambda every: taken_from_cache(status, every)))
