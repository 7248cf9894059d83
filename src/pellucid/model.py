"""The model: a pipeline, a network and labels. It answers for pictures; it is what a file holds."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import ArgumentError
from pellucid.network import Network
from pellucid.pipeline.base import Pipeline, Prepared
from pellucid.prediction import Prediction
from pellucid.saving import Label, check_labels, check_pipeline, load_parts
from pellucid.shapes import Array, instance_of

CONFIDENCE_IN_DOUBT = 0.1


class Model:
    """``pl.load("digits.safetensors")``, or ``Model(network)`` around one that was just trained.

    ``pipeline`` turns pictures into the network's input (a `DigitPipeline` or a `PhotoPipeline`; default: the one that
    ``fit`` measured on its training images); ``labels`` names the classes (default: their numbers).
    """

    def __init__(self, network: Network, pipeline: Pipeline | None = None, labels: Sequence[Label] | None = None) -> None:
        instance_of(network, Network, "the network of a Model")
        self.network = network
        self.pipeline = pipeline or network.pipeline
        check_pipeline(network, self.pipeline)
        self.labels = check_labels(network, labels)

    def predict(self, pictures: Any) -> Any:
        """A `Prediction` for one picture, or a list of them for a list (or an array with a first axis more).

        A picture is a path, the bytes of a file, a Pillow image, or a uint8 array (H, W) or (H, W, 3), of any size; each
        goes through the pipeline, which turns it into what the network was trained on. Raises `DataError` for what cannot
        be read, `ArgumentError` without a pipeline.
        """
        if self.pipeline is None:
            raise ArgumentError(
                "this model has no pipeline for pictures, since its network was not trained on images like the digits; for "
                "photos pass one, as in pl.Model(network, photos.pipeline, photos.labels); for arrays use "
                "model.network.predict."
            )
        if not _are_several(pictures):
            return self._answer_all([self.pipeline.prepare(pictures)])[0]
        return self._answer_all(self.pipeline.batch(pictures))

    def evaluate(self, x: Any, y: Any) -> dict[str, float]:
        """Loss and accuracy of the network on arrays that are already in its form; see `Network.evaluate`."""
        return self.network.evaluate(x, y)

    def save(self, path: str | os.PathLike[str], *, optimizer_state: bool = False) -> None:
        """Write the model file; with ``optimizer_state`` also what training needs to go on as if uninterrupted.

        Raises `ModelFileError` if the place cannot be written; what was there then stays.
        """
        self.network.save(path, pipeline=self.pipeline, labels=self.labels, optimizer_state=optimizer_state)

    def _answer_all(self, prepared: list[Prepared]) -> list[Prediction]:
        if not prepared:
            return []
        probabilities = self.network.predict_proba(np.stack([one.pixels for one in prepared]))
        return [self._answer(p, one.doubt, one.pixels) for p, one in zip(probabilities, prepared, strict=True)]

    def _answer(self, p: Array, doubt: str | None, seen: NDArray[np.uint8]) -> Prediction:
        if doubt is not None:  # no confident answer then: move most of the way to "cannot tell"
            p = CONFIDENCE_IN_DOUBT * p + (1 - CONFIDENCE_IN_DOUBT) / len(p)
        best = int(p.argmax())
        return Prediction(self.labels[best], float(p[best]), p, self.labels, doubt, seen)


def _are_several(pictures: Any) -> bool:
    """Whether this is a list of pictures, or an array of them: (N, H, W), or (N, H, W, C) with colours."""
    if not isinstance(pictures, np.ndarray):
        return isinstance(pictures, list | tuple)
    return pictures.ndim == 4 or (pictures.ndim == 3 and pictures.shape[-1] not in (1, 2, 3, 4))


def load(path: str | os.PathLike[str]) -> Model:
    """Read a model file; its predictions are bit-equal to those of the model that was saved.

    Nothing in a file is ever run. Raises `ModelFileError` for a file that is missing, damaged, foreign or too new.
    """
    parts = load_parts(path, Network)
    network = parts.network
    network.training_state, network.history, network.pipeline = parts.state, parts.history, parts.pipeline
    return Model(network, parts.pipeline, parts.labels)
