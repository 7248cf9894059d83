"""The weights of the networks that come with the package, and the hash by which a model file can refer to them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

import numpy as np

from pellucid.core.checks import one_of
from pellucid.core.errors import ModelFileError
from pellucid.core.shapes import AnyArray

NAMES = ("efficientnet-lite0",)
WEIGHTS = resources.files("pellucid.models.pretrained") / "efficientnet-lite0" / "weights.safetensors"
OF_OUTPUT = "output."  # what the names of the arrays of the last layer begin with


def pretrained_arrays(name: str) -> dict[str, AnyArray]:
    """The arrays of a network of the package, in float16; raises `ArgumentError` for an unknown name, `ModelFileError` if
    the installed file is damaged or missing."""
    one_of(name, NAMES, "pretrained network")
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        with resources.as_file(WEIGHTS) as path:
            return load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelFileError(cannot_be_read(name, error)) from None


def cannot_be_read(name: str, error: Exception) -> str:
    return f"the weights of {name}, which come with Pellucid, cannot be read ({error}); install Pellucid again."


def shared_arrays(arrays: Mapping[str, AnyArray]) -> dict[str, AnyArray]:
    """Those below the output layer, which networks for other classes share."""
    return {name: array for name, array in arrays.items() if not name.startswith(OF_OUTPUT)}


def hash_of_arrays(arrays: Mapping[str, AnyArray], layers: list[dict[str, Any]]) -> str:
    """The SHA-256 of described layers and their arrays, as numbers of float32."""
    found = hashlib.sha256(json.dumps(layers).encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name], np.float32)
        found.update(f"{name}{array.shape}".encode())
        found.update(array.data)
    return found.hexdigest()
