"""Saving: a trained network, its pipeline, labels and progress as the content of a model file, and back; and a place for it
where nothing that was trained is lost."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import chain, count
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from pellucid.core.checks import instance_of, plain_list
from pellucid.core.errors import ArgumentError, ModelFileError, PellucidError
from pellucid.core.files import cache_folder, write_whole
from pellucid.core.shapes import Label
from pellucid.core.tensor_file import FORMAT, HALF, ModelFile, model_file_bytes, read_model_file
from pellucid.data.digits.digit_pipeline import DigitPipeline
from pellucid.data.photos.photo_pipeline import PhotoPipeline
from pellucid.data.pipeline import Pipeline
from pellucid.evaluation.conformal import ConformalScores
from pellucid.evaluation.learning_curve import LearningPoint
from pellucid.evaluation.temperature import Temperature
from pellucid.executors.base import OptimizerState
from pellucid.mathematics.optimizers import Optimizer
from pellucid.models.transfer.transfer import Transfer
from pellucid.nn import catalogue
from pellucid.nn.layers.base import Layer
from pellucid.nn.layers.outputs.classification import ClassifyingOutput
from pellucid.nn.layers.outputs.regression import Regression
from pellucid.nn.stack import Stack
from pellucid.training.history import History, Restored
from pellucid.training.state import TrainingState

for _kind in (DigitPipeline, PhotoPipeline, Temperature, ConformalScores, LearningPoint, Transfer):
    catalogue.register(_kind)

S = TypeVar("S", bound=Stack)
RESCUED = "rescued"  # the folder in the cache


@dataclass(frozen=True)
class Calibration:
    """What samples that a model has not learned from say of its answers, once its network has made ``step`` steps.

    ``conformal`` has one for a classification, V for a regression; None and () if there were no samples.
    """

    temperature: Temperature | None = None
    conformal: tuple[ConformalScores, ...] = ()
    step: int = 0


@dataclass(frozen=True)
class Parts:
    """What a model has besides its network."""

    state: TrainingState
    history: History
    pipeline: Pipeline | None
    labels: tuple[Label, ...]
    calibration: Calibration = Calibration()
    transfer: Transfer | None = None


def to_bytes(network: Stack, parts: Parts, *, optimizer_state: bool, slim: bool = False) -> bytes:
    """The bytes of a model file, if ``slim`` without the weights that come with the package; raises `ModelFileError` for a
    network that could not be loaded again."""
    state, calibration = parts.state, parts.calibration
    check_pipeline(network, parts.pipeline)
    arrays = {**network.parameters, **network.state}
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ModelFileError(f"{name} holds numbers that are not finite: such a network could not be loaded again.")
    description = {
        "network": {
            "seed": network.seed,
            "dtype": str(network.dtype),
            "layers": [catalogue.to_dict(layer) for layer in network.layers],
        },
        "labels": list(parts.labels),
        "pipeline": None if parts.pipeline is None else catalogue.to_dict(parts.pipeline),
        "history": [_finite(epoch) for epoch in parts.history.epochs],
        "progress": {
            "epoch": state.epoch,
            "step": state.step,
            "updates": state.optimizer_state.updates,
            "optimizer": None if state.optimizer is None else catalogue.to_dict(state.optimizer),
            "settings": state.settings,
        },
    }
    if parts.history.restored is not None:
        description["restored"] = asdict(parts.history.restored)
    if calibration.temperature is not None or calibration.conformal:
        description["calibration"] = {
            "temperature": None if calibration.temperature is None else catalogue.to_dict(calibration.temperature),
            "conformal": [catalogue.to_dict(scores) for scores in calibration.conformal],
        }
    if parts.transfer is not None:
        description["transfer"] = catalogue.to_dict(parts.transfer)
    if slim:
        from pellucid.models.transfer.shared_weights import shared_weights, without_shared

        description["shared"] = asdict(shared_weights(network, parts.transfer))
        arrays = without_shared(arrays)
    slots = state.optimizer_state.slots if optimizer_state else {}
    return model_file_bytes(ModelFile(description, arrays, slots))


def save_or_rescue(path: Path, content: bytes, *, replace: bool) -> tuple[Path, ModelFileError | None]:
    """Write a model file there. If that fails (the disk is full), write it to the user's cache folder, so that what was
    trained is not lost. Gives the place, and why it is not the one that was meant, or None.

    Without ``replace``, and in the cache folder, a file that is there stays, and a free name like this one is taken. Raises
    `ModelFileError` if nothing can be written in either folder.
    """
    try:
        if replace:
            write_whole(path, content, ModelFileError)
            return path, None
        return _save_free(path, content), None
    except ModelFileError as error:
        with suppress(ModelFileError, OSError, RuntimeError):  # RuntimeError: this user has no home folder
            folder = cache_folder() / RESCUED
            folder.mkdir(parents=True, exist_ok=True)
            return _save_free(folder / path.name, content), error
        raise


def save_new(path: Path, content: bytes) -> bool:
    """Whether the name was free: then the file is there, or `ModelFileError` says why not and nothing is."""
    try:
        path.open("xb").close()  # takes the name, so that nobody else can between a look and the writing
    except FileExistsError:
        return False
    except OSError as error:
        raise ModelFileError(f"{path} cannot be written: {error.strerror or error}.") from None
    try:
        write_whole(path, content, ModelFileError)
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise
    return True


def load_parts(path: str | os.PathLike[str], make: Callable[..., S]) -> tuple[S, Parts]:
    """Read a model file; ``make(layers, seed, dtype, arrays)`` builds the network. Raises `ModelFileError`."""
    content = read_model_file(path)
    try:
        return _restore(content, make)
    except PellucidError as error:
        raise ModelFileError(f"{os.fspath(path)} does not describe a model: {error}") from None
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, OverflowError) as error:
        what = f"{type(error).__name__}: {error}"
        raise ModelFileError(f"the description in {os.fspath(path)} is damaged ({what}).") from None


def check_labels(network: Stack, labels: Sequence[Label] | None) -> tuple[Label, ...]:
    """The labels of the classes, by default their numbers; raises `ArgumentError` if there is not one for each.

    They may be an array, such as ``numpy.unique(names)``, or an index of pandas.
    """
    output = network.output
    count = output.num_labels if isinstance(output, ClassifyingOutput) else 0
    if labels is None:
        return tuple(range(count))
    labels = plain_list(labels)
    if not isinstance(labels, list) or not all(isinstance(label, str | int) for label in labels):
        raise ArgumentError(f"labels is a list of names, text or whole numbers, not {labels!r}.")
    if len(labels) != count or len(set(labels)) != count:
        came = f"{len(labels)} came: {list(labels)[:20]!r}"
        raise ArgumentError(f"{count} different labels are expected, one a class; {came}.")
    return tuple(labels)


def check_pipeline(network: Stack, pipeline: Pipeline | None) -> None:
    """Raise `ArgumentError` if the pipeline does not make what the network takes."""
    if pipeline is None:
        return
    instance_of(pipeline, Pipeline, "the pipeline of a Model")
    if network.input.shape != pipeline.output_shape:
        made = "x".join(map(str, pipeline.output_shape))
        raise ArgumentError(f"the pipeline makes pictures of {made}; the network takes {network.input.shape}.")


def _save_free(path: Path, content: bytes) -> Path:
    """Write ``run-1.safetensors``, or the first of ``run-1-2.safetensors`` ... that is free."""
    others = (path.with_name(f"{path.stem}-{number}{path.suffix}") for number in count(2))
    return next(free for free in chain([path], others) if save_new(free, content))


def _restore(content: ModelFile, make: Callable[..., S]) -> tuple[S, Parts]:
    described, progress = content.description["network"], content.description["progress"]
    layers = [catalogue.from_dict(layer, Layer) for layer in described["layers"]]
    arrays, shared = content.arrays, content.description.get("shared")
    if shared is not None:
        from pellucid.models.transfer.shared_weights import SharedWeights

        arrays = {**SharedWeights(**shared).arrays(layers), **arrays}
    network = make(layers, described["seed"], described["dtype"], arrays=arrays)
    known = (network.dtype, HALF) if content.description["format"] >= FORMAT else (network.dtype,)
    if any(array.dtype not in known for array in content.arrays.values()):
        raise ModelFileError(f"its tensors are not all {network.dtype}, as described.")
    optimizer = None if progress["optimizer"] is None else catalogue.from_dict(progress["optimizer"], Optimizer)
    restored = TrainingState(
        epoch=_count(progress["epoch"]),
        step=_count(progress["step"]),
        optimizer=optimizer,
        optimizer_state=_restore_slots(network, optimizer, content, _count(progress["updates"])),
        settings={str(name): str(value) for name, value in progress["settings"].items()},
    )
    epochs = [{str(name): float(value) for name, value in epoch.items()} for epoch in content.description["history"]]
    described_pipeline = content.description["pipeline"]
    if isinstance(described_pipeline, dict) and described_pipeline.get("type") == "TablePipeline":
        from pellucid.data.tables import table_pipeline  # noqa: F401 - it enters the catalogue where a model needs it
    pipeline = None if described_pipeline is None else catalogue.from_dict(described_pipeline, Pipeline)
    check_pipeline(network, pipeline)
    labels = check_labels(network, content.description["labels"])
    history = History(epochs, "loaded", _restored_epoch(content.description.get("restored"), len(epochs)))
    calibration = _restore_calibration(network, content.description.get("calibration"), restored.step)
    began = content.description.get("transfer")
    transfer = None if began is None else catalogue.from_dict(began, Transfer)
    return network, Parts(restored, history, pipeline, labels, calibration, transfer)


def _restored_epoch(described: dict[str, Any] | None, epochs: int) -> Restored | None:
    if described is None:
        return None
    place, epoch = _count(described["place"]), _count(described["epoch"])
    if place >= epochs:
        raise ModelFileError(f"the restored epoch is number {place} of a history of {epochs}, counted from 0.")
    return Restored(place, epoch, str(described["monitor"]))


def _restore_calibration(network: Stack, described: dict[str, Any] | None, step: int) -> Calibration:
    if described is None:
        return Calibration()
    temperature = None
    if described["temperature"] is not None:
        temperature = catalogue.from_dict(described["temperature"], Temperature)
    conformal = tuple(catalogue.from_dict(scores, ConformalScores) for scores in described["conformal"])
    is_classifier = isinstance(network.output, ClassifyingOutput)
    if temperature is not None and not is_classifier:
        raise ModelFileError("a regression has no temperature.")
    if len(conformal) not in (0, 1 if is_classifier else _num_values(network)):
        raise ModelFileError(f"{len(conformal)} lists of conformal scores do not fit its output.")
    return Calibration(temperature, conformal, step)


def _num_values(network: Stack) -> int:
    """Of a regression; quantiles are of one."""
    output = network.output
    return output.num_values if isinstance(output, Regression) else output.num_outputs


def _restore_slots(network: Stack, optimizer: Optimizer | None, content: ModelFile, updates: int) -> OptimizerState:
    if not content.slots:
        return OptimizerState()
    expected = network.parameters.vector
    if optimizer is None or set(content.slots) != set(optimizer.needed_slots()):
        raise ModelFileError("the optimizer's tensors do not fit its description.")
    if any(slot.shape != expected.shape or slot.dtype != expected.dtype for slot in content.slots.values()):
        raise ModelFileError("the optimizer's tensors do not fit the parameters.")
    for name, slot in content.slots.items():
        if not np.isfinite(slot).all() or (name == "v" and (slot < 0).any()):  # v holds means of squares
            raise ModelFileError(f"the optimizer's tensor {name} holds impossible numbers.")
    return OptimizerState({name: np.array(slot) for name, slot in content.slots.items()}, updates)


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 62:
        raise ModelFileError(f"{value!r} is no count of steps or epochs.")
    return value


def _finite(figures: dict[str, float]) -> dict[str, float]:
    return {name: float(value) for name, value in figures.items() if np.isfinite(value)}
