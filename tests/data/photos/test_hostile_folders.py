"""Folders full of traps: every bad file is named with its reason, nothing outside is read, nothing half-done stays."""

from __future__ import annotations

import builtins
import errno
import io
import os
import struct
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from picture_files import GOOD, make, picture, save
from PIL import Image

from pellucid.core.display.text import printable
from pellucid.core.errors import DataError
from pellucid.data.photos import photo_reader
from pellucid.data.photos.folder_report import KINDS, FolderReport, Problem


def encoded(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def bomb(width, height):
    """A PNG of a few bytes that claims any size."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")


NOISE = encoded(picture(7, (64, 64)))
BAD = {
    "truncated.png": (NOISE[: len(NOISE) // 2], "damaged", "ends too early"),
    "truncated.jpg": (encoded(picture(8, (64, 64)), "JPEG")[:900], "damaged", "ends too early"),
    "header alone.png": (bomb(64, 64), "damaged", "damaged"),
    "bomb.png": (bomb(8000, 8000), "size", "8000 x 8000"),
    "huge bomb.png": (bomb(60_000, 60_000), "size", "more than"),
    "tiny.png": (encoded(picture(9, (3, 3))), "size", "at least"),
    "zero.png": (b"", "empty", "0 bytes"),
    "text.png": (b"not a picture at all", "not a picture", "not a picture"),
    "notes.txt": (b"remember the milk", "not a picture", "not a picture"),
    "page.jpg": (b"<html><body>404</body></html>", "not a picture", "not a picture"),
    "drawing.svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture", "not a picture"),
    "script.eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a picture", "not a picture"),
}


def test_every_bad_file_is_named_with_its_reason_and_the_rest_is_read(root, read):
    for name, (content, _, _) in BAD.items():
        (root / "cat" / name).write_bytes(content)
    photos = read(root)
    assert photos.files == list(GOOD)
    assert photos.report.classes == {"cat": (2, 0), "dog": (2, 0)}
    found = {problem.file.removeprefix("cat/"): problem for problem in photos.report.problems}
    assert {name: problem.kind for name, problem in found.items()} == {name: kind for name, (_, kind, _) in BAD.items()}
    for name, (_, _, words) in BAD.items():
        assert words in found[name].reason
        assert found[name].is_left_out
        assert f"cat/{name}: {found[name].reason}" in str(photos.report)
    again = read(root)
    assert again.report == photos.report
    assert np.array_equal(again.x, photos.x)


def test_fail_lists_the_first_files_and_counts_the_others(root, read):
    for name, (content, _, _) in BAD.items():
        (root / "cat" / name).write_bytes(content)
    with pytest.raises(DataError) as error:
        read(root, bad_files="fail")
    assert f"{len(BAD)} files cannot be used: cat/bomb.png: it has 8000 x 8000" in str(error.value)
    assert f"and {len(BAD) - 5} more" in str(error.value)
    assert str(error.value).endswith('leave them out: bad_files="skip" (--bad-files skip).')
    assert len(read(root, bad_files="skip").x) == 4


def test_fail_is_content_with_a_clean_folder_and_with_notes(root, read):
    (root / "cat/a.png").rename(root / "cat/a.jpg")
    assert len(read(root, bad_files="fail").x) == 4


def test_a_picture_with_a_wrong_extension_is_read_and_named(root, read):
    picture(50).save(root / "cat/e.jpg", "PNG")
    picture(51).save(root / "cat/f.txt", "BMP")
    picture(52).save(root / "cat/g", "PNG")
    picture(53).save(root / "cat/h.JPEG", "JPEG")
    photos = read(root)
    assert {"cat/e.jpg", "cat/f.txt", "cat/g", "cat/h.JPEG"} < set(photos.files)
    assert photos.report.problems == (
        Problem("cat/e.jpg", "misnamed", "its name ends in .jpg, but it holds PNG", is_left_out=False),
        Problem("cat/f.txt", "misnamed", "its name ends in .txt, but it holds BMP", is_left_out=False),
    )
    assert photos.report.left_out == ()


@pytest.mark.parametrize(("suffix", "options"), [("gif", {}), ("png", {}), ("webp", {"lossless": True}), ("tif", {})])
def test_of_an_animation_the_first_picture_is_taken(root, read, suffix, options):
    first = Image.fromarray(np.full((16, 16, 3), 200, np.uint8))
    first.paste((255, 0, 0), (0, 0, 8, 16))
    first.save(root / f"cat/moving.{suffix}", save_all=True, append_images=[Image.new("RGB", (16, 16))] * 3, **options)
    photos = read(root)
    assert [(p.file, p.kind, p.is_left_out) for p in photos.report.problems] == [
        (f"cat/moving.{suffix}", "animated", False)
    ]
    pixels = photos.x[photos.files.index(f"cat/moving.{suffix}")].astype(int)
    assert np.abs(pixels[4, 1] - (255, 0, 0)).max() <= 2
    assert np.abs(pixels[4, 6] - (200, 200, 200)).max() <= 2


def test_cmyk_sixteen_bits_palette_alpha_and_turned_photos_have_the_right_colours(root, read):
    orange = Image.new("RGB", (16, 16), (240, 130, 20))
    orange.convert("CMYK").save(root / "cat/cmyk.jpg", quality=95)
    orange.quantize(4).save(root / "cat/palette.png")
    orange.convert("RGBA").save(root / "cat/alpha.png")
    Image.new("RGBA", (16, 16), (9, 9, 9, 0)).save(root / "cat/clear.png")
    Image.fromarray(np.full((16, 16), 30_000, np.uint16)).save(root / "cat/deep.png")
    turned = Image.new("RGB", (16, 16), (240, 130, 20))
    turned.paste((0, 0, 255), (0, 0, 16, 8))
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.save(root / "cat/turned.png", exif=exif)
    photos = read(root)
    assert photos.report.problems == ()
    pixels = {file: photos.x[i].astype(int) for i, file in enumerate(photos.files)}
    for name in ("cmyk.jpg", "palette.png", "alpha.png"):
        assert np.abs(pixels[f"cat/{name}"] - (240, 130, 20)).max() <= 6
    assert (pixels["cat/clear.png"] == 255).all()
    assert (pixels["cat/deep.png"] == 117).all()  # 30,000 / 257 = 116.7
    assert tuple(pixels["cat/turned.png"][4, 7]) == (0, 0, 255)  # what was on top is on the right
    assert tuple(pixels["cat/turned.png"][4, 0]) == (240, 130, 20)


def test_a_bomb_is_not_decoded(root, read, monkeypatch):
    (root / "cat/bomb.png").write_bytes(bomb(7100, 7100))
    monkeypatch.setattr(photo_reader.PhotoPipeline, "draw", lambda *_: pytest.fail("decoded"))
    for file in GOOD:
        (root / file).write_bytes(bomb(60_000, 60_000))
    with pytest.raises(DataError, match="no picture that can be used"):
        read(root)


def test_a_file_of_too_many_bytes_is_not_read_to_its_end(root, read, monkeypatch):
    monkeypatch.setattr(photo_reader, "MAX_BYTES", 5000)
    (root / "cat/long.png").write_bytes(NOISE + bytes(10_000))
    (problem,) = read(root).report.problems
    assert (problem.file, problem.kind) == ("cat/long.png", "size")


def test_a_file_that_cannot_be_opened_is_named_and_read_once_it_can(root, read, monkeypatch):
    """By a permission, which root does not heed, so opening itself is made to fail."""
    original = builtins.open

    def refuse(path, *arguments, **options):
        if str(path).endswith("a.png"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return original(path, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(builtins, "open", refuse)
        (problem,) = read(root).report.problems
    assert (problem.file, problem.kind) == ("cat/a.png", "unreadable")
    assert "Permission denied" in problem.reason
    photos = read(root)
    assert photos.report.problems == ()
    assert photos.files == list(GOOD)


def short_of_memory(*_, **__):
    raise MemoryError


def codec_short_of_memory(*_, **__):
    raise OSError(f"{Image.core.getcodecstatus(-9)} when reading image file")


@pytest.mark.parametrize(
    ("place", "failure"),
    [
        ("PIL.Image.open", short_of_memory),
        ("PIL.ImageFile.ImageFile.load", short_of_memory),
        ("PIL.ImageFile.ImageFile.load", codec_short_of_memory),
        ("PIL.Image.Image.getexif", short_of_memory),
        ("PIL.Image.Image.resize", short_of_memory),
    ],
)
def test_a_lack_of_memory_is_not_remembered_as_a_damaged_picture(root, read, monkeypatch, place, failure):
    """It says nothing about the file: the next time there may be enough."""
    read(root)  # cat/a.png changes, so that only it is read when memory is short
    save(root / "cat/a.png", 77)
    os.utime(root / "cat/a.png", ns=(1, 1))
    with monkeypatch.context() as patch:
        patch.setattr(place, failure)
        photos = read(root)
        (problem,) = photos.report.problems
        assert (problem.file, problem.kind) == ("cat/a.png", "unreadable")
        assert "not enough memory" in problem.reason
        with pytest.raises(MemoryError):
            photos.pipeline(root / "cat/a.png")
    again = read(root)
    assert again.report.problems == ()
    assert again.files[0] == "cat/a.png"
    assert np.array_equal(again.x[0], again.pipeline(root / "cat/a.png"))


def test_a_file_that_stays_shut_does_not_cost_another_decoding(root, read, monkeypatch):
    original = builtins.open

    def refuse(path, *arguments, **options):
        if str(path).endswith("a.png"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return original(path, *arguments, **options)

    monkeypatch.setattr(builtins, "open", refuse)
    monkeypatch.setattr(os, "access", lambda path, mode: not str(path).endswith("a.png"))
    first = read(root)
    monkeypatch.setattr(photo_reader, "read_photo", lambda *_: pytest.fail("decoded again"))
    assert read(root).report == first.report


def test_a_class_folder_that_cannot_be_read(root, read, monkeypatch):
    original = os.scandir

    def refuse(path):
        if str(path).endswith("emu"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return original(path)

    make(root, "dog/emu/x.png")
    monkeypatch.setattr(os, "scandir", refuse)
    photos = read(root)
    assert photos.files == list(GOOD)
    assert [(p.file, p.kind) for p in photos.report.problems] == [("dog/emu", "unreadable")]


def test_pictures_beside_the_class_folders_are_named(root, read):
    make(root, "stray.png", "STRAY.JPG")
    assert [(p.file, p.kind) for p in read(root).report.problems] == [("STRAY.JPG", "loose"), ("stray.png", "loose")]


def test_a_class_without_any_good_picture_is_an_error_that_says_why(root, read):
    for file in ("dog/c.png", "dog/d.png"):
        (root / file).write_bytes(b"")
    with pytest.raises(DataError, match=r"no picture to learn from of 'dog'.*dog/c\.png: it is empty"):
        read(root)
    save(root / "dog/c.png", 5)
    assert read(root).files == ["cat/a.png", "cat/b.png", "dog/c.png"]


def test_a_file_that_vanishes_while_it_is_read(root, read, monkeypatch):
    original = photo_reader.read_photo

    def vanish(folder, entry, pipeline):
        if entry.file == "cat/a.png":
            (folder / entry.file).unlink()
        return original(folder, entry, pipeline)

    monkeypatch.setattr(photo_reader, "read_photo", vanish)
    photos = read(root)
    assert photos.files == list(GOOD[1:])
    assert [(p.file, p.kind) for p in photos.report.problems] == [("cat/a.png", "unreadable")]


def test_more_pictures_than_are_held_at_once(tmp_path, read, monkeypatch):
    """With one picture a task and two workers, no more than a handful are ever on their way to the disk."""
    monkeypatch.setattr(photo_reader, "_CHUNK_FILES", 1)
    begun, most = [], 0
    original = photo_reader.read_photo

    def count(*arguments):
        begun.append(1)
        return original(*arguments)

    def progress(done, total):
        nonlocal most
        time.sleep(0.002)  # the disk is slower than the workers
        most = max(most, len(begun) - done)

    monkeypatch.setattr(photo_reader, "read_photo", count)
    root = make(tmp_path / "many", *(f"{label}/{i}.png" for label in "ab" for i in range(40)))
    assert len(read(root, workers=2, progress=progress).x) == 80
    assert most <= 10


def test_warnings_of_pillow_are_not_shown(root, read, recwarn):
    (root / "cat/exif.png").write_bytes(encoded(picture(60), exif=b"Exif\0\0II*\0\xff\xff\xff\x7fjunk"))
    (root / "cat/bomb.png").write_bytes(bomb(12_000, 12_000))
    read(root)
    assert not recwarn.list


def test_a_report_in_words_and_as_data():
    problems = tuple(Problem(f"a/{i}.png", "damaged", "it is damaged") for i in range(12))
    notes = (Problem("b/line\nbreak.gif", "animated", "it holds several pictures; the first one is taken", False),)
    report = FolderReport("photos", {"a": (3, 1), "b": (4, 2)}, (*problems, *notes))
    text = str(report)
    assert text.splitlines()[0] == "photos: 7 pictures to learn from, 3 to test with"
    assert "a 3 + 1, b 4 + 2" in text
    assert str(FolderReport("photos", {"a": (3, 0), "b": (4, 0)}, ())) == "photos: 7 pictures\n  2 classes: a 3, b 4"
    many = FolderReport("photos", {str(k): (1, 0) for k in range(1_000)}, ())
    assert str(many) == "photos: 1,000 pictures\n  1,000 classes"
    assert "left out, damaged (pictures that cannot be decoded): 12" in text
    assert "and 2 more" in text
    assert r"b/line\nbreak.gif" in text
    assert "used, animated" in text
    data = report.as_data()
    assert data["classes"] == {"a": {"train": 3, "test": 1}, "b": {"train": 4, "test": 2}}
    assert len(data["problems"]) == 13
    assert report.count == (7, 3)
    assert len(report.left_out) == 12


def test_every_kind_of_problem_is_in_the_table():
    """A kind that the table lacks could not be sorted into the text."""
    folder = Path(photo_reader.__file__).parent
    text = "".join(path.read_text("utf-8") for path in folder.glob("*.py") if path.name != "folder_report.py")
    for kind in KINDS:
        assert f'"{kind}"' in text


def test_printable_names():
    assert printable("plain 猫 é.png") == "plain 猫 é.png"
    assert printable("a\nb\x1b[31m\udcff") == "a\\nb\\x1b[31m\\udcff"
