"""The cache of a folder of photos follows every change, and is never believed when it is damaged."""

from __future__ import annotations

import os
import shutil
import threading

import numpy as np
import pytest
from picture_files import FILES, left, make, same, save

import pellucid as pl
from pellucid.core.errors import DataError


def test_an_unchanged_folder_is_not_decoded_again(tmp_path, read, decoded):
    root = make(tmp_path / "photos", *FILES)
    first = read(root)
    assert sorted(decoded) == sorted(FILES)
    decoded.clear()
    same(read(root), first)
    assert decoded == []
    read(root, size=9)
    assert len(decoded) == 5


def test_the_cache_follows_every_change_and_decodes_only_what_changed(tmp_path, read, decoded):
    root = make(tmp_path / "photos", *FILES)
    cache = tmp_path / "cache"

    def check(*expected):
        decoded.clear()
        photos = read(root)
        assert sorted(decoded) == sorted(expected)
        fresh = read(root, cache=tmp_path / f"fresh{len(list(tmp_path.iterdir()))}")
        same(photos, fresh)
        assert len(list(cache.glob("*.pixels"))) == 1

    check(*FILES)
    save(root / "cat/a.png", 999)
    check("cat/a.png")
    save(root / "cat/new.png", 1000)
    check("cat/new.png")
    (root / "dog/c.png").unlink()
    check()
    (root / "dog/d.png").rename(root / "dog/z.png")
    check("dog/z.png")
    (root / "dog/z.png").rename(root / "cat/z.png")
    check("cat/z.png")
    shutil.copy(root / "cat/b.png", root / "cat/copy.png")
    check("cat/copy.png")
    status = (root / "cat/b.png").stat()
    os.utime(root / "cat/b.png", ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    check("cat/b.png")


def the_index(cache):
    (path,) = cache.glob("*.index")
    return path


def the_pixels(cache):
    (path,) = cache.glob("*.pixels")
    return path


@pytest.mark.parametrize("which", [the_index, the_pixels])
@pytest.mark.parametrize("how", ["cut", "emptied", "overwritten", "longer", "removed", "a folder"])
def test_a_damaged_cache_is_rebuilt(tmp_path, read, which, how):
    root = make(tmp_path / "photos", *FILES)
    first = read(root)
    expected = first.x.copy()
    path = which(tmp_path / "cache")
    content = path.read_bytes()
    path.unlink()
    if how == "a folder":
        path.mkdir()
        if which is the_index:
            with pytest.raises(DataError, match="cannot be kept"):
                read(root)
            return
    elif how != "removed":
        changed = {
            "cut": content[: len(content) // 2],
            "emptied": b"",
            "overwritten": bytes(len(content)),
            "longer": content + b"x",
        }
        path.write_bytes(changed[how])
    assert np.array_equal(read(root).x, expected)
    assert np.array_equal(read(root).x, expected)


@pytest.mark.parametrize("change", [("cat/a.png", "cat/x.png"), ("true", "false"), ("[", "{"), ("\n", ""), (".pixels", "")])
def test_an_index_that_was_changed_is_not_believed(tmp_path, read, change):
    root = make(tmp_path / "photos", *FILES)
    first = read(root)
    index = the_index(tmp_path / "cache")
    assert change[0] in index.read_text()
    index.write_text(index.read_text().replace(*change))
    same(read(root), first)


def test_two_threads_share_the_work(tmp_path, read, decoded):
    root = make(tmp_path / "photos", *FILES)
    results = []
    threads = [threading.Thread(target=lambda: results.append(read(root))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(results) == 4
    for photos in results[1:]:
        same(photos, results[0])
    assert sorted(decoded) == sorted(FILES)


def test_the_default_cache_is_that_of_the_user(tmp_path, monkeypatch):
    monkeypatch.setattr("pellucid.data.photos.decoding.cache_folder", lambda: tmp_path / "user")
    root = make(tmp_path / "photos", *FILES)
    pl.datasets.folder(root, 8)
    assert len(list((tmp_path / "user/photos").glob("*.pixels"))) == 1


def test_a_copy_of_a_cached_folder_has_a_cache_of_its_own(root, read, tmp_path):
    read(root)
    shutil.copytree(root, tmp_path / "copy")
    save(tmp_path / "copy/cat/a.png", 4711)
    assert not np.array_equal(read(tmp_path / "copy").x[0], read(root).x[0])
    assert len(left(tmp_path / "cache")) == 4
