"""A disk that fails: the Nth call that opens, writes, synchronizes or renames below a folder raises an OSError."""

from __future__ import annotations

import builtins
import errno
import os
from contextlib import contextmanager
from unittest import mock

KINDS = {"write": errno.ENOSPC, "fsync": errno.EIO, "replace": errno.EIO, "open": errno.EACCES}


class Disk:
    """``calls`` counts those of one kind; the one with the number ``fails_at``, and with ``stays`` all after it, fail."""

    def __init__(self, folder, kind, fails_at=None, *, stays=False):
        self.folder, self.kind, self.fails_at, self.stays = os.fspath(folder), kind, fails_at, stays
        self.calls = 0
        self.descriptors = set()

    def meet(self, kind, path):
        if kind != self.kind or not str(path).startswith(self.folder):
            return
        self.calls += 1
        if self.fails_at is not None and (self.calls == self.fails_at or (self.stays and self.calls > self.fails_at)):
            raise OSError(KINDS[kind], os.strerror(KINDS[kind]))

    @contextmanager
    def mounted(self):
        """Within it, Python's own functions use this disk."""
        open_file, open_descriptor, sync, replace, write = builtins.open, os.open, os.fsync, os.replace, os.write
        disk, names = self, {}

        class Writing:
            """A file that is written, whose ``write`` meets the disk."""

            def __init__(self, file, path):
                self.file, self.path = file, path

            def write(self, data):
                disk.meet("write", self.path)
                return self.file.write(data)

            def __getattr__(self, name):
                return getattr(self.file, name)

            def __enter__(self):
                self.file.__enter__()
                return self

            def __exit__(self, *error):
                return self.file.__exit__(*error)

        def opened(path, mode="r", *rest, **named):
            if isinstance(path, int) or not set(mode) & set("wxa+"):
                return open_file(path, mode, *rest, **named)
            disk.meet("open", path)
            file = open_file(path, mode, *rest, **named)
            names[file.fileno()] = path
            return Writing(file, path)

        def opened_descriptor(path, *rest, **named):
            disk.meet("open", path)
            descriptor = open_descriptor(path, *rest, **named)
            names[descriptor] = path
            return descriptor

        def synced(descriptor):
            disk.meet("fsync", names.get(descriptor, ""))
            sync(descriptor)

        def replaced(old, new):
            disk.meet("replace", new)
            replace(old, new)

        def written(descriptor, data):
            disk.meet("write", names.get(descriptor, ""))
            return write(descriptor, data)

        patches = {"fsync": synced, "replace": replaced, "write": written, "open": opened_descriptor}
        with mock.patch.multiple(os, **patches), mock.patch.object(builtins, "open", opened):
            yield self
