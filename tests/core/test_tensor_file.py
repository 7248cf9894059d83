"""Tensor files in pieces are those that the safetensors library reads."""

from __future__ import annotations

import numpy as np
from safetensors import safe_open

from pellucid.core.tensor_file import tensor_file_pieces


def test_pieces_are_a_file_that_others_read(tmp_path):
    tensors = {
        "weights": np.arange(6, dtype=np.float32).reshape(2, 3),
        "empty": np.zeros((0, 4), np.float32),
        "exact": np.array([np.pi, -0.0]),
        "turned": np.arange(6, dtype=np.float32).reshape(2, 3).T,
    }
    (tmp_path / "file").write_bytes(b"".join(tensor_file_pieces(tensors, {"words": "größer"})))
    with safe_open(tmp_path / "file", framework="numpy") as file:
        assert file.metadata() == {"words": "größer"}
        assert set(file.keys()) == set(tensors)
        for name, tensor in tensors.items():
            read = file.get_tensor(name)
            assert read.dtype == tensor.dtype
            np.testing.assert_array_equal(read, tensor)
