"""The convolution: one small dense layer that looks through a window, moved over the whole image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pellucid.core import random
from pellucid.core.checks import positive_integer
from pellucid.core.errors import ArgumentError, ShapeError
from pellucid.core.shapes import Array, Shape, size_of
from pellucid.mathematics.activations import activation
from pellucid.mathematics.initializers import Initializer
from pellucid.mathematics.regularizers import Regularizer
from pellucid.nn.layers.affine import affine_specs, check_affine, suited_initializer
from pellucid.nn.layers.base import Context, Gradients, Layer, Named, ParameterSpec
from pellucid.nn.layers.windows import Padding, Pair, Windows, as_image, image_shape, windows


class Conv2DCache(NamedTuple):
    shape: Shape  # of x
    padded: Array  # x with its margins
    z: Array
    a: Array
    needs_dx: bool


@dataclass(frozen=True)
class Conv2D(Layer):
    """a = f(z), with  z_bhwu = sum_ijc x_b,(h t + i d),(w t + j d),c W_ijcu + b_u  for stride t and dilation d.

    (B, H, W, C) -> (B, H', W', U): U ``filters``, each with a weight for every pixel of its window and every channel;
    W (kh, kw, C, U), b (U,). An image (H, W) has one channel. With ``padding`` "same" there are margins of zeros and
    H' = ceil(H / t); with "valid" windows stay inside; a number or a pair is that many zeros on each side, as in PyTorch.
    Sizes are a number or a pair (height, width). With ``groups`` G, channels and filters are cut into G equal parts, and
    each part of the filters sees its own part of the channels: W (kh, kw, C/G, U); G = C is a depthwise convolution. The
    other fields are those of `Dense`.
    """

    filters: int
    kernel_size: int | Pair = 3
    activation: str = "identity"
    stride: int | Pair = 1
    padding: Padding = "same"
    dilation: int | Pair = 1
    groups: int = 1
    initializer: str | Initializer | None = None
    use_bias: bool = True
    regularizer: str | Regularizer | None = None

    def __post_init__(self) -> None:
        positive_integer(self.filters, "Conv2D(filters)")
        positive_integer(self.groups, "Conv2D(groups)")
        if self.filters % self.groups:
            raise ArgumentError(
                f"Conv2D(groups={self.groups}) cuts the filters into equal parts; {self.filters} filters cannot be."
            )
        suited_initializer(self.initializer, self.activation)
        object.__setattr__(self, "activation", activation(self.activation).name)  # ours, whatever it was called
        check_affine(self)
        _ = self.windows

    @property
    def windows(self) -> Windows:
        """Where the filters look."""
        return windows("Conv2D", self.kernel_size, self.stride, self.padding, self.dilation)

    def output_shape(self, input_shape: Shape) -> Shape:
        return (*self.windows.count(self._image(input_shape)), self.filters)

    def parameter_specs(self, input_shape: Shape) -> tuple[ParameterSpec, ...]:
        shape = (*self.windows.size, self._image(input_shape)[2] // self.groups, self.filters)
        draw = suited_initializer(self.initializer, self.activation)
        return affine_specs(shape, draw if self.groups == 1 else _ByGroup(draw, self.groups), self.use_bias)

    def forward(self, parameters: Named, x: Array, context: Context) -> tuple[Array, Conv2DCache]:
        padded = self.windows.pad(as_image(x), 0.0)
        view = self.windows.view(padded)
        z = _joined(self._rows(view) @ self._by_group(parameters["weight"]), view.shape[:3])
        if "bias" in parameters:
            z += parameters["bias"]
        a = activation(self.activation).value(z)
        return a, Conv2DCache(x.shape, padded, z, a, context.needs_dx)

    def backward(self, parameters: Named, cache: Conv2DCache, dy: Array) -> tuple[Array | None, Gradients]:
        """Through a = f(z): dz = dy f'(z). Then, from the sum that defines z, with p = h t + i d and q = w t + j d:

        dW_ijcu = sum_bhw x_bpqc dz_bhwu:  with each window as a row of X, dW = X^T dz
        db_u    = sum_bhw dz_bhwu
        dx_bpqc = sum over all (h, i), (w, j) that meet in (p, q), and u, of dz_bhwu W_ijcu: each window sends
                  dz W_ij^T to the pixel in its row i and column j, and a pixel adds up what it gets.
        """
        weight = parameters["weight"]
        dz = dy * activation(self.activation).derivative(cache.z, cache.a)
        parts = self._by_group(dz)
        rows = self._rows(self.windows.view(cache.padded))
        dweight = (rows.transpose(0, 2, 1) @ parts).transpose(1, 0, 2).reshape(weight.shape)
        gradients: Gradients = {"weight": dweight}
        if "bias" in parameters:
            gradients["bias"] = dz.sum(axis=(0, 1, 2))
        if not cache.needs_dx:
            return None, gradients

        def share(i: int, j: int) -> Array:
            return _joined(parts @ self._by_group(weight[i, j]).transpose(0, 2, 1), dz.shape[:3])

        return self.windows.scatter(cache.shape, dz.dtype, share), gradients

    def _image(self, input_shape: Shape) -> tuple[int, int, int]:
        shape = image_shape(input_shape, "Conv2D")
        if shape[2] % self.groups:
            raise ShapeError(
                f"Conv2D(groups={self.groups}) cuts the channels into equal parts; {shape[2]} channels cannot be: "
                f"choose groups that divide {shape[2]}."
            )
        return shape

    def _rows(self, view: Array) -> Array:
        """Each window as a row, for each group: (B, H', W', kh, kw, C) -> (G, B H' W', kh kw C/G)."""
        parted = view.reshape(*view.shape[:5], self.groups, -1)
        return np.moveaxis(parted, 5, 0).reshape(self.groups, size_of(view.shape[:3]), -1)

    def _by_group(self, values: Array) -> Array:
        """A matrix for each group, of weights (..., C/G, U) or of sums (B, H', W', U): (..., U) -> (G, ..., U/G)."""
        return values.reshape(-1, self.groups, self.filters // self.groups).transpose(1, 0, 2)


@dataclass(frozen=True)
class _ByGroup(Initializer):
    """Draws each group as a convolution of its own: fan_in and fan_out count the channels and filters of the group."""

    inner: Initializer
    groups: int

    def draw(self, shape: Shape, key: random.Key) -> Array:
        part = (*shape[:-1], shape[-1] // self.groups)
        return np.concatenate([self.inner.draw(part, random.key(key, group)) for group in range(self.groups)], axis=-1)


def _joined(parts: Array, places: Shape) -> Array:
    """(G, B H' W', U/G) -> (B, H', W', U), where ``places`` is (B, H', W')."""
    return parts.transpose(1, 0, 2).reshape(*places, -1)
