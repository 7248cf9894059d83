"""Dropout: in training, a random part of the units is set to 0, so that the network relies on none of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pellucid.core import random
from pellucid.core.checks import number_between
from pellucid.core.shapes import Array, Shape, size_of
from pellucid.nn.layers.base import Context, Gradients, Layer, Named
from pellucid.nn.layers.windows import image_shape


class DropoutCache(NamedTuple):
    factors: Array  # m / (1 - rate)


@dataclass(frozen=True)
class Dropout(Layer):
    """Inverted dropout (Srivastava et al. 2014): y = x m / (1 - rate) in training, y = x in prediction.

    m is 0 with probability ``rate``, else 1: element i of the batch is dropped when its 32 random bits, a function of
    (seed, step, layer, i), are below rate 2^32. The division keeps the expectation of y equal to x.
    """

    rate: float

    def __post_init__(self) -> None:
        number_between(self.rate, f"{type(self).__name__}(rate)", 0.0, 1.0, open_high=True)

    def output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def forward(self, parameters: Named, x: Array, context: Context) -> tuple[Array, DropoutCache | None]:
        if not context.training or self.rate == 0.0:
            return x, None
        shape = self._mask_shape(x.shape)
        bits = random.bits(context.key(random.Purpose.DROPOUT), size_of(shape)).reshape(shape)
        kept = bits >= np.uint32(min(round(self.rate * 2**32), 2**32 - 1))
        factors = kept.astype(x.dtype)
        factors *= 1 / (1 - self.rate)
        return x * factors, DropoutCache(factors)

    def backward(self, parameters: Named, cache: DropoutCache | None, dy: Array) -> tuple[Array, Gradients]:
        """dx = dy m / (1 - rate): the same mask."""
        return (dy if cache is None else dy * cache.factors), {}

    def _mask_shape(self, shape: Shape) -> Shape:
        """The shape of m for a batch of this shape."""
        return shape


@dataclass(frozen=True)
class Dropout2D(Dropout):
    """Dropout of whole channels (Tompson et al. 2015): y_bhwc = x_bhwc m_bc / (1 - rate) in training.

    Neighbouring pixels of a channel are similar, so dropping them one by one hides little. Channel c of sample b is the
    element b C + c; an image (H, W) is one channel.
    """

    def output_shape(self, input_shape: Shape) -> Shape:
        image_shape(input_shape, "Dropout2D")
        return input_shape

    def _mask_shape(self, shape: Shape) -> Shape:
        return (shape[0], 1, 1, *shape[3:])
