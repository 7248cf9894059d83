"""What the pictures of a folder look like, by some of them: photos in colour, or something else?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pellucid.core.errors import DataError
from pellucid.data.photos.listing import Entry, Listing
from pellucid.data.pictures.image_file import decoding, open_image, without_warnings

if TYPE_CHECKING:
    from PIL.Image import Image

MOST = 24  # pictures that are looked at, evenly spread
MOST_DECODED = 50_000_000  # pixels: enough for any set of small pictures, and for a few that no JPEG reduces
SMALL = 64  # pixels: to this size a picture is reduced to see its colours
COLORFUL = 6.0  # of 255: the mean distance of the largest and the smallest channel in a picture with colours
SMALLEST_SIDE = 32  # of photos; in smaller pictures a network for large ones sees little


@dataclass(frozen=True)
class Look:
    """``in_color`` of the ``count`` pictures that were looked at have colours; ``side`` is the median of their shorter
    sides in pixels, or None if only their reduced form is known."""

    count: int
    in_color: int
    side: int | None = None

    @property
    def are_photos(self) -> bool:
        """Whether most have colours and they are not tiny."""
        return 2 * self.in_color > self.count and (self.side is None or self.side >= SMALLEST_SIDE)

    @property
    def in_words(self) -> str:
        """What was seen, for a sentence about pictures."""
        if 2 * self.in_color <= self.count:
            return f"{self.count - self.in_color} of {self.count} have no colours"
        if self.side is not None and self.side < SMALLEST_SIDE:
            return f"their shorter sides are {self.side} pixels, fewer than {SMALLEST_SIDE}"
        sides = "" if self.side is None else f", and their shorter sides are {self.side:,} pixels"
        return f"{self.in_color} of {self.count} have colours{sides}"


def look_at_files(listing: Listing) -> Look:
    """Some files of a listing; those that cannot be read tell nothing."""
    sides, in_color, decoded = [], 0, 0
    with without_warnings():
        for row in _spread(len(listing.entries)):
            seen = _seen(listing.root, listing.entries[row])
            if seen is None:
                continue
            sides.append(seen[0])
            in_color += _has_colors(seen[1])
            decoded += seen[2]
            if decoded > MOST_DECODED:
                break
    return Look(len(sides), in_color, round(median(sides)) if sides else 0)


def look_at_pixels(x: NDArray[np.uint8]) -> Look:
    """Some of the prepared pictures x, (N, H, W, 3), or (N, H, W) in grey."""
    rows = _spread(len(x))
    step = max(1, x.shape[1] // SMALL), max(1, x.shape[2] // SMALL)
    in_color = 0 if x.ndim == 3 else sum(_has_colors(x[row, :: step[0], :: step[1]]) for row in rows)
    return Look(len(rows), in_color)


def _spread(count: int) -> list[int]:
    """Some of so many rows."""
    return sorted({k * count // min(MOST, count) for k in range(min(MOST, count))})


def _seen(root: Path, entry: Entry) -> tuple[int, NDArray[np.uint8], int] | None:
    """The shorter side of a picture, its pixels much reduced, and how many had to be decoded for that."""
    try:
        image = open_image(root / entry.file, "it")
        with image, decoding("it"):
            side = min(image.size)
            image.draft("RGB", (SMALL, SMALL))
            decoded = image.width * image.height
            return side, _reduced(image), decoded
    except (DataError, MemoryError):
        return None


def _reduced(image: Image) -> NDArray[np.uint8]:
    from PIL import Image

    image.thumbnail((SMALL, SMALL), Image.Resampling.BOX)
    return np.array(image.convert("RGBA").convert("RGB"))


def _has_colors(pixels: NDArray[np.uint8]) -> bool:
    return float(np.ptp(pixels, axis=-1).mean()) > COLORFUL
