"""``pellucid train``: from a data set to a model file."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import click

from pellucid.activations import ACTIVATIONS
from pellucid.cli.data import NAMED_DATA
from pellucid.cli.output import say
from pellucid.errors import ArgumentError, ModelFileError
from pellucid.events import Event, Patient, TrainingStarted
from pellucid.executors.base import OptimizerState, Rules
from pellucid.executors.choose import ENGINES, PRECISIONS, choose_executor
from pellucid.interrupt import deferred_interrupt
from pellucid.layers.classification import Classification, ClassifyingOutput
from pellucid.layers.input import Input
from pellucid.model import Model, load
from pellucid.model_file import check_writable, read_model_file
from pellucid.network import Network
from pellucid.recipes import OPTIMIZERS, RECIPES, Recipe
from pellucid.saving import Label
from pellucid.schedules import SCHEDULES
from pellucid.shapes import AnyArray
from pellucid.stack import Stack

ARCHITECTURE = ("hidden", "activation", "dropout", "batch_norm")
NOT_REPEATED = {*ARCHITECTURE, "seed", "out", "resume", "epochs", "optimizer_state"}


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
@click.option(
    "--activation",
    type=click.Choice(list(ACTIVATIONS)),
    metavar="NAME",
    help="Of the hidden layers: relu, tanh, sigmoid, gelu, ...",
)
@click.option("--dropout", type=float, help="Part of the hidden units that is silent in a step.")
@click.option("--batch-norm/--no-batch-norm", default=None, help="Batch normalization after each hidden layer.")
@click.option("--l1", type=float, help="Price on the absolute values of the weights.")
@click.option("--l2", type=float, help="Price on the squares of the weights.")
@click.option(
    "--optimizer",
    type=click.Choice(list(OPTIMIZERS)),
    metavar="NAME",
    help="adam, adamw, gradient_descent, momentum, nesterov, rmsprop or adagrad.",
)
@click.option("--learning-rate", type=float, help="The step size that the schedule multiplies.")
@click.option(
    "--schedule",
    type=click.Choice(list(SCHEDULES)),
    metavar="NAME",
    help="How the rate changes: constant, step, exponential, cosine, warmup, one_cycle, reduce_on_plateau.",
)
@click.option("--epochs", type=int, help="How often every training picture is seen.")
@click.option("--batch-size", type=int, help="Pictures in a step.")
@click.option("--augment/--no-augment", default=None, help="Distort the training pictures anew in every epoch.")
@click.option("--validation", type=float, help="Fraction of the training data to keep aside for validation.")
@click.option(
    "--early-stopping",
    type=int,
    metavar="PATIENCE",
    help="Stop after so many epochs without progress on the validation data; keep the best.",
)
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default="auto",
    show_default=True,
    help="What runs the steps; auto is native where it can be, else numpy.",
)
@click.option("--threads", type=int, help="At most so many in the native engine; changes no result.  [default: the cores]")
@click.option(
    "--precision",
    type=click.Choice(PRECISIONS),
    default="float32",
    show_default=True,
    help="Of the products in the native engine; bf16 needs a processor with AVX512_BF16.",
)
@click.option("--seed", type=int, help="Decides all chance: same seed, same network.  [default: 0]")
@click.option(
    "--resume", type=click.Path(), metavar="MODEL", help="Go on training this model file, with its layers and seed."
)
@click.option("--optimizer-state", is_flag=True, help="Save what the optimizer remembers, for --resume.")
@click.option("--out", type=click.Path(), help="The model file to write.  [default: DATA.safetensors]")
def command(
    data: str, recipe: str, validation: float | None, early_stopping: int | None, engine: Any, threads: int | None,
    precision: Any, seed: int | None, resume: str | None, optimizer_state: bool, out: str | None, **choices: Any,
) -> None:  # fmt: skip
    """Train a network on DATA (digits or fashion), judge it on the test data, and save it.

    Ctrl-C ends the training after the step that runs, saves the model, and says how to go on.
    """
    given = {name: value for name, value in choices.items() if value is not None and value != ()}
    out = next(path for path in (out, resume, f"{data}.safetensors") if path is not None)
    _check_replaceable(out)
    chosen = _choose(RECIPES[recipe], given)
    options = chosen.fit_options() | {"validation": validation, "early_stopping": early_stopping}
    resumed = None if resume is None else _model_to_resume(resume, given, seed)
    run = {"engine": engine, "threads": threads, "precision": precision}
    _check_engine(None if resumed is None else resumed.network, Rules(options["optimizer"], options["regularizer"]), run)
    (x, y), (x_test, y_test) = NAMED_DATA[data].get()
    if resumed is None:
        network, labels = Network(chosen.layers(x.shape[1:], int(y.max()) + 1), seed=seed or 0), NAMED_DATA[data].labels
    else:
        network, labels = resumed.network, resumed.labels
        optimizer_state = optimizer_state or bool(network.training_state.optimizer_state.slots)
        if "optimizer" not in given and "learning_rate" not in given:
            options["optimizer"] = network.training_state.optimizer  # that of the file
    options |= run | {"callbacks": [Heading(network)]}
    seconds = _train_and_save(network, (x, y), options, out, labels, optimizer_state)
    figures = network.evaluate(x_test, y_test)
    say(
        f"{out}: {figures['accuracy']:.2%} of {len(x_test):,} test pictures right (loss {figures['loss']:.4f}), "
        f"trained in {seconds:.1f} s"
    )


class Heading(Patient):
    """Shows the network when its training begins: then it knows which engine runs."""

    def __init__(self, network: Network) -> None:
        self.network = network

    def __call__(self, event: Event) -> None:
        if isinstance(event, TrainingStarted):
            say(self.network, err=True)


def _train_and_save(
    network: Network,
    samples: tuple[AnyArray, AnyArray],
    options: dict[str, Any],
    out: str,
    labels: Sequence[Label] | None,
    optimizer_state: bool,
) -> float:
    """Fit and write the model file; gives the seconds of training. Ctrl-C writes the file too, and ends the program."""
    start, before = time.perf_counter(), len(network.history.epochs)
    with deferred_interrupt():
        try:
            network.fit(*samples, **options)
        except KeyboardInterrupt:
            network.save(out, labels=labels, optimizer_state=True)
            say(f"Interrupted; the network so far is in {out}.", err=True)
            left = options["epochs"] - (len(network.history.epochs) - before)
            say(f"Go on with: {_command_to_go_on(out, max(left, 1))}", err=True)
            sys.exit(130)
        seconds = time.perf_counter() - start
        network.save(out, labels=labels, optimizer_state=optimizer_state)
    return seconds


def _command_to_go_on(out: str, epochs: int) -> str:
    """This command again, on the model that was saved, for the epochs that are left."""
    context = click.get_current_context()
    words = ["pellucid", "train", context.params["data"], f"--resume={out}", f"--epochs={epochs}"]
    for option in context.command.params:
        name, value = option.name or "", context.params.get(option.name or "")
        is_given = context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
        if isinstance(option, click.Option) and is_given and name not in NOT_REPEATED:
            if isinstance(value, bool):
                words.append(option.opts[0] if value else option.secondary_opts[0])
            else:
                words.append(f"{option.opts[0]}={value}")
    return shlex.join(words)


def _choose(recipe: Recipe, given: dict[str, Any]) -> Recipe:
    if given.get("hidden") == (0,):
        given = given | {"hidden": ()}
    if "optimizer" in given and "learning_rate" not in given:
        given = given | {"learning_rate": None}  # each optimizer has a default of its own
    return replace(recipe, **given)


def _check_engine(resumed: Network | None, rules: Rules, run: dict[str, Any]) -> None:
    """Raise `ArgumentError` if this cannot run as asked for; every network of a recipe runs where the smallest one does."""
    smallest = Stack([Input(1), Classification(2)]) if resumed is None else resumed
    choose_executor(smallest, rules, OptimizerState(), batch_size=1, **run)


def _check_replaceable(path: str) -> None:
    """Raise `ModelFileError` if a model cannot be written there, or would take the place of something else."""
    if check_writable(path).exists():
        try:
            read_model_file(path)
        except ModelFileError:
            raise ModelFileError(f"{path} exists and is no model file; choose another name, or remove it first.") from None


def _model_to_resume(path: str, given: dict[str, Any], seed: int | None) -> Model:
    conflicting = [f"--{name.replace('_', '-')}" for name in ARCHITECTURE if name in given]
    conflicting += [] if seed is None else ["--seed"]
    if conflicting:
        raise ArgumentError(f"--resume keeps the layers and the seed of {path}; leave {', '.join(conflicting)} out.")
    model = load(path)
    if not isinstance(model.network.output, ClassifyingOutput):
        raise ArgumentError(f"{path} holds a regression; this data set has classes.")
    return model
