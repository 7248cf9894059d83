"""``pellucid replay``: a step of a training is made again, and shown."""

from __future__ import annotations

import click

from pellucid.apps.cli.recorded import found_run, visit
from pellucid.apps.cli.terminal import say, write_json, write_table
from pellucid.training.runs.replay import ReplayedStep, replay_step

ROWS_SHOWN = 12


@click.command("replay")
@click.argument("run", metavar="DIR", type=click.Path())
@click.option("--step", type=click.IntRange(min=1), required=True, help="Which step, counted from 1.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON document to standard output.")
def command(run: str, step: int, as_json: bool) -> None:
    """Make one step of the training in DIR again, from the snapshot before it, with the same bits, and show its batch,
    loss, gradients and update.

    DIR is only read; it may be one of a training that is running.
    """
    status = found_run(run)
    found: ReplayedStep = visit(status, step - 1, lambda loop, history, settings: replay_step(loop))
    if as_json:
        write_json(found.to_data())
        return
    say(
        f"step {found.step:,}: step {found.step_of_epoch:,} of epoch {found.epoch}, learning rate {found.learning_rate:.6g}"
    )
    shown = ", ".join(map(str, found.rows[:ROWS_SHOWN]))
    say(f"batch of {len(found.rows)}: samples {shown}{', ...' if len(found.rows) > ROWS_SHOWN else ''}")
    say(f"loss of the batch {found.loss:.6g}" + (f", penalty {found.penalty:.6g}" if found.penalty else ""))
    rows = []
    for one in found.parameters:
        share = f"{one.change / one.norm:.3%}" if one.norm else ""
        rows.append((one.name, f"{one.size:,}", *(f"{value:.4g}" for value in one[2:]), share))
    header = ["parameter", "numbers", "|gradient|", "largest", "|change|", "|parameter|", "change"]
    write_table("norms, and the largest number of each gradient", header, rows)
    if found.restored:
        say(f"then the training ended, and the parameters of epoch {found.restored} were restored")
    say(f"\nparameters after it: SHA-256 {found.sha256}")
