"""Your own pictures: a folder of photos as arrays to learn from."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pellucid.core.checks import one_of, positive_integer
from pellucid.core.display.text import printable
from pellucid.core.errors import ArgumentError, DataError
from pellucid.core.suggestions import suggests_arguments
from pellucid.data.photos.csv_listing import list_csv
from pellucid.data.photos.decoding import pictures_of, place_of_cache
from pellucid.data.photos.folder_report import FolderReport
from pellucid.data.photos.listing import LAYOUTS, SHOWN, Listing, list_folder, named, sorted_labels
from pellucid.data.photos.look import Look, look_at_files
from pellucid.data.photos.photo_pipeline import PhotoPipeline
from pellucid.data.photos.picture_cache import Pictures, Progress

SMALL, LARGE = 64, 224  # pixels of a side: of a network of one's own, and of one that is pretrained
BadFiles: TypeAlias = Literal["skip", "fail"]
Part: TypeAlias = tuple[NDArray[np.uint8], NDArray[np.int64]]


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
    look        what some of the files look like, if that chose the size; else None
    cache       the folder of the prepared pictures, and of what is computed from them; None: nothing is kept
    """

    x: NDArray[np.uint8]
    y: NDArray[np.int64]
    test: Part | None
    labels: tuple[str, ...]
    files: list[str]
    test_files: list[str]
    report: FolderReport
    pipeline: PhotoPipeline
    look: Look | None = None
    cache: Path | None = None

    def __repr__(self) -> str:
        train, test = self.report.count
        shape = "x".join(map(str, self.pipeline.output_shape))
        return f"PhotoFolder({len(self.labels)} classes, {train:,} pictures to learn from, {test:,} to test with, {shape})"


@suggests_arguments
def folder(
    path: str | os.PathLike[str],
    size: int | tuple[int, int] | None = None,
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

    path       a folder with one folder of pictures for each class, or with ``train`` and ``test`` (or other usual names of
               parts) above such folders; or a CSV file with the columns file and label, and if wanted split;
               ``labels.csv`` in a folder is found by itself
    size       height and width in pixels, one number or two; default: 224 for photos in colour, which is what a pretrained
               network takes (`pl.train` begins from it), else 64; channels 3 is RGB, 1 is grey; crop as in `PhotoPipeline`
    labels     the classes, if they are known (``model.labels``): others are then an error, and missing ones are none
    bad_files  "skip" leaves out files that cannot be used and names them in ``report``; "fail" raises DataError
    cache      the folder for the prepared pictures (default: in the user's cache)
    progress   called as ``progress(files done, files in all)``, if the cache does not know all of them
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
    first = SMALL if size is None else positive_integer(height, "size")
    pipeline = PhotoPipeline(first, SMALL if size is None else positive_integer(width, "size"), channels, crop)
    known = None if labels is None else _check_labels(labels)
    listing = _list(path, known is not None)
    _check_listing(listing, known)
    look = look_at_files(listing) if size is None and channels == 3 else None
    if look is not None and look.are_photos:
        pipeline = replace(pipeline, height=LARGE, width=LARGE)
    pictures = pictures_of(listing, pipeline, cache, progress, workers)
    used = [listing.entries[index] for index in pictures.rows]
    names = sorted_labels(listing.labels) if known is None else known
    report = _report(listing, pictures, names)
    if bad_files == "fail" and report.left_out:
        raise DataError(f'{_some(report)} Mend or remove them, or leave them out: bad_files="skip" (--bad-files skip).')
    _check_classes(report, known)
    number = {label: index for index, label in enumerate(names)}
    y = np.array([number[entry.label] for entry in used], np.int64)
    files = [entry.file for entry in used]
    middle = report.count[0]
    test = (pictures.pixels[middle:], y[middle:]) if len(used) > middle else None
    x, place = pictures.pixels[:middle], place_of_cache(cache, listing)
    return PhotoFolder(x, y[:middle], test, names, files[:middle], files[middle:], report, pipeline, look, place)


def _list(path: str | os.PathLike[str], are_classes_known: bool) -> Listing:
    """The files of a folder or a CSV file, with all links in the path itself followed."""
    if path == "":  # it would be the folder that one is in
        raise DataError(f"an empty name is no folder; {LAYOUTS}.")
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
    labels = _labels_in(source)
    return list_folder(source, are_classes_known=are_classes_known) if labels is None else list_csv(labels)


def _labels_in(folder: Path) -> Path | None:
    """The file labels.csv of a folder, in any case; of several, the one in small letters."""
    try:
        names = sorted((path.name for path in folder.iterdir() if path.name.casefold() == "labels.csv"), reverse=True)
    except OSError:
        return None  # the listing of the folder says why
    files = (folder / name for name in names)
    return next((file for file in files if file.is_file() and not file.is_symlink()), None)


def _check_labels(labels: Sequence[str]) -> tuple[str, ...]:
    names = tuple(labels) if isinstance(labels, Iterable) and not isinstance(labels, str) else ()
    if not names or not all(isinstance(name, str) for name in names) or len(set(names)) != len(names):
        raise ArgumentError(f"labels is a list of different names, such as model.labels, not {labels!r}.")
    return tuple(map(str, names))  # those of an array are of a kind of their own


def _check_listing(listing: Listing, known: tuple[str, ...] | None) -> None:
    """Raise DataError for classes that cannot be, before anything is decoded."""
    where = printable(str(listing.source))
    if known is not None:
        unknown = sorted(listing.labels - set(known))
        if unknown:
            raise DataError(f"{where} has classes that are not among {named(known)}: {named(unknown)}.")
        return
    to_learn, to_test = ({e.label for e in listing.entries if e.split == split} for split in ("train", "test"))
    if to_test - to_learn:
        raise DataError(f"{where} has pictures to test with and none to learn from of {named(sorted(to_test - to_learn))}.")
    if len(listing.labels) < 2:
        found = f"only one class, {named(list(listing.labels))}," if listing.labels else "no class,"
        links = "; ".join(str(problem) for problem in listing.problems if problem.kind == "link")
        raise DataError(f"{where} has {found} and at least two are needed; {LAYOUTS}.{f' {links}.' if links else ''}")


def _report(listing: Listing, pictures: Pictures, names: Sequence[str]) -> FolderReport:
    count = Counter((listing.entries[index].label, listing.entries[index].split) for index in pictures.rows)
    classes = {name: (count[name, "train"], count[name, "test"]) for name in names}
    return FolderReport(str(listing.source), classes, tuple(sorted([*listing.problems, *pictures.problems])))


def _check_classes(report: FolderReport, known: tuple[str, ...] | None) -> None:
    """Raise DataError for classes of which no picture can be used."""
    where = printable(report.folder)
    if sum(report.count) == 0:
        raise DataError(f"{where} has no picture that can be used. {_some(report)}")
    empty = [label for label, (to_learn, _) in report.classes.items() if to_learn == 0]
    if empty and known is None:
        raise DataError(
            f"{where} has no picture to learn from of {named(empty)}: add some, or remove the class. {_some(report)}"
        )


def _some(report: FolderReport) -> str:
    """The first files that were left out, as a sentence."""
    if not report.left_out:
        return "No file was left out."
    shown = "; ".join(str(problem) for problem in report.left_out[:SHOWN])
    more = len(report.left_out) - SHOWN
    files = f"{len(report.left_out):,} files" if len(report.left_out) > 1 else "1 file"
    return f"{files} cannot be used: {shown}{f'; and {more:,} more' if more > 0 else ''}."
