"""Reading pictures between their pixels: bilinear interpolation at any places, those of a whole batch at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.core.shapes import AnyArray


@dataclass(frozen=True)
class Places:
    """Where to read pictures (B, H, W): the pixel above and to the left of each place, and how far beyond it that lies."""

    pixel: NDArray[np.intp]  # (B, n), counted over all pixels of the batch
    below: NDArray[np.float32]  # (B, n) in 0..1, and so is the other
    right: NDArray[np.float32]
    width: int

    @classmethod
    def at(cls, y: NDArray[np.float32], x: NDArray[np.float32], height: int, width: int) -> Places:
        """The places y (B, n) in [0, H-1) and x in [0, W-1) of pictures (B, H, W). Takes both arrays for its own."""
        row, column = y.astype(np.int32), x.astype(np.int32)
        y -= row
        x -= column
        index = row * np.int32(width)
        index += column
        index += (np.arange(len(y), dtype=np.int32) * np.int32(height * width))[:, None]
        return cls(index.astype(np.intp), y, x, width)

    def read(self, pictures: AnyArray) -> NDArray[np.float32]:
        """The values (B, n) of pictures (B, H, W), uint8 or float32, as they are (pixels remain 0..255)."""
        flat = pictures.reshape(-1)
        top = self._between(flat)
        bottom = self._between(flat[self.width :])
        bottom -= top
        bottom *= self.below
        top += bottom
        return top

    def _between(self, flat: AnyArray) -> NDArray[np.float32]:
        """Between each pixel and its neighbour to the right."""
        left = flat.take(self.pixel, mode="clip").astype(np.float32, copy=False)
        right = flat[1:].take(self.pixel, mode="clip").astype(np.float32, copy=False)
        right -= left
        right *= self.right
        left += right
        return left
