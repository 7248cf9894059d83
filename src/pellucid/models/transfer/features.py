"""Features: what a trained network makes of a picture before its last layer, as numbers to learn from.

    picture -> layers of the network, in prediction mode -> features (D) -> output layer

They are computed by the network itself, with an output layer that leaves them as they are (its weights are the unit
matrix), so by the same kernels as every other answer.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from pellucid.core.checks import one_of, positive_integer
from pellucid.core.display.text import printable
from pellucid.core.errors import ArgumentError
from pellucid.core.shapes import AnyArray
from pellucid.data.photos.feature_cache import Features, cached_features, digest_of, features_file
from pellucid.data.photos.folder import PhotoFolder
from pellucid.data.photos.photo_pipeline import PhotoPipeline
from pellucid.executors.choose import Engine
from pellucid.executors.logits import compute_logits
from pellucid.executors.native.inference import native_inference
from pellucid.models.model import Model, load
from pellucid.models.network import Network
from pellucid.models.pretrained.networks import pretrained
from pellucid.models.pretrained.weights import NAMES, hash_of_arrays, shared_arrays
from pellucid.nn import catalogue
from pellucid.nn.layers.base import Layer
from pellucid.nn.layers.outputs.regression import Regression
from pellucid.nn.stack import Stack
from pellucid.training.recipes.start_rules import NOTHING

MOST_FEATURES = 8192
BLOCK = 16  # pictures: so often progress is told and Ctrl-C is heard
VIEWS: dict[str, Callable[[AnyArray], AnyArray]] = {"as it is": lambda x: x, "mirrored": lambda x: x[:, :, ::-1]}
PLAIN = "as it is"

Progress = Callable[[int, int], None]
"""Called as ``progress(pictures done, pictures in all)``."""


@dataclass(frozen=True, eq=False)
class FeatureExtractor:
    """The layers of a trained ``source`` below its output layer. ``name`` is that of the package, or of its file without
    its folder; ``engine`` and ``threads`` are as in ``Network.fit``."""

    name: str
    source: Network
    pipeline: PhotoPipeline
    engine: Engine = "auto"
    threads: int | None = None

    @property
    def is_ours(self) -> bool:
        """Whether it comes with the package."""
        return self.name in NAMES

    @property
    def layers(self) -> Sequence[Layer]:
        return self.source.layers[:-1]

    @cached_property
    def arrays(self) -> dict[str, AnyArray]:
        """Parameters and state, by name."""
        return shared_arrays({**self.source.parameters, **self.source.state})

    @cached_property
    def sha256(self) -> str:
        """The hash of what it computes."""
        return hash_of_arrays(self.arrays, [catalogue.to_dict(layer) for layer in self.layers])

    @property
    def width(self) -> int:
        """D."""
        return int(self.source.nodes[-1].input_shape[0])

    @cached_property
    def _stack(self) -> Stack:
        unit = {"output.weight": np.eye(self.width, dtype=np.float32), "output.bias": np.zeros(self.width, np.float32)}
        stack = Stack([*self.layers, Regression(self.width)], arrays={**self.arrays, **unit})
        stack.engine_choice = self.engine
        native = native_inference(stack)
        if native is not None and self.threads is not None:
            native.threads = positive_integer(self.threads, "threads")
        return stack

    def __call__(self, x: AnyArray) -> Features:
        """The features (N, D) of pictures x (N, ...) that are prepared for the network."""
        return compute_logits(self._stack, self._stack.input.check(x)).astype(np.float32, copy=False)

    def of_folder(
        self,
        photos: PhotoFolder,
        x: AnyArray,
        rows: AnyArray | None = None,
        views: Sequence[str] = (PLAIN,),
        progress: Progress | None = None,
    ) -> Features:
        """The features (N, V, D) of each view of the pictures x of this folder, or of some ``rows`` of them, from its cache
        where they are known; x may be larger than memory."""
        rows = np.arange(len(x)) if rows is None else rows
        digests = [digest_of(view, x[row]) for row in rows for view in views]

        def compute(missing: list[int]) -> Iterator[Features]:
            for start in range(0, len(missing), BLOCK):
                block = (divmod(place, len(views)) for place in missing[start : start + BLOCK])
                pictures = [VIEWS[views[view]](x[rows[picture]][None]) for picture, view in block]
                yield self(np.ascontiguousarray(np.concatenate(pictures)))
                if progress is not None:
                    progress(min(start + BLOCK, len(missing)), len(missing))

        path = None
        if photos.cache is not None:
            path = features_file(photos.cache, photos.report.folder, photos.pipeline, f"{self.sha256} {self.engine}")
        return cached_features(path, digests, self.width, compute).reshape(len(rows), len(views), self.width)

    def network(self, output: Layer, weight: AnyArray, bias: AnyArray, seed: int) -> Network:
        """An ordinary network: these layers, and above them an output layer with these weights."""
        of_output = {"output.weight": weight.astype(np.float32), "output.bias": bias.astype(np.float32)}
        return Network([*self.layers, output], seed, arrays={**self.arrays, **of_output})


def feature_extractor(
    name: str | os.PathLike[str], engine: Engine = "auto", threads: int | None = None
) -> FeatureExtractor:
    """That of a network of the package, or of a model file for photos. Raises `ModelFileError` for a file that is missing,
    damaged or not one that Pellucid wrote, `ArgumentError` for a model that does not read photos."""
    name = os.fspath(name)
    if name in NAMES:
        return features_of_model(name, pretrained(name), engine, threads)
    if not name.endswith(".safetensors") and not Path(name).exists():
        one_of(name, (NOTHING, *NAMES), "pretrained network")
    return features_of_model(Path(name).name, load(name), engine, threads)


def features_of_model(name: str, model: Model, engine: Engine = "auto", threads: int | None = None) -> FeatureExtractor:
    """All of a model but its output layer."""
    if not isinstance(model.pipeline, PhotoPipeline):
        raise ArgumentError(f"{printable(name)} does not read photos, so nothing of it helps to tell photos apart.")
    shape = model.network.nodes[-1].input_shape
    if len(shape) != 1 or shape[0] > MOST_FEATURES:
        raise ArgumentError(
            f"the last hidden layer of {printable(name)} gives {'x'.join(map(str, shape))} numbers; features to learn from "
            f"are at most {MOST_FEATURES:,} in a row, as GlobalAveragePooling2D or Dense give them."
        )
    return FeatureExtractor(name, model.network, model.pipeline, engine, threads)
