"""Pooling: an image made smaller, one number for each window and channel. There are no parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pellucid.core.shapes import AnyArray, Array, Shape
from pellucid.nn.layers.base import Context, Gradients, Layer, Named
from pellucid.nn.layers.windows import Padding, Pair, Windows, as_image, image_shape, windows


@dataclass(frozen=True)
class Pooling2D(Layer):
    """What both poolings with a window share: (B, H, W, C) -> (B, H', W', C)."""

    size: int | Pair = 2
    stride: int | Pair | None = None
    padding: Padding = "valid"

    def __post_init__(self) -> None:
        _ = self.windows

    @property
    def windows(self) -> Windows:
        """The windows; without a ``stride`` they lie side by side."""
        stride = self.size if self.stride is None else self.stride
        return windows(type(self).__name__, self.size, stride, self.padding)

    def output_shape(self, input_shape: Shape) -> Shape:
        shape = image_shape(input_shape, type(self).__name__)
        return (*self.windows.count(shape), shape[2])


class MaxPooling2DCache(NamedTuple):
    shape: Shape  # of x
    winners: AnyArray  # index of the largest number in each window, counted row by row


@dataclass(frozen=True)
class MaxPooling2D(Pooling2D):
    """y = the largest number of each window, channel by channel; the margins of a padding never win.

    ``size`` and ``stride`` (None: that of ``size``) are a number or a pair (height, width).
    """

    def forward(self, parameters: Named, x: Array, context: Context) -> tuple[Array, MaxPooling2DCache]:
        view = self.windows.view(self.windows.pad(as_image(x), -np.inf))
        rows = view.reshape(*view.shape[:3], -1, view.shape[5])
        winners = rows.argmax(axis=3)
        y = np.take_along_axis(rows, winners[:, :, :, None], axis=3)[:, :, :, 0]
        return y, MaxPooling2DCache(x.shape, winners)

    def backward(self, parameters: Named, cache: MaxPooling2DCache, dy: Array) -> tuple[Array, Gradients]:
        """y = x_winner, so dy goes to the winner of its window, and 0 to the others; of equal ones the first wins, row by
        row. A pixel that wins in several windows adds up what it gets."""
        width = self.windows.size[1]
        return self.windows.scatter(cache.shape, dy.dtype, lambda i, j: dy * (cache.winners == i * width + j)), {}


@dataclass(frozen=True)
class AveragePooling2D(Pooling2D):
    """y = the mean of each window, channel by channel; with a padding, of the pixels inside the image.

    ``size`` and ``stride`` (None: that of ``size``) are a number or a pair (height, width).
    """

    def forward(self, parameters: Named, x: Array, context: Context) -> tuple[Array, Shape]:
        view = self.windows.view(self.windows.pad(as_image(x), 0.0))
        return view.sum(axis=(3, 4)) / self._pixels(x), x.shape

    def backward(self, parameters: Named, cache: Shape, dy: Array) -> tuple[Array, Gradients]:
        """y = (1/n) sum of the n pixels of a window, so each of them gets dy / n, and a pixel adds up what it gets."""
        share = dy / self._pixels(np.empty(cache, dy.dtype))
        return self.windows.scatter(cache, dy.dtype, lambda i, j: share), {}

    def _pixels(self, x: Array) -> Array:
        """(H', W', 1): how many pixels of the image each window sees, counted on an image of ones."""
        ones = np.ones((1, *x.shape[1:3], 1), x.dtype)
        counted: Array = self.windows.view(self.windows.pad(ones, 0.0)).sum(axis=(3, 4))[0]
        return counted


@dataclass(frozen=True)
class GlobalAveragePooling2D(Layer):
    """y_bc = (1 / HW) sum_hw x_bhwc: (B, H, W, C) -> (B, C), whatever the size of the image."""

    def output_shape(self, input_shape: Shape) -> Shape:
        return image_shape(input_shape, "GlobalAveragePooling2D")[2:]

    def forward(self, parameters: Named, x: Array, context: Context) -> tuple[Array, Shape]:
        return as_image(x).mean(axis=(1, 2)), x.shape

    def backward(self, parameters: Named, cache: Shape, dy: Array) -> tuple[Array, Gradients]:
        """Every pixel has the share 1 / HW in the mean of its channel: dx_bhwc = dy_bc / HW."""
        batch, height, width, channels = (*cache, 1)[:4]  # (B, H, W) has one channel
        share = (dy / (height * width))[:, None, None]
        return np.broadcast_to(share, (batch, height, width, channels)).reshape(cache), {}
