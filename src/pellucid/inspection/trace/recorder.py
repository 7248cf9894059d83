"""Layers that are watched: each does what the layer in it does, and keeps what went in and what came out.

So a trace shows the numbers of the layers' own ``forward`` and ``backward``, inside of residual blocks too, and nothing is
computed a second time. What a layer computed between its input and its output stands in its cache, under the names there.
A `Recorder` serves one pass of a twin of the network.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from pellucid.core.shapes import AnyArray, Array, Shape
from pellucid.mathematics.activations import activation
from pellucid.mathematics.regularizers import Regularizer
from pellucid.nn.layers.base import Context, Gradients, Layer, Named, ParameterSpec
from pellucid.nn.layers.nodes import numbered
from pellucid.nn.layers.outputs.output import OutputLayer
from pellucid.nn.layers.residual import Residual

# What the caches of layers may hold besides x, z and a.
NUMBERS = ("scale", "mean", "variance", "inverse_std", "normalized", "factors", "winners")


class Recorder(Layer):
    """A layer with a memory; ``name`` is its full name: ``residual_1.conv2d_2`` for one in a block."""

    input: AnyArray
    output: Array
    context: Context
    arrays: Named
    cache: Any
    doutput: Array | None = None
    dinput: Array | None = None

    def __init__(self, layer: Layer, name: str) -> None:
        self.name = name
        self.described = layer
        self.layer = layer
        self.main: tuple[Recorder, ...] = ()
        self.shortcut: tuple[Recorder, ...] = ()
        if isinstance(layer, Residual):
            self.main = _watched(numbered(layer.layers), name)
            self.shortcut = _watched(numbered(layer.shortcut, "shortcut_"), name)
            self.layer = replace(layer, layers=self.main, shortcut=self.shortcut)

    @property
    def kind(self) -> str:
        return self.described.kind

    @property
    def sums(self) -> Array | None:
        """z, of layers that give a = f(z) and keep both; an output layer gives z itself."""
        if isinstance(self.described, OutputLayer):
            return self.output
        z: Array | None = self._named.get("z")
        return z if self._named.get("a") is self.output else None

    @property
    def numbers(self) -> dict[str, AnyArray]:
        """What else the layer computed and kept, by name."""
        kept = {name: self._named.get(name) for name in NUMBERS}
        return {name: np.asarray(value) for name, value in kept.items() if isinstance(value, np.ndarray | float)}

    @property
    def slopes(self) -> Array | None:
        """f'(z), after the way back, of a layer that applies an activation f to its sums."""
        name, sums = getattr(self.described, "activation", None), self.sums
        if sums is None or self.doutput is None or not isinstance(name, str):
            return None
        return activation(name).derivative(sums, self.output)

    @property
    def _named(self) -> dict[str, Any]:
        """The cache by its names; that of a layer of your own may have none."""
        return self.cache._asdict() if hasattr(self.cache, "_asdict") else {}

    @property
    def penalty(self) -> Regularizer | None:
        return self.described.penalty

    def penalty_of(self, name: str) -> Regularizer | None:
        return self.described.penalty_of(name)

    def output_shape(self, input_shape: Shape) -> Shape:
        return self.described.output_shape(input_shape)

    def parameter_specs(self, input_shape: Shape) -> tuple[ParameterSpec, ...]:
        return self.described.parameter_specs(input_shape)

    def state_specs(self, input_shape: Shape) -> tuple[ParameterSpec, ...]:
        return self.described.state_specs(input_shape)

    def forward(self, parameters: Named, x: Array, context: Context) -> tuple[Array, Any]:
        y, cache = self.layer.forward(parameters, x, context)
        self.input, self.output, self.context, self.arrays, self.cache = x, y, context, parameters, cache
        return y, cache

    def backward(self, parameters: Named, cache: Any, dy: Array) -> tuple[Array | None, Gradients]:
        dx, gradients = self.layer.backward(parameters, cache, dy)
        self.doutput, self.dinput = dy, dx
        return dx, gradients

    def next_state(self, parameters: Named, cache: Any) -> Gradients:
        return self.layer.next_state(parameters, cache)


def _watched(named: dict[str, Layer], block: str) -> tuple[Recorder, ...]:
    return tuple(Recorder(layer, f"{block}.{own}") for own, layer in named.items())
