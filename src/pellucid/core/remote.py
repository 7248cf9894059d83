"""Where a published file is found: in the folder that ``PELLUCID_DATA`` names, in the cache, or on the network."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pellucid.core.errors import DataError
from pellucid.core.files import cache_folder, file_sha256

if TYPE_CHECKING:
    from pellucid.core.download import Progress


class RemoteFile(NamedTuple):
    """A file of a collection, as published, and the hashes by which it is recognised."""

    collection: str  #: the name of its folder, in the cache and below ``PELLUCID_DATA``
    name: str
    url: str
    sha256: str  #: of the file at ``url``
    max_bytes: int
    also_sha256: tuple[str, ...] = ()  #: of the same content packed by others, accepted in ``PELLUCID_DATA``


def locate(file: RemoteFile, progress: Progress | None = None) -> Path:
    """The path of ``file`` with the right hash, downloaded into the cache if necessary.

    Raises ``DataError`` when the file below ``PELLUCID_DATA`` has another hash, or when there is none and it cannot be
    downloaded; the message says how to provide it by hand.
    """
    provided = _provided(file)
    if provided is not None:
        return provided
    from pellucid.core.download import fetch  # here, since the HTTP client is slow to import and seldom needed

    try:
        destination = cache_folder() / file.collection / file.name
        return fetch(file.url, file.sha256, destination, max_bytes=file.max_bytes, progress=progress)
    except (DataError, RuntimeError) as error:  # RuntimeError: this user has no home folder
        raise DataError(
            f"{error} Without a connection: get {file.url} on another machine, put it into a folder, and set the "
            "environment variable PELLUCID_DATA to that folder."
        ) from error


def _provided(file: RemoteFile) -> Path | None:
    """The file below ``PELLUCID_DATA``, its hash checked; None without the variable or without the file."""
    named = os.environ.get("PELLUCID_DATA")
    if not named:
        return None
    folder = Path(named)
    if not folder.is_dir():
        raise DataError(f"PELLUCID_DATA names {named}, which is not a folder. Correct the variable, or unset it.")
    for path in (folder / file.collection / file.name, folder / file.name):
        if not path.exists():
            continue
        try:
            found = file_sha256(path)
        except OSError as error:
            raise DataError(f"{path} (by PELLUCID_DATA) cannot be read: {error.strerror or error}.") from error
        if found not in (file.sha256, *file.also_sha256):
            raise DataError(
                f"{path} (by PELLUCID_DATA) is not the file of {file.collection}: its SHA-256 is {found}, expected "
                f"{file.sha256}. Replace it with {file.url}, or move it elsewhere. (Other collections use the same "
                f"names: the files of this one may lie in a folder {file.collection!r}.)"
            )
        return path
    return None
