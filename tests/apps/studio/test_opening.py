"""What a studio opens with: a network for digits is found, or trained once; what the user names comes first."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid as pl
from pellucid.apps.studio import opening
from pellucid.apps.studio.opening import FIRST, open_session, train_digits
from pellucid.core.version import __version__
from pellucid.data.photos.photo_pipeline import PhotoPipeline


@pytest.fixture
def told():
    return []


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(opening, "cache_folder", lambda: tmp_path / "cache")
    return tmp_path / "cache/studio" / f"digits-{__version__}.safetensors"


@pytest.fixture
def trainings(monkeypatch, reader):
    """A training that takes no time; the list grows with each."""
    made = []

    def train():
        made.append(1)
        return reader

    monkeypatch.setattr(opening, "train_digits", train)
    return made


def same(one, other):
    return np.array_equal(one.network.parameters.vector, other.network.parameters.vector)


def test_the_first_start_trains_and_the_next_one_finds(tmp_path, told, cache, trainings, reader):
    first = open_session(told.append, folder=tmp_path)
    assert list(first.models) == ["digits"]
    assert told == ["Training a first network on the digits; it is kept for the next start."]
    second = open_session(told.append, folder=tmp_path)
    assert (len(trainings), len(told)) == (1, 1)
    assert same(second.model("digits"), reader)
    assert second.model("digits").temperature == reader.temperature
    assert cache.exists()


def test_the_network_of_make_digits_is_found(tmp_path, told, cache, trainings, reader):
    other = pl.Network([pl.Input(28, 28), pl.Classification(10)], seed=9)
    pl.Model(other, reader.pipeline).save(tmp_path / "digits.safetensors")
    session = open_session(told.append, folder=tmp_path)
    assert same(session.model("digits"), pl.Model(other))
    assert (told, trainings, cache.exists()) == ([], [], False)


@pytest.mark.parametrize("content", [b"", b"not a model", b"half"])
def test_broken_files_are_passed_over_and_made_anew(tmp_path, told, cache, trainings, reader, content):
    reader.save(tmp_path / "digits.safetensors")
    whole = (tmp_path / "digits.safetensors").read_bytes()
    broken = whole[: len(whole) // 2] if content == b"half" else content
    cache.parent.mkdir(parents=True)
    for path in (tmp_path / "digits.safetensors", cache):
        path.write_bytes(broken)
    assert same(open_session(told.append, folder=tmp_path).model("digits"), reader)
    assert [text.endswith("It is skipped.") for text in told] == [True, True, False]
    assert len(trainings) == 1
    assert same(pl.load(cache), reader)
    assert (tmp_path / "digits.safetensors").read_bytes() == broken  # that one is the user's


def test_another_kind_of_network_of_that_name_is_passed_over(tmp_path, told, cache, trainings):
    pl.Network([pl.Input(2), pl.Classification(10)]).save(tmp_path / "digits.safetensors")
    open_session(told.append, folder=tmp_path)
    assert told[0].endswith("digits.safetensors does not read digits; it is skipped.")
    assert len(trainings) == 1


def test_without_a_place_for_it_the_network_is_used_all_the_same(tmp_path, told, monkeypatch, trainings, reader):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(opening, "cache_folder", lambda: tmp_path / "file")
    assert same(open_session(told.append, folder=tmp_path).model("digits"), reader)

    def homeless():
        raise RuntimeError("no home")

    monkeypatch.setattr(opening, "cache_folder", homeless)
    assert same(open_session(told.append, folder=tmp_path).model("digits"), reader)
    assert len(trainings) == 2


def test_what_the_user_names_comes_first(tmp_path, told, cache, trainings, reader):
    photos = pl.Model(pl.Network([pl.Input(8, 8, 3), pl.Classification(2)]), PhotoPipeline(8, 8), ["cat", "dog"])
    assert list(open_session(told.append, ("pets", photos), folder=tmp_path).models) == ["pets", "digits"]
    trainings.clear()
    assert list(open_session(told.append, ("mine", reader), folder=tmp_path).models) == ["mine"]
    letters = pl.Model(reader.network, reader.pipeline, list("abcdefghij"))
    assert list(open_session(told.append, ("letters", letters), folder=tmp_path).models) == ["letters", "digits"]
    assert trainings == []


@pytest.mark.parametrize(
    ("stem", "name"), [("digits", "digits (file)"), ("run-1", "run-1 (file)"), ("run-x", "run-x"), ("a b", "a b")]
)
def test_names_that_the_studio_gives_itself_are_kept_free(tmp_path, told, cache, trainings, stem, name):
    photos = pl.Model(pl.Network([pl.Input(8, 8, 3), pl.Classification(2)]), PhotoPipeline(8, 8))
    session = open_session(told.append, (stem, photos), folder=tmp_path)
    assert list(session.models) == [name, "digits"]


def test_the_first_network_is_calibrated_on_what_it_has_not_learned(monkeypatch, few_digits, capsys):
    monkeypatch.setattr(pl.datasets, "digits", lambda: few_digits)
    model = train_digits()
    capsys.readouterr()
    (_, _), (x, y) = few_digits
    assert model.evaluate(x, y)["accuracy"] > 0.85
    assert model.pipeline is not None
    assert model.temperature.samples == len(few_digits[0][0]) // 12
    assert model.conformal_scores[0].can_give(0.99)
    assert len(model.network.history.epochs) == FIRST.epochs
    assert "validation_accuracy" in model.network.history
