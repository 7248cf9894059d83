"""What the cache of each kind of layer holds, by name: the numbers between its input and its output.

A row for each kind that has some. A layer without one (and one of your own) shows its input, output, parameters and
gradients alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from pellucid.core.shapes import AnyArray, Array
from pellucid.inspection.trace.recorder import Recorder
from pellucid.mathematics.activations import activation
from pellucid.nn.layers.base import Layer
from pellucid.nn.layers.batch_normalization import BatchNormalization
from pellucid.nn.layers.convolution import Conv2D
from pellucid.nn.layers.dense import Dense
from pellucid.nn.layers.dropout import Dropout
from pellucid.nn.layers.input import Input
from pellucid.nn.layers.layer_normalization import LayerNormalization
from pellucid.nn.layers.outputs.output import OutputLayer
from pellucid.nn.layers.pooling import MaxPooling2D
from pellucid.nn.layers.residual import Residual

Named = dict[str, AnyArray]


@dataclass(frozen=True)
class Reading:
    """``sums`` is z, of layers that compute f(z) for some f (or that are z); ``numbers`` is what else they computed."""

    sums: Array | None = None
    numbers: Named = field(default_factory=dict)


def read(recorder: Recorder) -> Reading:
    """The numbers of one layer, after its forward."""
    if isinstance(recorder.described, OutputLayer):
        return Reading(recorder.output)
    return next((reader(recorder) for kind, reader in _READERS.items() if isinstance(recorder.described, kind)), Reading())


def slopes(layer: Layer, sums: Array | None, output: Array) -> Array | None:
    """f'(z), of a layer that applies an activation f to its sums."""
    name = getattr(layer, "activation", None)
    if sums is None or not isinstance(name, str):
        return None
    return activation(name).derivative(sums, output)


def _input(recorder: Recorder) -> Reading:
    return Reading(numbers={"scale": np.asarray(recorder.cache)})


def _weighted_sum(recorder: Recorder) -> Reading:
    _, z, *_ = recorder.cache
    return Reading(z)


def _convolution(recorder: Recorder) -> Reading:
    _, _, z, *_ = recorder.cache
    return Reading(z)


def _batch_normalization(recorder: Recorder) -> Reading:
    h, inverse_std, mean, variance, _, z, _ = recorder.cache
    return Reading(z, {"mean": mean, "variance": variance, "inverse_std": inverse_std, "normalized": h})


def _layer_normalization(recorder: Recorder) -> Reading:
    h, inverse_std = recorder.cache
    return Reading(numbers={"inverse_std": inverse_std, "normalized": h})


def _dropout(recorder: Recorder) -> Reading:
    return Reading(numbers={} if recorder.cache is None else {"factors": recorder.cache})


def _max_pooling(recorder: Recorder) -> Reading:
    _, winners = recorder.cache
    return Reading(numbers={"winners": winners})


def _residual(recorder: Recorder) -> Reading:
    _, _, z, *_ = recorder.cache
    return Reading(z)


_READERS: dict[type[Layer], Callable[[Recorder], Reading]] = {
    Input: _input,
    Dense: _weighted_sum,
    Conv2D: _convolution,
    BatchNormalization: _batch_normalization,
    LayerNormalization: _layer_normalization,
    Dropout: _dropout,
    MaxPooling2D: _max_pooling,
    Residual: _residual,
}
