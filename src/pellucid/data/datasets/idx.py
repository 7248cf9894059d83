"""The IDX format of MNIST and its relatives: a short header, then plain numbers.

Two zero bytes, one for the type of the numbers, one for the number of dimensions; then the dimensions and the values, all
big-endian. The file may be packed with gzip.
"""

from __future__ import annotations

import gzip
import io
import math
import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.core.errors import DataError

Part = tuple[NDArray[np.uint8], NDArray[np.int64]]
"""Images (B, H, W) and their classes (B,)."""

_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_GZIP_MAGIC = b"\x1f\x8b"
# One bit of deflate encodes at most 258 bytes, so no gzip file unpacks to more than this many times its size.
_BEST_COMPRESSION = 258 * 8
_MOST_DIMENSIONS = 8


def read_idx(path: str | os.PathLike[str], max_bytes: int = 2**31) -> NDArray[Any]:
    """Read one IDX file, plain or packed with gzip (told apart by the first bytes, not by the name).

    Returns a writable array of the shape and type that the header declares, in native byte order. The declared size is
    checked against the size of the file before memory is allocated.

    Raises ``DataError`` naming the file if it cannot be read, is not IDX, is damaged or cut off, is longer than the header
    says, or would take more than ``max_bytes`` of memory.
    """
    path = Path(path)
    try:
        with path.open("rb") as raw:
            size = os.fstat(raw.fileno()).st_size
            packed = raw.read(2) == _GZIP_MAGIC
            raw.seek(0)
            if not packed:
                return _decode(raw, size, path, max_bytes)
            with gzip.GzipFile(fileobj=raw) as unpacked:
                return _decode(unpacked, size * _BEST_COMPRESSION, path, max_bytes)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path} is a damaged or unfinished gzip file ({error}); fetch it anew.") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error


def read_labelled_images(images: str | os.PathLike[str], labels: str | os.PathLike[str]) -> Part:
    """Read a pair of IDX files: images uint8 (B, H, W), and their classes as int64 (B,).

    Raises ``DataError`` as `read_idx` does, and if the two files hold something else or do not belong together.
    """
    x, y = read_idx(images), read_idx(labels)
    if x.dtype != np.uint8 or x.ndim != 3:
        raise DataError(f"{images} holds {_describe(x)}; expected grey images: uint8 of shape (B, H, W).")
    if y.dtype != np.uint8 or y.ndim != 1:
        raise DataError(f"{labels} holds {_describe(y)}; expected one class per image: uint8 of shape (B,).")
    if len(x) != len(y):
        raise DataError(
            f"{images} holds {len(x)} images and {labels} {len(y)} labels: they do not belong together. "
            "Take both from the same part (train or t10k)."
        )
    return x, y.astype(np.int64)


def _decode(stream: io.BufferedIOBase, most_bytes: int, path: Path, max_bytes: int) -> NDArray[Any]:
    """Header and values from ``stream``, which cannot hold more than ``most_bytes``."""
    magic = stream.read(4)
    if len(magic) < 4:
        raise DataError(f"{path} ends after {len(magic)} bytes; an IDX file begins with a header of at least 8.")
    kind, num_dimensions = magic[2], magic[3]
    if magic[:2] != b"\0\0" or kind not in _TYPES or not 1 <= num_dimensions <= _MOST_DIMENSIONS:
        raise DataError(
            f"{path} is not an IDX file: it begins with the bytes {magic.hex(' ')}, expected 00 00, a kind of number "
            f"({', '.join(f'{code:02x}' for code in _TYPES)}) and 1 to {_MOST_DIMENSIONS} dimensions."
        )
    header = stream.read(4 * num_dimensions)
    if len(header) < 4 * num_dimensions:
        raise DataError(f"{path} is cut off inside its header.")
    shape = tuple(int.from_bytes(header[i : i + 4], "big") for i in range(0, len(header), 4))
    dtype = np.dtype(_TYPES[kind])
    num_bytes = math.prod(shape) * dtype.itemsize
    if num_bytes > most_bytes:
        raise DataError(
            f"{path} declares {shape}, which is {num_bytes} bytes; a file of its size cannot hold more than "
            f"{most_bytes}. It is cut off, or its header is wrong."
        )
    if num_bytes > max_bytes or max(shape) > max_bytes:
        raise DataError(f"{path} declares {shape}, which is {num_bytes} bytes; at most {max_bytes} are read.")
    values = np.empty(num_bytes, np.uint8)
    filled = stream.readinto(values.data)  # a buffered stream fills it, unless it ends
    if filled < num_bytes:
        raise DataError(f"{path} is cut off: {shape} takes {num_bytes} bytes of values, and there are {filled}.")
    if stream.read(1):  # at the end of a gzip file this also compares its checksum
        raise DataError(f"{path} goes on after the {num_bytes} bytes of values that its header {shape} declares.")
    return values.view(dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)


def _describe(array: NDArray[Any]) -> str:
    return f"{array.dtype} of shape {array.shape}"
