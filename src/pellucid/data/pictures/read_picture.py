"""Read any picture file or array into one form: float32 in 0..1, grey (H, W) or colour (H, W, 3).

Pictures with more detail than any later step can use are reduced, by whole factors and by averaging, to `MAX_SIDE`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.core.errors import DataError
from pellucid.data.pictures.image_file import (
    MIN_SIDE,
    Picture,
    check_size,
    decoding,
    name_of,
    open_image,
    upright,
    without_warnings,
)

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_SIDE = 1600  # what is longer is reduced by a whole factor

_UNIFORM_INK = 0.15  # colours that vary less than this are taken as one colour
_LIGHT = 0.85  # ink lighter than this does not show on white


def read_picture(source: Picture) -> NDArray[np.float32]:
    """Read a picture: a path, the bytes of a file, an array, or a Pillow image.

    Files: PNG, JPEG, BMP, WebP, GIF (first frame), TIFF, PPM; any colour mode and depth; turned as EXIF says.
    Arrays: (H, W), (H, W, 1) grey, (H, W, 2) grey and alpha, (H, W, 3) RGB or (H, W, 4) RGBA; bool, uint8 (0..255), uint16
    (0..65535) or floating point (0..1).
    Transparent areas become white, or black under ink that is white itself.

    Returns float32 in 0..1, (H, W) for grey and (H, W, 3) for colour pictures, no side longer than `MAX_SIDE`.
    Raises DataError for what is missing, no picture, damaged, too small, larger than `MAX_PIXELS`, or out of range.
    """
    name = name_of(source)
    if isinstance(source, np.ndarray):
        return _from_array(source, name)
    with without_warnings():
        image = open_image(source, name)
        with decoding(name):
            longest = max(image.size)
            if longest > 2 * MAX_SIDE:
                width, height = (max(side * MAX_SIDE // longest, MIN_SIDE) for side in image.size)
                image.draft(None, (width, height))
            pixels = decode(upright(image))
    return _from_array(pixels, name)


def decode(image: Image) -> NDArray[Any]:
    """The pixels of a Pillow image of any mode, as bool, uint8, uint16 or float32 in 0..1."""
    mode = image.mode
    if mode.startswith("I;16"):
        grey = np.asarray(image).astype(np.uint16)
        hidden = image.info.get("transparency")
        return grey if hidden is None else np.dstack([grey, np.where(grey == hidden, 0, 65535).astype(np.uint16)])
    if mode in ("I", "F"):
        values = np.asarray(image, np.float32)
        top = next((top for top in (1.0, 255.0, 65535.0) if values.max() <= top and (mode == "F" or top > 1)), None)
        if top is None or not values.min() >= 0:
            raise DataError(f"a picture of mode {mode} must have values in 0..65535, got {values.min()}..{values.max()}")
        return values / np.float32(top)
    if mode in ("La", "PA", "RGBa") or (mode in ("1", "L", "P", "RGB") and image.has_transparency_data):
        return np.asarray(image.convert("LA" if mode in ("1", "L", "La") else "RGBA"))
    if mode in ("L", "RGB", "RGBA", "LA"):
        return np.asarray(image)
    return np.asarray(image.convert("L" if mode == "1" else "RGB"))


def check_array(pixels: NDArray[Any], name: str) -> None:
    """Raise DataError for an array that is not one picture, by its shape."""
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] not in (1, 2, 3, 4)):
        raise DataError(
            f"{name} is not one picture: expected an array of shape (H, W), (H, W, 3) or (H, W, 4), got {pixels.shape}"
        )
    check_size(pixels.shape[0], pixels.shape[1], name)


def white_of(pixels: NDArray[Any], name: str) -> float:
    """The value that white has in pixels of this type; raises DataError for types and numbers without a known range."""
    tops = {np.dtype(bool): 1.0, np.dtype(np.uint8): 255.0, np.dtype(np.uint16): 65535.0}
    top = tops.get(pixels.dtype.newbyteorder("="))
    if top is not None:
        return top
    if not np.issubdtype(pixels.dtype, np.floating):
        raise DataError(
            f"{name}: pixels of type {pixels.dtype} have no known range; expected uint8 (0..255), uint16 (0..65535), "
            "bool, or floating point in 0..1"
        )
    low, high = float(pixels.min()), float(pixels.max())
    if not (low >= -1e-3 and high <= 1 + 1e-3):  # NaN fails too
        raise DataError(
            f"{name}: floating point pixels must be in 0..1, without NaN; got {low:.4g} .. {high:.4g}; "
            "divide them by the value that white has"
        )
    return 1.0


def _from_array(pixels: NDArray[Any], name: str) -> NDArray[np.float32]:
    """Averages over whole blocks, so that no side exceeds MAX_SIDE, as float32 in 0..1, without alpha."""
    check_array(pixels, name)
    top = white_of(pixels, name)
    has_alpha = pixels.ndim == 3 and pixels.shape[2] in (2, 4)
    values = _reduce(pixels, top if has_alpha else None)
    if top != 1.0:
        values /= np.float32(top)
    np.clip(values, 0.0, 1.0, out=values)
    if values.ndim == 2:
        return values
    if has_alpha:
        values = _on_a_page(values[:, :, :-1], values[:, :, -1:])
    first = values[:, :, :1]
    return values[:, :, 0] if bool((values == first).all()) else values


def _reduce(pixels: NDArray[Any], opaque: float | None) -> NDArray[np.float32]:
    """Means of blocks of f x g pixels, the smallest whole f and g that bring both sides down to MAX_SIDE.

    Where the last channel is alpha, and ``opaque`` its largest value, colours are multiplied by it before they are
    averaged: what is not to be seen has no part in the mean.
    """
    height, width = pixels.shape[:2]
    tall, wide = -(-height // MAX_SIDE), -(-width // MAX_SIDE)
    rows, columns = height // tall, width // wide
    inside = pixels[: rows * tall, : columns * wide]
    total = np.zeros((rows, columns, *pixels.shape[2:]), np.float32)
    for y in range(tall):
        for x in range(wide):
            part = inside[y::tall, x::wide].astype(np.float32)
            if opaque is not None:
                part[:, :, :-1] *= part[:, :, -1:] / np.float32(opaque)
            total += part
    total /= np.float32(tall * wide)
    return total


def _on_a_page(inked: NDArray[np.float32], alpha: NDArray[np.float32]) -> NDArray[np.float32]:
    """What is drawn on nothing (colours times alpha, and alpha) as it looks on white; light ink, which would not, on black.

    Where more than half is opaque, with contrast of its own (a photograph with cut corners), its median is the page.
    """
    ink, page = float(alpha.sum(dtype=np.float64)), np.ones(inked.shape[2], np.float32)
    if ink > 0:
        colours = inked / np.maximum(alpha, np.float32(1e-6))
        mean = inked.sum(axis=(0, 1), dtype=np.float64) / ink
        variance = (alpha * (colours - mean) ** 2).sum(axis=(0, 1), dtype=np.float64) / ink
        opaque = alpha[:, :, 0] > 0.99
        if variance.max() < _UNIFORM_INK**2:
            page[:] = 0.0 if mean.min() > _LIGHT else 1.0
        elif opaque.mean() > 0.5:
            page = np.median(colours[opaque], axis=0).astype(np.float32)
    return np.asarray(inked + page * (1 - alpha), np.float32)
