"""Numbers on their way to the page: arrays as base64 in JSON, or many of them in a frame."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np

from pellucid.core.shapes import AnyArray
from pellucid.inspection.trace.as_data import as_json

ALIGNED = 8  # bytes: where an array of float64 may begin


def pack(array: AnyArray) -> dict[str, Any]:
    """{"shape": [28, 28], "uint8": base64} for bytes, {"shape", "float32"} for numbers; little-endian, row by row."""
    name = "uint8" if array.dtype == np.uint8 else "float32"
    numbers = np.ascontiguousarray(array, np.uint8 if name == "uint8" else np.dtype("<f4"))
    return {"shape": list(array.shape), name: base64.b64encode(numbers.tobytes()).decode("ascii")}


def framed(data: dict[str, Any], arrays: Mapping[str, AnyArray]) -> bytes:
    """JSON and arrays in one answer, laid out as in a safetensors file: the length of the JSON in 8 bytes, the JSON, the
    bytes of the arrays. The JSON is {"data": data, "arrays": {name: {"type": "float64", "shape": [..], "start": byte}}}.

    float32 and uint8 stay what they are; all else is sent as float64, so that no digit is lost.
    """
    described, parts, start = {}, [], 0
    for name, array in arrays.items():
        kind = str(array.dtype) if array.dtype in (np.float32, np.uint8) else "float64"
        content = np.ascontiguousarray(array, np.dtype(kind).newbyteorder("<")).tobytes()
        content += bytes(-len(content) % ALIGNED)
        described[name] = {"type": kind, "shape": list(array.shape), "start": start}
        parts.append(content)
        start += len(content)
    header = as_json({"data": data, "arrays": described}).encode()
    header += b" " * (-len(header) % ALIGNED)
    return b"".join([len(header).to_bytes(8, "little"), header, *parts])
