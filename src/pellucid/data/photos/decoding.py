"""From the list of a folder to its pictures: out of the cache where it knows them, else decoded into it."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import numpy as np

from pellucid.core.checks import positive_integer
from pellucid.core.display.text import printable
from pellucid.core.errors import ArgumentError, DataError
from pellucid.core.files import cache_folder
from pellucid.core.locks import file_lock
from pellucid.core.machine import available_cores
from pellucid.data.photos.listing import Listing
from pellucid.data.photos.photo_pipeline import PhotoPipeline
from pellucid.data.photos.photo_reader import read_all
from pellucid.data.photos.picture_cache import Pictures, Progress, cache_key, load_pictures, store_pictures
from pellucid.data.pictures.image_file import without_warnings

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
    place = place_of_cache(cache, listing)
    key = cache_key(listing.source, pipeline)
    threads = available_cores() if workers is None else positive_integer(workers, "workers")
    try:
        place.mkdir(parents=True, exist_ok=True)
        with file_lock(place / f".{key}.lock", _PATIENCE):
            pictures = load_pictures(place, key, pipeline.output_shape)
            if pictures is not None and pictures.is_of(listing):
                return pictures
            recall = pictures.recall() if pictures else lambda entry: None
            tell = progress or (lambda done, total: None)
            chunks = read_all(listing.root, listing.entries, pipeline, recall, threads)
            with without_warnings(), closing(chunks):
                return store_pictures(place, key, pipeline.output_shape, listing.entries, chunks, tell)
    except OSError as error:
        room = len(listing.entries) * int(np.prod(pipeline.output_shape)) / 1e6
        raise DataError(
            f"the prepared pictures (at most {room:,.1f} MB) cannot be kept in {place}: {error.strerror or error}. Make "
            "room there, or name another folder: by cache=..., or in XDG_CACHE_HOME."
        ) from error


def place_of_cache(cache: str | os.PathLike[str] | None, listing: Listing) -> Path:
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
