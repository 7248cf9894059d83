"""Choosing a pipeline: what do these training images look like?"""

from __future__ import annotations

import numpy as np

from pellucid.pipeline.digits import DigitPipeline
from pellucid.shapes import AnyArray

SAMPLE = 2000


def pipeline_for(images: AnyArray) -> DigitPipeline | None:
    """A `DigitPipeline` measured on ``images``, if they are bright figures, centred by mass, on clean black; else None.

    That is what it turns other pictures into, so only a network trained on such images may have it. Nine images in ten of
    a sample must have an empty edge and a centre of mass within a twentieth of the side from the middle.
    """
    if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1] != images.shape[2] or images.shape[1] < 8:
        return None
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
