"""Read picture files in worker threads: hashed, judged, decoded and resized, in the order of the list."""

from __future__ import annotations

import hashlib
import os
import stat
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pellucid.core.errors import DataError
from pellucid.data.photos.folder_report import Problem
from pellucid.data.photos.listing import SUFFIXES, Entry
from pellucid.data.photos.photo_pipeline import PhotoPipeline
from pellucid.data.pictures.image_file import MAX_BYTES, PictureSizeError, open_image

_CHUNK_BYTES, _CHUNK_FILES = 1 << 22, 8  # a task is so many pixels or files, whichever is less
_AHEAD = 4  # so many tasks a worker are under way: one large picture does not hold up the others


@dataclass(frozen=True)
class Reading:
    """What was found in a file: the hash of its bytes, its problems, and the pixels if it is a picture that can be used.

    The digest is empty if the file could not be opened, or if memory was short: it is read again the next time. A reading
    that is remembered has no pixels; ``is_picture`` says whether there were some.
    """

    digest: str
    problems: tuple[Problem, ...] = ()
    pixels: NDArray[np.uint8] | None = None
    is_picture: bool = False


Recall = Callable[[Entry], Reading | None]
"""The reading of a file that has not changed since an earlier time, with its pixels; else None."""


def read_all(
    root: Path, entries: Sequence[Entry], pipeline: PhotoPipeline, recall: Recall, workers: int
) -> Generator[list[Reading], None, None]:
    """The readings of all entries, in their order, some at a time.

    Only a few chunks are under way at once, so memory stays bounded. Close the iterator to stop early.
    """

    def read(chunk: Sequence[Entry]) -> list[Reading]:
        return [recall(entry) or read_photo(root, entry, pipeline) for entry in chunk]

    size = max(1, min(_CHUNK_FILES, _CHUNK_BYTES // int(np.prod(pipeline.output_shape))))
    pending: deque[Future[list[Reading]]] = deque()
    pool = ThreadPoolExecutor(workers, "pellucid-pictures")
    try:
        for start in range(0, len(entries), size):
            pending.append(pool.submit(read, entries[start : start + size]))
            if len(pending) > _AHEAD * workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def read_photo(root: Path, entry: Entry, pipeline: PhotoPipeline) -> Reading:
    """Read one file. What is wrong with it is a problem in the reading, never an error."""
    try:
        return _read(root, entry, pipeline)
    except MemoryError:
        return Reading("", (Problem(entry.file, "unreadable", "there was not enough memory to read it"),))


def _read(root: Path, entry: Entry, pipeline: PhotoPipeline) -> Reading:
    def unusable(kind: str, reason: str) -> Reading:
        return Reading(digest, (Problem(entry.file, kind, reason),))

    digest = ""
    try:
        with open(root / entry.file, "rb", opener=_at_once) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                return unusable("special", "it became a pipe or a device while the folder was read; it was not read")
            content = file.read(min(status.st_size, MAX_BYTES) + 1)
    except OSError as error:
        return unusable("unreadable", f"it cannot be opened: {error.strerror or error}")
    digest = hashlib.sha256(content).hexdigest()
    if not content:
        return unusable("empty", "it is empty (0 bytes)")
    if len(content) > MAX_BYTES:
        return unusable("size", f"it has more than {MAX_BYTES:,} bytes")
    try:
        image = open_image(content, "it")
    except PictureSizeError as error:
        return unusable("size", str(error))
    except DataError as error:
        return unusable("not a picture", str(error))
    with image:
        notes = _notes(entry.file, image.format or "", bool(getattr(image, "is_animated", False)))
        try:
            return Reading(digest, notes, pipeline.draw(image, "it"), True)
        except DataError as error:
            return Reading(digest, (*notes, Problem(entry.file, "damaged", str(error))))


def _at_once(path: str, flags: int) -> int:
    """Open without waiting: who listed a file may find a pipe in its place, and nobody at its other end."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _notes(file: str, format: str, is_animated: bool) -> tuple[Problem, ...]:
    """What is odd about a picture that can be used."""
    notes = []
    suffix = os.path.splitext(file)[1]
    kind = "JPEG" if format == "MPO" else format  # a JPEG file with further pictures behind the first, as phones make them
    if suffix and SUFFIXES.get(suffix.casefold()) != kind:
        notes.append(Problem(file, "misnamed", f"its name ends in {suffix}, but it holds {kind}", is_left_out=False))
    if is_animated and format != "MPO":
        notes.append(Problem(file, "animated", "it holds several pictures; the first one is taken", is_left_out=False))
    return tuple(notes)
