"""From the list of a folder to its pictures: out of the cache where it knows them, else decoded into it."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import numpy as np

from pellucid.core.checks import positive_integer
from pellucid.core.display.text import printable
from pellucid.core.errors import ArgumentError, DataError
from pellucid.core.files import cache_folder
from pellucid.core.locks import file_lock
from pellucid.core.machine import available_cores
from pellucid.data.photos.duplicates import without_duplicates
from pellucid.data.photos.listing import Listing
from pellucid.data.photos.photo_pipeline import PhotoPipeline
from pellucid.data.photos.photo_reader import Reading, read_all
from pellucid.data.photos.picture_cache import Pictures, cache_key, load_pictures, picture_writer
from pellucid.data.pictures.image_file import without_warnings

Progress: TypeAlias = Callable[[int, int], None]
"""Called as ``progress(files read so far, files in all)`` while pictures are decoded."""

_PATIENCE = 24 * 3600.0  # another process may be decoding a large folder


def pictures_of(
    listing: Listing,
    pipeline: PhotoPipeline,
    cache: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    workers: int | None = None,
) -> Pictures:
    """The pictures of a listing, those that are unchanged from the cache; one process at a time fills it.

    Raises DataError if the cache cannot be read or written; it is then as it was before.
    """
    place = _place(cache, listing)
    key = cache_key(listing.source, pipeline)
    threads = available_cores() if workers is None else positive_integer(workers, "workers")
    try:
        place.mkdir(parents=True, exist_ok=True)
        with file_lock(place / f".{key}.lock", _PATIENCE):
            pictures = load_pictures(place, key, pipeline.output_shape)
            if pictures is not None and pictures.is_of(listing):
                return pictures
            recall = pictures.recall() if pictures else lambda entry: None
            with without_warnings(), picture_writer(place, key, pipeline.output_shape) as writer:
                readings: list[Reading] = []
                with closing(read_all(listing.root, listing.entries, pipeline, recall, threads)) as chunks:
                    for chunk in chunks:
                        writer.append(*(reading.pixels for reading in chunk if reading.pixels is not None))
                        readings += [replace(reading, pixels=None) for reading in chunk]
                        if progress is not None:
                            progress(len(readings), len(listing.entries))
                rows, _ = without_duplicates(listing.entries, readings)
                row_of = {index: row for row, index in enumerate(i for i, r in enumerate(readings) if r.is_picture)}
                writer.keep([row_of[index] for index in rows])
                return writer.finish(listing.entries, readings, rows)
    except OSError as error:
        room = len(listing.entries) * int(np.prod(pipeline.output_shape)) / 1e6
        raise DataError(
            f"the prepared pictures (at most {room:,.1f} MB) cannot be kept in {place}: {error.strerror or error}. Make "
            "room there, or name another folder: by cache=..., or in XDG_CACHE_HOME."
        ) from error


def _place(cache: str | os.PathLike[str] | None, listing: Listing) -> Path:
    """The folder of the cache, which may not be among the class folders."""
    if cache is None:
        try:
            return cache_folder() / "photos"
        except RuntimeError as error:  # this user has no home folder
            remedy = "Name a folder: by cache=..., or in XDG_CACHE_HOME."
            raise DataError(f"there is no place for prepared pictures: {error} {remedy}") from error
    try:
        place = Path(os.path.realpath(cache))
    except (OSError, ValueError, TypeError) as error:
        raise ArgumentError(f"cache is the path of a folder, not {cache!r}: {error}.") from None
    inside = place.relative_to(listing.root).parts if place.is_relative_to(listing.root) else (".",)
    if listing.source == listing.root and not any(part.startswith(".") for part in inside):
        raise ArgumentError(f"cache is {printable(str(cache))}, inside of the folder of pictures; name one elsewhere.")
    return place
