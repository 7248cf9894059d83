"""The model file: one safetensors file of arrays and descriptions, which can hold no code.

    tensors    "dense_1.weight" ...            parameters and moving averages, by name
               "optimizer.m" ...               the optimizer's slots, flat, if they are saved
    metadata   "pellucid" -> one JSON object   versions, layers, labels, pipeline, history, progress,
                                             and, if there are such, calibration, transfer, shared weights

A large float32 tensor whose numbers are all those of float16 is stored as such: half the bytes, and the same numbers.

Descriptions can only name classes of `pellucid.nn.catalogue`. Declared shapes are compared with those of the tensors in the
file before anything is allocated.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pellucid.core.errors import ModelFileError
from pellucid.core.files import name_of_path
from pellucid.core.shapes import AnyArray
from pellucid.core.version import __version__

# 2 may hold a calibration; 3 float16, or a reference to weights of the package. A file says the least that it needs, so
# that older versions can read it.
FORMAT = 3
HALF = np.dtype(np.float16)
LARGE = 4096  # numbers
MAX_DESCRIPTION = 16 << 20


@dataclass
class ModelFile:
    """What is in a model file: ``description`` is plain data, ``arrays`` and ``slots`` map names to arrays."""

    description: dict[str, Any]
    arrays: Mapping[str, AnyArray]
    slots: Mapping[str, AnyArray] = field(default_factory=dict)


def model_file_bytes(content: ModelFile) -> bytes:
    """The bytes of a model file with this content; raises `ModelFileError` for a description that is too long."""
    from safetensors.numpy import save

    arrays = {name: _narrow(array) for name, array in content.arrays.items()}
    is_new = "shared" in content.description or any(array.dtype == HALF for array in arrays.values())
    format_needed = FORMAT if is_new else 2 if "calibration" in content.description else 1
    description = {"format": format_needed, "pellucid": __version__, **content.description}
    text = json.dumps(description, allow_nan=False, separators=(",", ":"))
    if len(text) > MAX_DESCRIPTION:
        raise ModelFileError(f"the description of the model is larger than {MAX_DESCRIPTION >> 20} MiB.")
    tensors = {**arrays, **{f"optimizer.{name}": slot for name, slot in content.slots.items()}}
    return bytes(save(tensors, metadata={"pellucid": text}))


def tensor_file_pieces(tensors: Mapping[str, AnyArray], metadata: Mapping[str, str]) -> list[bytes | memoryview]:
    """A safetensors file of arrays of floating-point numbers in pieces, to be written one after the other: the length of
    the header in 8 bytes, the header, and the arrays as they lie in memory, which is not copied."""
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    pieces: list[bytes | memoryview] = []
    end = 0
    for name, tensor in tensors.items():
        begin, end = end, end + tensor.nbytes
        header[name] = {"dtype": f"F{8 * tensor.itemsize}", "shape": list(tensor.shape), "data_offsets": [begin, end]}
        pieces.append(np.ascontiguousarray(tensor, tensor.dtype.newbyteorder("<")).data.cast("B") if tensor.size else b"")
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the numbers begin at a multiple of 8
    return [len(text).to_bytes(8, "little"), text, *pieces]


def read_model_file(path: str | os.PathLike[str]) -> ModelFile:
    """Read a model file; raises `ModelFileError` for one that is missing, damaged, foreign or too new."""
    from safetensors import SafetensorError, safe_open

    name = name_of_path(path, ModelFileError)
    if not os.path.isfile(name):
        kind = "a folder" if os.path.isdir(name) else "not a regular file"
        what = f"is {kind}" if os.path.exists(name) else "does not exist"
        raise ModelFileError(f"{name or repr(name)} {what}; expected a model file, such as digits.safetensors.")
    try:
        with safe_open(name, framework="numpy") as file:
            description = _description(name, file.metadata())
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a mapping
    except SafetensorError as error:
        raise ModelFileError(
            f"{name} is not a model file, or was cut off ({error}); expected one written by pellucid train or Model.save."
        ) from None
    except OSError as error:
        raise ModelFileError(f"{name} cannot be read: {error.strerror or error}.") from None
    except TypeError as error:  # a tensor type that NumPy does not have
        raise ModelFileError(f"{name} holds tensors of a type that Pellucid does not use: {error}.") from None
    slots = {key.removeprefix("optimizer."): t for key, t in tensors.items() if key.startswith("optimizer.")}
    arrays = {key: tensor for key, tensor in tensors.items() if not key.startswith("optimizer.")}
    return ModelFile(description, arrays, slots)


def _narrow(array: AnyArray) -> AnyArray:
    """The array in float16, if it is large and nothing is lost."""
    if array.dtype != np.float32 or array.size < LARGE:
        return array
    with np.errstate(over="ignore"):
        half = array.astype(HALF)
    return half if np.array_equal(half.astype(np.float32), array) else array


def _description(name: str, metadata: Mapping[str, str] | None) -> dict[str, Any]:
    if not metadata or "pellucid" not in metadata:
        raise ModelFileError(f"{name} is a safetensors file, but not one that Pellucid wrote: it has no description.")
    if len(metadata["pellucid"]) > MAX_DESCRIPTION:
        raise ModelFileError(f"the description in {name} is larger than {MAX_DESCRIPTION >> 20} MiB.")
    try:
        description = json.loads(metadata["pellucid"])
    except (ValueError, RecursionError):
        raise ModelFileError(f"the description in {name} is damaged: it is not JSON.") from None
    if not isinstance(description, dict) or not isinstance(description.get("format"), int):
        raise ModelFileError(f"the description in {name} is damaged: it has no format number.")
    if description["format"] > FORMAT:
        made_by = str(description.get("pellucid"))[:20]
        raise ModelFileError(
            f"{name} was written by Pellucid {made_by} in format {description['format']}; this is {__version__}, which "
            f"reads up to format {FORMAT}. Upgrade with pip install --upgrade pellucid."
        )
    return description
