"""Random distortions of training pictures, so that a network learns to ignore how a digit was written.

Every picture of a batch gets its own shift, scale, rotation, shear, elastic distortion and stroke thickness. The
pixel ``(y, x)`` of the result is interpolated at the point ``p = (y, x) + u(y, x)`` of the original:

    u(y, x) = t + (A - I) ((y, x) - centre) + sum_k c_k b_k(y, x)

``t`` is the shift, ``A`` the product of rotation, shear and scale, ``b_k`` bicubic B-splines on a coarse grid, ``c_k``
random. The displacement is linear in the random numbers, so one matrix product gives it for the whole batch.

Elastic distortion of handwriting: Simard, Steinkraus, Platt, "Best practices for convolutional neural networks applied
to visual document analysis", ICDAR 2003; there a filtered random field, here a spline with random coefficients.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pellucid.core.checks import number_between
from pellucid.core.errors import ShapeError
from pellucid.core.random import Key, key, uniform
from pellucid.core.shapes import describe
from pellucid.data.pictures.bilinear import Places

_NUMBERS_PER_PICTURE = 8  # shift y, shift x, scale y, scale x, rotation, shear, thickness, one spare


@dataclass(frozen=True)
class Distortion:
    """How much training pictures are distorted. Each value is a bound: the amount is uniform in -bound .. +bound.

    shift       pixels, in each direction
    scale       fraction: 0.1 stretches height and width, each on its own, by a factor of 0.9 to 1.1
    rotation    degrees
    shear       fraction: 0.1 moves the top of a 20 pixel digit one pixel to one side, the bottom one pixel to the other
    elastic     root mean square displacement of a pixel in each direction, in pixels
    smoothness  distance between the grid points of the elastic displacement, in pixels
    thickness   1.0 makes strokes up to one pixel thicker or thinner on each side (the maximum)

    >>> distort = Distortion(rotation=15.0)
    >>> pictures = distort(batch, key(seed, Purpose.AUGMENT, step))
    """

    shift: float = 1.0
    scale: float = 0.12
    rotation: float = 12.0
    shear: float = 0.15
    elastic: float = 0.45
    smoothness: float = 6.0
    thickness: float = 0.9

    def __post_init__(self) -> None:
        for field in fields(self):
            low = 1.0 if field.name == "smoothness" else 0.0
            high = 1.0 if field.name in ("scale", "thickness") else math.inf
            what = f"Distortion({field.name})"
            number_between(getattr(self, field.name), what, low, high, open_high=field.name == "scale")

    def __call__(self, images: NDArray[np.uint8], key_: Key) -> NDArray[np.float32]:
        """Distort a batch: images uint8 (B, H, W) or (B, H, W, 1) -> float32 of the same shape, in 0..1.

        A pure function of images, settings and key. Picture ``i`` of a batch draws the random numbers of element ``i``.
        Raises `ShapeError` for other arrays.
        """
        if images.ndim == 4 and images.shape[3] == 1:
            return self(images[..., 0], key_)[..., None]
        if images.ndim != 3 or images.dtype != np.uint8:
            expected = "uint8 images of shape (B, H, W) or (B, H, W, 1)"
            raise ShapeError(f"Distortion expects {expected}, got {describe(images)}; PhotoAugmentation() takes colours.")
        draws = 2.0 * uniform(key(key_, 0), (len(images), _NUMBERS_PER_PICTURE)) - 1.0
        if self.thickness > 0:
            images = _thicken(images, self.thickness * draws[:, 6])
        if not (self.shift or self.scale or self.rotation or self.shear or self.elastic):
            return images.astype(np.float32) / np.float32(255)
        height, width = images.shape[1:]
        basis, elastic_gain = _basis(height, width, self.smoothness if self.elastic else 0.0)
        weights = np.empty((2, len(images), len(basis)), np.float32)
        weights[:, :, :3] = self._affine(draws)
        if self.elastic:
            coefficients = uniform(key(key_, 1), weights[:, :, 3:].shape, np.float32)
            coefficients -= np.float32(0.5)
            coefficients *= np.float32(self.elastic * elastic_gain)
            weights[:, :, 3:] = coefficients
        where = weights @ basis
        return _read_between(images, where[0], where[1])

    def _affine(self, draws: NDArray[np.floating]) -> NDArray[np.float64]:
        """The coefficients (2, B, 3) of (1, y, x), from the picture's centre, that give the point to read."""
        angle = np.deg2rad(self.rotation * draws[:, 4])
        cosine, sine = np.cos(angle), np.sin(angle)
        slant = self.shear * draws[:, 5]
        tall, wide = 1.0 / (1.0 + self.scale * draws[:, 2]), 1.0 / (1.0 + self.scale * draws[:, 3])
        y = np.stack([-self.shift * draws[:, 0], cosine * tall, sine * tall], axis=1)
        x = np.stack([-self.shift * draws[:, 1], (slant * cosine - sine) * wide, (cosine + slant * sine) * wide], axis=1)
        return np.stack([y, x])


@lru_cache(maxsize=8)
def _basis(height: int, width: int, spacing: float) -> tuple[NDArray[np.float32], float]:
    """The basis of the displacement, and the gain that scales uniform numbers to 1 pixel rms.

    Returns basis (3 + splines, H * W): 1, y, x from the centre, then the splines (none if ``spacing`` is 0).
    """
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    rows = [np.ones(height * width), y.ravel() - (height - 1) / 2, x.ravel() - (width - 1) / 2]
    if spacing == 0:
        return np.array(rows, np.float32), 0.0
    splines = np.einsum("ya,xb->abyx", _splines(height, spacing), _splines(width, spacing)).reshape(-1, height * width)
    variance_of_uniform = 1.0 / 12.0
    gain = 1.0 / np.sqrt(variance_of_uniform * np.mean(np.sum(splines**2, axis=0)))
    return np.concatenate([rows, splines]).astype(np.float32), float(gain)


def _splines(length: int, spacing: float) -> NDArray[np.float64]:
    """Cubic B-splines (length, knots), ``spacing`` apart, that add up to 1 everywhere on 0 .. length-1."""
    spans = max(1, int(np.ceil((length - 1) / spacing)))
    margin = (spans * spacing - (length - 1)) / 2
    position = (np.arange(length) + margin) / spacing
    distance = np.abs(position[:, None] - np.arange(-1, spans + 2)[None, :])
    inner = 2.0 / 3.0 - distance**2 + distance**3 / 2.0
    outer = np.clip(2.0 - distance, 0.0, None) ** 3 / 6.0
    return np.asarray(np.where(distance < 1.0, inner, outer), np.float64)


def _thicken(images: NDArray[np.uint8], amount: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Mix every picture with its dilation (amount > 0) or its erosion (amount < 0) by a cross of 3 x 3 pixels."""
    wider, thinner = images.copy(), images.copy()
    for combine, result in ((np.maximum, wider), (np.minimum, thinner)):
        combine(result[:, 1:], images[:, :-1], out=result[:, 1:])
        combine(result[:, :-1], images[:, 1:], out=result[:, :-1])
        combine(result[:, :, 1:], images[:, :, :-1], out=result[:, :, 1:])
        combine(result[:, :, :-1], images[:, :, 1:], out=result[:, :, :-1])
    other = np.where((amount > 0)[:, None, None], wider, thinner)
    share = np.round(256 * np.abs(amount)).astype(np.uint16)[:, None, None]
    mixed = images * (np.uint16(256) - share)
    mixed += other * share
    mixed >>= np.uint16(8)
    return np.asarray(mixed, np.uint8)


def _read_between(images: NDArray[np.uint8], y: NDArray[np.float32], x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bilinear interpolation of uint8 images (B, H, W) at y and x (B, H * W) from the centre; 0 outside; result 0..1."""
    count, height, width = images.shape
    padded = np.zeros((count, height + 3, width + 3), np.uint8)
    padded[:, 1:-2, 1:-2] = images
    y += np.float32((height - 1) / 2 + 1)
    x += np.float32((width - 1) / 2 + 1)
    np.clip(y, 0, height + 1, out=y)
    np.clip(x, 0, width + 1, out=x)
    result = Places.at(y, x, height + 3, width + 3).read(padded)
    result /= np.float32(255)
    return result.reshape(count, height, width)
