"""Whatever interrupts the reading of a folder leaves nothing half written, and a cache that works."""

from __future__ import annotations

import errno
import subprocess
import sys

import pytest
from picture_files import left, save

from pellucid.core.errors import DataError
from pellucid.data.photos import photo_reader, picture_cache


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(errno.ENOSPC, "No space left on device")])
@pytest.mark.parametrize("place", ["pixels", "index"])
@pytest.mark.parametrize("had", [False, True])
def test_whatever_interrupts_leaves_nothing_half_written(root, read, tmp_path, monkeypatch, error, place, had):
    """Ctrl-C and a full disk, while pixels are written and while the index is; with a cache from before and without."""
    if had:
        read(root)
        save(root / "cat/new.png", 77)
    (tmp_path / "cache").mkdir(exist_ok=True)
    before = left(tmp_path / "cache")

    def fail(*_, **__):
        raise error

    expected = DataError if isinstance(error, OSError) else KeyboardInterrupt
    with monkeypatch.context() as patch:
        if place == "pixels":
            patch.setattr(picture_cache, "_append", fail)
        else:
            patch.setattr(picture_cache.os, "replace", fail)
        with pytest.raises(expected) as raised:
            read(root)
    if expected is DataError:
        assert "No space left on device" in str(raised.value)
        assert "cache=" in str(raised.value)
    assert left(tmp_path / "cache") == before
    assert len(read(root).x) == 4 + had


def test_ctrl_c_between_two_chunks(root, read, tmp_path, monkeypatch):
    monkeypatch.setattr(photo_reader, "_CHUNK_FILES", 1)

    def stop(done, total):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read(root, progress=stop)
    assert left(tmp_path / "cache") == []
    assert len(read(root).x) == 4


def test_leftovers_of_a_killed_process_are_removed(root, read, tmp_path):
    read(root)
    (pixels,) = (tmp_path / "cache").glob("*.pixels")
    key = pixels.name.split("-")[0]
    for name in (f"{key}-dead.pixels", f"{key}-dead.part"):
        (tmp_path / "cache" / name).write_bytes(b"half")
    save(root / "cat/new.png", 78)
    read(root)
    assert len(left(tmp_path / "cache")) == 2


def test_a_cache_that_cannot_be_made(root, read, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match="cannot be kept"):
        read(root, cache=tmp_path / "file" / "cache")


def test_a_hard_kill_leaves_a_cache_that_works(root, read, tmp_path):
    code = (
        "import os, sys, pellucid as pl\n"
        "pl.datasets.folder(sys.argv[1], 8, cache=sys.argv[2], progress=lambda done, total: os._exit(9))"
    )
    done = subprocess.run([sys.executable, "-c", code, root, tmp_path / "cache"], timeout=60)
    assert done.returncode == 9
    assert len(left(tmp_path / "cache")) == 1
    assert len(read(root).x) == 4
    assert len(left(tmp_path / "cache")) == 2
