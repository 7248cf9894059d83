"""Reading pictures: every format and mode gives the same numbers, and every bad file one clear sentence."""

from __future__ import annotations

import contextlib
import io
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from pellucid.core.errors import DataError
from pellucid.data.pictures.image_file import MAX_PIXELS
from pellucid.data.pictures.read_picture import MAX_SIDE, read_picture

RNG = np.random.default_rng(1)
GREY = np.repeat(np.repeat(RNG.integers(0, 256, (5, 4), np.uint8), 8, axis=0), 8, axis=1)


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("kind", "options", "tolerance"),
    [
        ("PNG", {}, 0.0),
        ("BMP", {}, 0.0),
        ("GIF", {}, 0.0),
        ("TIFF", {}, 0.0),
        ("WEBP", {"lossless": True}, 0.0),
        ("JPEG", {"quality": 95}, 0.04),
        ("WEBP", {"quality": 95}, 0.12),
    ],
)
def test_formats_agree(kind, options, tolerance):
    picture = read_picture(encoded(Image.fromarray(GREY), kind, **options))
    assert picture.dtype == np.float32
    assert picture.shape[:2] == GREY.shape
    picture = picture.mean(axis=2) if picture.ndim == 3 else picture  # lossy WebP has no grey
    assert np.abs(picture - GREY / 255).max() <= tolerance + 1e-6


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P", "I;16", "I", "F", "CMYK", "YCbCr"])
def test_modes_agree(mode):
    image = Image.fromarray(GREY)
    if mode == "I;16":
        image = Image.fromarray(GREY.astype(np.uint16) * 257)
    elif mode == "P":
        image = Image.fromarray(255 - GREY)
        image = Image.merge("RGB", [Image.fromarray(GREY)] * 3).quantize(256, dither=Image.Dither.NONE)
    else:
        image = image.convert(mode)
    assert np.abs(read_picture(image) - GREY / 255).max() < 0.01


def test_one_bit_is_black_and_white():
    picture = read_picture(Image.fromarray(GREY > 127))
    assert np.array_equal(picture, (GREY > 127).astype(np.float32))


def test_sixteen_bits_are_not_clipped():
    deep = np.linspace(0, 65535, 32 * 32).astype(np.uint16).reshape(32, 32)
    for source in (deep, encoded(Image.fromarray(deep), "PNG"), encoded(Image.fromarray(deep), "TIFF")):
        np.testing.assert_allclose(read_picture(source), deep / 65535, atol=1e-6)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(orientation):
    """The stored pixels are turned so that the tag turns them back: the inverse of each of the eight cases by hand."""
    stored = {
        1: GREY,
        2: GREY[:, ::-1],
        3: GREY[::-1, ::-1],
        4: GREY[::-1],
        5: GREY.T,
        6: np.rot90(GREY, 1),
        7: GREY[::-1, ::-1].T,
        8: np.rot90(GREY, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(Image.fromarray(np.ascontiguousarray(stored)), "PNG", exif=exif)
    assert np.abs(read_picture(content) - GREY / 255).max() < 1e-6


@pytest.mark.parametrize(("ink", "ground"), [(0, 1.0), (255, 0.0)])
def test_transparent_ground_contrasts_with_the_ink(ink, ground):
    picture = np.full((20, 20, 4), ink, np.uint8)
    picture[..., 3] = 0
    picture[5:15, 9:11, 3] = 255
    read = read_picture(encoded(Image.fromarray(picture), "PNG"))
    assert read[0, 0] == ground
    assert read[10, 10] == ink / 255


def test_first_frame_of_an_animation(tmp_path):
    path = tmp_path / "two.gif"
    Image.fromarray(GREY).save(path, save_all=True, append_images=[Image.fromarray(255 - GREY)])
    assert np.abs(read_picture(path) - GREY / 255).max() < 1e-6


def test_arrays():
    expected = (GREY / 255).astype(np.float32)
    colour = np.stack([GREY, GREY, 255 - GREY], axis=2)
    for same in (GREY, GREY[..., None], GREY / 255, np.stack([GREY] * 3, axis=2), GREY.astype(np.uint16) * 257):
        np.testing.assert_allclose(read_picture(same), expected, atol=1e-6)
    np.testing.assert_allclose(read_picture(colour), colour / 255, atol=1e-6)
    assert read_picture(GREY > 127).max() == 1.0


def test_large_pictures_are_averaged_down():
    fine = np.zeros((2 * MAX_SIDE, 64), np.uint8)
    fine[::2] = 200
    read = read_picture(fine)
    assert max(read.shape) <= MAX_SIDE
    np.testing.assert_allclose(read, 100 / 255, atol=1e-6)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((28, 28), np.int64), "int64"),
        (np.full((28, 28), 16.0), "0..1"),
        (np.full((28, 28), np.nan), "NaN"),
        (np.zeros((5, 5), np.uint8), "at least"),
        (np.zeros((0, 28), np.uint8), "at least"),
        (np.zeros(784, np.uint8), "(784,)"),
        (np.zeros((3, 28, 28), np.uint8), "(3, 28, 28)"),
        (np.zeros((28, 28), "U1"), "range"),
        (np.broadcast_to(np.uint8(0), (8000, 8000)), "more than"),
    ],
)
def test_bad_arrays(array, words):
    with pytest.raises(DataError) as error:
        read_picture(array)
    assert words in str(error.value)


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header claims any size."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [8_000, 10_000, 60_000])
def test_bombs_are_refused_by_their_header(side):
    assert side * side > MAX_PIXELS
    with pytest.raises(DataError, match="more than"):
        read_picture(bomb(side, side))


def test_bad_files_are_named(tmp_path):
    content = encoded(Image.fromarray(RNG.integers(0, 256, (64, 64), np.uint8)), "PNG")
    cases = {
        "truncated.png": (content[: len(content) // 2], "damaged"),
        "zero.png": (b"", "empty"),
        "text.png": (b"this is no picture", "not a picture"),
        "header.png": (bomb(28, 28), "damaged"),
        "tiny.png": (encoded(Image.fromarray(np.zeros((3, 3), np.uint8)), "PNG"), "at least"),
    }
    for name, (bytes_, words) in cases.items():
        path = tmp_path / name
        path.write_bytes(bytes_)
        with pytest.raises(DataError) as error:
            read_picture(path)
        assert name in str(error.value)
        assert words in str(error.value)
    for path, words in ((tmp_path, "folder"), (tmp_path / "none.png", "does not exist")):
        with pytest.raises(DataError, match=words):
            read_picture(str(path))
    with pytest.raises(DataError, match="not a picture"):
        read_picture(3)


def test_every_cut_of_a_file_is_read_or_refused():
    """Wherever a JPEG or a PNG is cut off, the reader answers with a picture or a DataError, never with anything else."""
    for kind in ("PNG", "JPEG", "GIF", "BMP", "WEBP"):
        content = encoded(Image.fromarray(GREY), kind)
        for end in range(0, len(content), max(1, len(content) // 25)):
            with contextlib.suppress(DataError):
                read_picture(content[:end])


def test_pillow_is_imported_only_when_needed():
    script = "import sys, pellucid.data; assert 'PIL' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)
