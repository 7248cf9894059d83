"""An answer about a photo: where in it the answer comes from, and the photos to learn from that it resembles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.core.display.document import Block, Picture, Words
from pellucid.core.display.drawing import as_letters, colored
from pellucid.core.display.numbers import written
from pellucid.core.errors import ArgumentError
from pellucid.core.shapes import AnyArray, Array, Label
from pellucid.data.photos.folder import PhotoFolder
from pellucid.evaluation.neighbours import NEIGHBOURS, FeatureSpace
from pellucid.inspection.attribution.class_activation import contributions, place_of_pooling
from pellucid.inspection.trace.trace import Trace
from pellucid.models.model import Model
from pellucid.models.network import Network
from pellucid.models.transfer.features import features_of_model


@dataclass(frozen=True)
class Activation:
    """``places`` (h, w) is what each place contributes to the margin; with the ``bias`` they are the margin."""

    places: Array
    bias: float


@dataclass(frozen=True)
class Resembled:
    """A photo to learn from: its file, label and pixels, and how similar it is (1: the same)."""

    file: str
    label: Label
    similarity: float
    pixels: NDArray[np.uint8]


def activation(network: Network, trace: Trace, first: int, second: int) -> Activation | None:
    """The class activation map of the margin of two classes; None for a network that ends otherwise, or in one score."""
    pooling = place_of_pooling(network)
    if pooling is None or trace.logits.shape[1] < 2:
        return None
    weight, bias = (
        network.parameters["output.weight"],
        network.parameters.get("output.bias", np.zeros(len(trace.logits[0]))),
    )
    difference = (weight[:, first] - weight[:, second]).astype(np.float64)
    places = contributions(trace.layers[pooling].input.astype(np.float64), difference[None])[0]
    return Activation(places, float(bias[first]) - float(bias[second]))


def resembled(model: Model, pixels: AnyArray, photos: PhotoFolder) -> tuple[Resembled, ...]:
    """The photos of the folder that are nearest to a prepared picture, the nearest first."""
    if photos.pipeline != model.pipeline:
        raise ArgumentError(
            f"the photos to compare with were prepared by {photos.pipeline}; the model takes {model.pipeline}: read them "
            "with pl.datasets.folder and the size and crop of the model."
        )
    extractor = features_of_model("the model", model)
    features = extractor.of_folder(photos, photos.x)[:, 0]
    found = FeatureSpace(features).nearest(extractor(pixels[None]), NEIGHBOURS)
    return tuple(
        Resembled(photos.files[row], photos.labels[photos.y[row]], float(similarity), photos.x[row])
        for row, similarity in zip(found.rows[0], found.similarity[0], strict=True)
    )


def where(found: Activation, answer: Label, runner_up: Label, seen: AnyArray) -> Iterator[Block]:
    """The map over the photo, and its sum."""
    high, wide = found.places.shape
    total = float(found.places.sum())
    row, column = (int(k) for k in np.unravel_index(int(found.places.argmax()), found.places.shape))
    lines = f"{as_letters(found.places)}\n  . + # speak for the answer, - = % against it"
    scale = written(float(np.abs(found.places).max()))
    yield Picture(_over(seen, found.places), f"orange speaks for {answer}, blue for {runner_up}", lines, scale)
    yield Words(
        f"Each of {high}x{wide} places contributes to the margin of {answer} before {runner_up}, in all {written(total)}, "
        f"and {written(found.bias)} from the biases. Most comes from row {row + 1}, column {column + 1}: "
        f"{written(float(found.places[row, column]))}."
    )


def alike(found: tuple[Resembled, ...], answer: Label) -> Iterator[Block]:
    """The nearest photos, each with its label."""
    agree = sum(str(each.label) == str(answer) for each in found)
    yield Words(f"Of the {len(found)} photos to learn from that it resembles most, {agree} are labelled {answer}.")
    for each in found:
        said = f"{each.file}: {each.label}, similarity {each.similarity:.2f}"
        yield Picture(each.pixels, said, said)


def _over(seen: AnyArray, places: Array) -> NDArray[np.uint8]:
    """The map laid over the photo, in grey."""
    height, width = seen.shape[:2]
    rows = np.arange(height) * places.shape[0] // height
    columns = np.arange(width) * places.shape[1] // width
    grey = (seen if seen.ndim == 2 else seen.mean(axis=2))[..., None]
    mixed = 0.5 * grey + 0.5 * colored(places)[rows][:, columns]
    return mixed.round().astype(np.uint8)
