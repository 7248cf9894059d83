"""What a page has painted, as numbers; and what it should have painted."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
from playwright.sync_api import Locator

READ = """(canvas) => {
  const {width, height} = canvas;
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.drawImage(canvas, 0, 0);
  const {data} = context.getImageData(0, 0, width, height), parts = [];
  for (let i = 0; i < data.length; i += 8192) parts.push(String.fromCharCode(...data.subarray(i, i + 8192)));
  return [[height, width, 4], btoa(parts.join(""))];
}"""
TYPES = {"float32": "<f4", "uint8": "u1"}
RAMPS = {  # below 0, at 0, above 0
    False: np.array([(5, 88, 160), (246, 246, 243), (196, 84, 0)], float),
    True: np.array([(96, 178, 245), (36, 41, 46), (255, 158, 66)], float),
}


def pixels(canvas: Locator, paper: Any = 0) -> Any:
    """A canvas: (rows, columns, red green blue) from 0 to 255; where it is clear, its ``paper`` is seen."""
    size, text = canvas.evaluate(READ)
    values = np.frombuffer(base64.b64decode(text), np.uint8).reshape(size).astype(float)
    ink = values[..., 3:] / 255
    return ink * values[..., :3] + (1 - ink) * paper


def ramp(values: Any, scale: float, is_dark: bool) -> Any:
    """Colors of numbers: neutral at 0, full blue at -scale, full orange at scale, by the square root."""
    low, middle, high = RAMPS[is_dark]
    share = np.sqrt(np.clip(np.abs(values) / scale, 0, 1))[..., None]
    return middle + share * (np.where(np.asarray(values)[..., None] < 0, low, high) - middle)


def beside_ramp(colors: Any, values: Any, scale: float, is_dark: bool, steps: int) -> Any:
    """How far colors are from those of a ramp of so many steps on each side of 0."""
    size, half = np.abs(values), scale / steps / 2 * 1.01
    ends = [
        ramp(np.where(np.asarray(values) < 0, -1, 1) * one, scale, is_dark)
        for one in (np.maximum(size - half, 0), size + half)
    ]
    return np.maximum(np.minimum(*ends) - colors, colors - np.maximum(*ends)).clip(0).max(axis=-1)


def color_of(element: Locator, name: str) -> Any:
    """A color of the style sheet, as it stands for an element."""
    text = element.evaluate("(one, name) => getComputedStyle(one).getPropertyValue(name).trim()", name)
    digits = text[1:] if len(text) == 7 else "".join(2 * digit for digit in text[1:])  # "#fff" is "#ffffff"
    return np.array([*bytes.fromhex(digits)], float)


def unpacked(packed: Mapping[str, Any]) -> Any:
    """An array as the server sends it."""
    kind = next(kind for kind in TYPES if kind in packed)
    return np.frombuffer(base64.b64decode(packed[kind]), TYPES[kind]).reshape(packed["shape"])
