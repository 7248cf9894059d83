"""What a network trained on digits expects, and how to bring any picture there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import ShapeError
from pellucid.pipeline.components import find_figure
from pellucid.pipeline.ink import find_ink
from pellucid.pipeline.picture import read_picture
from pellucid.pipeline.resample import area_weights, blur_weights, reduce_to, smooth_weights
from pellucid.pipeline.stroke import stroke_thickness, threshold_for

if TYPE_CHECKING:
    from pellucid.pipeline.picture import Picture

_FINE = 4  # strokes are shaped on a grid this many times finer than the result
_OVERVIEW = 256  # parts of the figure are found on a picture no longer than this
_CLEAN = 0.45  # a picture with at least this share of exact black (or white) has a clean background
_THRESHOLD, _GAIN, _COARSE, _FLOOR = 0.5, 4.0, 1.2, 0.5
_FULL = 200  # and ink of at least this grey level


@dataclass(frozen=True)
class Prepared:
    """A picture as the network gets it, and whether it can be a digit at all.

    pixels  uint8 (size, size), bright ink on black
    doubt   None, or a sentence saying why this is no digit ("the picture is empty")
    """

    pixels: NDArray[np.uint8]
    doubt: str | None


@dataclass(frozen=True)
class DigitPipeline:
    """Brings any picture of one digit into the form of the training set.

    size    height and width of the result
    box     longest side of the digit in it, in pixels
    thin    stroke thickness, in pixels of the result, below which strokes are made thicker
    thick   and above which they are made thinner
    """

    size: int = 28
    box: int = 20
    thin: float = 1.9
    thick: float = 3.1

    @classmethod
    def fit(cls, images: NDArray[np.uint8]) -> DigitPipeline:
        """Measure a training set uint8 (N, H, W), H = W, of bright digits on black: box and stroke thickness.

        Raises ShapeError for other shapes and types.
        """
        if images.ndim != 3 or images.dtype != np.uint8 or images.shape[1] != images.shape[2] or not len(images):
            raise ShapeError(f"expected uint8 images of shape (N, H, H), got {images.dtype} {images.shape}")
        sample = images[:: max(1, len(images) // 5000)]
        rows, columns = sample.any(axis=2), sample.any(axis=1)
        longest = np.maximum(_extent(rows), _extent(columns))
        thickness = stroke_thickness(sample.astype(np.float32) / 255)
        thin, thick = np.percentile(thickness[longest > 0], [20, 80]) if longest.any() else (1.9, 3.1)
        return cls(images.shape[1], max(1, int(np.median(longest))), round(float(thin), 3), round(float(thick), 3))

    def __call__(self, source: Picture) -> NDArray[np.uint8]:
        """The picture as the network gets it, uint8 (size, size); raises DataError where `read_picture` does."""
        return self.prepare(source).pixels

    def batch(self, sources: Iterable[Picture]) -> list[Prepared]:
        """Prepare several pictures: a list of anything `read_picture` reads, or an array (N, H, W) or (N, H, W, C)."""
        return [self.prepare(source) for source in sources]

    def prepare(self, source: Picture) -> Prepared:
        """The picture as the network gets it, with a doubt where it is empty or clearly no digit."""
        if isinstance(source, np.ndarray):
            exact = self._already_fits(source)
            if exact is not None:
                return Prepared(exact, None)
        picture = read_picture(source)
        return self._redraw(picture)

    def _already_fits(self, pixels: NDArray[Any]) -> NDArray[np.uint8] | None:
        """The digit moved by whole pixels, if it has the right size on a clean ground; None if it must be redrawn."""
        if pixels.dtype != np.uint8 or pixels.ndim != 2 or min(pixels.shape) < self.box:
            return None
        black = pixels.size - np.count_nonzero(pixels)
        if black < _CLEAN * pixels.size:
            pixels = ~pixels
            black = pixels.size - np.count_nonzero(pixels)
            if black < _CLEAN * pixels.size:
                return None
        top, bottom, left, right = _box(pixels)
        longest = max(bottom - top, right - left)
        if not self.box - 1 <= longest <= self.box or pixels.max() < _FULL:
            return None
        return self._place(pixels[top:bottom, left:right])

    def _place(self, digit: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Put a digit (h, w), neither longer than size, so that its centre of mass comes nearest to the middle."""
        mass = digit.astype(np.int64)
        total = int(mass.sum())
        placed = np.zeros((self.size, self.size), np.uint8)
        corner = []
        for axis, length in enumerate(digit.shape):
            moment = int(mass.sum(axis=1 - axis) @ np.arange(length))
            # the middle is where four pixels meet; a centre of mass in -0.5 .. +0.5 of size / 2 stays where it is
            offset = -((2 * moment - (self.size - 1) * total) // (2 * total)) if total else 0
            corner.append(min(max(offset, 0), self.size - length))
        placed[corner[0] : corner[0] + digit.shape[0], corner[1] : corner[1] + digit.shape[1]] = digit
        return placed

    def _redraw(self, picture: NDArray[np.float32]) -> Prepared:
        """Find the ink, crop to the figure, shape its strokes on a fine grid, and reduce to the box."""
        empty = np.zeros((self.size, self.size), np.uint8)
        ink = find_ink(picture)
        if ink.contrast < 0.02:
            return Prepared(empty, "the picture is empty: it has one colour")
        small = reduce_to(ink.amount, _OVERVIEW)
        figure = find_figure(small, min(0.5, max(0.3, 4 * ink.noise)))
        if figure.parts == 0:
            return Prepared(empty, "the picture is empty: nothing stands out from the background")
        cropped = _crop(ink.amount, figure.mask)
        fine = self._shape(cropped)
        if fine is None:
            return Prepared(empty, "the picture is empty: nothing stands out from the background")
        return Prepared(self._place(fine), None)

    def _shape(self, amount: NDArray[np.float32]) -> NDArray[np.uint8] | None:
        """From a crop (h, w) of ink amounts to a digit whose longest side is the box, strokes as thick as in training."""
        height, width = amount.shape
        longest = max(height, width)
        inner, margin = self.box * _FINE, 2 * _FINE
        pixel = longest / inner
        if longest <= _COARSE * self.box:
            amount = _even_out(amount)
        rows, columns = (max(1, round(side / pixel)) + 2 * margin for side in (height, width))
        edge_y, edge_x = (rows * pixel - height) / 2, (columns * pixel - width) / 2
        down = smooth_weights(height, -edge_y, height + edge_y, rows)
        across = smooth_weights(width, -edge_x, width + edge_x, columns)
        fine = down @ amount @ across.T
        top = float(fine.max())
        if top <= 0:
            return None
        threshold = threshold_for(fine, _THRESHOLD * top, self.thin * _FINE, self.thick * _FINE)
        sharp = np.clip((fine - threshold) * max(_GAIN / top, 0.6 / threshold) + 0.5, 0.0, 1.0)
        return self._reduce(sharp)

    def _reduce(self, fine: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Average the figure of the fine grid down, its longest side to the box exactly."""
        top, bottom, left, right = _box(fine > 0.02)
        tall, wide = bottom - top, right - left
        pixel = max(tall, wide) / self.box
        rows, columns = (min(self.box, max(1, int(np.ceil(side / pixel - 1e-6)))) for side in (tall, wide))
        extra_y, extra_x = (rows * pixel - tall) / 2, (columns * pixel - wide) / 2
        down = area_weights(fine.shape[0], top - extra_y, bottom + extra_y, rows)
        across = area_weights(fine.shape[1], left - extra_x, right + extra_x, columns)
        small = down @ fine @ across.T
        return np.asarray(np.clip(np.round(small * (255.0 / small.max())), 0, 255), np.uint8)


def _even_out(amount: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give faint strokes of a coarse picture (h, w) full strength: divide by the largest of the 3 x 3 pixels around.

    A stroke narrower than a pixel is grey all along; one threshold for the whole picture would break it.
    """
    peak = np.pad(amount, 1)
    peak = np.maximum(np.maximum(peak[:-2], peak[1:-1]), peak[2:])
    peak = np.maximum(np.maximum(peak[:, :-2], peak[:, 1:-1]), peak[:, 2:])
    return np.asarray(amount / np.maximum(peak, _FLOOR), np.float32)


def _extent(occupied: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The length (N,) from the first to the last True of each row (N, L)."""
    first = occupied.argmax(axis=1)
    last = occupied.shape[1] - occupied[:, ::-1].argmax(axis=1)
    return np.asarray(np.where(occupied.any(axis=1), last - first, 0))


def _box(pixels: NDArray[Any]) -> tuple[int, int, int, int]:
    """Top, bottom, left, right (exclusive ends) of what is not zero in (H, W); an empty box if all is zero."""
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    if not len(rows):
        return 0, 0, 0, 0
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def _crop(amount: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The part of ``amount`` (H, W) in which the figure's mask, of this size or smaller, lies; all else erased."""
    top, bottom, left, right = _box(mask)
    height, width = mask.shape
    near = mask
    for _ in range(2):
        wider = near.copy()
        wider[1:] |= near[:-1]
        wider[:-1] |= near[1:]
        wider[:, 1:] |= near[:, :-1]
        wider[:, :-1] |= near[:, 1:]
        near = wider
    scale_y, scale_x = amount.shape[0] / height, amount.shape[1] / width
    top, bottom, left, right = max(top - 1, 0), min(bottom + 1, height), max(left - 1, 0), min(right + 1, width)
    y0, y1 = int(top * scale_y), int(np.ceil(bottom * scale_y))
    x0, x1 = int(left * scale_x), int(np.ceil(right * scale_x))
    rows = np.minimum((np.arange(y0, y1) / scale_y).astype(np.intp), height - 1)
    columns = np.minimum((np.arange(x0, x1) / scale_x).astype(np.intp), width - 1)
    return np.asarray(amount[y0:y1, x0:x1] * near[np.ix_(rows, columns)], np.float32)
