"""``pellucid train FOLDER``: from photos to a model, on a pretrained network or from nothing."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from functools import partial
from typing import Any

from numpy.typing import NDArray

from pellucid.apps.cli.job import (
    TrainJob,
    check_engine,
    check_is_classifier,
    option_name,
    train_and_save,
    write_model,
)
from pellucid.apps.cli.judgement import bounds_in_words, show_guessing, show_probabilities, show_recalls, show_temperature
from pellucid.apps.cli.photos.read_photos import check_is_of_photos, read_photos, reading_display
from pellucid.apps.cli.terminal import say, write_table
from pellucid.core.errors import ArgumentError
from pellucid.data.photos.folder import PhotoFolder
from pellucid.data.photos.look import look_at_pixels
from pellucid.data.photos.photo_pipeline import PhotoPipeline
from pellucid.evaluation.learning_curve import forecast
from pellucid.evaluation.metrics import wilson_interval
from pellucid.models.model import Model
from pellucid.models.train import divide, fit_and_calibrate, network_for, recipe_for
from pellucid.models.transfer.features import FeatureExtractor, feature_extractor
from pellucid.models.transfer.train_head import HeadOptions, train_head
from pellucid.nn.layers.rescale import Rescale
from pellucid.nn.stack import Stack
from pellucid.reports.judgement import judge_classes
from pellucid.reports.photo_suspects import find_suspects
from pellucid.training.early_stopping import EarlyStopping
from pellucid.training.recipes.photo_rules import KEPT_ASIDE, choose
from pellucid.training.recipes.start_rules import USUAL_SHAPE, Start, choose_start

MOST_SUSPECTS = 5  # that are named
OF_FOLDERS = ("size", "grey", "crop", "flip", "bad_files", "from", "slim")
OF_ANY_START = (*OF_FOLDERS, "validation", "class_weight", "augment")  # the others mean training step by step


def train_on_photos(job: TrainJob, changes: dict[str, Any]) -> None:
    """A folder of pictures, by the rules or as options say; the model is judged on pictures that it did not learn from."""
    check_is_classifier(job.resumed)
    given, resumed = job.given, job.resumed
    pipeline = check_is_of_photos(resumed, job.data, "the model of --resume") if resumed else _pipeline(given)
    _check_engine(job, changes, pipeline)
    if resumed is not None:
        _train_by_steps(job, changes, _read(job, pipeline))
        return
    by_steps = [option_name(name) for name in given if name not in OF_ANY_START]
    by_steps += ["--precision"] if job.run["precision"] != "float32" else []
    asked = given.get("from", True)
    start = choose_start(asked, by_steps, USUAL_SHAPE if _is_free(given) else pipeline.output_shape, None)
    if start.network is None:
        _train_by_steps(job, changes, _read(job, pipeline), start)
        return
    extractor = None if asked is True else _extractor(job, start.network)  # what is wrong with it is said at once
    if given.get("slim") and extractor is not None and not extractor.is_ours:
        raise ArgumentError("--slim leaves out weights that come with Pellucid; those of a file would be found nowhere.")
    photos = _read(job, _of(extractor, given, pipeline), fits=extractor is None and _is_free(given))
    if extractor is None:
        start = choose_start(asked, by_steps, photos.x.shape[1:], photos.look or look_at_pixels(photos.x))
    if start.network is None:
        _train_by_steps(job, changes, photos, start)
    else:
        _train_on_features(job, start, extractor or _extractor(job, start.network), photos)


def _check_engine(job: TrainJob, changes: dict[str, Any], pipeline: PhotoPipeline) -> None:
    """What cannot work is found before a long folder is read: on a network for two classes, by a guess of the rules."""
    shape = pipeline.output_shape
    guess = choose((1, 1), shape).changed(**changes)
    stack = job.resumed.network if job.resumed else Stack(guess.network_layers(shape, 2, Rescale(1.0)))
    check_engine(stack, job.fit_options(guess), job.run)


def _read(job: TrainJob, pipeline: PhotoPipeline, *, fits: bool = False) -> PhotoFolder:
    labels = job.resumed.labels if job.resumed else None
    return read_photos(job.data, pipeline, job.given.get("bad_files", "skip"), labels, fits=fits)


def _extractor(job: TrainJob, name: str) -> FeatureExtractor:
    return feature_extractor(name, job.run["engine"], job.run["threads"])


def _is_free(given: dict[str, Any]) -> bool:
    """Whether the size may be that of a pretrained network."""
    return not ("size" in given or given.get("grey"))


def _of(extractor: FeatureExtractor | None, given: dict[str, Any], pipeline: PhotoPipeline) -> PhotoPipeline:
    """How pictures are prepared for a network that was asked for."""
    if extractor is None:
        return pipeline
    wanted = extractor.pipeline if "crop" not in given else replace(extractor.pipeline, crop=pipeline.crop)
    if not _is_free(given) and pipeline.output_shape != wanted.output_shape:
        came, takes = ("x".join(map(str, shape)) for shape in (pipeline.output_shape, wanted.output_shape))
        raise ArgumentError(
            f"--size and --grey ask for pictures of {came}; {extractor.name} takes {takes}: leave them out."
        )
    return wanted


def _train_on_features(job: TrainJob, start: Start, extractor: FeatureExtractor, photos: PhotoFolder) -> None:
    """A new last layer for a pretrained network."""
    given = job.given
    division = divide(photos, given.get("validation") or None, job.seed)
    weight, mirrors = given.get("class_weight"), given.get("flip", True) and given.get("augment", True)
    options = HeadOptions(mirrors, "balanced" if weight == "balanced" else None, weight is None, job.seed)
    found = options.choices(photos, division.training, held_out="validation" in given)
    of_head = (f"  {name}: {value}\n    {why}" for name, (value, why) in found.items() if name not in given)
    chosen = [*filter(None, [start.in_words(), *of_head])]
    if chosen:
        say("\n".join(["chosen by rules, since no option says otherwise:", *chosen]), err=True)
    if division.note:
        say(f"Note: {division.note}", err=True)
    begun = time.perf_counter()
    with reading_display("computing features", "features of {} of {} views of pictures") as advance:
        model = train_head(photos, extractor, division.training, division.kept_aside, options, advance)
    write_model(model, job.out, slim=bool(given.get("slim")))
    assert model.transfer is not None
    for line in model.transfer.in_words():
        say(line, err=True)
    say(f"trained in {time.perf_counter() - begun:.1f} s", err=True)
    _judge(job.out, model, photos, division.kept_aside)
    suspects = find_suspects(model, photos, test=False)
    if suspects is not None and suspects.labelled:
        lines = [f"  {suspects.in_words(each)}" for each in suspects.labelled[:MOST_SUSPECTS]]
        say("\n".join(["Look at these again:", *lines]), err=True)


def _train_by_steps(job: TrainJob, changes: dict[str, Any], photos: PhotoFolder, start: Start | None = None) -> None:
    """A network that is trained from nothing, or further."""
    if job.given.get("slim"):
        raise ArgumentError("--slim leaves out weights that come with Pellucid; this network has none of them.")
    resumed = job.resumed
    seed = resumed.network.seed if resumed else job.seed
    division = divide(photos, changes.get("validation", KEPT_ASIDE) or None, seed)
    recipe = recipe_for(photos, division, changes, flip=job.given.get("flip", True))
    network = resumed.network if resumed else network_for(photos, division, recipe, seed)
    chosen = "\n".join(filter(None, (start.in_words() if start else "", recipe.in_words())))
    if chosen and not resumed:
        say(f"chosen by rules, since no option says otherwise:\n{chosen}", err=True)
    if division.note:
        say(f"Note: {division.note}", err=True)
    options, labels = job.fit_options(recipe), resumed.labels if resumed else photos.labels
    fit = partial(fit_and_calibrate, network, photos.x, photos.y, labels=labels)
    model, seconds = train_and_save(job, network, fit, options, labels)
    say(f"trained in {seconds:.1f} s{_kept(options['early_stopping'])}", err=True)
    _judge(job.out, model, photos, division.kept_aside)


def _pipeline(given: dict[str, Any]) -> PhotoPipeline:
    height, width = _size(given.get("size", "64"))
    return PhotoPipeline(height, width, 1 if given.get("grey") else 3, given.get("crop", "centre"))


def _size(text: str) -> tuple[int, int]:
    """``64`` or ``48x64``, height first."""
    match = re.fullmatch(r"(\d{1,9})(?:x(\d{1,9}))?", text, re.ASCII)
    if not match:
        raise ArgumentError(f"--size is a number of pixels such as 64, or height x width such as 48x64, not {text!r}.")
    return int(match[1]), int(match[2] or match[1])


def _kept(stopping: EarlyStopping | None) -> str:
    """Which epoch the saved network is of, if early stopping chose it."""
    if stopping is None or not stopping.best_epoch:
        return ""
    return f"; the network of epoch {stopping.best_epoch} is kept: it had the lowest validation loss"


def _judge(out: str, model: Model, photos: PhotoFolder, kept_aside: NDArray[Any]) -> None:
    """The test report: on the test part, or else on the pictures that were held out, for good or in turn."""
    transfer = model.transfer
    if photos.test is not None:
        judgement, what = judge_classes(model, *photos.test), "test pictures"
    elif len(kept_aside):
        judgement = judge_classes(model, photos.x, photos.y, rows=kept_aside)
        what = "pictures held out for validation"
    else:
        if transfer is None or transfer.accuracy is None:
            say(f"{out}: trained on all {len(photos.y):,} pictures; none is left to judge it on")
        else:
            low, high = wilson_interval(round(transfer.accuracy * transfer.judged), transfer.judged)
            bounds = f"({low:.1%} to {high:.1%} with 95% confidence)"
            right = f"{out}: {transfer.accuracy:.2%} of {transfer.judged:,} pictures right {bounds}"
            say(f"{right}, each judged by a last layer that has not seen it; that in the file has learned from all.")
            show_temperature(model)
            of_classes = zip(model.labels, transfer.classes, strict=True)
            shown = ((str(label), f"{k / n:.1%}" if n else "–", f"{n:,}") for label, (k, n) in of_classes)
            write_table("Right answers in each class", ["class", "right", "pictures"], shown)
        _show_curve(model)
        return
    share = f"{judgement.accuracy:.2%} of {judgement.count:,} {what} right{bounds_in_words(judgement)}"
    say(f"{out}: {share}, loss {judgement.loss:.4f}")
    show_guessing(judgement)
    if photos.test is None:
        restored = model.network.history.restored
        if restored is not None and restored.is_by_validation:
            say(
                "They also decided when to stop and which epoch is kept, so the figure flatters; other pictures, in a "
                "folder test/, would tell more."
            )
        show_temperature(model)
    else:
        show_probabilities(judgement, model)
    show_recalls(judgement)
    _show_curve(model)


def _show_curve(model: Model) -> None:
    """How right heads from fewer pictures are, and what more would give."""
    if model.transfer is None or not model.transfer.curve:
        return
    points = (f"{point.count} -> {point.accuracy:.1%}" for point in model.transfer.curve)
    say(f"right answers by pictures a class: {', '.join(points)}")
    said = forecast(model.transfer.curve)
    if said is not None:
        say(said)
