"""From a folder of pictures to a model: the network and everything else that ``pl.train`` decides by itself."""

from __future__ import annotations

import warnings
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.core.errors import ArgumentError
from pellucid.core.shapes import AnyArray, Shape, instance_of, number_between, one_of, positive_integer
from pellucid.data.photos.folder import PhotoFolder
from pellucid.data.samples import Augmentation, Samples, split
from pellucid.mathematics.optimizers import Adam
from pellucid.models.model import Model
from pellucid.models.network import Network
from pellucid.nn.layers.base import Layer
from pellucid.nn.layers.input import Input
from pellucid.nn.layers.outputs.classification import Classification
from pellucid.nn.layers.rescale import Rescale
from pellucid.training.early_stopping import EarlyStopping
from pellucid.training.progress import ProgressMode
from pellucid.training.recipes.photo_rules import KEPT_ASIDE, Choices, choose
from pellucid.training.recipes.words import layers_from_text

FEWEST_TO_CALIBRATE = 50  # fewer samples leave a temperature open by a third and more
FEWEST_KEPT_ASIDE = 10  # a judgement on fewer pictures says nothing, and would end the training at random
MEASURED_BYTES = 1 << 26  # so many bytes of training pictures are enough for means and deviations
FIT_OPTIONS = (
    *("optimizer", "schedule", "regularizer", "clipping", "batch_size", "class_weight", "callbacks"),
    *("engine", "threads", "precision"),
)
OPTIONS = (*FIT_OPTIONS, "validation", "epochs", "early_stopping", "augment", "flip")


@dataclass(frozen=True)
class Preparation:
    """All that is decided before the first step.

    network     untrained, or the one to go on with; it has the pipeline of the pictures
    options     those of ``network.fit``
    choices     what the rules say, whether it was followed or not
    overruled   the names of the choices in whose place something was given, or for which there is no use
    validation  the rows of the pictures that ``fit`` keeps aside
    note        None, or why there are none although some were asked for
    """

    network: Network
    options: dict[str, Any]
    choices: Choices
    overruled: Collection[str]
    validation: NDArray[np.int64]
    note: str | None = None


def train(
    photos: PhotoFolder,
    *,
    layers: str | None = None,
    validation: float | None = KEPT_ASIDE,
    epochs: int | None = None,
    early_stopping: bool | int | EarlyStopping | None = True,
    augment: bool | Augmentation | None = True,
    seed: int = 0,
    progress: ProgressMode = "auto",
    **options: Any,
) -> Model:
    """A trained model from ``pl.datasets.folder("photos/")``. What is not given follows from the number of classes and
    pictures and from their size, by the rules of `pellucid.training.recipes.photo_rules`.

    layers          words such as "conv32 conv32 pool conv64 average dropout0.3" (`pellucid.training.recipes.words`)
    validation      fraction of the pictures to keep aside, of each class its share; None for none
    epochs          how often every picture is seen
    early_stopping  patience in epochs, or an `EarlyStopping`; True: by the rules; None: never. The best network is kept
    augment         True: by the rules; or a `PhotoAugmentation`; None: no random changes
    seed            decides all chance
    options         flip=False for pictures that must not be mirrored, such as text; and those of ``Network.fit``:
                    optimizer, schedule, regularizer, clipping, batch_size, class_weight, callbacks, engine, threads,
                    precision

    Pictures are standardised by a `Rescale` that is fitted on the training part alone. Model files of the result hold the
    pipeline and the labels, so that ``pl.load(path).predict("new.jpg")`` answers. Where fewer than 10 pictures would be
    kept aside, all are trained on, for all epochs, with a warning. On those kept aside the model is calibrated: from 50
    on `Model.calibrate` fits a temperature, and ``predict(confidence=)`` works as far as their number goes.
    """
    given = options | {"validation": validation, "early_stopping": early_stopping, "augment": augment}
    prepared = prepare(photos, layers, seed, given | ({} if epochs is None else {"epochs": epochs}))
    if prepared.note:
        warnings.warn(prepared.note, stacklevel=2)
    prepared.network.fit(photos.x, photos.y, progress=progress, **prepared.options)
    model = Model(prepared.network, photos.pipeline, photos.labels)
    calibrate(model, photos.x, photos.y, prepared.validation)
    return model


def calibrate(model: Model, x: AnyArray, y: AnyArray, rows: NDArray[np.int64]) -> None:
    """Fit temperature and conformal scores on the ``rows`` that were kept aside, as far as their number goes."""
    if len(rows) >= FEWEST_TO_CALIBRATE:
        model.calibrate(x, y, rows=rows)
    if len(rows):
        model.conformal(x, y, rows=rows)


def kept_aside(network: Network, x: AnyArray, y: AnyArray, fraction: float | None) -> NDArray[np.int64]:
    """The rows that ``network.fit(x, y, validation=fraction)`` keeps aside of samples with class numbers y (N,)."""
    rows = np.arange(len(x))
    return rows[:0] if fraction is None else split(Samples(x, y, rows), fraction, network.seed, y)[1].rows


def prepare(
    photos: PhotoFolder, layers: str | None, seed: int, given: dict[str, Any], network: Network | None = None
) -> Preparation:
    """Decide everything: by the rules, but for what is ``given``; ``network`` is one to go on with, in place of a new one.

    ``given`` holds options of ``fit``, where True stands for what the rules say.
    """
    instance_of(photos, PhotoFolder, "the pictures to train on (pl.datasets.folder reads them)")
    for name in given:
        one_of(name, OPTIONS, "option of pl.train")
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise ArgumentError(f"seed must be a whole number, not {seed!r}.")
    seed = seed if network is None else network.seed
    training, kept_aside, note = _divided(photos, given.get("validation", KEPT_ASIDE), seed)
    shape = photos.x.shape[1:]
    epochs = positive_integer(given["epochs"], "epochs") if "epochs" in given else None
    choices = choose(np.bincount(photos.y[training], minlength=len(photos.labels)).tolist(), shape, epochs)
    if "flip" in given:
        choices = replace(choices, augment=replace(choices.augment, flip=given["flip"]))
    options = _options(choices, given, validated=len(kept_aside) > 0)
    if network is None:
        measured = Rescale.fit(_some(photos.x, training))
        network = Network(
            photo_layers(choices.layers if layers is None else layers, shape, len(photos.labels), measured), seed
        )
    network.pipeline = photos.pipeline
    overruled = {name for name, value in given.items() if value is not True} | (set() if layers is None else {"layers"})
    if "optimizer" in overruled:
        overruled.add("learning_rate")
    if not len(kept_aside):
        overruled |= {"validation", "early_stopping"}
    return Preparation(network, options, choices, overruled, kept_aside, note)


def photo_layers(words: str, shape: Shape, num_classes: int, rescale: Rescale) -> list[Layer]:
    """Input, standardisation, the hidden layers of the words, and the output.

    Two classes get `Classification` too: with softmax over two the network is the same function as with a sigmoid of the
    difference, and whatever reads its answers needs no second way.
    """
    hidden = layers_from_text(words, rescale.output_shape(shape))
    return [Input(*shape), rescale, *hidden, Classification(num_classes)]


def _options(choices: Choices, given: dict[str, Any], *, validated: bool) -> dict[str, Any]:
    """The options of ``fit``: those given, and the choices for all others."""
    options: dict[str, Any] = {
        "optimizer": Adam(choices.learning_rate),
        "schedule": "one_cycle",
        "epochs": choices.epochs,
        "batch_size": choices.batch_size,
        "class_weight": choices.class_weight,
        "augment": choices.augment,
        "validation": choices.validation,
    }
    options |= {name: value for name, value in given.items() if value is not True and name != "flip"}
    if given.get("early_stopping", True) is True:
        options["early_stopping"] = EarlyStopping(choices.early_stopping, start_from_epoch=options["epochs"] * 2 // 3)
    if not validated:
        options["validation"] = None
        options["early_stopping"] = None
    return {name: None if value is False else value for name, value in options.items()}


def _divided(
    photos: PhotoFolder, fraction: float | None, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], str | None]:
    """The rows to train on and those that ``fit`` will keep aside, by the same rule; and a note if there are too few."""
    rows = np.arange(len(photos.x))
    nothing = rows[:0]
    if fraction is None:
        return rows, nothing, None
    number_between(fraction, "validation", 0.0, 1.0, open_low=True, open_high=True)
    spare = len(rows) - len(np.unique(photos.y))  # one picture of each class is always trained on
    if min(round(len(rows) * fraction), spare) >= FEWEST_KEPT_ASIDE:
        training, kept_aside = split(Samples(photos.x, photos.y, rows), fraction, seed, photos.y)
        if len(kept_aside) >= FEWEST_KEPT_ASIDE:
            return training.rows, kept_aside.rows, None
    few = f"{len(rows)} pictures are too few to keep {fraction:.0%} aside for validation ({FEWEST_KEPT_ASIDE} at least)"
    all_used = "all are trained on, for all epochs, and nothing tells how well new ones are read"
    return rows, nothing, f"{few}, besides one of each class: {all_used}."


def _some(x: AnyArray, rows: NDArray[np.int64]) -> AnyArray:
    """Some of these rows, evenly spread: as many as are quickly measured."""
    most = max(1, MEASURED_BYTES // x[0].nbytes)
    return np.asarray(x[rows[:: -(-len(rows) // most)]])
