"""Files written whole or not at all."""

from __future__ import annotations

import errno
import os
import stat

import pytest

import pellucid as pl
from pellucid.core.errors import ModelFileError, OutputError
from pellucid.core.files import writable_place, write_whole


def test_a_file_is_made_and_replaced(tmp_path):
    target = tmp_path / "report.html"
    write_whole(target, b"one")
    write_whole(str(target), b"two")
    assert target.read_bytes() == b"two"
    assert os.listdir(tmp_path) == ["report.html"]


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    target = tmp_path / "report.html"
    target.write_bytes(b"old")

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(
        OutputError, match="cannot be written: No space left on device; the file that was there is unchanged"
    ):
        write_whole(target, b"new")
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["report.html"]


def test_an_empty_file_that_held_the_name_is_not_spoken_of(tmp_path, monkeypatch):
    target = tmp_path / "report.html"
    target.touch()

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match=r"cannot be written: No space left on device\.$"):
        write_whole(target, b"new")


def test_ctrl_c_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    target = tmp_path / "report.html"
    target.write_bytes(b"old")

    def interrupted(descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_whole(target, b"new")
    assert os.listdir(tmp_path) == ["report.html"]
    assert target.read_bytes() == b"old"


def test_links_are_followed_and_permissions_kept(tmp_path):
    target, link = tmp_path / "real.html", tmp_path / "link.html"
    target.write_bytes(b"old")
    target.chmod(0o640)
    link.symlink_to(target)
    write_whole(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


@pytest.mark.parametrize("error", [OutputError, ModelFileError])
def test_places_that_cannot_be_written_are_explained(tmp_path, error):
    for no_path in (None, 3, pl.Input(2)):
        with pytest.raises(error, match=f"a file name is expected, not {type(no_path).__name__}"):
            writable_place(no_path, error)
    assert writable_place(bytes(tmp_path / "a b"), error) == tmp_path / "a b"
    with pytest.raises(error, match="is a folder; choose a file name"):
        writable_place(tmp_path, error)
    with pytest.raises(error, match=r"the folder .* does not exist"):
        writable_place(tmp_path / "nowhere" / "report.html", error)
    with pytest.raises(error, match="cannot be written"):
        writable_place("a\0b", error)
    with pytest.raises(error, match="cannot be written"):
        write_whole(tmp_path / ("x" * 300), b"", error)


def test_pieces_of_any_kind_are_written_one_after_the_other(tmp_path):
    write_whole(tmp_path / "file", [b"one", memoryview(b" two"), b""])
    assert (tmp_path / "file").read_bytes() == b"one two"
    write_whole(tmp_path / "file", memoryview(b"three"))
    assert (tmp_path / "file").read_bytes() == b"three"


def test_the_name_is_synchronized_too(tmp_path, monkeypatch):
    """After the content of the file, and after the renaming: else a power cut could bring back the old name or none."""
    done, sync, replace = [], os.fsync, os.replace

    def synced(descriptor):
        done.append("folder" if os.path.isdir(f"/proc/self/fd/{descriptor}") else "file")
        sync(descriptor)

    def replaced(old, new):
        done.append("rename")
        replace(old, new)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", replaced)
    write_whole(tmp_path / "file", b"content")
    assert done == ["file", "rename", "folder"]
