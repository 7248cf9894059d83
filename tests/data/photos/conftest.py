"""What the tests of folders of photos share."""

from __future__ import annotations

import pytest
from picture_files import GOOD, make

import pellucid as pl
from pellucid.data.photos import photo_reader


@pytest.fixture
def read(tmp_path):
    """``read(root)``: the folder at 8 x 8, with a cache that belongs to this test."""

    def folder(root, size=8, **options):
        return pl.datasets.folder(root, size, **{"cache": tmp_path / "cache"} | options)

    return folder


@pytest.fixture
def decoded(monkeypatch):
    """The files that were decoded since the last ``clear()``."""
    files = []
    original = photo_reader.read_photo

    def spy(root, entry, pipeline):
        files.append(entry.file)
        return original(root, entry, pipeline)

    monkeypatch.setattr(photo_reader, "read_photo", spy)
    return files


@pytest.fixture
def root(tmp_path):
    """Two good pictures in each of two classes."""
    return make(tmp_path / "photos", *GOOD)
