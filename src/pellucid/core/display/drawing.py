"""Pictures as text, and signed numbers as a picture: blue is negative, orange positive, light grey 0.

Blue and orange also look different to people with color blindness.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pellucid.core.errors import ShapeError
from pellucid.core.shapes import AnyArray, Array

AGAINST, NEUTRAL, FOR = np.array([[33, 102, 172], [247, 247, 247], [217, 95, 2]], np.float64)
LETTERS_FOR, LETTERS_AGAINST = " .+#", " -=%"
SHADES = " .:+#"  # any terminal can print these
LUMINANCE = np.array([0.299, 0.587, 0.114])  # weights of red, green and blue (ITU-R BT.601)
WIDEST = 40  # characters in a line of a picture as text


def colored(values: Array) -> NDArray[np.uint8]:
    """(H, W) -> (H, W, 3): blue for negative numbers, orange for positive ones, full color for the largest magnitude."""
    strength = relative(values)[..., None]
    mixed = NEUTRAL + strength.clip(0) * (FOR - NEUTRAL) + (-strength).clip(0) * (AGAINST - NEUTRAL)
    return mixed.round().astype(np.uint8)


def as_shades(pixels: AnyArray, shades: str = SHADES) -> str:
    """A uint8 picture (H, W), or the luminance of (H, W, 3), two rows of pixels a line; the last shade is the brightest.

    Pictures wider than 40 pixels are reduced.
    """
    grey = _reduced(pixels @ LUMINANCE if pixels.ndim == 3 else pixels)
    low, high = float(grey.min()), float(grey.max())
    levels = ((_halved(grey) - low) / (high - low + 1) * len(shades)).astype(int)
    return "\n".join("".join(shades[level] for level in row).rstrip() for row in levels)


def as_letters(values: Array) -> str:
    """(H, W) as lines of text, two characters a pixel so that it looks square: ``.+#`` is positive, ``-=%`` negative."""
    return _letters(values, 2)


def as_small_letters(values: Array) -> str:
    """The same, but reduced as in `as_shades`, with one character a cell."""
    return _letters(_halved(_reduced(values)), 1)


def as_terminal_colors(values: Array) -> str:
    """(H, W) as colored half blocks, two rows of pixels a line, for terminals with 24-bit color."""
    pixels = colored(values)
    if len(pixels) % 2:
        pixels = np.concatenate([pixels, np.full((1, *pixels.shape[1:]), NEUTRAL, np.uint8)])
    lines = []
    for above, below in zip(pixels[::2], pixels[1::2], strict=True):
        cells = (f"\x1b[38;2;{_code(top)};48;2;{_code(low)}m▀" for top, low in zip(above, below, strict=True))
        lines.append("".join(cells) + "\x1b[0m")
    return "\n".join(lines)


def relative(values: Array) -> Array:
    """The numbers divided by their largest magnitude, so that they lie in [-1, 1]."""
    if values.ndim != 2:
        raise ShapeError(f"a map has the shape (H, W), not {values.shape}.")
    largest = float(np.abs(values).max(initial=0.0))
    return values / largest if largest > 0 else np.zeros_like(values)


def _letters(values: Array, wide: int) -> str:
    """Lines with ``wide`` equal characters for each number."""
    strength = relative(values)
    levels = np.ceil(np.abs(strength) * len(LETTERS_FOR) - 1).clip(0).astype(int)
    lines = []
    for row, signs in zip(levels, strength, strict=True):
        pairs = zip(row, signs, strict=True)
        letters = ((LETTERS_FOR if sign > 0 else LETTERS_AGAINST)[level] * wide for level, sign in pairs)
        lines.append("".join(letters).rstrip())
    return "\n".join(lines)


def _reduced(values: AnyArray) -> Array:
    """(H, W) -> means over squares of pixels, at most 40 of them in a row."""
    step = -(-values.shape[1] // WIDEST)
    height, width = (max(1, length // step) for length in values.shape)
    pixels = values[: height * step, : width * step]
    means: Array = pixels.reshape(height, len(pixels) // height, width, -1).mean(axis=(1, 3))
    return means


def _halved(values: Array) -> Array:
    """(H, W) -> means over pairs of rows: a character is twice as high as wide."""
    means: Array = values[: len(values) // 2 * 2].reshape(-1, 2, values.shape[1]).mean(axis=1)
    return means


def _code(color: NDArray[np.uint8]) -> str:
    return ";".join(str(int(part)) for part in color)
