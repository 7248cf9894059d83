"""Batch normalization: each feature with mean 0 and variance 1 over the batch, then a learned scale and shift."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pellucid.core.checks import number_between
from pellucid.core.shapes import Array, Shape
from pellucid.mathematics.activations import activation
from pellucid.mathematics.initializers import Constant
from pellucid.nn.layers.base import Context, Gradients, Layer, Named, ParameterSpec


class BatchNormalizationCache(NamedTuple):
    normalized: Array  # h
    inverse_std: Array
    mean: Array
    variance: Array
    training: bool
    z: Array
    a: Array


@dataclass(frozen=True)
class BatchNormalization(Layer):
    """y = f(gamma h + beta), with h = (x - mean) / sqrt(variance + epsilon) (Ioffe and Szegedy 2015).

    In training, mean and variance (divided by the count, not count - 1) are those of the batch, for each feature of the
    last axis (the channels of images); prediction uses their moving averages,  moving <- momentum moving + (1 - momentum)
    batch. A batch with one value per feature gives h = 0 and does not change the moving averages. f is the ``activation``;
    the layer before usually has none.
    """

    momentum: float = 0.9
    epsilon: float = 1e-5
    activation: str = "identity"

    def __post_init__(self) -> None:
        number_between(self.momentum, "BatchNormalization(momentum)", 0.0, 1.0, open_high=True)
        number_between(self.epsilon, "BatchNormalization(epsilon)", 0.0, open_low=True)
        object.__setattr__(self, "activation", activation(self.activation).name)  # ours, whatever it was called

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

    def forward(self, parameters: Named, x: Array, context: Context) -> tuple[Array, BatchNormalizationCache]:
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
        z = parameters["gamma"] * h + parameters["beta"]
        a = activation(self.activation).value(z)
        return a, BatchNormalizationCache(h, inverse_std, mean, variance, context.training, z, a)

    def backward(self, parameters: Named, cache: BatchNormalizationCache, dy: Array) -> tuple[Array, Gradients]:
        """Through f: dz = dy f'(z). Then dgamma = sum dz h;  dbeta = sum dz.

        In prediction, mean and variance are constants: dx = dz gamma / std. In training they depend on x too:
        with dh = dz gamma, the sum over the M values of a feature of dL/dmean and dL/dvariance gives
        dx = (dh - mean(dh) - h mean(dh h)) / std = gamma / std (dz - dbeta / M - h dgamma / M).
        """
        h = cache.normalized
        dz = dy * activation(self.activation).derivative(cache.z, cache.a)
        features = h.shape[-1]
        dgamma = (dz * h).reshape(-1, features).sum(axis=0)
        dbeta = dz.reshape(-1, features).sum(axis=0)
        dx = dz
        if cache.training:
            count = h.size // features
            dx = dz - dbeta / count - h * (dgamma / count)
        return dx * (parameters["gamma"] * cache.inverse_std), {"gamma": dgamma, "beta": dbeta}

    def next_state(self, parameters: Named, cache: BatchNormalizationCache) -> Gradients:
        if cache.normalized.size == cache.normalized.shape[-1]:
            return {}
        return {
            "moving_mean": self.momentum * parameters["moving_mean"] + (1 - self.momentum) * cache.mean,
            "moving_variance": self.momentum * parameters["moving_variance"] + (1 - self.momentum) * cache.variance,
        }
