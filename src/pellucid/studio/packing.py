"""Numbers on their way to the page: arrays as base64, and samples as words of an address."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from pellucid.shapes import AnyArray


def pack(array: AnyArray) -> dict[str, Any]:
    """{"shape": [28, 28], "uint8": base64} for bytes, {"shape", "float32"} for numbers; little-endian, row by row."""
    name = "uint8" if array.dtype == np.uint8 else "float32"
    numbers = np.ascontiguousarray(array, np.uint8 if name == "uint8" else np.dtype("<f4"))
    return {"shape": list(array.shape), name: base64.b64encode(numbers.tobytes()).decode("ascii")}
