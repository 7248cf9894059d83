"""Pictures that are not MNIST: the test digits moved, inverted, scaled, turned, and a collection by other people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
SAMPLES = 2000


def shifted(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Moved by up to 4 pixels, inside of the 28x28 frame."""
    down, right = rng.integers(-4, 5, 2)
    padded = np.pad(image, 4)
    return padded[4 - down : 32 - down, 4 - right : 32 - right]


def inverted(image: Pixels, rng: np.random.Generator) -> Pixels:
    return 255 - image


def halved(image: Pixels, rng: np.random.Generator) -> Pixels:
    """14x14, each pixel the mean of four."""
    return image.reshape(14, 2, 14, 2).mean(axis=(1, 3)).round().astype(np.uint8)


def on_a_large_sheet(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Enlarged three to five times, dark on light, anywhere on 200x300."""
    from PIL import Image

    side = int(28 * rng.uniform(3, 5))
    digit = np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC))
    sheet = np.full((200, 300), 235, np.uint8)
    top, left = rng.integers(0, 200 - side + 1), rng.integers(0, 300 - side + 1)
    part = sheet[top : top + side, left : left + side]
    part[...] = (part * (1 - digit / 255.0) + 30 * (digit / 255.0)).astype(np.uint8)
    return sheet


def turned(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Turned by up to 15 degrees either way."""
    from PIL import Image

    angle = float(rng.uniform(-15, 15))
    return np.asarray(Image.fromarray(image).rotate(angle, Image.Resampling.BICUBIC))


VARIANTS: dict[str, Callable[[Pixels, np.random.Generator], Pixels]] = {
    "as they are": lambda image, rng: image,
    "shifted by up to 4 pixels": shifted,
    "inverted": inverted,
    "scaled to half": halved,
    "drawn on 200x300": on_a_large_sheet,
    "turned by up to 15 degrees": turned,
}


def read_variants(model: Any, x: Pixels, y: NDArray[np.int64]) -> dict[str, float]:
    """Accuracy of ``model.predict`` on the first test digits in each variant, and on the 1,797 8x8 digits of UCI."""
    from sklearn.datasets import load_digits

    result = {}
    for name, change in VARIANTS.items():
        rng = np.random.default_rng(0)
        pictures = [change(image, rng) for image in x[:SAMPLES]]
        result[name] = _accuracy(model, pictures, y[:SAMPLES])
    other = load_digits()
    pictures = list((other.images * (255 / 16)).round().astype(np.uint8))
    result["UCI optical digits, 8x8"] = _accuracy(model, pictures, other.target)
    return result


def _accuracy(model: Any, pictures: list[Pixels], y: NDArray[np.int64]) -> float:
    labels = [prediction.label for prediction in model.predict(pictures)]
    return float(np.mean(np.array(labels) == y))
