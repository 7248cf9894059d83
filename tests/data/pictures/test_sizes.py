"""Thin, tall, tiny and huge pictures are read, or refused for what they are, without a warning of any library."""

from __future__ import annotations

import io
import warnings

import numpy as np
import pytest
from PIL import Image

from pellucid.core.errors import DataError
from pellucid.data.digits.digit_pipeline import DigitPipeline
from pellucid.data.photos import photo_pipeline
from pellucid.data.photos.photo_pipeline import CROPS, PhotoPipeline
from pellucid.data.pictures.image_file import MAX_PIXELS

PIPELINES = [DigitPipeline(), *(PhotoPipeline(16, 24, channels, crop) for crop in CROPS for channels in (1, 3))]
PHONE = 6144, 8192


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings(), np.errstate(all="raise", under="ignore"):
        warnings.simplefilter("error")
        yield


def encoded(pixels, kind="PNG"):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def picture(height, width, content):
    if content == "noise":
        return np.random.default_rng(height * width).integers(0, 256, (height, width), np.uint8)
    pixels = np.full((height, width), 255, np.uint8)
    if content == "bar":
        pixels[height // 3 : 2 * height // 3 + 1, width // 3 : 2 * width // 3 + 1] = 0
    return pixels


@pytest.mark.parametrize(
    "size", [(3201, 2), (9, 400), (2, 8), (3, 8), (1601, 2), (4801, 3), (5, 300), (1601, 8), (100_000, 2)]
)
@pytest.mark.parametrize("content", ["noise", "bar", "white"])
def test_thin_and_long_pictures_are_read(size, content):
    for pixels in (picture(*size, content), picture(*size[::-1], content)):
        for pipeline in PIPELINES:
            jpeg = [encoded(pixels, "JPEG")] if max(size) < 65_500 else []  # a longer one cannot be a JPEG
            for source in (pixels, encoded(pixels), *jpeg):
                assert pipeline(source).shape == pipeline.output_shape


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (7, 7), (1, 5000), (5000, 1)])
def test_tiny_pictures_are_refused_by_their_size_and_told_the_least(size):
    for pipeline in PIPELINES:
        for source in (picture(*size, "bar"), encoded(picture(*size, "bar"))):
            with pytest.raises(DataError, match=f"only {size[0]} x {size[1]} pixels; expected at least 2 x 8$"):
                pipeline(source)
    assert PIPELINES[0](picture(2, 8, "bar")).shape == (28, 28)  # and that is the least


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_photo_of_fifty_megapixels_is_read(kind):
    pixels = np.full(PHONE, 255, np.uint8)
    pixels[2000:4000, 4000:4700] = 0
    content = encoded(pixels if kind == "JPEG" else pixels > 0, kind)
    assert DigitPipeline().prepare(content).doubt is None
    small = PhotoPipeline(16, 24, channels=1)(content)
    assert small.max() == 255
    assert small.min() < 60


def test_a_larger_one_is_refused():
    assert PHONE[0] * PHONE[1] == MAX_PIXELS
    content = encoded(np.zeros((6145, 8192), bool))
    for pipeline in PIPELINES:
        with pytest.raises(DataError, match="6145 x 8192 pixels, more than 50,331,648; reduce it first"):
            pipeline(content)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "I;16", "I", "F"])
def test_conversion_by_strips_is_conversion(mode, monkeypatch):
    """Whether a picture is converted at once or line by line, the pixels are the same."""
    colours = np.random.default_rng(3).integers(0, 256, (30, 20, 4), np.uint8)
    if mode == "I;16":
        image = Image.fromarray(colours[..., 0].astype(np.uint16) * 257)
    else:
        image = Image.fromarray(colours).convert("RGB" if mode in ("CMYK", "YCbCr", "HSV") else "RGBA")
        image = image.convert("L").convert(mode) if mode in ("I", "F", "LA") else image.convert(mode)
    pipelines = [PhotoPipeline(30, 20, channels) for channels in (1, 3)]
    whole = [pipeline(image) for pipeline in pipelines]
    monkeypatch.setattr(photo_pipeline, "_STRIP", 1)
    for pipeline, expected in zip(pipelines, whole, strict=True):
        assert np.array_equal(pipeline(image), expected)
