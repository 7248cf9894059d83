"""Batch normalization: each feature with mean 0 and variance 1 over the batch, then a learned scale and shift."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.initializers import Constant
from pellucid.layers.base import Context, Gradients, Layer, Named
from pellucid.parameters import ParameterSpec
from pellucid.shapes import Array, Shape, number_between


@dataclass(frozen=True)
class BatchNormalization(Layer):
    """y = gamma h + beta, with h = (x - mean) / sqrt(variance + epsilon) (Ioffe and Szegedy 2015).

    While training, mean and variance (divided by the count, not count - 1) are those of the batch, for each feature of
    the last axis; the moving averages follow as  moving <- momentum moving + (1 - momentum) batch  and take their place
    afterwards. A batch with one value per feature gives h = 0 and leaves the moving averages alone.
    """

    momentum: float = 0.9
    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        number_between(self.momentum, "BatchNormalization(momentum)", 0.0, 1.0, open_high=True)
        number_between(self.epsilon, "BatchNormalization(epsilon)", 0.0, open_low=True)

    def output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def parameter_specs(self, input_shape: Shape) -> tuple[ParameterSpec, ...]:
        shape = input_shape[-1:]
        return ParameterSpec("gamma", shape, Constant(1.0)), ParameterSpec("beta", shape, Constant(0.0))

    def state_specs(self, input_shape: Shape) -> tuple[ParameterSpec, ...]:
        shape = input_shape[-1:]
        return (
            ParameterSpec("moving_mean", shape, Constant(0.0)),
            ParameterSpec("moving_variance", shape, Constant(1.0), minimum=0.0),
        )

    def forward(self, parameters: Named, x: Array, context: Context) -> tuple[Array, Any]:
        if context.training:
            rows = x.reshape(-1, x.shape[-1])
            mean = rows.mean(axis=0)
            centered = x - mean
            variance = np.square(centered).reshape(rows.shape).mean(axis=0)
        else:
            mean, variance = parameters["moving_mean"], parameters["moving_variance"]
            centered = x - mean
        inverse_std = 1 / np.sqrt(variance + self.epsilon)
        h = centered * inverse_std
        y = parameters["gamma"] * h + parameters["beta"]
        return y, (h, inverse_std, mean, variance, context.training)

    def backward(self, parameters: Named, cache: Any, dy: Array) -> tuple[Array, Gradients]:
        """dgamma = sum dy h;  dbeta = sum dy.

        After training, mean and variance are constants: dx = dy gamma / std. While training they depend on x too:
        with dh = dy gamma, the sum over the M values of a feature of dL/dmean and dL/dvariance gives
        dx = (dh - mean(dh) - h mean(dh h)) / std = gamma / std (dy - dbeta / M - h dgamma / M).
        """
        h, inverse_std, _, _, training = cache
        features = h.shape[-1]
        dgamma = (dy * h).reshape(-1, features).sum(axis=0)
        dbeta = dy.reshape(-1, features).sum(axis=0)
        dx = dy
        if training:
            count = h.size // features
            dx = dy - dbeta / count - h * (dgamma / count)
        return dx * (parameters["gamma"] * inverse_std), {"gamma": dgamma, "beta": dbeta}

    def next_state(self, parameters: Named, cache: Any) -> Gradients:
        h, _, mean, variance, _ = cache
        if h.size == h.shape[-1]:
            return {}
        return {
            "moving_mean": self.momentum * parameters["moving_mean"] + (1 - self.momentum) * mean,
            "moving_variance": self.momentum * parameters["moving_variance"] + (1 - self.momentum) * variance,
        }
