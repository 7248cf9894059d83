"""A CSV file that names the pictures and their classes."""

from __future__ import annotations

import os
import shutil

import pytest
from picture_files import make, same

from pellucid.core.errors import DataError


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("header", [("file", "label"), ("Image", "Class"), ("filename", "label")])
def test_csv(tmp_path, read, delimiter, header):
    root = make(tmp_path / "photos", "a.png", "b.png", "sub/c, d.png")
    rows = [header, ("b.png", "dog"), ("a.png", "cat"), ('"sub/c, d.png"', "dog")]
    (root / "labels.csv").write_text("\ufeff" + "\n".join(delimiter.join(row) for row in rows) + "\n", "utf-8")
    photos = read(root)
    assert photos.files == ["a.png", "b.png", "sub/c, d.png"]
    assert photos.y.tolist() == [0, 1, 1]
    shutil.move(root / "labels.csv", root / "other.csv")
    same(read(root / "other.csv"), read(root / "other.csv"))
    assert read(root / "other.csv").files == photos.files


def test_csv_with_a_split(tmp_path, read):
    root = make(tmp_path / "photos", *(f"{name}.png" for name in "abcdef"))
    (root / "list.csv").write_text(
        "label,split,file\ncat,train,a.png\ndog,,b.png\ncat,test,c.png\ndog,Test,d.png\ndog,val,e.png\ndog,foo,f.png\n"
    )
    photos = read(root / "list.csv")
    assert photos.files == ["a.png", "b.png"]
    assert photos.test_files == ["c.png", "d.png"]
    assert [(p.file, p.kind) for p in photos.report.problems] == [("e.png", "loose"), ("f.png", "no label")]


@pytest.mark.parametrize("delimiter", [", ", " , ", "; ", " \t "])
def test_csv_with_spaces_and_backslashes(tmp_path, read, delimiter):
    root = make(tmp_path / "photos", "a.png", "sub/b.png", "sub/c.png", "d.png")
    rows = [
        ("file", "label", "split"),
        ("a.png", '"cat"', "train"),
        ("sub\\b.png", "dog", "train"),
        (".\\sub\\c.png", "cat", "test"),
        ('"d.png "', "dog", "test"),
    ]
    (root / "labels.csv").write_text("".join(f"{delimiter.join(row)} \n" for row in rows).replace('" ', '"'))
    photos = read(root)
    assert photos.files == ["a.png", "sub/b.png"]
    assert photos.test_files == ["d.png", "sub/c.png"]
    assert photos.labels == ("cat", "dog")
    assert photos.report.problems == ()


def test_csv_names_a_file_as_it_is_written_if_there_is_one(tmp_path, read):
    """Spaces and backslashes may belong to a name."""
    root = make(tmp_path / "photos", "a .png", "b.png", "sub/c.png")
    os.rename(root / "b.png", root / "sub\\c.png")
    (root / "labels.csv").write_text('file,label\n"a .png",cat\nsub\\c.png,dog\nsub/c.png,cat\n')
    assert sorted(read(root).files) == ["a .png", "sub/c.png", "sub\\c.png"]


def test_csv_cannot_lead_out_by_backslashes(tmp_path, read):
    root = make(tmp_path / "photos", "a.png", "b.png")
    make(tmp_path, "outside.png")
    (root / "labels.csv").write_text("file,label\na.png,cat\nb.png,dog\n..\\outside.png,cat\nC:\\c.png,dog\n")
    assert [(p.file, p.kind) for p in read(root).report.problems] == [("../outside.png", "link"), ("C:/c.png", "missing")]


@pytest.mark.parametrize("name", ["Labels.csv", "LABELS.CSV", "labels.CSV"])
def test_the_csv_file_of_a_folder_is_found_in_any_case(tmp_path, read, name):
    root = make(tmp_path / "photos", "x/a.png", "x/b.png")
    (root / name).write_text("file,label\nx/a.png,cat\nx/b.png,dog\n")
    assert read(root).labels == ("cat", "dog")
    (root / "labels.csv").write_text("file,label\nx/a.png,emu\nx/b.png,dog\n")
    assert read(root).labels == ("dog", "emu")


@pytest.mark.parametrize("splits", ["01", "10", "012", ["0.0", "1.0"], ["True", "False"], ["train", "1"], ["no", "yes"]])
def test_csv_with_a_split_of_numbers_is_a_question(tmp_path, read, splits):
    root = make(tmp_path / "photos", "a.png", "b.png", "c.png")
    rows = [f"{name}.png,{label},{split}" for name, label, split in zip("abc", ("cat", "dog", "cat"), splits, strict=False)]
    (root / "labels.csv").write_text("\n".join(["file,label,split", *rows]))
    with pytest.raises(DataError, match=r"gives the split '.+' in line \d.*Write train and test"):
        read(root)


def test_csv_rows_that_cannot_be_used_are_named(tmp_path, read):
    root = make(tmp_path / "photos", "a.png", "b.png", "c.png")
    make(tmp_path, "outside.png")
    rows = ["a.png,cat", "b.png,dog", "c.png,", "gone.png,cat", "../outside.png,cat", ",dog", "short", "a\0.png,cat"]
    (root / "labels.csv").write_text("file,label\n" + "\n".join(rows) + "\n")
    photos = read(root)
    assert photos.files == ["a.png", "b.png"]
    assert {(p.file, p.kind) for p in photos.report.problems} == {
        ("c.png", "no label"),
        ("gone.png", "missing"),
        ("../outside.png", "link"),
        ("line 7", "missing"),
        ("short", "no label"),
        ("a\0.png", "unreadable"),
    }


def test_csv_that_names_a_file_twice(tmp_path, read):
    root = make(tmp_path / "photos", "a.png", "b.png", "c.png")
    (root / "labels.csv").write_text("file,label\na.png,cat\nb.png,dog\na.png,cat\nc.png,cat\nc.png,dog\n")
    photos = read(root)
    assert photos.files == ["a.png", "b.png"]
    assert sorted((p.file, p.kind) for p in photos.report.problems) == [
        ("a.png", "duplicate"),
        ("c.png", "contradiction"),
        ("c.png", "contradiction"),
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "expected the names of the columns"),
        (b"name,kind\na.png,cat\n", "name, kind"),
        (b"file,label\n", "names no files"),
        (b"file,label\n\xff\xfe.png,cat\n", "UTF-8"),
        (b'file,label\n"a.png,cat\n', "no CSV file"),
        (b"file,label\na.png,cat\n", "only one class"),
    ],
)
def test_a_wrong_csv(tmp_path, read, content, words):
    root = make(tmp_path / "photos", "a.png")
    (root / "labels.csv").write_bytes(content)
    with pytest.raises(DataError, match=words):
        read(root)
