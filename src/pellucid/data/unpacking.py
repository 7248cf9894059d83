"""The bytes of a file, through gzip or zstd if it begins as these do; one that is cut off is an error, not a short one."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from pellucid.core.display.text import printable
from pellucid.core.errors import DataError, MissingDependencyError

GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
PACKED_PIECE = 1024  # bytes of a zstd file unpacked at once: even zeros become no more than some 30 MB


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class UnpackedFile:
    """An open file, unpacked; ``read`` gives as many bytes as are asked for, fewer only at the end."""

    def __init__(self, file: _Readable, name: str) -> None:
        self._file = file
        self._name = name

    def read(self, size: int) -> bytes:
        """Raises `DataError` if the file is damaged or cut off."""
        parts: list[bytes] = []
        try:
            while size and (part := self._file.read(size)):
                parts.append(part)
                size -= len(part)
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"{self._name} cannot be read to its end, it is damaged or cut off: {error}.") from None
        return b"".join(parts)


@contextmanager
def unpacked(path: str) -> Iterator[UnpackedFile]:
    """Open a file to read it. Raises `DataError` if it cannot be opened."""
    name = printable(path)
    try:
        file = open(path, "rb")  # noqa: SIM115 (closed below)
    except OSError as error:
        raise DataError(f"{name} cannot be read: {error.strerror or error}.") from None
    with file:
        try:
            magic = file.read(4)
            file.seek(0)
        except OSError as error:
            raise DataError(f"{name} cannot be read: {error.strerror or error}.") from None
        if magic.startswith(GZIP):
            with gzip.open(file) as content:
                yield UnpackedFile(content, name)
        elif magic == ZSTD:
            yield UnpackedFile(_Zstd(file), name)
        else:
            yield UnpackedFile(file, name)


def is_packed(path: str | os.PathLike[str]) -> bool:
    """Whether a file that can be read begins as those of gzip and zstd do."""
    with open(path, "rb") as file:
        return file.read(4).startswith((GZIP, ZSTD))


class _Zstd:
    """A zstd file of one or more frames. (The package's own reader ends without an error where a file is cut off.)"""

    def __init__(self, file: _Readable) -> None:
        try:
            import zstandard
        except ImportError:
            raise MissingDependencyError(
                'a file packed by zstd needs one more package: pip install "pellucid[tables]".'
            ) from None
        self._error: type[Exception] = zstandard.ZstdError
        self._new_frame = zstandard.ZstdDecompressor().decompressobj
        self._frame: Any = None  # in the middle of one
        self._file = file
        self._packed = self._ready = b""

    def read(self, size: int) -> bytes:
        try:
            while not self._ready and self._unpack():
                pass
        except self._error as error:
            raise OSError(str(error)) from None
        part, self._ready = self._ready[:size], self._ready[size:]
        return part

    def _unpack(self) -> bool:
        """Unpack a piece; False at the end of the file."""
        self._packed = self._packed or self._file.read(PACKED_PIECE)
        if not self._packed:
            if self._frame is not None:
                raise EOFError("it ends within a frame")
            return False
        self._frame = self._frame or self._new_frame()
        self._ready = self._frame.decompress(self._packed)
        self._packed = self._frame.unused_data if self._frame.eof else b""
        if self._frame.eof:
            self._frame = None
        return True


def check_is_file(path: str | os.PathLike[str]) -> str:
    """The path as text. Raises `DataError` for what is no regular file."""
    name = os.fspath(path)
    shown = printable(name) or repr(name)
    if os.path.isdir(name):
        raise DataError(f"{shown} is a folder; expected a table, such as houses.csv.")
    if not os.path.isfile(name):
        what = "is not a regular file" if os.path.exists(name) else "does not exist"
        raise DataError(f"{shown} {what}; expected a table, such as houses.csv.")
    return name
