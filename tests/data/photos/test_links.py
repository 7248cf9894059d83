"""Links, pipes and files of the system in a folder of photos."""

from __future__ import annotations

import os
import time

import pytest
from picture_files import GOOD, make

from pellucid.core.errors import DataError


def test_links_out_of_the_folder_are_named_and_not_followed(root, read, tmp_path):
    outside = make(tmp_path / "outside", "secret.png", "more/e.png")
    (root / "cat/file.png").symlink_to(outside / "secret.png")
    (root / "cat/folder").symlink_to(outside / "more")
    (root / "cat/relative.png").symlink_to("../../outside/secret.png")
    (root / "emu").symlink_to(outside)
    (root / "cat/chain.png").symlink_to(root / "cat/file.png")
    photos = read(root)
    assert photos.files == list(GOOD)
    assert photos.labels == ("cat", "dog")
    assert {(p.file, p.kind) for p in photos.report.problems} == {
        (file, "link") for file in ("cat/file.png", "cat/folder", "cat/relative.png", "cat/chain.png", "emu")
    }


def test_links_in_a_circle_and_into_nothing_do_no_harm(root, read):
    (root / "cat/self.png").symlink_to(root / "cat/self.png")
    (root / "cat/one.png").symlink_to(root / "cat/two.png")
    (root / "cat/two.png").symlink_to(root / "cat/one.png")
    (root / "cat/up").symlink_to(root)
    (root / "cat/nothing.png").symlink_to(root / "cat/gone.png")
    begin = time.monotonic()
    photos = read(root)
    assert time.monotonic() - begin < 20
    assert photos.files == list(GOOD)
    assert {p.file for p in photos.report.problems} == {
        f"cat/{name}" for name in ("self.png", "one.png", "two.png", "up", "nothing.png")
    }


def test_a_link_inside_of_the_folder_is_a_second_name_of_the_same_picture(root, read):
    (root / "cat/z.png").symlink_to(root / "cat/a.png")
    (problem,) = read(root).report.problems
    assert (problem.file, problem.kind) == ("cat/z.png", "duplicate")


def test_classes_that_are_links_are_explained(tmp_path, read):
    make(tmp_path / "elsewhere", "a.png")
    root = make(tmp_path / "photos", "cat/b.png")
    (root / "dog").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DataError, match="dog: a symbolic link"):
        read(root)


def test_the_folder_itself_may_be_a_link(root, read, tmp_path):
    (tmp_path / "link").symlink_to(root)
    assert read(tmp_path / "link").files == list(GOOD)


def test_csv_cannot_lead_out_of_its_folder(tmp_path, read):
    make(tmp_path, "outside.png")
    root = make(tmp_path / "photos", "a.png", "b.png")
    (root / "sub").symlink_to(tmp_path)
    (root / "labels.csv").write_text(
        f"file,label\na.png,cat\nb.png,dog\n{tmp_path}/outside.png,cat\nsub/outside.png,cat\n../photos/../outside.png,cat\n"
    )
    photos = read(root)
    assert photos.files == ["a.png", "b.png"]
    assert [p.kind for p in photos.report.problems] == ["link"] * 3


def test_pipes_are_named_and_never_opened(root, read):
    """Opening a pipe that nobody writes to would wait for ever."""
    os.mkfifo(root / "cat/pipe.png")
    (problem,) = read(root).report.problems
    assert (problem.file, problem.kind) == ("cat/pipe.png", "special")


def test_files_of_the_system_are_passed_over_in_silence(root, read):
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", "._a.png"):
        (root / "cat" / name).write_bytes(b"\0\1\2")
        (root / name).write_bytes(b"\0\1\2")
    for name in (".git", ".cache", "__MACOSX"):
        make(root, f"{name}/x.png", f"cat/{name}/y.png")
    (root / "README.md").write_text("my photos")
    photos = read(root)
    assert photos.files == list(GOOD)
    assert photos.report.problems == ()
