"""Folders of photos: which files become which rows."""

from __future__ import annotations

import json
import mmap
import os
import random
import shutil
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from picture_files import FILES, make, picture, same, save
from PIL import Image

import pellucid as pl
from pellucid.core.errors import ArgumentError, DataError, UnknownNameError
from pellucid.data.photos import photo_reader


def test_class_folders(tmp_path, read):
    photos = read(make(tmp_path / "photos", *FILES))
    assert photos.labels == ("cat", "dog")
    assert photos.files == list(FILES)
    assert photos.y.tolist() == [0, 0, 1, 1, 1]
    assert photos.y.dtype == np.int64
    assert photos.x.dtype == np.uint8
    assert photos.x.shape == (5, 8, 8, 3)
    assert photos.test is None
    assert photos.test_files == []
    assert photos.report.problems == ()
    assert photos.report.count == (5, 0)
    assert "5 pictures to learn from" in repr(photos)


def test_the_pixels_are_those_of_the_pipeline_and_of_a_models_prediction_bit_for_bit(tmp_path, read):
    root = make(tmp_path / "photos", *FILES)
    for options in ({}, {"channels": 1}, {"crop": "pad"}, {"size": (9, 5), "crop": "stretch"}):
        photos = read(root, **options)
        network = pl.Network([pl.Input(*photos.pipeline.output_shape), pl.Classification(2)])
        model = pl.Model(network, photos.pipeline, photos.labels)
        for pixels, file, answer in zip(
            photos.x, photos.files, model.predict([root / file for file in photos.files]), strict=True
        ):
            assert np.array_equal(pixels, photos.pipeline(root / file))
            assert np.array_equal(pixels, answer.seen)
        assert np.array_equal(network.predict_proba(photos.x)[0], model.predict(root / photos.files[0]).probabilities)


def test_the_pixels_are_mapped_and_cannot_be_changed(tmp_path, read):
    photos = read(make(tmp_path / "photos", *FILES))
    assert type(photos.x) is np.ndarray  # and no subclass, which would miss the short way to the native kernels
    base = photos.x
    while isinstance(base, np.ndarray):
        base = base.base
    assert isinstance(base, mmap.mmap)
    with pytest.raises(ValueError, match="read-only"):
        photos.x[0] = 0


@pytest.mark.parametrize("names", [("train", "test"), ("Train", "TEST")])
def test_train_and_test(tmp_path, read, names):
    train, test = names
    root = make(tmp_path / "photos", f"{train}/cat/a.png", f"{train}/dog/b.png", f"{test}/cat/c.png", f"{test}/dog/d.png")
    photos = read(root)
    assert photos.labels == ("cat", "dog")
    assert photos.files == [f"{train}/cat/a.png", f"{train}/dog/b.png"]
    assert photos.test_files == [f"{test}/cat/c.png", f"{test}/dog/d.png"]
    x_test, y_test = photos.test
    assert y_test.tolist() == [0, 1]
    assert np.array_equal(x_test[1], photos.pipeline(root / test / "dog/d.png"))
    assert photos.report.classes == {"cat": (1, 1), "dog": (1, 1)}


def test_a_class_called_train_is_a_class(tmp_path, read):
    assert read(make(tmp_path / "photos", "train/a.png", "bus/b.png")).labels == ("bus", "train")


def test_a_part_for_validation_is_named_and_not_read(tmp_path, read):
    photos = read(make(tmp_path / "photos", "train/cat/a.png", "train/dog/b.png", "val/cat/c.png", "val/dog/d.png"))
    assert photos.files == ["train/cat/a.png", "train/dog/b.png"]
    assert photos.test is None
    (problem,) = photos.report.problems
    assert (problem.file, problem.kind) == ("val", "loose")


def test_a_class_may_have_no_picture_to_test_with(tmp_path, read):
    photos = read(make(tmp_path / "photos", "train/cat/a.png", "train/dog/b.png", "test/cat/c.png"))
    assert photos.test[1].tolist() == [0]
    assert photos.report.classes == {"cat": (1, 1), "dog": (1, 0)}


def test_the_order_of_the_file_system_has_no_part_in_it(tmp_path, read, monkeypatch):
    root = make(tmp_path / "photos", *(f"{label}/{i}.png" for label in "abc" for i in range(5)))
    expected = read(root, cache=tmp_path / "first")
    original = os.scandir

    class Shuffled:
        def __init__(self, path):
            with original(path) as entries:
                self.entries = list(entries)
            random.Random(len(str(path))).shuffle(self.entries)

        def __enter__(self):
            return iter(self.entries)

        def __exit__(self, *error):
            return None

    monkeypatch.setattr(os, "scandir", Shuffled)
    for workers in (1, 3):
        same(read(root, cache=tmp_path / f"again{workers}", workers=workers), expected)


@settings(max_examples=15)
@given(
    names=st.lists(
        st.text(
            st.characters(exclude_characters='/\0\\:*?"<>|', exclude_categories=("Cs",)), min_size=1, max_size=12
        ).filter(lambda name: not name.startswith(".") and name.casefold() not in {"train", "test", "labels.csv"}),
        min_size=2,
        max_size=5,
        unique_by=lambda name: unicodedata.normalize("NFKC", name).casefold(),
    )
)
def test_any_names_of_classes_and_files(tmp_path_factory, names):
    root = tmp_path_factory.mktemp("names")
    for number, name in enumerate(names):
        save(root / "photos" / name / f"{name}.png", number)
    photos = pl.datasets.folder(root / "photos", 8, cache=root / "cache")
    assert len(photos.labels) == len(photos.x) == len(names)
    assert set(photos.files) == {f"{name}/{name}.png" for name in names}
    str(photos.report).encode()
    again = pl.datasets.folder(root / "photos", 8, cache=root / "cache")
    same(again, photos)


@pytest.mark.parametrize(
    "name", ["with space", "line\nbreak", "猫", "кот", "quote'\"", "tab\t", "emoji 🐈", "a,b;c", "-rf", "~"]
)
def test_odd_names(tmp_path, read, name):
    photos = read(make(tmp_path / "photos", f"{name}/{name}.png", "dog/c.png"))
    assert set(photos.labels) == {name, "dog"}
    assert f"{name}/{name}.png" in photos.files
    assert name not in str(photos.report) or name.isprintable()
    model = pl.Model(pl.Network([pl.Input(8, 8, 3), pl.Classification(2)]), photos.pipeline, photos.labels)
    model.save(tmp_path / "m.safetensors")
    assert pl.load(tmp_path / "m.safetensors").labels == photos.labels


def test_a_name_that_is_no_text(tmp_path, read):
    """On most systems a name is bytes, in any encoding; such a file is read, and a report with its name can be printed."""
    root = make(tmp_path / "photos", "cat/a.png", "dog/c.png")
    os.rename(root / "cat/a.png", os.fsencode(root / "cat") + b"/\xff.png")
    os.link(os.fsencode(root / "cat") + b"/\xff.png", root / "cat/z.png")
    photos = read(root)
    same(read(root), photos)
    assert len(photos.files) == 2
    str(photos.report).encode("ascii", "backslashreplace").decode()
    assert "\\udcff" in str(photos.report)
    json.dumps(photos.report.as_data())


def test_composed_and_decomposed_accents_are_one_class(tmp_path, read):
    root = make(tmp_path / "photos", "train/\u00e9/a.png", "train/dog/b.png", "test/e\u0301/c.png")
    assert read(root).labels == ("dog", "\u00e9")


def test_numbers_are_sorted_by_value_and_names_as_text(tmp_path, read):
    assert read(make(tmp_path / "numbers", "10/a.png", "9/b.png", "2/c.png")).labels == ("2", "9", "10")
    assert read(make(tmp_path / "zeros", "010/a.png", "9/b.png", "09/c.png", "0/d.png")).labels == ("0", "09", "9", "010")
    assert read(make(tmp_path / "names", "b10/a.png", "b9/b.png", "2/c.png")).labels == ("2", "b10", "b9")


def test_negative_and_decimal_numbers_are_sorted_by_value_too(tmp_path, read):
    for name, labels in {
        "signs": ("-10", "-2", "0", "+1", "3"),
        "decimals": ("-1.5", "-.5", "0.05", "0.5", "0.50", "1.", "1.25", "10.0"),
        "long": ("-" + "9" * 60, "9" * 59 + "8", "9" * 60),  # more digits than a float has
    }.items():
        assert read(make(tmp_path / name, *(f"{label}/a{i}.png" for i, label in enumerate(labels)))).labels == labels
    for name, labels in {"versions": ("1.10.0", "1.9"), "mixed": ("-2", "10", "9a"), "words": ("1", "nan")}.items():
        assert read(make(tmp_path / name, *(f"{label}/a{i}.png" for i, label in enumerate(labels)))).labels == labels


def test_a_thousand_classes_of_one_picture(tmp_path, read):
    for number in range(1000):
        save(tmp_path / f"photos/class {number}/only.png", number)
    photos = read(tmp_path / "photos")
    assert len(photos.labels) == len(photos.x) == 1000
    assert sorted(photos.y) == list(range(1000))
    assert all(photos.files[i] == f"{photos.labels[k]}/only.png" for i, k in enumerate(photos.y))


def test_known_labels_may_be_missing_but_not_others(tmp_path, read):
    root = make(tmp_path / "photos", "dog/a.png", "dog/b.png")
    photos = read(root, labels=("cat", "dog", "emu"))
    assert photos.y.tolist() == [1, 1]
    assert photos.report.classes == {"cat": (0, 0), "dog": (2, 0), "emu": (0, 0)}
    with pytest.raises(DataError, match="'dog'"):
        read(root, labels=["cat", "emu"])
    for labels in ("cat", ["cat", "cat"], [1, 2]):
        with pytest.raises(ArgumentError, match="labels"):
            read(root, labels=labels)
    only_test = read(make(tmp_path / "other", "test/dog/a.png"), labels=["cat", "dog"])
    assert len(only_test.x) == 0
    assert only_test.test[1].tolist() == [1]


def test_folders_that_are_no_set_of_photos(tmp_path, read):
    (tmp_path / "empty").mkdir()
    make(tmp_path / "loose", "a.png", "b.png")
    make(tmp_path / "one", "cat/a.png")
    make(tmp_path / "lacking", "train/cat/a.png", "train/dog/b.png", "test/emu/c.png")
    make(tmp_path / "void", "cat/a.png", "dog/b.png")
    (tmp_path / "void/emu").mkdir()
    (tmp_path / "text.png").write_text("no folder")
    for name, words in {
        "gone": "does not exist",
        "empty": "no class folders.*expected one folder of pictures for each class",
        "loose": "no class folders",
        "one": "only one class, 'cat', and at least two",
        "lacking": "none to learn from of 'emu'",
        "void": "no picture to learn from of 'emu'",
        "text.png": "is a file, not a folder",
    }.items():
        with pytest.raises(DataError, match=words):
            read(tmp_path / name)


def test_an_empty_name_is_not_the_folder_that_one_is_in(tmp_path, read, monkeypatch):
    """As a variable of a shell that is not set."""
    monkeypatch.chdir(make(tmp_path / "photos", *FILES))
    with pytest.raises(DataError, match="an empty name is no folder"):
        read("")
    assert read(".").labels


def test_wrong_arguments(tmp_path, read):
    root = make(tmp_path / "photos", *FILES)
    for options in ({"size": 0}, {"size": (8, 8, 8)}, {"size": "8"}, {"channels": 2}, {"workers": 0}, {"workers": 1.5}):
        with pytest.raises(ArgumentError):
            read(root, **options)
    for labels in (5, [], "ab", ["cat", "cat"], [["cat"]]):
        with pytest.raises(ArgumentError, match="labels is a list of different names"):
            read(root, labels=labels)
    for cache in (5, b"cache", "\0"):
        with pytest.raises(ArgumentError, match="cache is the path of a folder"):
            read(root, cache=cache)
    with pytest.raises(UnknownNameError, match="stretch"):
        read(root, crop="strech")
    with pytest.raises(UnknownNameError, match="skip, fail"):
        read(root, bad_files="ignore")
    with pytest.raises(ArgumentError, match="inside of the folder"):
        read(root, cache=root / "cache")
    assert not (root / "cache").exists()
    assert len(read(root, cache=root / ".cache").x) == len(read(root).x) == 5


def test_progress_counts_every_file(tmp_path, read, monkeypatch):
    monkeypatch.setattr(photo_reader, "_CHUNK_FILES", 2)
    calls = []
    read(make(tmp_path / "photos", *FILES), progress=lambda done, total: calls.append((done, total)))
    assert calls == [(2, 5), (4, 5), (5, 5)]


def test_the_same_picture_twice_in_a_class_stays_once(tmp_path, read):
    root = make(tmp_path / "photos", *FILES)
    shutil.copy(root / "cat/a.png", root / "cat/z.png")
    photos = read(root)
    assert photos.files == list(FILES)
    (problem,) = photos.report.problems
    assert (problem.file, problem.kind, problem.is_left_out) == ("cat/z.png", "duplicate", True)
    assert "cat/a.png" in problem.reason


def test_the_same_picture_in_two_classes_is_used_in_neither(tmp_path, read):
    root = make(tmp_path / "photos", *FILES)
    shutil.copy(root / "cat/a.png", root / "dog/copy.png")
    photos = read(root)
    assert photos.files == ["cat/b.png", "dog/c.png", "dog/d.png", "dog/deep/er/e.png"]
    assert {(p.file, p.kind) for p in photos.report.problems} == {
        ("cat/a.png", "contradiction"),
        ("dog/copy.png", "contradiction"),
    }
    for pixels, file in zip(photos.x, photos.files, strict=True):
        assert np.array_equal(pixels, photos.pipeline(root / file))


def test_what_is_to_test_with_is_not_learned_from(tmp_path, read):
    root = make(tmp_path / "photos", "train/cat/a.png", "train/cat/b.png", "train/dog/c.png", "test/dog/d.png")
    (root / "test/cat").mkdir()
    shutil.copy(root / "train/cat/a.png", root / "test/cat/same.png")
    photos = read(root)
    assert photos.files == ["train/cat/b.png", "train/dog/c.png"]
    assert photos.test_files == ["test/cat/same.png", "test/dog/d.png"]
    (problem,) = photos.report.problems
    assert (problem.file, problem.kind) == ("train/cat/a.png", "leak")


def test_a_network_learns_from_mapped_photos_and_the_model_is_saved(tmp_path, read):
    """Black against white, in a few steps: rows, labels, pipeline and file hang together."""
    for number in range(12):
        values = np.random.default_rng(number).integers(0, 60, (9, 9, 3), np.uint8) + np.uint8(190 * (number % 2))
        path = tmp_path / "photos" / ("black", "white")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(values).save(path)
    photos = read(tmp_path / "photos")
    network = pl.Network([pl.Input(*photos.pipeline.output_shape), pl.Classification(2)])
    network.fit(photos.x, photos.y, epochs=30, optimizer=pl.Adam(0.05), progress="none")
    pl.Model(network, photos.pipeline, photos.labels).save(tmp_path / "model.safetensors")
    model = pl.load(tmp_path / "model.safetensors")
    assert model.predict(np.full((20, 30, 3), 240, np.uint8)).label == "white"
    assert model.predict(tmp_path / "photos" / photos.files[0]).label == "black"


def test_the_pictures_of_these_tests_differ():
    assert len({picture(number).tobytes() for number in range(1200)}) == 1200
