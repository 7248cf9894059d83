"""``pellucid train``: from a data set, or a folder of pictures, to a model file."""

from __future__ import annotations

import os
from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import Any

import click

from pellucid.apps.cli.job import (
    TrainJob,
    check_engine,
    check_is_classifier,
    check_replaceable,
    model_to_resume,
    option_name,
    train_and_save,
)
from pellucid.apps.cli.judgement import show_guessing, show_probabilities
from pellucid.apps.cli.named_data import METAVAR, NAMED_DATA, check_is_there
from pellucid.apps.cli.names import Name
from pellucid.apps.cli.photos.train_photos import OF_FOLDERS, train_on_photos
from pellucid.apps.cli.recorded import out_of, run_of, run_options
from pellucid.apps.cli.table_options import ACCOUNT, is_table, table_options
from pellucid.apps.cli.terminal import say
from pellucid.core.checks import positive_integer
from pellucid.core.errors import ArgumentError
from pellucid.executors.choose import ENGINES, PRECISIONS
from pellucid.mathematics.activations import ACTIVATIONS
from pellucid.mathematics.optimizers import OPTIMIZERS
from pellucid.mathematics.schedules import SCHEDULES
from pellucid.models.network import Network
from pellucid.models.train import fit_and_calibrate
from pellucid.reports.judgement import judge_classes
from pellucid.training.recipes.named import DIGITS, IMAGE, RECIPES
from pellucid.training.recipes.table_rules import ENSEMBLE

OF_SIZES = ("hidden", "activation", "dropout", "batch_norm")  # of hidden layers by their sizes, without words
OF_NAMED_DATA = ("recipe", *OF_SIZES)
OF_TABLES = (
    *("target", "test", "split", "loss", "kind", "drop", "names", "delimiter", "encoding", "decimal", "date_order"),
    "account",
)
CROPS = ("centre", "stretch", "pad")
NUM_CLASSES = 10  # of digits, and of fashion


HEADINGS = {  # of the help: the options below each
    "Only for a TABLE": (*OF_TABLES, "ensemble"),
    "Only for a FOLDER": OF_FOLDERS,
    "Only for digits and fashion": OF_NAMED_DATA,
    "Network and training": (
        *("layers", "epochs", "batch_size", "learning_rate", "optimizer", "schedule", "augment", "validation"),
        *("early_stopping", "class_weight", "l1", "l2", "seed"),
    ),
    "Running": ("out", "run", "snapshot_every", "resume", "optimizer_state", "engine", "threads", "precision"),
}


class TrainCommand(click.Command):
    """Its help lists the options below `HEADINGS`, and the others last."""

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        options = {option.name: option for option in self.get_params(context) if isinstance(option, click.Option)}
        named = {heading: [options.pop(name) for name in names] for heading, names in HEADINGS.items()}
        for heading, below in {**named, "Other options": options.values()}.items():
            with formatter.section(heading):
                formatter.write_dl([row for option in below if (row := option.get_help_record(context))])


@click.command("train", cls=TrainCommand)
@click.argument("data", metavar=METAVAR)
@click.option(
    "--recipe",
    type=click.Choice(list(DIGITS)),
    help="The named settings that the other options change.  [default: default]",
)
@click.option(
    "--layers",
    metavar="WORDS",
    help='The hidden layers as words such as "conv16 pool conv32 average dropout0.3"; all words are listed above.',
)
@click.option("--hidden", type=int, multiple=True, help="Units of a hidden layer; repeat for more layers, 0 for none.")
@click.option(
    "--activation",
    type=Name("activation", ACTIVATIONS),
    metavar="NAME",
    help="Activation of the hidden layers: relu, tanh, sigmoid, gelu, ...",
)
@click.option("--dropout", type=float, help="Fraction of the hidden units that is dropped in each step.")
@click.option("--batch-norm/--no-batch-norm", default=None, help="Batch normalization before each activation.")
@click.option("--l1", type=float, help="Penalty on the absolute values of the weights.")
@click.option("--l2", type=float, help="Penalty on the squares of the weights.")
@click.option(
    "--optimizer",
    type=Name("optimizer", OPTIMIZERS),
    metavar="NAME",
    help="adam, adamw, gradient_descent, momentum, nesterov, rmsprop or adagrad.",
)
@click.option("--learning-rate", type=float, help="The step size, which the schedule multiplies.")
@click.option(
    "--schedule",
    type=Name("schedule", SCHEDULES),
    metavar="NAME",
    help="How the learning rate changes: constant, step, exponential, cosine, warmup, one_cycle, cosine_log, "
    "reduce_on_plateau.",
)
@click.option("--epochs", type=int, help="How often every training picture or row is seen.")
@click.option("--batch-size", type=int, help="Pictures or rows in each step.")
@click.option(
    "--augment/--no-augment",
    default=None,
    help="Change the training pictures a little at random, differently in every epoch.  [default: augment]",
)
@click.option(
    "--validation",
    type=float,
    help="Fraction of the training data to hold out for validation.  [default: 0.2 of a folder, 0.1 of a table, else 0]",
)
@click.option(
    "--early-stopping",
    type=int,
    metavar="PATIENCE",
    help="Stop after this many epochs without progress on the validation data, and keep the best network.  "
    "[default: by the rules for a folder or a table, else never]",
)
@click.option(
    "--class-weight",
    type=click.Choice(["balanced", "none"]),
    help="balanced: all classes count the same, however few samples one has.  [default: by the rules for a folder, else "
    "none]",
)
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default="auto",
    show_default=True,
    help="What runs the steps; auto is native where possible, else numpy.",
)
@click.option(
    "--threads", type=int, help="At most this many in the native engine; changes no result.  [default: one per core]"
)
@click.option(
    "--precision",
    type=click.Choice(PRECISIONS),
    default="float32",
    show_default=True,
    help="Precision of the products in the native engine; bf16 needs a processor with AVX512_BF16.",
)
@click.option("--seed", type=int, help="Decides everything random: same seed, same network.  [default: 0]")
@click.option(
    "--resume", type=click.Path(), metavar="MODEL", help="Go on training this model file, with its layers and seed."
)
@run_options
@click.option(
    "--optimizer-state", is_flag=True, help="Save the state of the optimizer too, so that --resume goes on exactly."
)
@click.option(
    "--target",
    metavar="COLUMN",
    help="The column to predict, or several of numbers: a,b; without it, the command lists those that could be.",
)
@click.option("--test", metavar="FILE|FRACTION", help="Another table, or a fraction of the rows, to judge the model on.")
@click.option(
    "--split",
    metavar="random|time:COLUMN|group:COLUMN",
    help="Which rows are held out, for --test FRACTION and for validation: any; the latest; or whole groups.  "
    "[default: random]",
)
@click.option(
    "--loss",
    metavar="NAME",
    help="For numbers: mse, mae, huber, poisson (counts), or pinball:0.1,0.5,0.9 (quantiles).  [default: mse]",
)
@table_options
@ACCOUNT
@click.option(
    "--ensemble",
    type=int,
    is_flag=False,
    flag_value=ENSEMBLE,
    metavar="[MEMBERS]",
    help=f"Train so many networks in one, which share their weights, and answer with their mean; {ENSEMBLE} without a "
    "number. It takes about so many times as long.",
)
@click.option(
    "--size",
    metavar="PIXELS",
    help="The size to which every picture is brought: 64, or height x width: 48x64. "
    "A larger one shows more, but takes longer.  [default: that of the network it begins from, else 64]",
)
@click.option(
    "--from",
    "from",
    metavar="nothing|efficientnet-lite0|FILE",
    help="What the network begins from: nothing; a network that has seen 1.28 million photos and comes with Pellucid; or "
    "the model file of your own. Of the last two only the last layer is new.  [default: by the rules]",
)
@click.option(
    "--slim",
    is_flag=True,
    default=None,
    help="Leave weights that come with Pellucid out of the model file: some kilobytes.",
)
@click.option("--grey", is_flag=True, default=None, help="Read the pictures without their colors.")
@click.option(
    "--crop",
    type=click.Choice(CROPS),
    help="How a picture of another shape is fitted: cut to its middle, squeezed, or put between black bars.  "
    "[default: centre]",
)
@click.option(
    "--flip/--no-flip",
    default=None,
    help="Mirror some of the training pictures; --no-flip for text and signs.  [default: flip]",
)
@click.option(
    "--bad-files",
    type=click.Choice(("skip", "fail")),
    help="Name the files that cannot be used as pictures, and leave them out; or name them and stop.  [default: skip]",
)
@click.option(
    "--out", type=click.Path(), help="The model file to write.  [default: the name of the data with .safetensors]"
)
def command(
    data: str, engine: Any, threads: int | None, precision: Any, seed: int | None, resume: str | None,
    optimizer_state: bool, out: str | None, run: str | None, snapshot_every: str | None, **choices: Any,
) -> None:  # fmt: skip
    """Train a network on these data, judge it on their test part, and save it.

    A TABLE is a CSV file, of which --target names the column to predict. A FOLDER holds pictures: a subfolder for each
    class, or train/ and test/ with such subfolders; a CSV file of file names and labels will do too. For data of your own,
    rules choose whatever no option decides, and say why.

    Ctrl-C, SIGTERM and SIGHUP end the training after the current step, save the model, and say how to go on.

    \b
    Words of --layers:
      conv32, conv32x5, conv32s2  32 filters of 3x3; of 5x5; with a stride of 2
      res32, res32s2              residual block of two such convolutions
      pool, avgpool, average      maximum of 2x2; mean of 2x2; mean of a channel
      dense128, flatten, norm     dense layer; all in one row; batch normalization
      dropout0.3, dropout2d0.1    dropout of single numbers; of whole channels
    """
    given = {name: value for name, value in choices.items() if value is not None and value != ()}
    _check_data(data, given)
    with run_of(click.get_current_context(), run, snapshot_every) as record:
        out = next(path for path in (out, out_of(record), resume, _default_out(data)) if path is not None)
        check_replaceable(out)
        resumed = None if resume is None else model_to_resume(resume, given if seed is None else {**given, "seed": seed})
        how = {"engine": engine, "threads": threads, "precision": precision}
        job = TrainJob(data, given, how, seed or 0, resumed, out, optimizer_state, record)
        if data in NAMED_DATA:
            _train_on_arrays(job)
        elif is_table(data, given):
            from pellucid.apps.cli.tables import train_on_table

            train_on_table(job, _changes(given))
        else:
            train_on_photos(job, _changes(given))


def _train_on_arrays(job: TrainJob) -> None:
    """Digits or fashion, by a named recipe."""
    check_is_classifier(job.resumed)
    recipe = RECIPES[job.data][job.given.get("recipe", "default")].changed(**_changes(job.given))
    if recipe.layers is not None:
        _refuse(job.given, OF_SIZES, "the layers are named by words (--layers)")
    network = job.resumed.network if job.resumed else Network(recipe.network_layers(IMAGE, NUM_CLASSES), job.seed)
    options = job.fit_options(recipe)
    check_engine(network, options, job.run)
    source = NAMED_DATA[job.data]
    (x, y), (x_test, y_test) = source.get()
    labels = job.resumed.labels if job.resumed else source.labels
    fit = partial(fit_and_calibrate, network, x, y, labels=labels)
    model, seconds = train_and_save(job, network, fit, options, labels)
    judgement = judge_classes(model, x_test, y_test)
    say(
        f"{job.out}: {judgement.accuracy:.2%} of {judgement.count:,} test pictures right (loss {judgement.loss:.4f}), "
        f"trained in {seconds:.1f} s"
    )
    show_guessing(judgement)
    show_probabilities(judgement, model)


def _changes(given: dict[str, Any]) -> dict[str, Any]:
    """What is given, as fields of a recipe."""
    others = (*OF_FOLDERS, *OF_TABLES, "recipe", "early_stopping", "class_weight")
    changes = {name: value for name, value in given.items() if name not in others}
    if "class_weight" in given:
        changes["class_weight"] = None if given["class_weight"] == "none" else given["class_weight"]
    if "early_stopping" in given:
        changes["patience"] = positive_integer(given["early_stopping"], "early_stopping")
    if given.get("hidden") == (0,):
        changes["hidden"] = ()
    return changes


def _check_data(data: str, given: dict[str, Any]) -> None:
    """Raise `ArgumentError` for data that are not there, and for options that other data have."""
    check_is_there(data)
    if data.endswith(".safetensors") and os.path.isfile(data):
        raise ArgumentError(
            f"{data} has the name of a model file, and cannot be learned from; name a folder of pictures, a CSV file, "
            f"or one of {', '.join(NAMED_DATA)}. To go on training a model, add --resume {data}."
        )
    if data in NAMED_DATA:
        _refuse(given, (*OF_FOLDERS, *OF_TABLES, "ensemble"), f"{data} is no folder of pictures and no table")
    elif "target" in given:
        _refuse(given, (*OF_FOLDERS, "recipe", "augment"), "the data are a table")
    else:
        _refuse(given, (*OF_TABLES, "ensemble"), "the data are pictures")
        _refuse(given, OF_NAMED_DATA, "the network for a folder is chosen by rules or by --layers")


def _refuse(given: dict[str, Any], names: Collection[str], reason: str) -> None:
    wrong = [option_name(name) for name in names if name in given]
    if wrong:
        raise ArgumentError(f"{reason}; leave {', '.join(wrong)} out.")


def _default_out(data: str) -> str:
    """The name of the data, in the working directory."""
    path = Path(data).resolve()
    return f"{data if data in NAMED_DATA else (path.name if path.is_dir() else path.stem) or 'model'}.safetensors"
