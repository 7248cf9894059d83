"""Flatten: an image as one row of numbers."""

from __future__ import annotations

from dataclasses import dataclass

from pellucid.core.shapes import Array, Shape, size_of
from pellucid.nn.layers.base import Context, Gradients, Layer, Named


@dataclass(frozen=True)
class Flatten(Layer):
    """y = x reshaped from (B, H, W, ...) to (B, D), row by row."""

    def output_shape(self, input_shape: Shape) -> Shape:
        return (size_of(input_shape),)

    def forward(self, parameters: Named, x: Array, context: Context) -> tuple[Array, Shape]:
        return x.reshape(len(x), -1), x.shape

    def backward(self, parameters: Named, cache: Shape, dy: Array) -> tuple[Array, Gradients]:
        """dx = dy in the shape of x."""
        return dy.reshape(cache), {}
