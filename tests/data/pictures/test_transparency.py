"""Every way in which a picture can be transparent looks as it does on a white page, in both pipelines."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from pellucid.data.digits.digit_pipeline import DigitPipeline
from pellucid.data.photos.photo_pipeline import PhotoPipeline
from pellucid.data.pictures.read_picture import MAX_SIDE, read_picture

SIDE = 32
INK = np.zeros((SIDE, SIDE), bool)
INK[6:26, 15:18] = INK[6:9, 8:18] = True  # a 7, or nearly
HALF = np.where(INK, 0.4, 0.0)  # less than half opaque, and still to be seen


def png(values, depth, kind, transparent=b""):
    """A PNG of samples (H, W) or (H, W, channels) with any bit depth, kind of colour and tRNS chunk."""

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    rows = values.reshape(len(values), -1)
    if depth < 8:
        packed = [np.packbits((row[:, None] >> np.arange(depth)[::-1]) & 1).tobytes() for row in rows]
    else:
        packed = [row.astype(">u2" if depth == 16 else np.uint8).tobytes() for row in rows]
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", values.shape[1], values.shape[0], depth, kind, 0, 0, 0))
        + (chunk(b"tRNS", transparent) if transparent else b"")
        + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in packed)))
        + chunk(b"IEND", b"")
    )


def encoded(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def colour_key(depth, ground, *, grey):
    """Black ink on a ground that the file calls transparent."""
    values = np.where(INK, 0, ground)
    if grey:
        return png(values, depth, 0, struct.pack(">H", ground))
    return png(np.stack([values] * 3, axis=2), depth, 2, struct.pack(">HHH", *[ground] * 3))


def alpha_file(kind, mode, alpha, **options):
    """Black ink with this alpha on hidden black."""
    channels = len(mode)
    pixels = np.zeros((SIDE, SIDE, channels), np.uint8)
    pixels[..., -1] = np.rint(255 * alpha)
    return encoded(Image.fromarray(pixels), kind, **options)


def palette(kind, **options):
    image = Image.fromarray(INK.astype(np.uint8), "L")
    image.putpalette([80, 90, 10, 0, 0, 0])
    return encoded(image, kind, **options)


def deep(channels, alpha):
    pixels = np.zeros((SIDE, SIDE, channels), np.uint16)
    pixels[..., -1] = np.rint(65535 * alpha)
    return pixels


# name -> (what is read, how strong the ink is on a white page)
WAYS = {
    **{f"PNG, grey of {depth} bits": (colour_key(depth, 1, grey=True), 1.0) for depth in (1, 2, 4, 8, 16)},
    "PNG, colour of 8 bits": (colour_key(8, 120, grey=False), 1.0),
    "PNG, colour of 16 bits": (colour_key(16, 0x1234, grey=False), 1.0),
    "PNG, grey of 16 bits, white": (colour_key(16, 65535, grey=True), 1.0),
    "PNG, palette": (palette("PNG", transparency=0), 1.0),
    "PNG, palette with alpha": (palette("PNG", transparency=b"\0\x66"), 0.4),
    "GIF": (palette("GIF", transparency=0), 1.0),
    "PNG, 16 bits with alpha": (png(deep(4, HALF), 16, 6), 0.4),
    "PNG, grey of 16 bits with alpha": (png(deep(2, HALF), 16, 4), 0.4),
    **{f"{kind}, {mode}": (alpha_file(kind, mode, HALF), 0.4) for kind in ("PNG", "TIFF") for mode in ("LA", "RGBA")},
    "WebP": (alpha_file("WEBP", "RGBA", HALF, lossless=True), 0.4),
    "array of 8 bits": (np.dstack([np.zeros((SIDE, SIDE), np.uint8), np.uint8(np.rint(255 * HALF))]), 0.4),
    "array of 16 bits": (deep(4, HALF), 0.4),
    "array of floats": (deep(2, HALF) / 65535, 0.4),
    **{
        f"Pillow image, {mode}": (
            Image.open(io.BytesIO(alpha_file("PNG", "RGBA" if len(mode) > 2 else "LA", HALF))).convert(mode),
            0.4,
        )
        for mode in ("La", "RGBa", "LA")
    },
}


@pytest.mark.parametrize("way", WAYS)
def test_it_looks_as_on_a_white_page(way):
    source, strength = WAYS[way]
    expected = 1 - strength * INK
    read = read_picture(source)
    np.testing.assert_allclose(read if read.ndim == 2 else read.mean(axis=2), expected, atol=2 / 255)
    for channels in (1, 3):
        pixels = PhotoPipeline(SIDE, SIDE, channels)(source).reshape(SIDE, SIDE, -1)
        np.testing.assert_allclose(pixels / 255, np.repeat(expected[..., None], channels, axis=2), atol=2 / 255)
    digit = DigitPipeline().prepare(source)
    assert digit.doubt is None
    assert np.abs(digit.pixels.astype(int) - DigitPipeline()(np.uint8(255 * expected))).max() <= 8


@pytest.mark.parametrize("way", ["PNG, grey of 2 bits", "PNG, colour of 16 bits"])
def test_an_image_of_the_caller_gives_the_same_twice(way):
    image = Image.open(io.BytesIO(WAYS[way][0]))
    assert np.array_equal(read_picture(image), read_picture(image))


@pytest.mark.parametrize("strength", [0.02, 0.1, 0.49, 0.51, 1.0])
@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 0, 0), (255, 255, 0), (200, 200, 200)])
def test_ink_of_any_strength_and_colour(strength, colour):
    alpha = np.where(INK, strength, 0.0)[..., None]
    read = read_picture(np.concatenate([np.broadcast_to(np.array(colour) / 255, (SIDE, SIDE, 3)), alpha], axis=2))
    expected = np.array(colour) / 255 * alpha + (1 - alpha)
    np.testing.assert_allclose(read if read.ndim == 3 else np.dstack([read] * 3), expected, atol=1e-6)


def test_white_ink_is_shown_on_black_since_white_would_hide_it():
    for strength in (0.3, 1.0):
        read = read_picture(np.dstack([np.ones((SIDE, SIDE)), np.where(INK, strength, 0.0)]))
        np.testing.assert_allclose(read, strength * INK, atol=1e-6)


def test_ink_of_two_colours_loses_neither():
    pixels = np.zeros((SIDE, SIDE, 4), np.uint8)
    pixels[INK, 3] = 255
    pixels[6:9, 8:12] = (255, 255, 255, 255)
    pixels[20:26, 15:18] = (255, 0, 0, 255)
    on_white = np.where(pixels[..., 3:] > 0, pixels[..., :3], 255) / 255
    np.testing.assert_allclose(read_picture(pixels), on_white, atol=1e-6)


def test_a_photograph_with_cut_corners_keeps_its_paper(pipeline, mnist):
    """On white, its edge would be the strongest ink of all."""
    digit = np.asarray(Image.fromarray(mnist[0]).resize((200, 200), Image.Resampling.BICUBIC))
    y, x = np.mgrid[-1:1:200j, -1:1:200j]
    cut = np.dstack([(200 - 0.7 * digit).astype(np.uint8), np.uint8(255 * (x * x + y * y < 1))])
    assert pipeline.prepare(cut).doubt is None


def test_what_is_hidden_has_no_part_in_a_picture_that_is_reduced():
    """The colour under full transparency is nobody's business, also where pixels are averaged."""
    pixels = np.zeros((2 * MAX_SIDE, 64, 2), np.uint8)
    pixels[::2] = (0, 255)
    pixels[1::2] = (200, 0)
    np.testing.assert_allclose(read_picture(pixels), 0.5, atol=1e-6)


def test_nothing_at_all_is_white_and_in_doubt():
    nothing = np.zeros((SIDE, SIDE, 4), np.uint8)
    assert (read_picture(nothing) == 1).all()
    assert "empty" in DigitPipeline().prepare(nothing).doubt
    assert "empty" in PhotoPipeline(SIDE, SIDE).prepare(nothing).doubt
