"""Which picture files lie in a folder, and of which class they are: found by name, without opening any."""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from pellucid.core.display.text import printable
from pellucid.core.errors import DataError
from pellucid.data.photos.folder_report import Problem
from pellucid.data.photos.parts import NOT_READ, Split, parts_of

LAYOUTS = (
    "expected one folder of pictures for each class (photos/cat/1.jpg, photos/dog/2.jpg), or train/ and test/ with such "
    "folders in them, or a file labels.csv with the columns file and label"
)
SUFFIXES = {
    **dict.fromkeys((".png", ".apng"), "PNG"),
    **dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif"), "JPEG"),
    **dict.fromkeys((".bmp", ".dib"), "BMP"),
    ".webp": "WEBP",
    ".gif": "GIF",
    **dict.fromkeys((".tif", ".tiff"), "TIFF"),
    **dict.fromkeys((".ppm", ".pgm", ".pbm", ".pnm"), "PPM"),
}
"""The extensions of pictures, and the format that each promises."""

SHOWN = 5  # a sentence names so many files or classes

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)", re.ASCII)
_IGNORED = {"thumbs.db", "desktop.ini", "__macosx"}  # like everything that begins with a dot, files of the system


@dataclass(frozen=True)
class Entry:
    """One file that should be a picture: its path in the folder, its class and part, and what tells whether it changed."""

    file: str
    label: str
    split: Split
    size: int
    mtime_ns: int


@dataclass
class Listing:
    """The files below ``root``: those to learn from, then those to test with, each sorted by path.

    ``source`` is the folder or the CSV file that says so; ``labels`` are the classes, also those without a file.
    """

    source: Path
    root: Path
    entries: list[Entry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    labels: set[str] = field(default_factory=set)

    def add(self, file: str, label: str, split: Split) -> None:
        """A file, if it is a regular one inside of the folder; else a problem. It is not opened."""
        try:
            status = os.stat(self.root / file, follow_symlinks=False)
            if stat.S_ISLNK(status.st_mode):
                if not self.holds(self.root / file):
                    return self.note(file, "link", "a symbolic link that leads out of the folder; it is not followed")
                status = os.stat(self.root / file)
        except FileNotFoundError:
            if os.path.islink(self.root / file):
                return self.note(file, "link", "a symbolic link that leads nowhere")
            return self.note(file, "missing", "not there")
        except (OSError, ValueError) as error:  # among them links that lead in a circle, and names with a zero byte
            return self.note(file, "unreadable", f"it cannot be opened: {getattr(error, 'strerror', None) or error}")
        if stat.S_ISDIR(status.st_mode):
            return self.note(file, "link", "a folder, or a link to one, in the place of a file; it is not followed")
        if not stat.S_ISREG(status.st_mode):
            return self.note(file, "special", "no regular file (a pipe, a socket or a device); it was not opened")
        self.entries.append(Entry(file, label, split, status.st_size, status.st_mtime_ns))
        return None

    def note(self, file: str, kind: str, reason: str) -> None:
        """A file that is left out."""
        self.problems.append(Problem(file, kind, reason))

    def holds(self, path: Path) -> bool:
        """Whether a path, with all links followed, lies inside of the folder."""
        return Path(os.path.realpath(path)).is_relative_to(self.root)

    def in_order(self) -> Listing:
        """The same with entries and problems sorted, so that the order of the file system has no part in it."""
        self.entries.sort(key=lambda entry: (entry.split != "train", entry.file))
        self.problems.sort()
        return self


def list_folder(root: Path, *, are_classes_known: bool = False) -> Listing:
    """The files in the class folders of ``root``, or in those of its parts, such as ``train`` and ``test``.

    Folders inside of a class folder belong to the class. Hidden files and folders are passed over; symbolic links that lead
    out of the folder, and those to folders, are named and not followed. Raises DataError if there are no class folders, and
    unless the classes are known, if the folders in them look more like the classes.
    """
    listing = Listing(root, root)
    try:
        has_parts = _list_classes(listing)
    except OSError as error:
        raise DataError(f"the folder {error.filename or root} cannot be read: {error.strerror or error}.") from error
    if not listing.labels:
        raise DataError(f"{printable(str(root))} has no class folders; {LAYOUTS}.")
    if not has_parts and not are_classes_known:
        _check_folders_are_classes(listing)
    return listing.in_order()


def _list_classes(listing: Listing) -> bool:
    """Find the class folders, here or in the parts, and all files in them; whether there are parts."""
    parts = parts_of(_folders(listing, "", loose="the folder itself"))
    kinds = set(parts.values())
    has_parts = None not in kinds or ("train" in kinds and len(kinds - {None}) > 1)
    for name, part in parts.items():
        if not has_parts:
            _walk(listing, name, name, "train")
        elif part == "train" or part == "test":
            _list_part(listing, name, part)
        else:
            listing.note(name, "loose", NOT_READ)
    return has_parts


def _list_part(listing: Listing, folder: str, part: Split) -> None:
    """The class folders of a part, which may lie one folder deeper, as in seg_train/seg_train/cat."""
    names = _folders(listing, folder, loose=f"{folder}/")
    if len(names) == 1 and parts_of(names)[names[0]] == part:
        return _list_part(listing, f"{folder}/{names[0]}", part)
    for label in names:
        _walk(listing, f"{folder}/{label}", label, part)
    return None


def _check_folders_are_classes(listing: Listing) -> None:
    """Raise DataError if all folders hold the same folders and no pictures beside them: parts of unusual names, perhaps."""
    inside: dict[str, set[str]] = {}
    for entry in listing.entries:
        folder, below, *deeper = entry.file.split("/")
        inside.setdefault(folder, set()).add(below if deeper else "")
    common = set.intersection(*inside.values()) if inside else set()
    if len(common) < 2 or "" in common:
        return
    where, outer, inner = printable(str(listing.root)), named(sorted(inside)), named(sorted(common))
    if len(inside) == 1:
        raise DataError(
            f"{where} has only one class, {outer}, with the folders {inner} in it. "
            f"Did you mean {printable(str(listing.root / next(iter(inside))))}?"
        )
    raise DataError(
        f"{where} has the folders {outer}, and each of them holds {inner}. Which of both are the classes? If "
        f"{inner} are, rename the others to train and test, or name one of them alone. If {outer} are, move "
        "their pictures directly into them, or name each picture and its class in labels.csv."
    )


def named(names: Sequence[str]) -> str:
    """The first names as words of a sentence."""
    more = len(names) - SHOWN
    return ", ".join(map(repr, names[:SHOWN])) + (f" and {more} more" if more > 0 else "")


def is_hidden(name: str) -> bool:
    """Whether a file or folder is one of the system, such as .DS_Store: passed over without a word."""
    return name.startswith(".") or name.casefold() in _IGNORED


def as_label(name: str) -> str:
    """The class of a folder: its name, with accents composed, as the file systems of some machines take them apart."""
    return unicodedata.normalize("NFC", name)


def sorted_labels(labels: set[str]) -> tuple[str, ...]:
    """The classes in order: by value if all are numbers ("-1" before "0.5" before "10"), else as text."""
    if all(_NUMBER.fullmatch(label) for label in labels):
        return tuple(sorted(labels, key=lambda label: (Decimal(label), label)))
    return tuple(sorted(labels))


def _folders(listing: Listing, below: str, loose: str) -> list[str]:
    """The folders directly in one, sorted; pictures and links beside them are problems."""
    names = []
    with os.scandir(listing.root / below) as found:
        for entry in found:
            if is_hidden(entry.name):
                continue
            file = f"{below}/{entry.name}" if below else entry.name
            if entry.is_dir(follow_symlinks=False):
                names.append(entry.name)
            elif entry.is_symlink():
                listing.note(file, "link", "a symbolic link in the place of a class folder; it is not followed")
            elif os.path.splitext(entry.name)[1].casefold() in SUFFIXES:
                listing.note(file, "loose", f"it lies directly in {loose}, in no class folder")
    return sorted(names)


def _walk(listing: Listing, folder: str, label: str, split: Split) -> None:
    """All files of a class folder and of the folders in it."""
    label = as_label(label)
    listing.labels.add(label)
    waiting = [folder]
    while waiting:
        below = waiting.pop()
        try:
            with os.scandir(listing.root / below) as found:
                entries = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in found]
        except OSError as error:
            listing.note(below, "unreadable", f"a folder that cannot be read: {error.strerror or error}")
            continue
        for name, is_folder in entries:
            if is_hidden(name):
                continue
            if is_folder:
                waiting.append(f"{below}/{name}")
            else:
                listing.add(f"{below}/{name}", label, split)
