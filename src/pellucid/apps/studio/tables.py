"""The tables of a studio, by name: the penguins, the file that it was opened with, and files that a page has sent."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from threading import Lock

from pellucid.core.display.text import printable
from pellucid.core.errors import ArgumentError, DataError
from pellucid.data.datasets.penguins import penguins

PENGUINS = "penguins"
MOST_SENT = 10  # files; the one that came first is forgotten for an eleventh
LONGEST_NAME = 100


class Tables:
    """Sent files lie in a temporary folder while the studio runs. Several threads may use them."""

    def __init__(self) -> None:
        self.opened: str | None = None  # the table that the studio was opened with
        self._paths: dict[str, str] = {PENGUINS: penguins()}
        self._sent: dict[str, str] = {}  # name -> fingerprint of the content
        self._lock = Lock()

    @cached_property
    def _folder(self) -> str:
        """Where sent files lie; it is removed at the end."""
        folder = tempfile.mkdtemp(prefix="pellucid-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return folder

    def open(self, path: str) -> str:
        """A file that the studio was opened with; gives its name."""
        self.opened = os.path.basename(path)
        self._paths[self.opened] = path
        return self.opened

    def names(self) -> list[str]:
        return list(self._paths)

    def path(self, name: str) -> str:
        """Where the table lies; raises `ArgumentError` if there is none of this name."""
        if name in self._paths:
            return self._paths[name]
        raise ArgumentError(
            f"this studio has no table {name[:LONGEST_NAME]!r}: files are kept only while it runs. Open the file again."
        )

    def receive(self, name: str) -> Incoming:
        """A file that is being sent; `keep` takes it when all of it is there."""
        return Incoming(_file_name(name), Path(tempfile.mkdtemp(dir=self._folder)))

    def keep(self, incoming: Incoming) -> str:
        """Take a sent file; gives its name: of the same file again that which it had, of another one with a number."""
        incoming.file.close()
        content = incoming.fingerprint.hexdigest()
        with self._lock:
            names = [incoming.name, *(f"{k}-{incoming.name}" for k in range(2, MOST_SENT + 3))]
            name = next(one for one in names if one not in self._paths or self._sent.get(one) == content)
            if name in self._paths:
                incoming.give_up()
                return name
            self._paths[name], self._sent[name] = str(incoming.path), content
            while len(self._sent) > MOST_SENT:
                oldest = next(iter(self._sent))
                del self._sent[oldest]
                Path(self._paths.pop(oldest)).unlink()
        return name

    @contextmanager
    def speaking_of(self, name: str) -> Iterator[None]:
        """Within it an error names the table as its readers know it, and not by the folder where a sent file lies."""
        folder = printable(f"{Path(self.path(name)).parent}{os.sep}")
        try:
            yield
        except DataError as error:
            raise DataError(str(error).replace(folder, "")) from None


class Incoming:
    """A file that arrives in parts."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.path = folder / name
        self.file = self.path.open("xb")
        self.fingerprint = hashlib.blake2b(digest_size=16)

    def write(self, part: bytes) -> None:
        self.file.write(part)
        self.fingerprint.update(part)

    def give_up(self) -> None:
        """Forget what has come."""
        self.file.close()
        self.path.unlink()
        self.path.parent.rmdir()


def _file_name(name: str) -> str:
    """The last part of a name, made printable and short: it is shown, and it is the name of a file."""
    last = name.replace("\\", "/").rpartition("/")[2].strip()
    plain = "".join(sign for sign in last if sign.isprintable() and sign not in '<>:"|?*')
    return plain.lstrip(".")[-LONGEST_NAME // 2 :] or "table.csv"
