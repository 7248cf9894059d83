"""Pictures inside the page: each a PNG in a data URL, so that nothing is fetched."""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray

from pellucid.core.display.markup import Markup, element
from pellucid.core.shapes import AnyArray, Shape

LONGEST_SIDE = 128  # pixels: larger pictures are reduced
COARSE = 48  # up to this size, pixels are shown as squares


def is_picture(shape: Shape) -> bool:
    """Whether samples of this shape can be shown: (H, W) or (H, W, 1) grey, (H, W, 3) in colors."""
    return (len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3))) and min(shape) >= 1 and max(shape[:2]) > 1


def picture(sample: AnyArray, description: str) -> Markup:
    """An image of a sample; ``description`` is its alternative text."""
    from PIL import Image

    pixels = _pixels(sample)
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    content = io.BytesIO()
    image.save(content, "PNG", optimize=True)
    address = "data:image/png;base64," + base64.b64encode(content.getvalue()).decode("ascii")
    width, height = image.size
    kind = "coarse" if max(image.size) <= COARSE else None
    return element("img", src=address, alt=description, width=width, height=height, class_=kind)


def _pixels(sample: AnyArray) -> NDArray[np.uint8]:
    """(H, W, C) in 0..255; floats are read as 0..1, or from their lowest to their highest value if they go beyond."""
    values = sample if sample.ndim == 3 else sample[..., None]
    if values.dtype == np.uint8:
        return np.ascontiguousarray(values)
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 1.0)
    return np.ascontiguousarray(np.round((values - low) / (high - low) * 255), np.uint8)
