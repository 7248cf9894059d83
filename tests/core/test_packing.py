"""Arrays in JSON and behind it, read back byte by byte."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest

from pellucid.core.packing import framed, pack, packing


@pytest.mark.parametrize(
    ("array", "kind", "read"),
    [
        (np.array([[1, 2], [3, 255]], np.uint8), "uint8", "u1"),
        (np.array([[0.5, -2], [3, 1e6]]).T, "float32", "<f4"),  # not row by row in memory
        (np.array([7, -8]), "float32", "<f4"),
    ],
)
def test_packed_arrays_are_bytes_or_numbers_row_by_row(array, kind, read):
    packed = json.loads(json.dumps(pack(array)))
    assert set(packed) == {"shape", kind}
    numbers = np.frombuffer(base64.b64decode(packed[kind]), read).reshape(packed["shape"])
    assert numbers.tolist() == array.tolist()


def test_large_arrays_of_float64_are_packed_with_all_digits():
    write, array = packing(3), np.array([[0.1, 1 / 3, 1e-300]])
    assert write(array) == pack(array, "float64")
    assert np.frombuffer(base64.b64decode(write(array)["float64"]), "<f8").tolist() == array[0].tolist()
    assert write(array[:, :2]) == [[0.1, 1 / 3]]
    assert write(np.arange(9)) == list(range(9))  # whole numbers are lists


def test_a_frame_holds_what_was_put_in():
    arrays = {"a": np.array([1, 2, 3], np.uint8), "b": np.array([0.1, -2.5]), "c": np.array([[7]], np.int64)}
    content = framed({"name": "é"}, arrays)
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    assert header["data"] == {"name": "é"}
    assert (8 + size) % 8 == 0
    body = content[8 + size :]
    assert header["arrays"]["b"] == {"type": "float64", "shape": [2], "start": 8}
    assert np.frombuffer(body, "<f8", 2, 8).tolist() == [0.1, -2.5]
    assert np.frombuffer(body, "u1", 3, 0).tolist() == [1, 2, 3]
    assert np.frombuffer(body, "<f8", 1, header["arrays"]["c"]["start"]).tolist() == [7.0]
