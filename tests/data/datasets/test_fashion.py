"""Fashion-MNIST from a local server, from the cache and from a folder of the user's: tiny files, the real road."""

from __future__ import annotations

import gzip
import hashlib
import importlib
import os
from pathlib import Path

import numpy as np
import pytest

from pellucid.core.errors import DataError
from pellucid.core.files import cache_folder
from pellucid.core.remote import RemoteFile
from pellucid.data.datasets import fashion, fashion_labels

# Two pictures of one row and three columns for training, one for testing; classes 3 and 9, and 0.
CONTENT = {
    "train-images-idx3-ubyte.gz": "00000803 00000002 00000001 00000003 010203 040506",
    "train-labels-idx1-ubyte.gz": "00000801 00000002 0309",
    "t10k-images-idx3-ubyte.gz": "00000803 00000001 00000001 00000003 fffefd",
    "t10k-labels-idx1-ubyte.gz": "00000801 00000001 00",
}
PUBLISHED = {name: gzip.compress(bytes.fromhex(text), mtime=1) for name, text in CONTENT.items()}
REPACKED = {name: gzip.compress(bytes.fromhex(text), mtime=2) for name, text in CONTENT.items()}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def collection(web, cache, monkeypatch):
    """The four files on the local server, in place of the published ones; returns the server."""
    files = []
    for name, data in PUBLISHED.items():
        web.answers[f"/{name}"] = web.ranged(data)
        files.append(
            RemoteFile("fashion-mnist", name, f"{web.address}/{name}", sha256(data), 1000, (sha256(REPACKED[name]),))
        )
    module = importlib.import_module("pellucid.data.datasets.fashion")
    monkeypatch.setattr(module, "_FILES", tuple(files))
    return web


def check(result) -> None:
    (x, y), (x_test, y_test) = result
    assert (x.dtype, y.dtype, x_test.dtype, y_test.dtype) == (np.uint8, np.int64, np.uint8, np.int64)
    assert x.tolist() == [[[1, 2, 3]], [[4, 5, 6]]]
    assert y.tolist() == [3, 9]
    assert x_test.tolist() == [[[255, 254, 253]]]
    assert y_test.tolist() == [0]


def fill(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def test_downloads_once_then_needs_no_network(collection, cache):
    seen = []
    check(fashion(progress=lambda *news: seen.append(news)))
    assert seen == [(name, len(data), len(data)) for name, data in PUBLISHED.items()]
    assert [path for path, _ in collection.requests] == [f"/{name}" for name in PUBLISHED]
    collection.close()
    check(fashion())
    kept = {path.name: path.read_bytes() for path in (cache / "fashion-mnist").iterdir() if path.suffix != ".lock"}
    assert kept == PUBLISHED


def test_a_cached_file_that_rotted_is_fetched_again(collection, cache):
    fashion()
    (cache / "fashion-mnist" / "t10k-labels-idx1-ubyte.gz").write_bytes(b"rotten")
    check(fashion())
    assert len(collection.requests) == 5


def test_an_interrupted_call_goes_on_with_what_is_there(collection, cache):
    name = "t10k-images-idx3-ubyte.gz"
    collection.answers[f"/{name}"] = collection.in_turn(
        collection.ranged(PUBLISHED[name], 10), collection.ranged(PUBLISHED[name], 0), collection.ranged(PUBLISHED[name])
    )
    with pytest.raises(DataError, match="broke off after 10 bytes"):
        fashion()
    assert not (cache / "fashion-mnist" / name).exists()
    check(fashion())
    assert collection.requests[-2:] == [(f"/{name}", "bytes=10-"), ("/t10k-labels-idx1-ubyte.gz", None)]


def test_offline_says_what_to_do(collection, cache):
    collection.close()
    with pytest.raises(DataError) as caught:
        fashion()
    text = str(caught.value)
    assert f"{collection.address}/train-images-idx3-ubyte.gz cannot be reached" in text
    assert "PELLUCID_DATA" in text


def test_a_login_page_in_place_of_the_file(collection, cache):
    collection.answers["/train-labels-idx1-ubyte.gz"] = collection.whole(b"<html>")
    with pytest.raises(DataError, match=r"train-labels-idx1-ubyte\.gz gave 6 bytes"):
        fashion()
    assert not (cache / "fashion-mnist" / "train-labels-idx1-ubyte.gz").exists()


class TestFolderOfTheUser:
    @pytest.mark.parametrize("below", ["fashion-mnist", "."])
    @pytest.mark.parametrize("files", [PUBLISHED, REPACKED], ids=["published", "repacked"])
    def test_is_enough(self, collection, cache, tmp_path, monkeypatch, below, files):
        fill(tmp_path / "mine" / below, files)
        monkeypatch.setenv("PELLUCID_DATA", str(tmp_path / "mine"))
        check(fashion())
        assert collection.requests == []
        assert not cache.exists()

    def test_its_folder_comes_before_the_files_beside_it(self, collection, tmp_path, monkeypatch):
        fill(tmp_path / "mine" / "fashion-mnist", PUBLISHED)
        fill(tmp_path / "mine", dict.fromkeys(PUBLISHED, b"MNIST has files of these names"))
        monkeypatch.setenv("PELLUCID_DATA", str(tmp_path / "mine"))
        check(fashion())

    @pytest.mark.parametrize("below", ["fashion-mnist", "."])
    def test_a_wrong_file_in_it_is_an_error_and_not_passed_over(self, collection, tmp_path, monkeypatch, below):
        wrong = fill(tmp_path / "mine" / below, PUBLISHED) / "t10k-images-idx3-ubyte.gz"
        wrong.write_bytes(b"something else")
        monkeypatch.setenv("PELLUCID_DATA", str(tmp_path / "mine"))
        with pytest.raises(DataError) as caught:
            fashion()
        assert str(wrong) in str(caught.value)
        assert sha256(b"something else") in str(caught.value)
        assert sha256(PUBLISHED[wrong.name]) in str(caught.value)
        assert collection.requests == []
        assert wrong.read_bytes() == b"something else"

    def test_what_it_lacks_is_downloaded_into_the_cache(self, collection, cache, tmp_path, monkeypatch):
        mine = fill(tmp_path / "mine", PUBLISHED)
        (mine / "train-images-idx3-ubyte.gz").unlink()
        monkeypatch.setenv("PELLUCID_DATA", str(mine))
        check(fashion())
        assert collection.requests == [("/train-images-idx3-ubyte.gz", None)]
        assert (cache / "fashion-mnist" / "train-images-idx3-ubyte.gz").exists()
        assert not (mine / "train-images-idx3-ubyte.gz").exists()

    def test_that_is_not_there_is_an_error(self, collection, tmp_path, monkeypatch):
        monkeypatch.setenv("PELLUCID_DATA", str(tmp_path / "typo"))
        with pytest.raises(DataError, match=r"PELLUCID_DATA names .*typo, which is not a folder"):
            fashion()
        assert collection.requests == []

    def test_an_empty_variable_counts_as_none(self, collection, monkeypatch):
        monkeypatch.setenv("PELLUCID_DATA", "")
        check(fashion())

    def test_an_unreadable_file_is_named(self, collection, tmp_path, monkeypatch):
        (tmp_path / "mine" / "train-images-idx3-ubyte.gz").mkdir(parents=True)
        monkeypatch.setenv("PELLUCID_DATA", str(tmp_path / "mine"))
        with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz .*cannot be read"):
            fashion()


def test_the_published_files_are_pinned():
    files = importlib.import_module("pellucid.data.datasets.fashion")._FILES
    address = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
    assert [file.url for file in files] == [address + name for name in CONTENT]
    hashes = [value for file in files for value in (file.sha256, *file.also_sha256)]
    assert len(set(hashes)) == 8
    assert all(len(value) == 64 and int(value, 16) for value in hashes)
    sizes = [26_421_880, 29_515, 4_422_102, 5_148]  # in bytes, of the files whose MD5 the authors publish
    assert all(size <= file.max_bytes for size, file in zip(sizes, files, strict=True))


def test_the_names_of_the_classes():
    assert len(set(fashion_labels)) == 10
    assert (fashion_labels[0], fashion_labels[5], fashion_labels[9]) == ("T-shirt/top", "Sandal", "Ankle boot")


class TestCacheFolder:
    @pytest.fixture(autouse=True)
    def home(self, monkeypatch):
        monkeypatch.setattr(Path, "home", lambda: Path("/home/ada"))
        for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
            monkeypatch.delenv(name, raising=False)

    @pytest.mark.parametrize(
        ("platform", "folder"),
        [
            ("linux", "/home/ada/.cache/pellucid"),
            ("darwin", "/home/ada/Library/Caches/pellucid"),
            ("win32", "/home/ada/AppData/Local/pellucid/Cache"),
        ],
    )
    def test_follows_the_platform(self, platform, folder):
        assert cache_folder(platform) == Path(folder)

    def test_follows_the_variables(self, monkeypatch):
        monkeypatch.setenv("XDG_CACHE_HOME", os.path.abspath("/fast/cache"))
        monkeypatch.setenv("LOCALAPPDATA", "/local")
        assert cache_folder("linux") == Path(os.path.abspath("/fast/cache")) / "pellucid"
        assert cache_folder("win32") == Path("/local/pellucid/Cache")
        assert cache_folder("darwin") == Path("/home/ada/Library/Caches/pellucid")

    def test_a_relative_variable_is_ignored(self, monkeypatch):
        monkeypatch.setenv("XDG_CACHE_HOME", "cache")
        assert cache_folder("linux") == Path("/home/ada/.cache/pellucid")


def test_a_user_without_a_home_is_told_of_the_folder(collection, monkeypatch):
    def nowhere():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("pellucid.core.remote.cache_folder", nowhere)
    with pytest.raises(DataError, match=r"home directory.*PELLUCID_DATA"):
        fashion()
