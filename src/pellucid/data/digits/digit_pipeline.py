"""The pipeline for digits: from any picture of one to the form of the training images."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.core.errors import ArgumentError, DataError, ShapeError
from pellucid.core.shapes import Shape
from pellucid.data.digits.components import find_figure
from pellucid.data.digits.doubt import doubt_picture
from pellucid.data.digits.ink import find_ink
from pellucid.data.digits.redraw import box_of, crop, redraw
from pellucid.data.digits.stroke import stroke_thickness
from pellucid.data.pictures.image_file import Picture
from pellucid.data.pictures.read_picture import read_picture
from pellucid.data.pictures.resample import reduce_to
from pellucid.data.pipeline import Pipeline, Prepared

_OVERVIEW = 256  # the figure is looked for in a picture no longer than this
_CLEAN = 0.45  # a picture with at least this share of pure black (or white) has a clean background
_FULL = 200  # and ink of at least this grey level
_SAMPLE = 10_000  # a training set is measured on about this many pictures
_BLOCK = 500  # so many at a time, to save memory
_LEEWAY = 1.15  # how far a digit may go beyond the extremes of the training set


@dataclass(frozen=True)
class DigitPipeline(Pipeline):
    """Brings any picture of one digit into the form of the training set.

    size     height and width of the result
    box      longest side of the digit in it, in pixels
    thin     stroke thickness, in pixels of the result, below which strokes are made thicker
    thick    and above which they are made thinner
    heavy    thickness beyond which the picture is doubted: a blot
    lengthy  length of all strokes, in pixels of the result, beyond which it is doubted: a texture, or a text

    A picture that already looks like the training set (clean background, right size) is only moved, by whole pixels, so
    that ``pipeline(pipeline(x)) == pipeline(x)``.

    >>> pipeline = DigitPipeline.fit(training_images)
    >>> seven, other = pipeline.batch(["seven.jpg", array])
    >>> seven.pixels, seven.doubt
    """

    size: int = 28
    box: int = 20
    thin: float = 1.8
    thick: float = 2.7
    heavy: float = 8.8
    lengthy: float = 110.0

    def __post_init__(self) -> None:
        if not 4 <= self.box <= self.size <= 1024:
            raise ArgumentError(f"DigitPipeline(size={self.size}, box={self.box}): expected 4 <= box <= size <= 1024")
        if not (np.isfinite(astuple(self)).all() and 0 < self.thin <= self.thick <= self.heavy and self.lengthy > 0):
            raise ArgumentError(f"{self}: expected finite numbers with 0 < thin <= thick <= heavy and 0 < lengthy")

    @classmethod
    def fit(cls, images: NDArray[np.uint8]) -> DigitPipeline:
        """Measure a training set uint8 (N, H, H) of bright digits on black: box, and thickness and length of strokes.

        Raises ShapeError for other shapes and types, DataError if all pictures are empty.
        """
        if images.ndim != 3 or images.dtype != np.uint8 or images.shape[1] != images.shape[2]:
            raise ShapeError(f"expected uint8 images of shape (N, H, H), got {images.dtype} {images.shape}")
        sample = images[:: max(1, len(images) // _SAMPLE)]
        sample = sample[sample.any(axis=(1, 2))]
        if not len(sample):
            raise DataError("there is no ink in the training pictures; expected bright digits on black")
        longest = np.maximum(_extent(sample.max(axis=2)), _extent(sample.max(axis=1)))
        parts = [_strokes(sample[start : start + _BLOCK]) for start in range(0, len(sample), _BLOCK)]
        thickness, length = np.concatenate(parts, axis=1)
        thin, thick = np.percentile(thickness, [20, 80])
        numbers = (thin, thick, _LEEWAY * thickness.max(), _LEEWAY * length.max())
        return cls(images.shape[1], int(np.median(longest)), *(round(float(number), 3) for number in numbers))

    @property
    def output_shape(self) -> Shape:
        """(size, size)."""
        return self.size, self.size

    def prepare(self, source: Picture) -> Prepared:
        """The network's input, with a doubt if the picture is empty or clearly no digit."""
        picture = read_picture(source)
        digit = self._ready(picture)
        if digit is not None:
            return Prepared(self._place(digit), self._doubt(digit))
        ink = find_ink(picture)
        if ink.contrast == 0.0:
            return Prepared(np.zeros((self.size, self.size), np.uint8), "the picture is empty: it has one colour")
        small = reduce_to(ink.amount, _OVERVIEW)
        figure = find_figure(small, min(0.5, max(0.3, 4.0 * ink.noise)))
        digit = redraw(crop(ink.amount, figure.mask), self.box, self.thin, self.thick)
        return Prepared(self._place(digit), doubt_picture(ink, small, figure) or self._doubt(digit))

    def _ready(self, picture: NDArray[np.float32]) -> NDArray[np.uint8] | None:
        """The digit, cropped, if it has the right size on a clean background; None if it must be redrawn."""
        if picture.ndim != 2 or min(picture.shape) < self.box or max(picture.shape) > _OVERVIEW:
            return None
        grey = picture * np.float32(255)
        pixels = np.rint(grey).astype(np.uint8)
        if np.abs(grey - pixels).max() > 1e-3:
            return None
        if np.count_nonzero(pixels) > (1 - _CLEAN) * pixels.size:
            pixels = ~pixels
            if np.count_nonzero(pixels) > (1 - _CLEAN) * pixels.size:
                return None
        top, bottom, left, right = box_of(pixels)
        if not self.box - 1 <= max(bottom - top, right - left) <= self.box or pixels.max() < _FULL:
            return None
        return np.asarray(pixels[top:bottom, left:right])

    def _place(self, digit: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Put a digit (h, w), no longer than ``size``, so that its centre of mass comes nearest to the middle.

        The middle is where the four inner pixels meet, size / 2. Integers are exact, so that a picture moved by whole
        pixels always gives the same result. A digit never leaves the picture.
        """
        mass = digit.astype(np.int64)
        total = int(mass.sum())
        placed = np.zeros((self.size, self.size), np.uint8)
        if total == 0:
            return placed
        corner = []
        for axis, length in enumerate(digit.shape):
            moment = int(mass.sum(axis=1 - axis) @ np.arange(length))
            offset = -((2 * moment - (self.size - 1) * total) // (2 * total))
            corner.append(min(max(offset, 0), self.size - length))
        placed[corner[0] : corner[0] + digit.shape[0], corner[1] : corner[1] + digit.shape[1]] = digit
        return placed

    def _doubt(self, digit: NDArray[np.uint8]) -> str | None:
        """Why the strokes of a digit (h, w) are unlike those of the training set; or None."""
        ink = digit.astype(np.float32) / np.float32(255)
        thickness = float(stroke_thickness(ink)) if digit.size else 0.0
        if thickness == 0:
            return "the picture is empty: nothing stands out from the background"
        if thickness > self.heavy:
            return "no figure: the ink is one blot, without strokes"
        if float(ink.sum()) / thickness > self.lengthy:
            return "no single figure: too many strokes for a digit"
        return None


def _strokes(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The thickness and the length of the strokes of images (N, H, W), as (2, N)."""
    ink = images.astype(np.float32) / np.float32(255)
    thickness = stroke_thickness(ink)
    return np.stack([thickness, ink.sum(axis=(1, 2), dtype=np.float64) / thickness])


def _extent(profile: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The length (N,) from the first to the last non-zero entry of each row of (N, L), none of which is all zero."""
    occupied = profile > 0
    return np.asarray(occupied.shape[1] - occupied[:, ::-1].argmax(axis=1) - occupied.argmax(axis=1))
