"""The parts of a set of photos by their usual names, and the question where folders may be parts or classes."""

from __future__ import annotations

import pytest
from picture_files import make

from pellucid.core.errors import DataError
from pellucid.data.photos.parts import parts_of

CLASSES = ("cat/a.png", "dog/b.png")


def within(*folders):
    """The pictures of two classes in each of these folders."""
    return [f"{folder}/{file}" for folder in folders for file in CLASSES]


@pytest.mark.parametrize(
    ("part", "names"),
    [
        ("train", "train Train TRAINING train_set trainset training-set seg_train train_data images_train train.images"),
        ("test", "test Testing TEST_SET seg_test testset test-images eval Evaluation eval_set holdout"),
        ("validation", "val Valid VALIDATION valid_set validation-data dev dev_set seg_val"),
        (None, "cat set data train_station trainer test1 attest my_test_dog valentine 1 _ 2024"),
    ],
)
def test_the_names_of_parts(part, names):
    for name in names.split():
        assert parts_of([name]) == {name: part}


def test_eval_is_for_validation_beside_a_test():
    assert parts_of(["train", "eval", "test"]) == {"train": "train", "eval": "validation", "test": "test"}


@pytest.mark.parametrize(
    ("train", "test"),
    [("Training", "Testing"), ("train_set", "test_set"), ("seg_train/seg_train", "seg_test/seg_test"), ("train", "Eval")],
)
def test_parts_of_usual_names_are_no_classes(tmp_path, read, train, test):
    photos = read(make(tmp_path / "photos", *within(train, test)))
    assert photos.labels == ("cat", "dog")
    assert photos.files == [f"{train}/{file}" for file in CLASSES]
    assert photos.test_files == [f"{test}/{file}" for file in CLASSES]


@pytest.mark.parametrize("validation", ["valid", "Val", "validation_set", "dev", "eval"])
def test_a_validation_part_beside_a_test_part_is_named_and_not_read(tmp_path, read, validation):
    photos = read(make(tmp_path / "photos", *within("Training", validation, "Testing")))
    assert photos.files == [f"Training/{file}" for file in CLASSES]
    assert photos.test_files == [f"Testing/{file}" for file in CLASSES]
    assert [(p.file, p.kind) for p in photos.report.problems] == [(validation, "loose")]


def test_what_lies_beside_parts_is_named_and_not_read(tmp_path, read):
    photos = read(make(tmp_path / "photos", *within("seg_train", "valid"), "seg_pred/c.png"))
    assert photos.labels == ("cat", "dog")
    assert [(p.file, p.kind) for p in photos.report.problems] == [("seg_pred", "loose"), ("valid", "loose")]


@pytest.mark.parametrize("folders", [("learn", "check"), ("Fold1", "Fold2", "Fold3")])
def test_folders_that_all_hold_the_same_folders_are_a_question(tmp_path, read, folders):
    root = make(tmp_path / "photos", *within(*folders), f"{folders[0]}/emu/c.png")
    with pytest.raises(DataError, match=r"each of them holds 'cat', 'dog'\. Which of both are the classes\?"):
        read(root)
    assert read(root, labels=[*folders]).labels == folders  # who names the classes has answered
    rows = [f"{file},{file.split('/')[0]}" for file in within(*folders)]
    (root / "labels.csv").write_text("\n".join(["file,label", *rows]))
    assert set(read(root).labels) == set(folders)


def test_one_folder_around_all_is_a_question_too(tmp_path, read):
    root = make(tmp_path / "photos", *within("archive/train", "archive/test"))
    with pytest.raises(DataError, match=r"only one class, 'archive'.*'test', 'train'.*Did you mean .*archive\?"):
        read(root)


def test_folders_inside_of_classes_are_no_question_where_they_cannot_be_classes(tmp_path, read):
    make(tmp_path / "images", "cat/images/a.png", "dog/images/b.png")  # one folder cannot be two classes
    make(tmp_path / "beside", "cat/a.png", "dog/b.png", *within("cat", "dog"))  # pictures lie beside the folders
    make(tmp_path / "years", "cat/2023/a.png", "cat/2024/b.png", "dog/2024/c.png")
    for name in ("images", "beside", "years"):
        assert read(tmp_path / name).labels == ("cat", "dog")


def test_the_splits_of_a_csv_file_have_these_names_too(tmp_path, read):
    root = make(tmp_path / "photos", *(f"{name}.png" for name in "abcdef"))
    (root / "labels.csv").write_text(
        "file,label,split\na.png,cat,TRAINING\nb.png,dog,train_set\nc.png,cat,Testing\nd.png,dog,test-set\n"
        "e.png,cat,valid\nf.png,dog,eval\n"
    )
    photos = read(root)
    assert photos.files == ["a.png", "b.png"]
    assert photos.test_files == ["c.png", "d.png"]
    assert [(p.file, p.kind) for p in photos.report.problems] == [("e.png", "loose"), ("f.png", "loose")]
