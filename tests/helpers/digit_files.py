"""The digits of the test part, and their pictures as files."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image

import pellucid as pl

TEST_IMAGES, TEST_LABELS = pl.datasets.digits()[1]


def png(pixels: np.ndarray) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "png")
    return file.getvalue()
