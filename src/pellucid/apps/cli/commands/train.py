"""``pellucid train``: from a data set, or a folder of pictures, to a model file."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import click

from pellucid.apps.cli.job import Job, check_engine, check_replaceable, model_to_resume, option_name, train_and_save
from pellucid.apps.cli.judgement import show_probabilities
from pellucid.apps.cli.named_data import METAVAR, NAMED_DATA, check_is_there
from pellucid.apps.cli.sections import SectionedCommand
from pellucid.apps.cli.terminal import say
from pellucid.core.errors import ArgumentError
from pellucid.executors.choose import ENGINES, PRECISIONS
from pellucid.mathematics.activations import ACTIVATIONS
from pellucid.mathematics.schedules import SCHEDULES
from pellucid.models.network import Network
from pellucid.reports.judgement import judge_classes
from pellucid.training.recipes.named import DIGITS, IMAGE, OPTIMIZERS, RECIPES, Recipe

OF_NAMED_DATA = ("recipe", "hidden", "activation", "dropout", "batch_norm")
OF_FOLDERS = ("size", "grey", "crop", "flip", "bad_files")
CROPS = ("centre", "stretch", "pad")
NUM_CLASSES = 10  # of digits, and of fashion


class TrainCommand(SectionedCommand):
    """The headings of its help."""

    sections: ClassVar = {
        "Only for a FOLDER": OF_FOLDERS,
        "Only for digits and fashion": OF_NAMED_DATA,
        "Network and training": (
            *("layers", "epochs", "batch_size", "learning_rate", "optimizer", "schedule", "augment", "validation"),
            *("early_stopping", "l1", "l2", "seed"),
        ),
        "Running": ("out", "resume", "optimizer_state", "engine", "threads", "precision"),
    }


@click.command("train", cls=TrainCommand)
@click.argument("data", metavar=METAVAR)
@click.option(
    "--recipe",
    type=click.Choice(list(DIGITS)),
    help="Where the other options start from.  [default: default]",
)
@click.option(
    "--layers",
    metavar="WORDS",
    help='The hidden layers in words such as "conv16 pool conv32 average dropout0.3"; all words stand above.',
)
@click.option("--hidden", type=int, multiple=True, help="Units of a hidden layer; repeat for more layers, 0 for none.")
@click.option(
    "--activation",
    type=click.Choice(list(ACTIVATIONS)),
    metavar="NAME",
    help="Of those layers: relu, tanh, sigmoid, gelu, ...",
)
@click.option("--dropout", type=float, help="Part of the hidden units that is silent in a step.")
@click.option("--batch-norm/--no-batch-norm", default=None, help="Batch normalization before each activation.")
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
@click.option(
    "--augment/--no-augment",
    default=None,
    help="Change the training pictures a little, anew in every epoch.  [default: for a folder yes, else by the recipe]",
)
@click.option(
    "--validation",
    type=float,
    help="Fraction of the training data to keep aside for validation.  [default: 0.2 of a folder, 0 of other data]",
)
@click.option(
    "--early-stopping",
    type=int,
    metavar="PATIENCE",
    help="Stop after so many epochs without progress on the validation data; keep the best.  [default: for a folder by the "
    "rules, else never]",
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
@click.option(
    "--size",
    metavar="PIXELS",
    help="To which every picture is brought: 64, or height x width: 48x64. More shows more, but takes longer.  "
    "[default: 64]",
)
@click.option("--grey", is_flag=True, default=None, help="Read the pictures without their colors.")
@click.option(
    "--crop",
    type=click.Choice(CROPS),
    help="How a picture of another shape is fitted: by its middle, squeezed, or between black bars.  [default: centre]",
)
@click.option(
    "--flip/--no-flip",
    default=None,
    help="Mirror some of the training pictures; --no-flip for text and signs.  [default: flip]",
)
@click.option(
    "--bad-files",
    type=click.Choice(("skip", "fail")),
    help="Name the files that are no good pictures and leave them out; or name them and stop.  [default: skip]",
)
@click.option("--out", type=click.Path(), help="The model file to write.  [default: the name of the data, .safetensors]")
def command(
    data: str, engine: Any, threads: int | None, precision: Any, seed: int | None, resume: str | None,
    optimizer_state: bool, out: str | None, **choices: Any,
) -> None:  # fmt: skip
    """Train a network on these data, judge it on their test part, and save it.

    A FOLDER holds pictures: a sub-folder for each class, or train/ and test/ with such in them; a CSV file of file names
    and labels will do too. For pictures of your own, rules choose whatever no option decides, and say so.

    Ctrl-C ends the training after the step that runs, saves the model, and says how to go on.

    \b
    Words of --layers:
      conv32, conv32x5, conv32s2  32 filters of 3x3; of 5x5; with a stride of 2
      res32, res32s2              residual block of two such convolutions
      pool, avgpool, average      largest of 2x2; mean of 2x2; mean of a channel
      dense128, flatten, norm     dense layer; one row; batch normalization
      dropout0.3, dropout2d0.1    of single numbers; of whole channels
    """
    given = {name: value for name, value in choices.items() if value is not None and value != ()}
    _check_data(data, given)
    out = next(path for path in (out, resume, _default_out(data)) if path is not None)
    check_replaceable(out)
    resumed = None if resume is None else model_to_resume(resume, given if seed is None else {**given, "seed": seed})
    run = {"engine": engine, "threads": threads, "precision": precision}
    job = Job(data, given, run, seed or 0, resumed, out, optimizer_state)
    if data in NAMED_DATA:
        _train_on_arrays(job)
    else:
        from pellucid.apps.cli.commands.train_photos import train_on_photos

        train_on_photos(job)


def _train_on_arrays(job: Job) -> None:
    """Digits or fashion, by a recipe."""
    given = dict(job.given)
    recipe = _choose(RECIPES[job.data][given.pop("recipe", "default")], given)
    validation = given.get("validation") or None
    options = recipe.fit_options() | {"validation": validation, "early_stopping": given.get("early_stopping")} | job.run
    network = job.resumed.network if job.resumed else Network(recipe.network_layers(IMAGE, NUM_CLASSES), job.seed)
    check_engine(network, options, job.run)
    source = NAMED_DATA[job.data]
    (x, y), (x_test, y_test) = source.get()
    if job.resumed and "optimizer" not in given and "learning_rate" not in given:
        options["optimizer"] = network.training_state.optimizer  # that of the file
    model, seconds = train_and_save(job, network, (x, y), options, job.resumed.labels if job.resumed else source.labels)
    judgement = judge_classes(model, x_test, y_test)
    say(
        f"{job.out}: {judgement.accuracy:.2%} of {judgement.count:,} test pictures right (loss {judgement.loss:.4f}), "
        f"trained in {seconds:.1f} s"
    )
    show_probabilities(judgement, model)


def _choose(recipe: Recipe, given: dict[str, Any]) -> Recipe:
    """The recipe with what is given in place of its own choices."""
    changes = {name: value for name, value in given.items() if name not in ("validation", "early_stopping")}
    if "hidden" in changes and "layers" not in changes:
        changes["layers"] = None
        changes["hidden"] = () if changes["hidden"] == (0,) else changes["hidden"]
    elif changes.get("layers", recipe.layers) is not None:
        _refuse(changes, ("hidden", "activation", "dropout", "batch_norm"), "the layers are named by words (--layers)")
    if "optimizer" in changes and "learning_rate" not in changes:
        changes["learning_rate"] = None  # each optimizer has a default of its own
    return replace(recipe, **changes)


def _check_data(data: str, given: dict[str, Any]) -> None:
    """Raise `ArgumentError` for data that are not there, and for options that other data have."""
    check_is_there(data)
    if data.endswith(".safetensors") and os.path.isfile(data):
        raise ArgumentError(
            f"{data} has the name of a model, and cannot be learned from; name a folder of pictures, a CSV file, or one of "
            f"{', '.join(NAMED_DATA)}. To go on training a model, add --resume {data}."
        )
    if data in NAMED_DATA:
        _refuse(given, OF_FOLDERS, f"{data} is no folder of pictures")
    else:
        _refuse(given, OF_NAMED_DATA, "the network for a folder is chosen by rules or by --layers")


def _refuse(given: dict[str, Any], names: Collection[str], reason: str) -> None:
    wrong = [option_name(name) for name in names if name in given]
    if wrong:
        raise ArgumentError(f"{reason}; leave {', '.join(wrong)} out.")


def _default_out(data: str) -> str:
    """The name of the data, in the working directory."""
    path = Path(data).resolve()
    return f"{data if data in NAMED_DATA else (path.name if path.is_dir() else path.stem) or 'model'}.safetensors"
