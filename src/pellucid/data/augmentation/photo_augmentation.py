"""Random changes of training photos, so that a network learns to ignore how a picture was taken.

Each picture of a batch gets its own flip, shift, zoom, rotation, colors and cutout. The pixel ``(y, x)`` of the result is
interpolated at the point ``p`` of the original:

    p = centre + A ((y, x) - centre) - t        A = rotation / zoom, with the x-axis reversed by a flip

Beyond its edges the picture is reflected, so that no black corners appear.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.core.checks import instance_of, number_between
from pellucid.core.errors import DataError, ShapeError
from pellucid.core.random import Key, key, uniform
from pellucid.core.shapes import AnyArray, Array, describe
from pellucid.data.augmentation.mixup import Mixture, draw_mixture
from pellucid.data.pictures.bilinear import Places

_FLIP, _SHIFT_Y, _SHIFT_X, _ZOOM, _ROTATION, _BRIGHTNESS, _CONTRAST, _SATURATION, _TOP, _LEFT = range(10)
_BLOCK = 1 << 18  # numbers changed at once: they fit into the cache

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class PhotoAugmentation:
    """How much training photos are changed. Each value is a bound: the amount is uniform in -bound .. +bound.

    flip        whether a picture is mirrored left to right, with a probability of 1/2
    shift       fraction of the height and of the width: 0.1 moves a picture by up to a tenth of its sides
    scale       fraction: 0.2 shows things at 0.8 to 1.2 times their size
    rotation    degrees, up to 180
    color       fraction: 0.2 multiplies brightness, contrast and saturation by 0.8 to 1.2 each
    cutout      fraction of the sides: 0.25 covers a quarter of the height and of the width, at a random place, with the
                mean color of the picture
    mixup       alpha: each picture and its target are mixed with those of another one, with a share from
                Beta(alpha, alpha): 0 mixes none, 0.2 most pictures a little, 1 makes all shares equally likely

    >>> network.fit(x, y, augment=PhotoAugmentation(rotation=5.0, mixup=0.2))
    """

    flip: bool = True
    shift: float = 0.1
    scale: float = 0.15
    rotation: float = 10.0
    color: float = 0.2
    cutout: float = 0.25
    mixup: float = 0.0

    def __post_init__(self) -> None:
        instance_of(self.flip, bool, "PhotoAugmentation(flip)")
        highest = {"shift": 1.0, "scale": 1.0, "rotation": 180.0, "color": 1.0, "cutout": 1.0, "mixup": 1.0}
        for name, high in highest.items():
            what = f"PhotoAugmentation({name})"
            number_between(getattr(self, name), what, 0.0, high, open_high=name in ("scale", "cutout"))

    def __call__(self, images: AnyArray, key_: Key) -> Float32:
        """Change a batch: images (B, H, W) or (B, H, W, C), uint8 or floats in 0..1 -> float32 in 0..1, the same shape.

        A pure function of images, settings and key. Picture ``i`` of a batch draws the random numbers of element ``i``.
        Mixup needs the targets, so it is not done here but where `mixture` is called.
        Raises `ShapeError` for other arrays, `DataError` for floats outside of 0..1.
        """
        pixels = _checked(images)
        draws = uniform(key(key_, 0), (len(pixels), 10))
        result = np.empty(pixels.shape, np.float32)
        size = max(1, _BLOCK // max(1, pixels[:1].size))  # pictures
        for start in range(0, len(pixels), size):
            part = slice(start, start + size)
            planes = self._moved(pixels[part], draws[part])
            if self.color:
                self._recolor(planes, 1.0 + self.color * (2.0 * draws[part] - 1.0))
            if self.cutout:
                self._cover(planes, draws[part])
            result[part] = np.moveaxis(planes, 0, -1)
        return result.reshape(images.shape)

    def mixture(self, count: int, key_: Key) -> Mixture | None:
        """The mixup of a batch of ``count`` samples under the same key; None if there is none."""
        return draw_mixture(self.mixup, count, key(key_, 1)) if self.mixup and count > 0 else None

    def _moved(self, pixels: AnyArray, draws: Array) -> Float32:
        """Channels as planes, float32 (C, B, H, W) in 0..1, after flip, shift, zoom and rotation."""
        count, height, width, channels = pixels.shape
        unit = np.float32(255 if pixels.dtype == np.uint8 else 1)
        if not (self.flip or self.shift or self.scale or self.rotation):
            return np.ascontiguousarray(np.moveaxis(pixels, -1, 0), np.float32) / unit
        padded = np.empty((channels, count, height + 1, width + 1), pixels.dtype if unit == 255 else np.float32)
        padded[:, :, :-1, :-1] = np.moveaxis(pixels, -1, 0)  # the last row and column twice, for interpolation there
        padded[:, :, -1, :-1] = padded[:, :, -2, :-1]
        padded[:, :, :, -1] = padded[:, :, :, -2]
        y, x = self._places(draws, height, width)
        places = Places.at(y, x, height + 1, width + 1)
        planes = np.stack([places.read(plane) for plane in padded]).reshape(channels, count, height, width)
        planes /= unit
        return planes

    def _places(self, draws: Array, height: int, width: int) -> tuple[Float32, Float32]:
        """Where each pixel is read: y (B, H * W) in 0 .. H-1 and x (B, H * W) in 0 .. W-1."""
        centred = 2.0 * draws - 1.0
        angle = np.deg2rad(self.rotation * centred[:, _ROTATION])
        zoom = 1.0 + self.scale * centred[:, _ZOOM]
        mirror = np.where(self.flip & (draws[:, _FLIP] < 0.5), -1.0, 1.0)
        cosine, sine = np.cos(angle) / zoom, np.sin(angle) / zoom
        down, across = np.arange(height) - (height - 1) / 2, np.arange(width) - (width - 1) / 2
        y = _sum(cosine, down, mirror * sine, across, (height - 1) / 2 - self.shift * height * centred[:, _SHIFT_Y])
        x = _sum(-sine, down, mirror * cosine, across, (width - 1) / 2 - self.shift * width * centred[:, _SHIFT_X])
        return _reflected(y, height), _reflected(x, width)

    @staticmethod
    def _recolor(planes: Float32, factors: Array) -> None:
        """x <- b (m + c (g + s (x - g) - m)) in place, clipped to 0..1: brightness b, contrast c, saturation s.

        ``g`` is the grey of a pixel, the mean of its channels; ``m`` that of the picture.
        """
        factors = factors.astype(np.float32)[..., None, None]
        brightness, contrast, saturation = factors[:, _BRIGHTNESS], factors[:, _CONTRAST], factors[:, _SATURATION]
        grey = planes.mean(axis=0)
        mean = grey.reshape(len(grey), -1).mean(axis=1)[:, None, None]
        planes *= brightness * contrast * saturation
        grey *= brightness * contrast * (1 - saturation)
        grey += brightness * (1 - contrast) * mean
        planes += grey
        np.clip(planes, 0.0, 1.0, out=planes)

    def _cover(self, planes: Float32, draws: Array) -> None:
        """Cutout: fill a rectangle inside each picture with its mean color, in place."""
        channels, count, height, width = planes.shape
        rows = _interval(height, round(self.cutout * height), draws[:, _TOP])
        columns = _interval(width, round(self.cutout * width), draws[:, _LEFT])
        color = planes.reshape(channels, count, -1).mean(axis=2)[..., None, None]
        np.copyto(planes, color, where=rows[:, :, None] & columns[:, None, :])


def _checked(images: AnyArray) -> AnyArray:
    """The images as (B, H, W, C)."""
    is_floating = np.issubdtype(images.dtype, np.floating)
    if images.ndim not in (3, 4) or images.size == 0 < len(images) or not (is_floating or images.dtype == np.uint8):
        expected = "uint8 or floating-point images of shape (B, H, W) or (B, H, W, C)"
        raise ShapeError(f"PhotoAugmentation expects {expected}, got {describe(images)}.")
    if is_floating and images.size and not (images.min() >= 0 and images.max() <= 1):
        raise DataError(
            f"PhotoAugmentation expects floats in 0..1, got {images.min():g} to {images.max():g}; give it uint8, and "
            "standardise them in the network, by a layer Rescale."
        )
    return images if images.ndim == 4 else images[..., None]


def _sum(a: Array, y: Array, b: Array, x: Array, c: Array) -> Float32:
    """a y + b x + c for each picture and pixel: float32 (B, H, W)."""
    rows = (a[:, None] * y + c[:, None]).astype(np.float32)
    columns = (b[:, None] * x).astype(np.float32)
    return rows[:, :, None] + columns[:, None, :]


def _reflected(place: Float32, length: int) -> Float32:
    """Coordinates (B, H, W) reflected at the edges (half a pixel outside the last pixel), as (B, H * W)."""
    last, half = np.float32(length - 1), np.float32(0.5)
    place += half
    np.abs(place, out=place)
    place -= half  # reflected at the low edge; now at the high one
    np.subtract(last + half, place, out=place)
    np.abs(place, out=place)
    np.subtract(last + half, place, out=place)
    np.clip(place, 0, last, out=place)
    return place.reshape(len(place), -1)


def _interval(length: int, size: int, draw: Array) -> NDArray[np.bool_]:
    """(B, length): true on ``size`` consecutive entries, each start equally likely."""
    start = np.floor(draw * (length - size + 1)).astype(np.int64)[:, None]
    position = np.arange(length)
    return np.asarray((position >= start) & (position < start + size))
