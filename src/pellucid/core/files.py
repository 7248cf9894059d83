"""Files: written completely or not at all, replaced only by their own kind, hashed; and the cache folder.

New content goes to a file beside the target, which then takes its name.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from uuid import uuid4

from pellucid.core.errors import OutputError, PellucidError

Bytes = bytes | memoryview
Error = type[PellucidError]
_NO_SYNC = {errno.EINVAL, errno.ENOTSUP}  # file systems that sync no folder


def name_of_path(path: object, error: Error = OutputError) -> str:
    """A path as text; an ``error`` for what is no path."""
    if not isinstance(path, str | bytes | os.PathLike):
        raise error(f"a file name is expected, not {type(path).__name__}; for example 'digits.safetensors'.")
    return os.fsdecode(path)


def writable_place(path: str | os.PathLike[str], error: Error = OutputError) -> Path:
    """The resolved ``path`` if a file can be written there; else an ``error`` that says why not."""
    name = name_of_path(path, error)
    if not name.strip():  # it would be the folder that one is in
        raise error("an empty name is no file name; choose one, such as digits.safetensors.")
    try:
        target = Path(os.path.realpath(name))
        target.exists()
    except (OSError, ValueError) as problem:
        why = getattr(problem, "strerror", None) or problem
        raise error(f"{name!r} cannot be written: {why}.") from None
    if target.exists() and not target.is_file():
        raise error(f"{path} is {'a folder' if target.is_dir() else 'not a regular file'}; choose a file name.")
    if not target.parent.is_dir():
        raise error(f"{path} cannot be written: the folder {target.parent} does not exist.")
    if not os.access(target.parent, os.W_OK):
        raise error(f"{path} cannot be written: there is no permission to write in {target.parent}.")
    return target


def write_whole(path: str | os.PathLike[str], data: Bytes | Iterable[Bytes], error: Error = OutputError) -> None:
    """Write all of ``data``, bytes or pieces of them, or raise ``error`` and leave what was there as it was."""
    target = writable_place(path, error)
    was_there = target.exists() and target.stat().st_size > 0  # an empty file is only a placeholder
    part = target.with_name(f".pellucid-{uuid4().hex}.part")
    try:
        with open(part, "xb") as file:
            for piece in [data] if isinstance(data, Bytes) else data:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, part)
        os.replace(part, target)
        sync_folder(target.parent)
    except OSError as problem:
        kept = "; the file that was there is unchanged" if was_there else ""
        raise error(f"{path} cannot be written: {problem.strerror or problem}{kept}.") from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Let the names in a folder outlast a power cut, where the system can. Raises ``OSError`` if its disk fails."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as problem:
        if problem.errno not in _NO_SYNC:
            raise
    finally:
        os.close(descriptor)


def clear_parts(folder: Path) -> None:
    """Remove what writers left in a folder that were killed; only where nobody else writes now."""
    for part in folder.glob(".pellucid-*.part"):
        with contextlib.suppress(OSError):
            part.unlink()


def check_replaceable(path: str, start: bytes, kind: str) -> None:
    """Raise `OutputError` if a file cannot be written there, or would replace one that does not begin with ``start``."""
    if writable_place(path).exists():
        with open(path, "rb") as file:
            found = file.read(len(start))
        if found and found.upper() != start.upper():
            raise OutputError(f"{path} exists and is not {kind}; choose another name, or remove it first.")


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file, in lower-case hexadecimal digits. Raises ``OSError`` when it cannot be read."""
    import hashlib  # here: it brings OpenSSL along, which costs 4 MB and some milliseconds

    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cache_folder(platform: str = sys.platform) -> Path:
    """The folder for files that can be downloaded again, by the rules of ``platform``; it need not exist yet."""
    if platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "pellucid" / "Cache"
    if platform == "darwin":
        return Path.home() / "Library" / "Caches" / "pellucid"
    cache = os.environ.get("XDG_CACHE_HOME", "")  # the XDG specification ignores relative paths
    return (Path(cache) if os.path.isabs(cache) else Path.home() / ".cache") / "pellucid"
