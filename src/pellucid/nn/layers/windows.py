"""Windows that move over an image: their positions, their pixels, and how gradients go back from windows to pixels.

An image is (H, W, C), channels last; (H, W) is read as (H, W, 1). With a window of k pixels, each ``dilation`` d from the
next, spanning s = (k - 1) d + 1, and windows ``stride`` t apart, along each axis of n pixels:

    valid   windows lie inside the image                          floor((n - s) / t) + 1 windows
    same    margins of padding, a window every t pixels           ceil(n / t) windows
    p       margins of p pixels on both sides, as in PyTorch      floor((n + 2 p - s) / t) + 1 windows

The margins of "same" share max((windows - 1) t + s - n, 0) pixels; the odd one is at the bottom or right, as in TensorFlow.
So with stride 2 a window of 3 pixels begins at pixel 0 of an even side, and with a padding of 1 at pixel -1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import DTypeLike, NDArray

from pellucid.core.checks import one_of, positive_integer
from pellucid.core.errors import ArgumentError, ShapeError
from pellucid.core.shapes import Array, Shape

Pair: TypeAlias = tuple[int, int]
Padding: TypeAlias = str | int | Pair

PADDINGS = ("same", "valid")
MAX_SPAN = 4096  # pixels; "same" pads by as much, so a larger window would fill the memory


@dataclass(frozen=True)
class Windows:
    """The windows of a layer on images of any size; each pair is (height, width)."""

    size: Pair
    stride: Pair
    dilation: Pair
    padding: str | Pair

    @property
    def span(self) -> Pair:
        """The height and width of a window in pixels, with the gaps of its dilation."""
        (height, width), (down, across) = self.size, self.dilation
        return (height - 1) * down + 1, (width - 1) * across + 1

    def count(self, shape: Shape) -> Pair:
        """The number of windows on an image (H, W, C); `ShapeError` if none fits."""
        height, width = shape[:2]
        if self.padding == "same":
            return -(-height // self.stride[0]), -(-width // self.stride[1])
        (top, bottom), (left, right) = self.margins(shape)
        height, width = top + height + bottom, left + width + right
        if height < self.span[0] or width < self.span[1]:
            margins = "" if self.padding == "valid" else ", margins included"
            raise ShapeError(
                f"a window of {self.span[0]}x{self.span[1]} pixels does not fit into an image of {height}x{width}"
                f'{margins}; make it smaller, leave out a pooling or stride before it, or use padding="same".'
            )
        return (height - self.span[0]) // self.stride[0] + 1, (width - self.span[1]) // self.stride[1] + 1

    def pad(self, image: Array, value: float) -> Array:
        """(B, H, W, C) -> the same with its margins, filled with ``value``."""
        margins = self.margins(image.shape[1:])
        if margins == ((0, 0), (0, 0)):
            return image
        return np.pad(image, ((0, 0), *margins, (0, 0)), constant_values=value)

    def view(self, padded: Array) -> Array:
        """Every window of a padded batch, (B, windows down, windows across, kh, kw, C): a view, nothing is copied."""
        (down, across), (gap_down, gap_across) = self.stride, self.dilation
        every = sliding_window_view(padded, self.span, axis=(1, 2))
        return np.moveaxis(every[:, ::down, ::across, :, ::gap_down, ::gap_across], 3, 5)

    def scatter(self, shape: Shape, dtype: DTypeLike, share: Callable[[int, int], Array]) -> Array:
        """The gradient of a pixel is the sum of what the windows that see it send back.

        ``share(i, j)``, (B, windows down, windows across, C), is what each window sends to the pixel in its row i and
        column j; the sum has the ``shape`` of the batch of images. What falls into the margins is dropped.
        """
        batch, height, width, channels = (*shape, 1)[:4]  # (B, H, W) has one channel
        down, across = self.count(shape[1:])
        (top, bottom), (left, right) = self.margins(shape[1:])
        total: Array = np.zeros((batch, top + height + bottom, left + width + right, channels), dtype)
        for i, j in np.ndindex(*self.size):
            rows = _every(i * self.dilation[0], self.stride[0], down)
            columns = _every(j * self.dilation[1], self.stride[1], across)
            total[:, rows, columns] += share(i, j)
        return total[:, top : top + height, left : left + width].reshape(shape)

    def places(self, shape: Shape, window: Pair) -> NDArray[np.int64]:
        """(kh kw, 2): row and column in an image (H, W, C) of each pixel that a window sees, row by row.

        ``window`` is its own row and column among the windows. What it sees of the margins lies outside of the image.
        """
        (top, _), (left, _) = self.margins(shape)
        first = np.multiply(window, self.stride) - (top, left)
        return first + np.indices(self.size).reshape(2, -1).T * self.dilation

    def over(self, shape: Shape, pixel: Pair) -> Iterator[tuple[Pair, Pair]]:
        """The inverse of `places`: the windows that see a pixel (row, column), each as ((i, j), window), where the pixel
        lies in row i and column j of the window."""
        (top, _), (left, _) = self.margins(shape)
        height, width = self.count(shape)
        for i, j in np.ndindex(*self.size):
            row, down = divmod(pixel[0] + top - i * self.dilation[0], self.stride[0])
            column, across = divmod(pixel[1] + left - j * self.dilation[1], self.stride[1])
            if down == across == 0 and 0 <= row < height and 0 <= column < width:
                yield (i, j), (row, column)

    def margins(self, shape: Shape) -> tuple[Pair, Pair]:
        """((top, bottom), (left, right)): how many pixels of padding an image (H, W, C) gets."""
        if self.padding == "valid":
            return (0, 0), (0, 0)
        if isinstance(self.padding, tuple):
            down, across = self.padding
            return (down, down), (across, across)
        margins = []
        for pixels, windows, stride, span in zip(shape[:2], self.count(shape), self.stride, self.span, strict=True):
            both = max((windows - 1) * stride + span - pixels, 0)
            margins.append((both // 2, both - both // 2))
        return margins[0], margins[1]


def windows(kind: str, size: int | Pair, stride: int | Pair, padding: Padding, dilation: int | Pair = 1) -> Windows:
    """The windows that a layer's fields describe, checked; ``kind`` is the layer's name in errors."""
    checked = Windows(
        pair(size, f"the window of {kind}"),
        pair(stride, f"{kind}(stride)"),
        pair(dilation, f"{kind}(dilation)"),
        _margins_each(padding, kind),
    )
    for sizes, what in ((checked.span, "window"), (checked.stride, "stride"), (checked.dilation, "dilation")):
        if max(sizes) > MAX_SPAN:
            raise ArgumentError(f"a {what} of {kind} spans at most {MAX_SPAN} pixels, not {max(sizes):,}.")
    if isinstance(checked.padding, tuple) and any(p >= s for p, s in zip(checked.padding, checked.span, strict=True)):
        (down, across), (height, width) = checked.padding, checked.span
        raise ArgumentError(
            f"{kind}(padding) must be smaller than the window of {height}x{width} pixels, not {down}x{across}: a window in "
            "the margin alone would see nothing."
        )
    return checked


def _margins_each(padding: object, kind: str) -> str | Pair:
    """A name as it is; 1 as (1, 1): so many pixels on both sides, above and below, left and right."""
    if isinstance(padding, bool) or not isinstance(padding, tuple | int | np.integer):
        return one_of(padding, PADDINGS, "padding")
    sides = padding if isinstance(padding, tuple) else (padding, padding)
    if len(sides) != 2 or not all(isinstance(n, int | np.integer) and not isinstance(n, bool) and n >= 0 for n in sides):
        raise ArgumentError(
            f'{kind}(padding) must be "same", "valid", or how many pixels on each side: a whole number of at least 0 or a '
            f"pair (height, width), not {padding!r}."
        )
    return int(sides[0]), int(sides[1])


def pair(value: object, what: str) -> Pair:
    """3 as (3, 3); (height, width) as it is; or an `ArgumentError` that names ``what``."""
    if isinstance(value, tuple):
        if len(value) != 2:
            raise ArgumentError(f"{what} must be a whole number or a pair (height, width), not {value!r}.")
        height, width = (positive_integer(side, f"each number of {what}") for side in value)
        return height, width
    side = positive_integer(value, what)
    return side, side


def image_shape(shape: Shape, kind: str) -> tuple[int, int, int]:
    """(H, W, C) of one sample, with C = 1 for (H, W); a `ShapeError` for anything else."""
    if len(shape) == 2:
        return shape[0], shape[1], 1
    if len(shape) == 3:
        return shape[0], shape[1], shape[2]
    hint = f"; put {kind} before Flatten, Dense and GlobalAveragePooling2D" if len(shape) == 1 else ""
    raise ShapeError(f"{kind} takes images (H, W, C) or (H, W), not samples of the shape {shape}{hint}.")


def as_image(x: Array) -> Array:
    """A batch (B, H, W) as (B, H, W, 1); (B, H, W, C) as it is."""
    return x[..., None] if x.ndim == 3 else x


def _every(start: int, step: int, count: int) -> slice:
    return slice(start, start + (count - 1) * step + 1, step)
