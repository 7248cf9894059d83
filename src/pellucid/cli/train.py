"""``pellucid train``: from a data set to a model file."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from typing import Any

import click

from pellucid.activations import ACTIVATIONS
from pellucid.cli.data import NAMED_DATA
from pellucid.errors import ArgumentError
from pellucid.layers.classification import ClassifyingOutput
from pellucid.model import load
from pellucid.model_file import check_writable
from pellucid.network import Network
from pellucid.recipes import OPTIMIZERS, RECIPES, Recipe
from pellucid.schedules import SCHEDULES

ARCHITECTURE = ("hidden", "activation", "dropout", "batch_norm")


@click.command("train")
@click.argument("data", type=click.Choice(list(NAMED_DATA)))
@click.option(
    "--recipe",
    type=click.Choice(list(RECIPES)),
    default="default",
    show_default=True,
    help="Where the other options start from.",
)
@click.option("--hidden", type=int, multiple=True, help="Units of a hidden layer; repeat for more layers, 0 for none.")
@click.option("--activation", type=click.Choice(list(ACTIVATIONS)), help="Of the hidden layers.")
@click.option("--dropout", type=float, help="Part of the hidden units that is silent in a step.")
@click.option("--batch-norm/--no-batch-norm", default=None, help="Batch normalization after each hidden layer.")
@click.option("--l1", type=float, help="Price on the absolute values of the weights.")
@click.option("--l2", type=float, help="Price on the squares of the weights.")
@click.option("--optimizer", type=click.Choice(list(OPTIMIZERS)))
@click.option("--learning-rate", type=float)
@click.option("--schedule", type=click.Choice(list(SCHEDULES)), help="How the learning rate changes.")
@click.option("--epochs", type=int)
@click.option("--batch-size", type=int)
@click.option("--augment/--no-augment", default=None, help="Distort the training pictures anew in every epoch.")
@click.option("--validation", type=float, help="Fraction of the training data to keep aside for validation.")
@click.option(
    "--early-stopping",
    type=int,
    metavar="PATIENCE",
    help="Stop after so many epochs without progress on the validation data; keep the best.",
)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--resume", type=click.Path(), metavar="MODEL", help="Go on training this model file.")
@click.option("--optimizer-state", is_flag=True, help="Save what the optimizer remembers, for an exact --resume.")
@click.option("--out", type=click.Path(), help="The model file to write.  [default: DATA.safetensors]")
def command(
    data: str, recipe: str, validation: float | None, early_stopping: int | None, seed: int, resume: str | None,
    optimizer_state: bool, out: str | None, **choices: Any,
) -> None:  # fmt: skip
    """Train a network on DATA (digits or fashion), judge it on the test data, and save it.

    Ctrl-C ends the training after the step that runs, saves the model, and says how to go on.
    """
    out = out or resume or f"{data}.safetensors"
    check_writable(out)
    given = {name: value for name, value in choices.items() if value is not None and value != ()}
    chosen = _choose(RECIPES[recipe], given)
    (x, y), (x_test, y_test) = NAMED_DATA[data].get()
    if resume is None:
        network = Network(chosen.layers(x.shape[1:], int(y.max()) + 1), seed=seed)
    else:
        network = _network_to_resume(resume, given)
    click.echo(network, err=True)
    options = chosen.fit_options()
    if resume is not None and "optimizer" not in given and "learning_rate" not in given:
        options["optimizer"] = network.training_state.optimizer  # that of the file
    start = time.perf_counter()
    try:
        network.fit(x, y, validation=validation, early_stopping=early_stopping, **options)
    except KeyboardInterrupt:
        network.save(out, labels=NAMED_DATA[data].labels, optimizer_state=True)
        click.echo(f"Interrupted; the network so far is in {out}.", err=True)
        click.echo(f"Go on with: pellucid train {data} --resume {out}", err=True)
        sys.exit(130)
    network.save(out, labels=NAMED_DATA[data].labels, optimizer_state=optimizer_state)
    seconds = time.perf_counter() - start
    figures = network.evaluate(x_test, y_test)
    click.echo(
        f"{out}: {figures['accuracy']:.2%} of {len(x_test):,} test pictures right (loss {figures['loss']:.4f}), "
        f"trained in {seconds:.1f} s"
    )


def _choose(recipe: Recipe, given: dict[str, Any]) -> Recipe:
    if given.get("hidden") == (0,):
        given = given | {"hidden": ()}
    if "optimizer" in given and "learning_rate" not in given:
        given = given | {"learning_rate": None}  # each optimizer has a default of its own
    return replace(recipe, **given)


def _network_to_resume(path: str, given: dict[str, Any]) -> Network:
    conflicting = [f"--{name.replace('_', '-')}" for name in ARCHITECTURE if name in given]
    if conflicting:
        raise ArgumentError(f"--resume keeps the layers of {path}; leave {', '.join(conflicting)} out.")
    network = load(path).network
    if not isinstance(network.output, ClassifyingOutput):
        raise ArgumentError(f"{path} holds a regression; this data set has classes.")
    return network
