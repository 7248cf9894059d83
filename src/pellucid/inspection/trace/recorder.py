"""Layers that are watched: each does what the layer in it does, and keeps what went in and what came out.

So a trace shows the numbers of the layers' own ``forward`` and ``backward``, inside of residual blocks too, and nothing is
computed a second time. What a layer computed between its input and its output is what its cache has names for.
A `Recorder` serves one pass of a twin of the network, whose parameters and penalties are known by then.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from pellucid.core.shapes import AnyArray, Array, Shape
from pellucid.mathematics.activations import ACTIVATIONS, Activation
from pellucid.nn.layers.base import Context, Gradients, Layer, Named
from pellucid.nn.layers.nodes import numbered
from pellucid.nn.layers.outputs.output import OutputLayer
from pellucid.nn.layers.residual import Residual

# What the caches of layers may hold besides x, z and a.
NUMBERS = (
    *("scale", "mean", "variance", "inverse_std", "normalized", "factors", "winners", "slopes"),
    *("scaled", "product", "categories", "turns"),
)


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
        z: Array | None = self.output if isinstance(self.described, OutputLayer) else None
        return z if self._bend is None else self.cache.z

    @property
    def slopes(self) -> Array | None:
        """f'(z), after the way back."""
        return None if self._bend is None or self.doutput is None else self._bend.derivative(self.cache.z, self.output)

    @property
    def numbers(self) -> dict[str, AnyArray]:
        """What else the layer computed and kept, by name."""
        kept = {name: getattr(self.cache, name, None) for name in NUMBERS}
        return {name: np.asarray(value) for name, value in kept.items() if isinstance(value, np.ndarray | float)}

    @property
    def _bend(self) -> Activation | None:
        """f, of a layer that gives a = f(z) and keeps both."""
        name = getattr(self.described, "activation", None)
        keeps_both = hasattr(self.cache, "z") and getattr(self.cache, "a", None) is self.output
        return ACTIVATIONS.get(name) if keeps_both and isinstance(name, str) else None

    def output_shape(self, input_shape: Shape) -> Shape:
        return self.described.output_shape(input_shape)

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
