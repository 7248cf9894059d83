"""ScaleFeatures: each number of a sample times a factor of its own, which is learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pellucid.core.checks import number_between
from pellucid.core.shapes import Array, Shape
from pellucid.mathematics.initializers import Constant
from pellucid.nn.layers.base import Context, Gradients, Layer, Named, ParameterSpec

LARGEST_RATE = 1e6


class ScaleFeaturesCache(NamedTuple):
    """x (B, ...), and the factors s, of the shape of a sample."""

    x: Array
    factor: Array


@dataclass(frozen=True)
class ScaleFeatures(Layer):
    """y = s x with s = 1 + rate c: one learned factor s for each number of a sample. The parameter ``change``, which is c,
    starts at 0, so that y = x at first.

    rate  how many times the learning rate of the network the factors have: a step of Adam is the same for any multiple of a
          gradient. With the learning rate r it moves c by r u, and so s by rate r u

    Neither penalties nor weight decay act on c. Source: Holzmüller, Grinsztajn and Steinwart 2024 (arXiv:2407.04491,
    RealMLP), where the factors stand before the first dense layer and have six times the learning rate.
    """

    rate: float = 1.0

    def __post_init__(self) -> None:
        number_between(self.rate, "ScaleFeatures(rate)", 0.0, LARGEST_RATE, open_low=True)

    def output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def parameter_specs(self, input_shape: Shape) -> tuple[ParameterSpec, ...]:
        return (ParameterSpec("change", input_shape, Constant(0.0)),)

    def forward(self, parameters: Named, x: Array, context: Context) -> tuple[Array, ScaleFeaturesCache]:
        factor = 1 + x.dtype.type(self.rate) * parameters["change"]
        return x * factor, ScaleFeaturesCache(x, factor)

    def backward(self, parameters: Named, cache: ScaleFeaturesCache, dy: Array) -> tuple[Array, Gradients]:
        """From y_bd = (1 + rate c_d) x_bd:

        dx_bd = dy_bd (1 + rate c_d)
        dc_d  = rate sum_b dy_bd x_bd
        """
        change = dy.dtype.type(self.rate) * np.einsum("b...,b...->...", dy, cache.x)
        return dy * cache.factor, {"change": change}
