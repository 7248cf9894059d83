"""From a folder of pictures to a model: the network and everything else that ``pl.train`` decides by itself."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pellucid.core.checks import check_seed, number_between
from pellucid.core.errors import ArgumentError
from pellucid.core.shapes import AnyArray, Label
from pellucid.core.suggestions import refuse_arguments
from pellucid.data.photos.folder import PhotoFolder
from pellucid.data.photos.look import look_at_pixels
from pellucid.data.samples import Augmentation, Samples, split
from pellucid.mathematics.losses import Loss
from pellucid.models.calibrate import calibrate
from pellucid.models.model import Model
from pellucid.models.network import Network
from pellucid.models.transfer.features import feature_extractor
from pellucid.models.transfer.train_head import HeadOptions, train_head
from pellucid.nn.layers.rescale import Rescale
from pellucid.training.early_stopping import EarlyStopping
from pellucid.training.progress import ProgressMode, counting_display
from pellucid.training.recipes.photo_rules import KEPT_ASIDE, choose
from pellucid.training.recipes.recipe import Recipe
from pellucid.training.recipes.start_rules import Pretrained, choose_start
from pellucid.training.recipes.table_rules import ENSEMBLE, HELD_OUT
from pellucid.training.runs.run import recorded

if TYPE_CHECKING:
    from pellucid.data.tables.table import Table

FEWEST_KEPT_ASIDE = 10  # a judgement on fewer pictures says nothing, and would end the training at random
MEASURED_BYTES = 1 << 26  # so many bytes of training pictures are enough for means and deviations
OF_FEATURES = ("validation", "class_weight", "engine", "threads", "progress")  # options that a head on features has too
FIT_OPTIONS = (
    *("optimizer", "schedule", "regularizer", "clipping", "batch_size", "class_weight", "callbacks"),
    *("engine", "threads", "precision", "run", "snapshot_every"),
)


class Division(NamedTuple):
    """The rows of the pictures to learn from, those that are held out, and why there are none although some were asked
    for (or None)."""

    training: NDArray[np.int64]
    kept_aside: NDArray[np.int64]
    note: str | None = None


def train(
    data: PhotoFolder | Table,
    *,
    layers: str | None = None,
    validation: float | bool | None = True,
    epochs: int | None = None,
    early_stopping: bool | int | EarlyStopping | None = True,
    augment: bool | Augmentation | None = True,
    flip: bool = True,
    pretrained: Pretrained = True,
    ensemble: int | bool | None = None,
    split: str = "random",
    loss: str | Loss | None = None,
    seed: int = 0,
    progress: ProgressMode = "auto",
    **options: Any,
) -> Model:
    """A trained model from ``pl.datasets.folder("photos/")`` or ``pl.datasets.table("houses.csv", "price")``. What is not
    given follows from what the data are, by the rules of `pellucid.training.recipes.photo_rules` and ``table_rules``.

    layers          words such as "conv32 conv32 pool conv64 average dropout0.3" (`pellucid.training.recipes.words`)
    validation      fraction of the samples to hold out, of each class its share; True: by the rules; None: none
    epochs          how often every picture is seen
    early_stopping  patience in epochs, or an `EarlyStopping`; True: by the rules; None: never. The best network is kept
    augment         True: by the rules; or a `PhotoAugmentation`; None: no random changes
    flip            False for pictures that must not be mirrored, such as text
    pretrained      from what photos begin: "efficientnet-lite0", the file of a model of your own, or "nothing"; True: by
                    the rules (`pellucid.training.recipes.start_rules`), from the first where they are photos in colour
    ensemble        for a table: so many networks in one, whose mean answers (`EnsembleDense`); True: by the rules, 8
    split           how rows of a table are held out: "random"; "time:COLUMN", the latest; or "group:COLUMN", whole groups
    loss            for numbers of a table: "mse", "mae", "huber", "poisson" (counts), "pinball:0.1,0.5,0.9" (quantiles)
    seed            decides all chance
    options         those of ``Network.fit``: optimizer, schedule, regularizer, clipping, batch_size, class_weight,
                    callbacks, engine, threads, precision, run, snapshot_every

    On a pretrained network only the last layer is new: it is computed from features (`pellucid.models.transfer.head`), and
    every picture is learned from; ``model.transfer`` says how well it does on those that were held out in turn.

    From nothing, pictures are standardised by a `Rescale` that is fitted on the training part alone. Model files of the
    result hold the pipeline and the labels, so that ``pl.load(path).predict("new.jpg")`` answers. Where fewer than 10
    pictures would be held out, all are trained on, for all epochs, with a warning. On those held out the model is
    calibrated: from 50 on `Model.calibrate` fits a temperature, and ``predict(confidence=)`` works as far as their number
    goes.
    """
    if not isinstance(data, PhotoFolder) and not _is_table(data):
        raise ArgumentError(
            f"the data to train on come from pl.datasets.folder (pictures) or pl.datasets.table, not "
            f"{type(data).__name__}; for arrays use pl.Network and its fit."
        )
    refuse_arguments([name for name in options if name not in FIT_OPTIONS], train, "train", FIT_OPTIONS)
    check_seed(seed)
    changes = {"layers": layers, "epochs": epochs, "validation": 0.0 if validation is False else validation}
    changes["ensemble"] = ENSEMBLE if ensemble is True else None if ensemble is False else ensemble
    changes = {name: value for name, value in changes.items() if value is not None and value is not True}
    by_rule = KEPT_ASIDE if isinstance(data, PhotoFolder) else HELD_OUT
    fraction = None if not validation else by_rule if validation is True else validation
    if early_stopping is not True:
        options["early_stopping"] = None if early_stopping is False else early_stopping
    options["progress"] = progress
    if isinstance(data, PhotoFolder):
        if not (ensemble is None or ensemble is False):
            raise ArgumentError("ensemble is for tables; leave it out for pictures.")
        if split != "random" or loss is not None:
            raise ArgumentError("split and loss are for tables; leave them out for pictures.")
        by_steps = _by_steps({**changes, **options}, augment)
        start = choose_start(pretrained, by_steps, data.x.shape[1:], data.look or look_at_pixels(data.x))
        if start.network is not None:
            aside = None if validation is True else fraction
            return _train_on_features(data, start.network, aside, seed, options, mirrors=flip and bool(augment))
        if augment is not True:
            options["augment"] = None if augment is False else augment
        return _train_on_photos(data, fraction, changes, seed, options, flip=flip)
    if pretrained is not True:
        raise ArgumentError("pretrained is for pictures; leave it out for a table.")
    if not (augment is None or isinstance(augment, bool)) or not flip:
        raise ArgumentError("augment and flip are for pictures; leave them out for a table.")
    return _train_on_table(data, fraction, changes, seed, options, split_by=split, loss=loss)


def _is_table(data: object) -> bool:
    """What reads tables is imported only where there may be one."""
    from pellucid.data.tables.table import Table

    return isinstance(data, Table)


def _train_on_table(
    table: Table,
    fraction: float | None,
    changes: dict[str, Any],
    seed: int,
    options: dict[str, Any],
    *,
    split_by: str,
    loss: str | Loss | None,
) -> Model:
    from pellucid.models.table_split import TableSplit
    from pellucid.models.train_table import TableTraining, divide_table, with_numbers

    table = with_numbers(table, loss)
    by = TableSplit.of(table, split_by)
    if by is not None and fraction and (left_out := by.left_out()):
        warnings.warn(f"{left_out}.", stacklevel=3)
    division = divide_table(table, fraction, seed, by)
    training = TableTraining(table, division, changes, seed, loss)
    return training.fit(training.recipe.fit_options() | options)


def _train_on_photos(
    photos: PhotoFolder, fraction: float | None, changes: dict[str, Any], seed: int, options: dict[str, Any], *, flip: bool
) -> Model:
    division = divide(photos, fraction, seed)
    if division.note:
        warnings.warn(division.note, stacklevel=3)
    recipe = recipe_for(photos, division, changes, flip=flip)
    if not len(division.kept_aside):
        options.pop("early_stopping", None)
    options = recipe.fit_options() | options
    return fit_and_calibrate(network_for(photos, division, recipe, seed), photos.x, photos.y, options, photos.labels)


def _by_steps(given: dict[str, Any], augment: object) -> list[str]:
    """Which of the options that were given mean a network that is trained step by step."""
    named = [name for name in given if name not in OF_FEATURES]
    return named + ([] if augment is None or isinstance(augment, bool) else ["augment"])


def _train_on_features(
    photos: PhotoFolder, name: str, fraction: float | None, seed: int, options: dict[str, Any], *, mirrors: bool
) -> Model:
    division = divide(photos, fraction, seed)
    if division.note:
        warnings.warn(division.note, stacklevel=3)
    balance = "class_weight" not in options
    chosen = HeadOptions(mirrors, options.get("class_weight"), balance, seed)
    extractor = feature_extractor(name, options.get("engine", "auto"), options.get("threads"))
    told = counting_display(options["progress"], "features of {} of {} views of pictures")
    return train_head(photos, extractor, division.training, division.kept_aside, chosen, told)


def fit_and_calibrate(
    network: Network, x: AnyArray, y: AnyArray, options: dict[str, Any], labels: Sequence[Label] | None = None
) -> Model:
    """The model of a classifier that is trained with these ``options`` of ``fit``, and then calibrated on the samples that
    these hold out."""
    with recorded(options) as (record, options):
        network.fit(x, y, **options)
        model = Model(network, labels=labels)
        if options["validation"] is not None:  # as fit has divided them
            _, kept_aside = split(Samples(x, y, np.arange(len(x))), options["validation"], network.seed, y)
            calibrate(model, x, y, kept_aside.rows)
        if record is not None:
            record.finish(model.to_bytes)
    return model


def divide(photos: PhotoFolder, fraction: float | None, seed: int) -> Division:
    """Which pictures are learned from and which are held out, as ``fit`` divides them; none are if they would be few."""
    rows = np.arange(len(photos.x))
    nothing = rows[:0]
    if fraction is None:
        return Division(rows, nothing)
    number_between(fraction, "validation", 0.0, 1.0, open_low=True, open_high=True)
    spare = len(rows) - len(np.unique(photos.y))  # one picture of each class is always trained on
    if min(round(len(rows) * fraction), spare) >= FEWEST_KEPT_ASIDE:
        training, kept_aside = split(Samples(photos.x, photos.y, rows), fraction, seed, photos.y)
        if len(kept_aside) >= FEWEST_KEPT_ASIDE:
            return Division(training.rows, kept_aside.rows)
    few = f"{len(rows)} pictures are too few to hold {fraction:.0%} out for validation"
    all_used = "all are trained on, for all epochs, and nothing tells how well new ones are read"
    return Division(rows, nothing, f"{few} (at least {FEWEST_KEPT_ASIDE}, besides one of each class): {all_used}.")


def recipe_for(photos: PhotoFolder, division: Division, changes: dict[str, Any], *, flip: bool = True) -> Recipe:
    """The recipe by the rules, but for these changes of its fields. Early stopping needs pictures that are held out."""
    counts = np.bincount(photos.y[division.training], minlength=len(photos.labels))
    recipe = choose(counts.tolist(), photos.x.shape[1:], changes.get("epochs"), flip=flip).changed(**changes)
    return recipe if len(division.kept_aside) else recipe.changed(validation=0.0, patience=0)


def network_for(photos: PhotoFolder, division: Division, recipe: Recipe, seed: int) -> Network:
    """The untrained network of the recipe, with the pipeline of the pictures."""
    rescale = standardization(photos, division)
    network = Network(recipe.network_layers(photos.x.shape[1:], len(photos.labels), rescale), seed)
    network.pipeline = photos.pipeline
    return network


def standardization(photos: PhotoFolder, division: Division) -> Rescale:
    """What standardises the pictures, measured on those to learn from: as many as are quickly measured, evenly spread."""
    most = max(1, MEASURED_BYTES // photos.x[0].nbytes)
    rows = division.training[:: -(-len(division.training) // most)]
    return Rescale.fit(np.asarray(photos.x[rows]))
