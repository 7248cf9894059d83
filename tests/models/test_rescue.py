"""What was trained gets a place: the one that is named, or else the user's cache folder; no file is lost for it."""

from __future__ import annotations

import pytest

import pellucid as pl
from pellucid.models.saving import save_or_rescue


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """The user's cache folder, which does not exist yet."""
    monkeypatch.setattr("pellucid.models.saving.cache_folder", lambda: tmp_path / "cache")
    return tmp_path / "cache"


def test_the_bytes_of_a_model_are_those_of_its_file(tmp_path):
    network = pl.Network([pl.Input(3), pl.Classification(2)])
    network.fit([[1.0, 2.0, 3.0]], [1], epochs=1, progress="none")
    model = pl.Model(network, labels=["no", "yes"])
    for optimizer_state in (False, True):
        model.save(tmp_path / "m.safetensors", optimizer_state=optimizer_state)
        assert model.to_bytes(optimizer_state=optimizer_state) == (tmp_path / "m.safetensors").read_bytes()


def test_the_named_place_comes_first(cache, tmp_path):
    path = tmp_path / "m.safetensors"
    assert save_or_rescue(path, b"first", replace=False) == (path, None)
    assert save_or_rescue(path, b"second", replace=True) == (path, None)
    assert path.read_bytes() == b"second"
    assert not cache.exists()


def test_without_replacing_a_free_name_is_taken(cache, tmp_path):
    path = tmp_path / "m.safetensors"
    path.write_bytes(b"of yesterday")
    (tmp_path / "m-2.safetensors").symlink_to(tmp_path / "nothing")
    assert save_or_rescue(path, b"new", replace=False) == (tmp_path / "m-3.safetensors", None)
    assert (path.read_bytes(), (tmp_path / "m-3.safetensors").read_bytes()) == (b"of yesterday", b"new")
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize("replace", [False, True])
def test_the_cache_takes_what_the_named_place_does_not(cache, tmp_path, replace):
    for content, name in ((b"one", "m.safetensors"), (b"two", "m-2.safetensors")):
        path, trouble = save_or_rescue(tmp_path / "gone" / "m.safetensors", content, replace=replace)
        assert path == cache / "rescued" / name
        assert path.read_bytes() == content
        assert "gone" in str(trouble)
        assert "cannot be written" in str(trouble)


def no_home():
    raise RuntimeError("Could not determine home directory.")


def test_where_nothing_can_be_written_the_first_trouble_is_told(cache, tmp_path, monkeypatch):
    cache.write_text("a file where the folder would be")
    for _ in range(2):
        with pytest.raises(pl.ModelFileError, match=r"gone.* cannot be written"):
            save_or_rescue(tmp_path / "gone" / "m.safetensors", b"lost", replace=True)
        monkeypatch.setattr("pellucid.models.saving.cache_folder", no_home)
