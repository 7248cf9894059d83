"""Pictures that are too large for an address: kept under a number while the studio runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from pellucid.core.errors import ArgumentError
from pellucid.data.pipeline import Prepared

MOST_BYTES = 64 << 20  # the oldest are forgotten beyond that


@dataclass
class KeptPictures:
    """Pictures numbered from 1 on; equal pictures share a number. Several threads may use them."""

    most_bytes: int = MOST_BYTES
    _pictures: dict[int, Prepared] = field(default_factory=dict)
    _count: int = 0
    _lock: Lock = field(default_factory=Lock)

    def keep(self, pixels: NDArray[np.uint8], doubt: str | None = None) -> int:
        """Keep this picture; returns its number."""
        with self._lock:
            for number, one in self._pictures.items():
                if one.doubt == doubt and np.array_equal(one.pixels, pixels):
                    return number
            self._count += 1
            self._pictures[self._count] = Prepared(pixels.copy(), doubt)
            while len(self._pictures) > 1 and sum(one.pixels.nbytes for one in self._pictures.values()) > self.most_bytes:
                del self._pictures[min(self._pictures)]
            return self._count

    def find(self, number: int) -> Prepared:
        """The picture of this number; raises `ArgumentError` if it is not kept."""
        with self._lock:
            if number in self._pictures:
                return self._pictures[number]
        raise ArgumentError(
            f"the picture kept-{number} is no longer here: large pictures are kept only while the studio runs. Drop "
            "it again."
        )
