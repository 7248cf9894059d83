"""A lock between threads and processes, which the operating system releases when its holder dies."""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pellucid.core.errors import DataError

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _try_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


_NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS}  # a file system that cannot lock


@contextmanager
def file_lock(path: Path, patience: float = 600.0) -> Iterator[None]:
    """Hold the lock at ``path`` (a small file, which stays) for the length of a ``with`` block.

    Waits while another thread or process holds it; after ``patience`` seconds raises ``DataError``. The lock belongs to
    the open file, so a killed process releases it. Where the file system has no locks (some network drives), the block
    runs without one.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        deadline = time.monotonic() + patience
        while True:
            try:
                _try_lock(descriptor)
                break
            except (BlockingIOError, PermissionError):  # taken, on POSIX and on Windows
                if time.monotonic() >= deadline:
                    raise DataError(
                        f"Another process has held {path} for {patience:g} s. Let it finish, or end it, and try again."
                    ) from None
            except OSError as error:
                if error.errno in _NO_LOCKS:
                    break
                raise
            time.sleep(0.05)
        yield
    finally:
        os.close(descriptor)  # releases the lock
