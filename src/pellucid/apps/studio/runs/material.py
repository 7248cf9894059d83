"""The samples of an experiment, split into training and validation, and its network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from pellucid.apps.studio.runs.experiment import Experiment
from pellucid.core.errors import ArgumentError
from pellucid.core.shapes import Label, size_of
from pellucid.data.datasets.idx import Part
from pellucid.data.datasets.mnist import digits
from pellucid.data.datasets.points import Points, drawn, generated
from pellucid.data.digits.digit_pipeline import DigitPipeline
from pellucid.data.photos.folder import PhotoFolder
from pellucid.data.pipeline import Pipeline
from pellucid.data.samples import Samples, split
from pellucid.data.weights import weights_by_class
from pellucid.executors.native.compile_images import multiply_adds
from pellucid.models.network import Network
from pellucid.models.train import divide, standardization
from pellucid.models.train_table import TableTraining
from pellucid.nn.layers.base import Layer
from pellucid.nn.layers.nodes import join, numbered
from pellucid.nn.layers.outputs.classification import Classification
from pellucid.nn.layers.rescale import Rescale

MOST_PARAMETERS = 20_000_000
MOST_VALUES = 100_000_000  # outputs of all layers in one step
MOST_WORK = 20_000_000_000  # multiply-adds of one step: about a second, so that it can be stopped


@dataclass(frozen=True, eq=False)
class OfTable:
    """The ``name`` of a table in the studio, the training on it that ``pl.train`` would run, and ``notes`` on how its rows
    are divided, where it is not at random."""

    name: str
    training: TableTraining
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Material:
    """``validation`` is None without held-out samples; ``points`` are all points of the plane, training and validation;
    ``pipeline`` is that of pictures or of a table; ``rescale`` is measured on the training photos."""

    training: Samples
    validation: Samples | None
    labels: tuple[Label, ...]
    points: Points | None = None
    pipeline: Pipeline | None = None
    rescale: Rescale | None = None
    table: OfTable | None = None

    @property
    def kind(self) -> str:
        """What the samples are: "rows" of a table, "points" of the plane, or "images"."""
        if self.table is not None:
            return "rows"
        return "images" if self.points is None else "points"


def material(experiment: Experiment, folder: PhotoFolder | None = None) -> Material:
    """The samples of the experiment, split."""
    if experiment.data == "digits":
        (x, y), pipeline = _digits()
        return _divided(experiment, Samples(x, y, np.arange(experiment.samples)), tuple(range(10)), pipeline=pipeline)
    if experiment.data == "folder":
        assert folder is not None
        return _of_folder(experiment, folder)
    if experiment.points is not None:
        points = drawn(experiment.points)
    else:
        points = generated(experiment.data, experiment.samples, experiment.noise, experiment.data_seed)
    return _divided(experiment, Samples(points.x, points.y, np.arange(len(points.x))), points.labels, points=points)


def network_of(experiment: Experiment, material: Material) -> Network:
    """The network of the experiment, untrained; raises `ArgumentError` if it is too large for the studio."""
    layers = _layers(experiment, material)
    nodes = join({"input": layers[0], **numbered(layers[1:-1]), "output": layers[-1]}, ())
    count = sum(size_of(spec.shape) for node in nodes for spec in node.layer.parameter_specs(node.input_shape))
    _check_size(count, MOST_PARAMETERS, "the network would have {} parameters")
    batch = min(experiment.recipe.batch_size, len(material.training))
    values = batch * sum(size_of(node.output_shape) for node in nodes)
    _check_size(values, MOST_VALUES, f"a step with batch_size={batch} would hold {{}} numbers")
    network = Network(layers, experiment.seed)
    _check_size(batch * multiply_adds(network), MOST_WORK, f"a step with batch_size={batch} would take {{}} multiply-adds")
    network.pipeline = material.pipeline
    return network


def _layers(experiment: Experiment, material: Material) -> list[Layer]:
    if material.table is not None:
        return material.table.training.layers(experiment.recipe)
    return experiment.recipe.network_layers(material.training.x.shape[1:], len(material.labels), material.rescale)


def _of_folder(experiment: Experiment, folder: PhotoFolder) -> Material:
    """Split, weighted and standardised as by ``pl.train``."""
    division = divide(folder, experiment.recipe.validation or None, experiment.data_seed)
    training, kept_aside = (Samples(folder.x, folder.y, rows) for rows in (division.training, division.kept_aside))
    if experiment.recipe.class_weight is not None:
        output = Classification(len(folder.labels))
        training = replace(training, weights=weights_by_class(experiment.recipe.class_weight, training, output))
    return Material(
        training,
        kept_aside if len(kept_aside) else None,
        folder.labels,
        pipeline=folder.pipeline,
        rescale=standardization(folder, division),
    )


def _divided(experiment: Experiment, samples: Samples, labels: tuple[Label, ...], **more: Any) -> Material:
    """A share of each class is held out, chosen by ``data_seed``."""
    classes = len(np.unique(samples.y[samples.rows]))  # of each at least one sample stays for training
    if round(len(samples) * experiment.recipe.validation) < 1 or classes == len(samples):
        return Material(samples, None, labels, **more)
    return Material(*split(samples, experiment.recipe.validation, experiment.data_seed, samples.y), labels, **more)


def _check_size(count: int, most: int, words: str) -> None:
    if count > most:
        raise ArgumentError(
            f"{words.format(f'{count:,}')}; the studio takes at most {most:,}: use fewer or smaller layers."
        )


@lru_cache(maxsize=1)
def _digits() -> tuple[Part, DigitPipeline]:
    training, _ = digits()
    return training, DigitPipeline.fit(training[0])
