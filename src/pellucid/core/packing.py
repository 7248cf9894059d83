"""Arrays in JSON: as nested lists, as base64, or as bytes that follow the JSON."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

from pellucid.core.errors import ArgumentError
from pellucid.core.shapes import AnyArray

Write: TypeAlias = Callable[[AnyArray], Any]
"""How an array is written: as nested lists, or packed."""

ALIGNED = 8  # arrays begin at multiples of so many bytes


def packing(size: int) -> Write:
    """Nested lists for arrays of less than ``size`` numbers; larger ones of float64 in base64, which takes a hundredth
    of the time and half of the space."""

    def write(array: AnyArray) -> Any:
        if array.size < size or array.dtype != np.float64:
            return array.tolist()
        return pack(array, "float64")

    return write


def as_json(data: dict[str, Any]) -> str:
    """Plain data in JSON; each number is written so that reading it gives the same bits.

    Raises `ArgumentError` if one is not finite, which JSON cannot hold.
    """
    try:
        return json.dumps(data, allow_nan=False, separators=(",", ":"))
    except ValueError:
        raise ArgumentError("this trace holds NaN or infinity, which JSON cannot hold; print(trace) shows where.") from None


def pack(array: AnyArray, kind: str | None = None) -> dict[str, Any]:
    """{"shape": [28, 28], "uint8": base64}, with "float32" for other types, or ``kind``; little-endian, row by row."""
    kind = kind or ("uint8" if array.dtype == np.uint8 else "float32")
    return {"shape": list(array.shape), kind: base64.b64encode(_little_endian(array, kind)).decode("ascii")}


def framed(data: dict[str, Any], arrays: Mapping[str, AnyArray]) -> bytes:
    """JSON and arrays in one answer, laid out as in a safetensors file: the length of the JSON in 8 bytes, the JSON, the
    bytes of the arrays. The JSON is {"data": data, "arrays": {name: {"type": "float64", "shape": [..], "start": byte}}}.

    float32 and uint8 keep their type; all others are sent as float64, so that no digit is lost.
    """
    described, parts, start = {}, [], 0
    for name, array in arrays.items():
        kind = str(array.dtype) if array.dtype in (np.float32, np.uint8) else "float64"
        content = _little_endian(array, kind)
        content += bytes(-len(content) % ALIGNED)
        described[name] = {"type": kind, "shape": list(array.shape), "start": start}
        parts.append(content)
        start += len(content)
    header = as_json({"data": data, "arrays": described}).encode()
    header += b" " * (-len(header) % ALIGNED)
    return b"".join([len(header).to_bytes(8, "little"), header, *parts])


def _little_endian(array: AnyArray, kind: str) -> bytes:
    return np.asarray(array, np.dtype(kind).newbyteorder("<")).tobytes()
