"""Layer normalization: each sample normalized by its own mean and variance, independently of the batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pellucid.core.checks import number_between
from pellucid.core.shapes import Array, Shape
from pellucid.mathematics.initializers import Constant
from pellucid.nn.layers.base import Context, Gradients, Layer, Named, ParameterSpec


class LayerNormalizationCache(NamedTuple):
    normalized: Array  # h
    inverse_std: Array


@dataclass(frozen=True)
class LayerNormalization(Layer):
    """y = gamma h + beta, with h = (x - mean) / sqrt(variance + epsilon) (Ba, Kiros and Hinton 2016).

    Mean and variance (divided by the count) are those of the D values of the last axis: of one sample of a table, of the
    channels of one pixel of an image; in training and prediction alike. gamma and beta are (D,).
    """

    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        number_between(self.epsilon, "LayerNormalization(epsilon)", 0.0, open_low=True)

    def output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def parameter_specs(self, input_shape: Shape) -> tuple[ParameterSpec, ...]:
        shape = input_shape[-1:]
        return ParameterSpec("gamma", shape, Constant(1.0)), ParameterSpec("beta", shape, Constant(0.0))

    def forward(self, parameters: Named, x: Array, context: Context) -> tuple[Array, LayerNormalizationCache]:
        centered = x - x.mean(axis=-1, keepdims=True)
        variance = np.square(centered).mean(axis=-1, keepdims=True)
        inverse_std = 1 / np.sqrt(variance + self.epsilon)
        h = centered * inverse_std
        return parameters["gamma"] * h + parameters["beta"], LayerNormalizationCache(h, inverse_std)

    def backward(self, parameters: Named, cache: LayerNormalizationCache, dy: Array) -> tuple[Array, Gradients]:
        """dgamma_d = sum dy_d h_d;  dbeta_d = sum dy_d, over samples and pixels.

        Mean and variance depend on x as in batch normalization, but here over the values of one sample, which have
        different gamma. So with dh = dy gamma, and means over the last axis:
        dx = (dh - mean(dh) - h mean(dh h)) / std.
        """
        h = cache.normalized
        features = h.shape[-1]
        dgamma = (dy * h).reshape(-1, features).sum(axis=0)
        dbeta = dy.reshape(-1, features).sum(axis=0)
        dh = dy * parameters["gamma"]
        dx = dh - dh.mean(axis=-1, keepdims=True) - h * (dh * h).mean(axis=-1, keepdims=True)
        return dx * cache.inverse_std, {"gamma": dgamma, "beta": dbeta}
