"""Your own pictures: a folder of photos as arrays to learn from."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pellucid.datasets.csv_listing import list_csv
from pellucid.datasets.duplicates import without_duplicates
from pellucid.datasets.folder_report import FolderReport, Problem, printable
from pellucid.datasets.listing import LAYOUTS, Entry, Listing, list_folder, sorted_labels
from pellucid.datasets.lock import file_lock
from pellucid.datasets.photo_reader import Reading, read_all
from pellucid.datasets.picture_cache import Pictures, cache_key, load_pictures, picture_writer
from pellucid.datasets.remote import cache_folder
from pellucid.errors import ArgumentError, DataError
from pellucid.pipeline.image_file import without_warnings
from pellucid.pipeline.photos import PhotoPipeline
from pellucid.shapes import one_of, positive_integer

BadFiles: TypeAlias = Literal["skip", "fail"]
Part: TypeAlias = tuple[NDArray[np.uint8], NDArray[np.int64]]
Progress: TypeAlias = Callable[[int, int], None]
"""Called as ``progress(files read so far, files in all)`` while pictures are decoded."""

_PATIENCE = 24 * 3600.0  # another process may be decoding a large folder
_SHOWN = 5


@dataclass(frozen=True, eq=False, repr=False)
class PhotoFolder:
    """The pictures of a folder, all of one size.

    x           uint8 (N, H, W, 3), or (N, H, W) in grey; mapped from the disk, so the set may be larger than memory
    y           int64 (N,): the class of each, a number into ``labels``
    test        (x_test, y_test), or None if the folder has no part to test with
    labels      the names of the classes
    files       the path of each picture of x in the folder; test_files those of the test part
    report      what became of every file
    pipeline    how the pictures were prepared; a `Model` with it prepares others alike
    """

    x: NDArray[np.uint8]
    y: NDArray[np.int64]
    test: Part | None
    labels: tuple[str, ...]
    files: list[str]
    test_files: list[str]
    report: FolderReport
    pipeline: PhotoPipeline

    def __repr__(self) -> str:
        train, test = self.report.count
        shape = "x".join(map(str, self.pipeline.output_shape))
        return f"PhotoFolder({len(self.labels)} classes, {train:,} pictures to learn from, {test:,} to test with, {shape})"


def folder(
    path: str | os.PathLike[str],
    size: int | tuple[int, int] = 64,
    *,
    channels: int = 3,
    crop: str = "centre",
    labels: Sequence[str] | None = None,
    bad_files: BadFiles = "skip",
    cache: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    workers: int | None = None,
) -> PhotoFolder:
    """The photos of a folder, decoded once and kept in a cache that follows every change of the folder.

    path       a folder with one folder of pictures for each class, or with ``train`` and ``test`` above such folders; or a
               CSV file with the columns file and label, and if wanted split; ``labels.csv`` in a folder is found by itself
    size       height and width in pixels, one number or two; channels 3 is RGB, 1 is grey; crop as in `PhotoPipeline`
    labels     the classes, if they are known (``model.labels``): others are then an error, and missing ones are none
    bad_files  "skip" leaves out files that cannot be used and names them in ``report``; "fail" raises DataError
    cache      the folder for the prepared pictures (default: in the user's cache)
    progress   called as ``progress(files done, files in all)``
    workers    threads that decode (default: the cores)

    >>> photos = pl.datasets.folder("photos/")
    >>> network = pl.Network([pl.Input(*photos.pipeline.output_shape), ..., pl.Classification(len(photos.labels))])
    >>> network.fit(photos.x, photos.y, validation=0.2)
    >>> pl.Model(network, photos.pipeline, photos.labels).predict("holiday.jpg")

    The order of files in the file system has no influence. Raises DataError for a folder without pictures of two classes,
    a class without a picture, or a cache that cannot be written.
    """
    one_of(bad_files, ("skip", "fail"), "policy for bad files")
    height, width = size if isinstance(size, tuple | list) and len(size) == 2 else (size, size)
    pipeline = PhotoPipeline(positive_integer(height, "size"), positive_integer(width, "size"), channels, crop)
    threads = positive_integer(workers, "workers") if workers is not None else _cores()
    listing = _list(path)
    known = None if labels is None else _check_labels(labels)
    _check_listing(listing, known)
    pictures, problems = _read(listing, pipeline, _cache_folder(cache), progress, threads)
    used = [listing.entries[row] for row in pictures.rows]
    found = sorted_labels(listing.labels) if known is None else known
    count = {label: [0, 0] for label in found}
    for entry in used:
        count[entry.label][entry.split == "test"] += 1
    classes = {label: (train, test) for label, (train, test) in count.items()}
    report = FolderReport(str(listing.source), classes, tuple(sorted([*listing.problems, *problems])))
    if bad_files == "fail" and report.left_out:
        raise DataError(f"{_some(report)} {len(report.left_out):,} files cannot be used. Mend them, or leave them out.")
    _check_classes(report, known)
    number = {label: index for index, label in enumerate(found)}
    y = np.array([number[entry.label] for entry in used], np.int64)
    files = [entry.file for entry in used]
    middle = report.count[0]
    test = (pictures.pixels[middle:], y[middle:]) if len(used) > middle else None
    return PhotoFolder(pictures.pixels[:middle], y[:middle], test, found, files[:middle], files[middle:], report, pipeline)


def _list(path: str | os.PathLike[str]) -> Listing:
    """The files of a folder or a CSV file, with all links in the path itself followed."""
    try:
        source = Path(os.path.realpath(path, strict=True))
    except (OSError, ValueError, TypeError) as error:
        why = "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be read: {error}"
        raise DataError(f"{printable(str(path))} {why}; {LAYOUTS}.") from None
    if source.is_file():
        if source.suffix.casefold() != ".csv":
            raise DataError(f"{printable(str(path))} is a file, not a folder; {LAYOUTS}.")
        return list_csv(source)
    if not source.is_dir():
        raise DataError(f"{printable(str(path))} is neither a folder nor a regular file; {LAYOUTS}.")
    return list_csv(source / "labels.csv") if (source / "labels.csv").is_file() else list_folder(source)


def _check_labels(labels: Sequence[str]) -> tuple[str, ...]:
    if isinstance(labels, str) or not all(isinstance(label, str) for label in labels) or len(set(labels)) != len(labels):
        raise ArgumentError(f"labels is a list of different names, such as model.labels, not {labels!r}.")
    return tuple(labels)


def _check_listing(listing: Listing, known: tuple[str, ...] | None) -> None:
    """Raise DataError for classes that cannot be, before anything is decoded."""
    where = printable(str(listing.source))
    if known is not None:
        unknown = sorted(listing.labels - set(known))
        if unknown:
            raise DataError(
                f"{where} has classes that are not among the labels: {_named(unknown)}; known: {_named(known)}."
            )
        return
    only_test = {e.label for e in listing.entries if e.split == "test"} - {
        e.label for e in listing.entries if e.split == "train"
    }
    if only_test:
        raise DataError(f"{where} has pictures to test with and none to learn from of {_named(sorted(only_test))}.")
    if len(listing.labels) < 2:
        raise DataError(
            f"{where} has only one class, {_named(sorted(listing.labels))}, and at least two are needed; {LAYOUTS}."
        )


def _check_classes(report: FolderReport, known: tuple[str, ...] | None) -> None:
    """Raise DataError for classes of which no picture can be used."""
    where = printable(report.folder)
    if sum(report.count) == 0:
        raise DataError(f"{where} has no picture that can be used.{_some(report)}")
    empty = [label for label, (train, _) in report.classes.items() if train == 0]
    if empty and known is None:
        raise DataError(
            f"{where} has no picture to learn from of {_named(empty)}: add some, or remove the folder.{_some(report)}"
        )


def _read(
    listing: Listing, pipeline: PhotoPipeline, cache: Path, progress: Progress | None, workers: int
) -> tuple[Pictures, list[Problem]]:
    """The pictures of a listing, from the cache where it knows them, and all problems of their files."""
    key = cache_key(listing.source, pipeline)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with file_lock(cache / f".{key}.lock", _PATIENCE):
            pictures = load_pictures(cache, key, pipeline.output_shape)
            if pictures is None or pictures.entries != listing.entries or not all(r.digest for r in pictures.readings):
                pictures = _decode(listing, pipeline, cache, key, pictures, progress, workers)
    except OSError as error:
        room = len(listing.entries) * int(np.prod(pipeline.output_shape)) / 1e6
        raise DataError(
            f"the prepared pictures (at most {room:,.0f} MB) cannot be kept in {cache}: {error.strerror or error}. Make "
            "room there, or name another folder with cache=..."
        ) from error
    _, duplicates = without_duplicates(pictures.entries, pictures.readings)
    return pictures, [*(problem for reading in pictures.readings for problem in reading.problems), *duplicates]


def _decode(
    listing: Listing,
    pipeline: PhotoPipeline,
    cache: Path,
    key: str,
    before: Pictures | None,
    progress: Progress | None,
    workers: int,
) -> Pictures:
    """Read all files into the cache. Whatever interrupts it, the cache stays as it was."""
    recall = before.recall() if before is not None else _nothing
    readings: list[Reading] = []
    with without_warnings(), picture_writer(cache, key, pipeline.output_shape) as writer:
        with closing(read_all(listing.root, listing.entries, pipeline, recall, workers)) as chunks:
            for chunk in chunks:
                for reading in chunk:
                    if reading.pixels is not None:
                        writer.append(reading.pixels)
                    readings.append(replace(reading, pixels=None))
                if progress is not None:
                    progress(len(readings), len(listing.entries))
        rows, _ = without_duplicates(listing.entries, readings)
        place = {index: row for row, index in enumerate(i for i, reading in enumerate(readings) if reading.is_picture)}
        writer.keep([place[index] for index in rows])
        return writer.finish(listing.entries, readings, rows)


def _nothing(entry: Entry) -> None:
    return None


def _cache_folder(cache: str | os.PathLike[str] | None) -> Path:
    try:
        return Path(cache) if cache is not None else cache_folder() / "photos"
    except RuntimeError as error:  # this user has no home folder
        raise DataError(f"there is no place for prepared pictures: {error} Name a folder with cache=...") from error


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _named(labels: Sequence[str]) -> str:
    shown = ", ".join(repr(label) for label in labels[:_SHOWN])
    return shown + (f" and {len(labels) - _SHOWN} more" if len(labels) > _SHOWN else "")


def _some(report: FolderReport) -> str:
    """The first files that were left out, as a sentence, if there are any."""
    shown = "; ".join(str(problem) for problem in report.left_out[:_SHOWN])
    more = len(report.left_out) - _SHOWN
    return f" Left out: {shown}{f'; and {more:,} more' if more > 0 else ''}." if shown else ""
