"""Prepared pictures on disk: one file of pixels that is mapped into memory, and an index that says what they are of.

    <key>.index           every file with its size and time, what was found in it, and the name of the pixels: JSON, below
                          a line with its hash
    <key>-<token>.pixels  the pixels, uint8, one picture after the other

The index is the truth, and replaced at once: pixels that no index names are left over and removed. Both are written under
names of their own, and take effect only when they are complete.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, astuple, dataclass, replace
from pathlib import Path
from typing import BinaryIO, TypeAlias
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from pellucid.core.shapes import Shape
from pellucid.data.photos.duplicates import without_duplicates
from pellucid.data.photos.folder_report import Problem
from pellucid.data.photos.listing import Entry, Listing
from pellucid.data.photos.photo_pipeline import PhotoPipeline
from pellucid.data.photos.photo_reader import Reading

Progress: TypeAlias = Callable[[int, int], None]
"""Called as ``progress(files read so far, files in all)`` while pictures are decoded."""

FORMAT = 2  # to be counted up when the index looks otherwise, or pictures are prepared otherwise


@dataclass(frozen=True)
class Pictures:
    """The files of a listing as they were read: ``pixels`` (N, ...) are those of the entries at ``rows``."""

    entries: Sequence[Entry]
    readings: Sequence[Reading]
    rows: Sequence[int]
    pixels: NDArray[np.uint8]

    @property
    def problems(self) -> list[Problem]:
        """All that is wrong with the files, duplicates included."""
        _, duplicates = without_duplicates(self.entries, self.readings)
        return [*(problem for reading in self.readings for problem in reading.problems), *duplicates]

    def is_of(self, listing: Listing) -> bool:
        """Whether these are the files as they are now. One that could not be opened may be open now, with its old time."""
        closed = (entry for entry, reading in zip(self.entries, self.readings, strict=True) if not reading.digest)
        return self.entries == listing.entries and not any(os.access(listing.root / e.file, os.R_OK) for e in closed)

    def recall(self) -> Callable[[Entry], Reading | None]:
        """A function that gives the reading of an unchanged file with its pixels, or None if it must be read again."""
        pixels_of = {self.readings[index].digest: self.pixels[row] for row, index in enumerate(self.rows)}
        known = {}
        for entry, reading in zip(self.entries, self.readings, strict=True):
            pixels = pixels_of.get(reading.digest)
            if reading.digest and (pixels is not None or not reading.is_picture):
                known[entry.file, entry.size, entry.mtime_ns] = replace(reading, pixels=pixels)
        return lambda entry: known.get((entry.file, entry.size, entry.mtime_ns))


def cache_key(source: Path, pipeline: PhotoPipeline) -> str:
    """The name of the cache of one folder (or CSV file) and one pipeline; other versions of Pillow may decode otherwise."""
    from PIL import __version__

    return _fingerprint(json.dumps([FORMAT, str(source), asdict(pipeline), __version__]))[:32]


def load_pictures(folder: Path, key: str, shape: Shape) -> Pictures | None:
    """What was stored, or None if there is nothing, or not what was written there."""
    try:
        fingerprint, content = (folder / f"{key}.index").read_text("utf-8").split("\n", 1)
        if fingerprint != _fingerprint(content):
            return None
        index = json.loads(content)
        entries = [Entry(*entry) for entry in index["entries"]]
        readings = [
            Reading(digest, tuple(Problem(*problem) for problem in problems), None, is_picture)
            for digest, is_picture, problems in index["readings"]
        ]
        rows, _ = without_duplicates(entries, readings)
        path = folder / Path(index["pixels"]).name
        status = path.stat()
        expected = len(rows) * int(np.prod(shape))
        if [status.st_size, status.st_mtime_ns] != [expected, index["mtime_ns"]]:
            return None
        return Pictures(entries, readings, rows, _mapped(path, (len(rows), *shape)))
    except (OSError, ValueError):  # ValueError: no text, or in one line
        return None


def store_pictures(
    folder: Path, key: str, shape: Shape, entries: Sequence[Entry], chunks: Iterable[Sequence[Reading]], progress: Progress
) -> Pictures:
    """Write the pictures of the entries, each of the shape, as they are read, and then the index, which makes them count;
    what was there before is removed. If anything goes wrong, all is as it was.
    """
    path = folder / f"{key}-{uuid4().hex}.pixels"
    readings: list[Reading] = []
    try:
        with path.open("x+b") as file:
            for chunk in chunks:
                _append(file, chunk)
                readings += [replace(reading, pixels=None) for reading in chunk]
                progress(len(readings), len(entries))
            rows, _ = without_duplicates(entries, readings)
            row_of = {index: row for row, index in enumerate(i for i, r in enumerate(readings) if r.is_picture)}
            _keep(file, [row_of[index] for index in rows], int(np.prod(shape)))
            file.flush()
            os.fsync(file.fileno())
        index = {
            "pixels": path.name,
            "mtime_ns": path.stat().st_mtime_ns,
            "entries": [astuple(entry) for entry in entries],
            "readings": [(r.digest, r.is_picture, [astuple(problem) for problem in r.problems]) for r in readings],
        }
        content = json.dumps(index, separators=(",", ":"))
        part = path.with_suffix(".part")
        try:
            part.write_text(f"{_fingerprint(content)}\n{content}", "utf-8")
            os.replace(part, folder / f"{key}.index")
        finally:
            part.unlink(missing_ok=True)
    except BaseException:
        with suppress(OSError):
            path.unlink(missing_ok=True)
        raise
    _remove_others(folder, key, path.name)
    return Pictures(entries, readings, rows, _mapped(path, (len(rows), *shape)))


def _append(file: BinaryIO, chunk: Sequence[Reading]) -> None:
    for reading in chunk:
        if reading.pixels is not None:
            file.write(reading.pixels.tobytes())


def _keep(file: BinaryIO, rows: Sequence[int], size: int) -> None:
    """Only these pictures of ``size`` bytes, by ascending number, move together."""
    for target, row in enumerate(rows):
        if target != row:
            file.seek(row * size)
            picture = file.read(size)
            file.seek(target * size)
            file.write(picture)
    file.truncate(len(rows) * size)


def _fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _mapped(path: Path, shape: Shape) -> NDArray[np.uint8]:
    """The pixels, read from the disk as they are needed; nobody can change them."""
    if shape[0] == 0:  # an empty file cannot be mapped
        return np.zeros(shape, np.uint8)
    mapped = np.memmap(path, np.uint8, "r", shape=shape)
    return np.asarray(mapped)  # no subclass: the native kernels take such an array as it is


def _remove_others(folder: Path, key: str, name: str) -> None:
    """Remove pixels that no index names any more; one that another process still maps may stay until the next time."""
    for path in folder.glob(f"{key}-*"):
        if path.name != name:
            with suppress(OSError):
                path.unlink()
