"""Whether training images are centred digits, and the pipeline for them."""

from __future__ import annotations

import numpy as np

from pellucid.core.shapes import AnyArray
from pellucid.data.digits.digit_pipeline import DigitPipeline

SAMPLE = 2000
MEASURED_VALUES = 10_000 * 28 * 28  # fewer of larger images, which may be on disk


def pipeline_for(images: AnyArray, rows: AnyArray | None = None) -> DigitPipeline | None:
    """A `DigitPipeline` measured on ``images``, if they are bright figures, centred by mass, on clean black; else None.

    The pipeline turns other pictures into this form, so it fits only a network trained on such images. Nine in ten images
    of a sample must have an empty edge and a centre of mass within a twentieth of the side from the middle. With ``rows``
    only those are measured, or some of them.
    """
    if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1] != images.shape[2] or images.shape[1] < 8:
        return None
    if rows is not None:
        images = images[rows[:: max(1, len(rows) * images[0].size // MEASURED_VALUES)]]
    sample = images[:: max(1, len(images) // SAMPLE)]
    side = sample.shape[1]
    edge_is_empty = ~(sample[:, [0, -1], :].any(axis=(1, 2)) | sample[:, :, [0, -1]].any(axis=(1, 2)))
    mass = sample.sum(axis=(1, 2), dtype=np.float64)
    place = np.arange(side) - (side - 1) / 2
    with np.errstate(invalid="ignore"):
        down = sample.sum(axis=2, dtype=np.float64) @ place / mass
        across = sample.sum(axis=1, dtype=np.float64) @ place / mass
    is_centred = np.maximum(np.abs(down), np.abs(across)) <= side / 20
    return DigitPipeline.fit(images) if np.mean(edge_is_empty & is_centred) >= 0.9 else None
