"""Places that cannot be written, and networks that cannot be saved: what was there stays as it was."""

from __future__ import annotations

import errno
import os

import numpy as np
import pytest

import pellucid as pl


def fails_with(number):
    def fail(*_, **__):
        raise OSError(number, os.strerror(number))

    return fail


class FullDisk:
    """A file object on a disk that is full after 100 bytes."""

    def __init__(self, file):
        self.file = file

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()

    def write(self, data):
        self.file.write(data[:100])
        self.file.flush()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def full_disk(monkeypatch):
    real = open
    monkeypatch.setattr(
        "builtins.open",
        lambda file, mode="r", *a, **k: FullDisk(real(file, mode)) if mode in ("wb", "xb") else real(file, mode, *a, **k),
    )


FAILURES = {
    "disk full at write": full_disk,
    "disk full at fsync": lambda monkeypatch: monkeypatch.setattr(os, "fsync", fails_with(errno.ENOSPC)),
    "input/output error": lambda monkeypatch: monkeypatch.setattr(os, "fsync", fails_with(errno.EIO)),
    "rename refused": lambda monkeypatch: monkeypatch.setattr(os, "replace", fails_with(errno.EACCES)),
    "quota": lambda monkeypatch: monkeypatch.setattr(os, "fsync", fails_with(errno.EDQUOT)),
}


@pytest.mark.parametrize("name", FAILURES)
@pytest.mark.parametrize("before", [b"what was there before", None])
def test_a_failed_save_leaves_everything_as_it_was(kit, tmp_path, monkeypatch, name, before):
    path = tmp_path / "model.safetensors"
    if before is not None:
        path.write_bytes(before)
    FAILURES[name](monkeypatch)
    with pytest.raises(pl.ModelFileError) as caught:
        kit.regression.save(path)
    monkeypatch.undo()
    assert str(path) in str(caught.value)
    assert "cannot be written" in str(caught.value)
    assert ("unchanged" in str(caught.value)) == (before is not None)
    assert [p.name for p in tmp_path.iterdir()] == (["model.safetensors"] if before else [])
    assert before is None or path.read_bytes() == before


def test_ctrl_c_while_saving_leaves_everything_as_it_was(kit, tmp_path, monkeypatch):
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"before")

    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        kit.regression.save(path)
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("model.safetensors", b"before")]


def under_a_file(tmp_path):
    (tmp_path / "file").write_text("x")
    return tmp_path / "file" / "model.safetensors"


PLACES = {
    "missing folder": (lambda tmp_path: tmp_path / "nowhere" / "model.safetensors", "does not exist"),
    "a folder": (lambda tmp_path: tmp_path, "is a folder"),
    "empty path": (lambda tmp_path: "", "empty name"),
    "under a file": (under_a_file, "cannot be written"),
    "/dev/full": (lambda tmp_path: "/dev/full", "not a regular file"),
    "/dev/null": (lambda tmp_path: "/dev/null", "not a regular file"),
    "/proc": (lambda tmp_path: "/proc/model.safetensors", "cannot be written"),
    "name too long": (lambda tmp_path: tmp_path / ("n" * 300), "cannot be written"),
    "null character": (lambda tmp_path: f"{tmp_path}/a\0b", "null"),
}


@pytest.mark.parametrize("name", PLACES)
def test_a_place_that_cannot_be_written_is_named(kit, tmp_path, name):
    place, words = PLACES[name]
    with pytest.raises(pl.ModelFileError) as caught:
        kit.regression.save(place(tmp_path))
    assert words in str(caught.value)
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize("letter", ["a", "é", "数", "\U0001f600"])
def test_the_longest_name_that_the_disk_takes_can_be_written(kit, tmp_path, letter):
    """The temporary name may not be longer than the name itself may be: 255 bytes."""
    path = tmp_path / (letter * (255 // len(letter.encode())))
    kit.regression.save(path)
    pl.load(path)


def test_nothing_of_a_class_that_is_not_registered_is_saved(kit, tmp_path):
    path = tmp_path / "own.safetensors"

    class Own(pl.GradientDescent):
        pass

    network = kit.table()
    network.fit(kit.table_x, kit.table_y, optimizer=Own(0.01), epochs=1, progress="none")
    with pytest.raises(pl.ArgumentError, match=r"pl\.register\(Own\)"):
        network.save(path)
    assert not list(tmp_path.iterdir())


def test_what_could_not_be_loaded_again_is_not_saved(kit, tmp_path):
    """Numbers that are not finite (set in place, past every check) must not replace a good file by a useless one."""
    path = tmp_path / "m.safetensors"
    network = kit.table()
    network.save(path)
    good = path.read_bytes()
    network.parameters.vector.fill(np.nan)
    with pytest.raises(pl.PellucidError, match="finite"):
        network.save(path)
    assert path.read_bytes() == good
