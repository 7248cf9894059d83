"""``pellucid train FOLDER``: pictures of one's own, by the rules or as options say."""

from __future__ import annotations

import re
from typing import Any

from pellucid.apps.cli.job import Job, check_engine, train_and_save
from pellucid.apps.cli.judgement import bounds_in_words, show_probabilities, show_recalls, show_temperature
from pellucid.apps.cli.read_photos import check_is_of_photos, read_photos
from pellucid.apps.cli.terminal import say
from pellucid.core.errors import ArgumentError
from pellucid.data.photos.folder import PhotoFolder
from pellucid.data.photos.photo_pipeline import PhotoPipeline
from pellucid.models.model import Model
from pellucid.models.train import Preparation, photo_layers, prepare
from pellucid.nn.layers.rescale import Rescale
from pellucid.nn.stack import Stack
from pellucid.reports.judgement import judge_classes
from pellucid.training.early_stopping import EarlyStopping
from pellucid.training.recipes.named import optimizer_of, regularizer_of
from pellucid.training.recipes.photo_rules import choose

TO_PREPARE = ("schedule", "epochs", "batch_size", "augment", "flip", "early_stopping")


def train_on_photos(job: Job) -> None:
    """Read the folder, choose, train, save, and judge the model on pictures that it has not learned from."""
    options, layers = _options(job), job.given.get("layers")
    pipeline = _pipeline(job)
    _check_before_reading(job, pipeline, options)
    labels = None if job.resumed is None else job.resumed.labels
    photos = read_photos(job.data, pipeline, job.given.get("bad_files", "skip"), labels)
    prepared = prepare(photos, layers, job.seed, options | job.run, None if job.resumed is None else job.resumed.network)
    _announce(prepared, job)
    names = photos.labels if labels is None else labels
    model, seconds = train_and_save(job, prepared.network, (photos.x, photos.y), prepared.options, names)
    say(f"trained in {seconds:.1f} s{_kept(prepared)}", err=True)
    _judge(job.out, model, photos, prepared)


def _pipeline(job: Job) -> PhotoPipeline:
    if job.resumed is not None:
        return check_is_of_photos(job.resumed, job.data, "the model of --resume")
    height, width = _size(job.given.get("size", "64"))
    return PhotoPipeline(height, width, 1 if job.given.get("grey") else 3, job.given.get("crop", "centre"))


def _size(text: str) -> tuple[int, int]:
    """``64`` or ``48x64``, height first."""
    match = re.fullmatch(r"(\d{1,9})(?:x(\d{1,9}))?", text, re.ASCII)
    if not match:
        raise ArgumentError(f"--size is a number of pixels such as 64, or height x width such as 48x64, not {text!r}.")
    return int(match[1]), int(match[2] or match[1])


def _options(job: Job) -> dict[str, Any]:
    """What is given, as options of `prepare`; the rules decide the rest."""
    given = job.given
    options = {name: given[name] for name in TO_PREPARE if name in given}
    options["regularizer"] = regularizer_of(given.get("l1", 0.0), given.get("l2", 0.0))
    if "optimizer" in given or "learning_rate" in given:
        options["optimizer"] = optimizer_of(given.get("optimizer", "adam"), given.get("learning_rate"))
    elif job.resumed is not None:
        options["optimizer"] = job.resumed.network.training_state.optimizer  # that of the file
    if "validation" in given:
        options["validation"] = given["validation"] or None
    if "early_stopping" in given:
        options["early_stopping"] = EarlyStopping(given["early_stopping"])
    return options


def _check_before_reading(job: Job, pipeline: PhotoPipeline, options: dict[str, Any]) -> None:
    """Find what cannot work before a long folder is read: on a network for two classes, by a guess where rules decide."""
    shape = pipeline.output_shape
    guess = choose((1, 1), shape)
    if job.resumed is None:
        stack = Stack(photo_layers(job.given.get("layers", guess.layers), shape, 2, Rescale(1.0)))
    else:
        stack = job.resumed.network
    check_engine(stack, {"optimizer": optimizer_of("adam", None)} | options, job.run)


def _announce(prepared: Preparation, job: Job) -> None:
    chosen = prepared.choices.in_words(prepared.overruled)
    if job.resumed is None and chosen:
        say(f"chosen by rules, since no option says otherwise:\n{chosen}", err=True)
    if prepared.note:
        say(f"Note: {prepared.note}", err=True)


def _kept(prepared: Preparation) -> str:
    """Which epoch the saved network is of, if early stopping chose it."""
    stopping = prepared.options["early_stopping"]
    if not isinstance(stopping, EarlyStopping) or not stopping.best_epoch:
        return ""
    return f"; the network of epoch {stopping.best_epoch} is kept: it had the lowest validation loss"


def _judge(out: str, model: Model, photos: PhotoFolder, prepared: Preparation) -> None:
    """The test report: on the test part, or else on the pictures that were kept aside."""
    if photos.test is not None:
        judgement, what = judge_classes(model, *photos.test), "test pictures"
    elif len(prepared.validation):
        judgement = judge_classes(model, photos.x, photos.y, rows=prepared.validation)
        what = "pictures kept aside for validation"
    else:
        say(f"{out}: trained on all {len(photos.y):,} pictures; none is left to judge it on")
        return
    share = f"{judgement.accuracy:.2%} of {judgement.count:,} {what} right{bounds_in_words(judgement)}"
    say(f"{out}: {share}, loss {judgement.loss:.4f}")
    if photos.test is None:
        say("They also decided when to stop, which flatters; other pictures, in a folder test/, would tell more.")
        show_temperature(model)
    else:
        show_probabilities(judgement, model)
    show_recalls(judgement)
