"""Small pictures for the tests of folders: no two alike, made here; and what such tests share."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
from PIL import Image

GOOD = ("cat/a.png", "cat/b.png", "dog/c.png", "dog/d.png")
FILES = ("cat/a.png", "cat/b.png", "dog/c.png", "dog/d.png", "dog/deep/er/e.png")


def picture(number: int, size: tuple[int, int] = (12, 10)) -> Image.Image:
    """A colour picture that no other number gives."""
    values = np.random.default_rng(number).integers(0, 256, (size[1], size[0], 3), np.uint8)
    values[0, 0] = [number >> 16 & 255, number >> 8 & 255, number & 255]
    return Image.fromarray(values)


def save(path: Path, number: int, **options) -> Path:
    """The picture of this number as a file, in folders that are made for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture(number).save(path, **options)
    return path


def make(root: Path, *files: str) -> Path:
    """A folder with these files, each a picture of its own; a file has the same picture in every call."""
    for file in files:
        save(root / file, zlib.crc32(file.encode()) & 0xFFFFFF)
    return root


def same(one, other):
    """Whether two folders hold the same, in the same order."""
    assert one.labels == other.labels
    assert one.files == other.files
    assert one.report == other.report
    assert np.array_equal(one.x, other.x)
    assert np.array_equal(one.y, other.y)


def left(cache: Path) -> list[str]:
    """What lies in the cache, apart from the lock."""
    return sorted(path.name for path in cache.iterdir() if path.suffix != ".lock")
