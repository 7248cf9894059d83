"""How ``pellucid train`` runs a training, whatever the data: the file it writes, Ctrl-C, and going on."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pellucid.apps.cli.recorded import go_on, out_of
from pellucid.apps.cli.terminal import say
from pellucid.core.errors import ArgumentError, DivergenceError, ModelFileError
from pellucid.core.files import writable_place
from pellucid.core.shapes import Label
from pellucid.core.tensor_file import read_model_file
from pellucid.executors.base import OptimizerState, Rules
from pellucid.executors.choose import choose_executor
from pellucid.mathematics.optimizers import Adam
from pellucid.models.model import Model, load
from pellucid.models.network import Network
from pellucid.models.saving import save_or_rescue
from pellucid.nn.layers.outputs.classification import ClassifyingOutput
from pellucid.nn.stack import Stack
from pellucid.training.events import Event, Patient, TrainingStarted
from pellucid.training.interrupt import deferred_interrupt
from pellucid.training.recipes.recipe import Recipe
from pellucid.training.runs.run import Run

KEPT_BY_RESUME = (
    "hidden",
    "activation",
    "dropout",
    "batch_norm",
    "layers",
    "ensemble",
    "loss",
    "size",
    "grey",
    "crop",
    "from",
    "slim",
    "seed",
)


@dataclass(frozen=True)
class TrainJob:
    """A training as the command asks for it.

    given  the options that decide it, by name; run  engine, threads and precision; resumed  the model to go on with;
    record  where its position is kept
    """

    data: str
    given: dict[str, Any]
    run: dict[str, Any]
    seed: int
    resumed: Model | None
    out: str
    optimizer_state: bool
    record: Run

    def fit_options(self, recipe: Recipe) -> dict[str, Any]:
        """The options of ``Network.fit``: of the recipe, and how it runs. Who goes on, does so with the optimizer of the
        file unless another one is given."""
        options = recipe.fit_options() | self.run
        if self.resumed is not None and "optimizer" not in self.given and "learning_rate" not in self.given:
            options["optimizer"] = self.resumed.network.training_state.optimizer or Adam()
        return options


class Heading(Patient):
    """Shows the network when its training begins: then it knows which engine runs."""

    def __init__(self, network: Network) -> None:
        self.network = network

    def __call__(self, event: Event) -> None:
        if isinstance(event, TrainingStarted):
            say(self.network, err=True)


def train_and_save(
    job: TrainJob,
    network: Network,
    fit: Callable[[dict[str, Any]], Model],
    options: dict[str, Any],
    labels: Sequence[Label] | None,
) -> tuple[Model, float]:
    """Fit the network with these options, write the model file; gives the model and the seconds of training.

    Ctrl-C, SIGTERM and SIGHUP write the file too, and end the program.
    """
    start, out = time.perf_counter(), job.out
    optimizer_state = job.optimizer_state or bool(job.resumed and network.training_state.optimizer_state.slots)
    record = job.record
    with deferred_interrupt(also_ends=True) as interrupt:
        try:
            model = fit(options | {"callbacks": [Heading(network)], "run": record})
        except KeyboardInterrupt:
            try:
                write_model(Model(network, labels=labels), out, optimizer_state=True)
                best = network.history.restored
                which = "so far" if best is None else f"of epoch {best.epoch}, the best so far,"
                say(f"Interrupted; the network {which} is in {out}.", err=True)
            finally:
                if record.has_snapshot:
                    say(go_on(record.folder), err=True)
            sys.exit(128 + interrupt.number)
        except DivergenceError as error:
            raise DivergenceError(error.what, "A smaller learning rate (--learning-rate) usually helps.") from None
        seconds = time.perf_counter() - start
        write_model(model, out, optimizer_state=optimizer_state)
        record.finish(None if out == out_of(record) else model.to_bytes)
    return model, seconds


def write_model(model: Model, out: str, *, optimizer_state: bool = False, slim: bool = False) -> None:
    """Save there. Raises `ModelFileError` if that fails; it names the place where the model is then."""
    place, trouble = save_or_rescue(Path(out), model.to_bytes(optimizer_state=optimizer_state, slim=slim), replace=True)
    if trouble is not None:
        raise ModelFileError(f"{trouble} The network is in {place}.")


def check_engine(stack: Stack, options: dict[str, Any], run: dict[str, Any]) -> None:
    """Raise `ArgumentError` if this cannot run as asked for."""
    choose_executor(stack, Rules(options["optimizer"], options["regularizer"]), OptimizerState(), batch_size=1, **run)


def check_replaceable(path: str) -> None:
    """Raise `ModelFileError` if a model cannot be written there, or would take the place of something else."""
    if writable_place(path, ModelFileError).exists():
        try:
            read_model_file(path)
        except ModelFileError:
            raise ModelFileError(f"{path} exists and is no model file; choose another name, or remove it first.") from None


def model_to_resume(path: str, given: Collection[str]) -> Model:
    """The model in this file; raises `ArgumentError` if options are ``given`` that it decides."""
    conflicting = [option_name(name) for name in KEPT_BY_RESUME if name in given]
    if conflicting:
        raise ArgumentError(f"--resume keeps the layers and the seed of {path}; leave {', '.join(conflicting)} out.")
    return load(path)


def check_is_classifier(model: Model | None) -> None:
    """Raise `ArgumentError` if ``--resume`` names a regression, or a model of tables, for pictures."""
    if model is not None and not isinstance(model.network.output, ClassifyingOutput):
        raise ArgumentError("--resume names a regression; these data have classes.")


def option_name(name: str) -> str:
    """``batch_size`` as it is typed: ``--batch-size``."""
    return f"--{name.replace('_', '-')}"
