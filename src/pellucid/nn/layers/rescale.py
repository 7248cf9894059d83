"""Rescale: each channel scaled to mean 0 and variance 1, by numbers measured before training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from pellucid.core.checks import as_numbers, number_between
from pellucid.core.errors import ArgumentError, ShapeError
from pellucid.core.shapes import AnyArray, Array, Shape, describe
from pellucid.nn.layers.base import Context, Gradients, Layer, Named

Numbers: TypeAlias = float | tuple[float, ...]

LARGEST = 1e30
ROUNDING = 2.0**-23  # of a float32: a channel whose std is below this fraction of its mean is constant
BLOCK_VALUES = 1 << 22  # in float64, 32 MiB


@dataclass(frozen=True)
class Rescale(Layer):
    """y = scale x + offset, with one number for all channels, or one for each value of the last axis (C,).

    It comes right after `Input` and has no parameters: ``Rescale.fit(training_images)`` measures what standardises each
    channel. So pixels stay bytes until they reach the network, and the model file holds the scale.
    """

    scale: Numbers
    offset: Numbers = 0.0

    def __post_init__(self) -> None:
        for values, what in ((self.scale, "Rescale(scale)"), (self.offset, "Rescale(offset)")):
            numbers = values if isinstance(values, tuple) else (values,)
            if not numbers:
                raise ArgumentError(f"{what} is one number, or a tuple with one for each channel, not ().")
            for value in numbers:
                number_between(value, what, -LARGEST, LARGEST)

    @classmethod
    def fit(cls, images: Any) -> Rescale:
        """scale = 1 / std and offset = -mean / std, for each channel of images (N, H, W, C), for all of (N, H, W), for each
        column of a table (N, D); of x / 255 if x is uint8. A constant channel is only shifted to 0.
        """
        expected = "numbers are expected: images (N, H, W, C) or (N, H, W), or a table (N, D)"
        x = as_numbers(images, "images", expected)
        if x.ndim not in (2, 3, 4) or x.size == 0:
            raise ShapeError(f"images is {describe(x)}; {expected}.")
        unit = 1 / 255 if x.dtype == np.uint8 else 1.0
        with np.errstate(all="ignore"):  # what is not finite is named below
            mean = _mean(x, 0.0)
            std = np.sqrt(_mean(x, mean, square=True))
        if not (np.isfinite(mean) & np.isfinite(std)).all():
            raise ShapeError("images holds NaN or infinity; remove or fill in such samples first.")
        mean, std = mean * unit, std * unit
        std[std <= ROUNDING * np.abs(mean)] = 1.0
        scale, offset = tuple((1 / std).tolist()), tuple((-mean / std).tolist())
        return cls(scale[0], offset[0]) if x.ndim == 3 else cls(scale, offset)

    def output_shape(self, input_shape: Shape) -> Shape:
        for values, what in ((self.scale, "scale"), (self.offset, "offset")):
            if isinstance(values, tuple) and len(values) not in (1, input_shape[-1]):
                raise ShapeError(
                    f"Rescale has {len(values)} numbers as {what}; samples of the shape {input_shape} need one, "
                    f"or one for each of {input_shape[-1]} channels."
                )
        return input_shape

    def forward(self, parameters: Named, x: Array, context: Context) -> tuple[Array, None]:
        return x * np.asarray(self.scale, x.dtype) + np.asarray(self.offset, x.dtype), None

    def backward(self, parameters: Named, cache: None, dy: Array) -> tuple[Array, Gradients]:
        """dx = dy scale: a constant factor."""
        return dy * np.asarray(self.scale, dy.dtype), {}


def _mean(x: AnyArray, center: Any, *, square: bool = False) -> Array:
    """The mean of x - center, or of its square, for each channel, in float64; (N, H, W) is one channel. In blocks."""
    channels = 1 if x.ndim == 3 else x.shape[-1]
    total = np.zeros(channels)
    step = max(1, BLOCK_VALUES * len(x) // x.size)
    for start in range(0, len(x), step):
        rows = x[start : start + step].reshape(-1, channels)
        block = np.subtract(rows, center, dtype=np.float64, order="C")  # one layout, and so one order of adding
        total += (np.square(block) if square else block).sum(axis=0)
    return total / (x.size // channels)
