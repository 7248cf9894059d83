"""Preparing photos: any file, mode and orientation comes out in one size, with the right colours, bit for bit the same."""

from __future__ import annotations

import dataclasses
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import pellucid as pl
from pellucid.core.errors import ArgumentError, DataError
from pellucid.data.photos.photo_pipeline import CROPS, PhotoPipeline
from pellucid.data.pictures import image_file
from pellucid.data.pipeline import Pipeline

RNG = np.random.default_rng(5)
COLOURS = RNG.integers(0, 256, (48, 64, 3), np.uint8)


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def flat(colour, mode="RGB", size=(30, 20)) -> Image.Image:
    """A picture of one colour, with one pixel of another, so that it is not empty."""
    image = Image.new("RGB", size, colour)
    image.putpixel((0, 0), (9, 9, 9))
    return image.quantize(8) if mode == "P" else image.convert(mode)


def test_the_shape_is_what_the_input_must_be():
    assert PhotoPipeline(20, 30).output_shape == (20, 30, 3)
    assert PhotoPipeline(20, 30, channels=1).output_shape == (20, 30)
    for channels in (1, 3):
        for crop in CROPS:
            pipeline = PhotoPipeline(20, 30, channels, crop)
            pixels = pipeline(COLOURS)
            assert pixels.shape == pipeline.output_shape
            assert pixels.dtype == np.uint8


@pytest.mark.parametrize("crop", CROPS)
def test_a_picture_of_the_right_size_passes_bit_for_bit(crop):
    pipeline = PhotoPipeline(48, 64, crop=crop)
    assert np.array_equal(pipeline(COLOURS), COLOURS)
    assert np.array_equal(pipeline(encoded(Image.fromarray(COLOURS))), COLOURS)


@pytest.mark.parametrize("crop", CROPS)
@pytest.mark.parametrize("channels", [1, 3])
def test_all_kinds_of_sources_give_the_same_bits(crop, channels, tmp_path):
    pipeline = PhotoPipeline(16, 16, channels, crop)
    path = tmp_path / "photo.png"
    path.write_bytes(encoded(Image.fromarray(COLOURS)))
    expected = pipeline(path)
    opaque = np.dstack([COLOURS, np.full(COLOURS.shape[:2], 255, np.uint8)])
    for source in (
        str(path),
        path.read_bytes(),
        Image.open(path),
        COLOURS,
        COLOURS / 255,
        np.float32(COLOURS) / 255,
        opaque,
    ):
        assert np.array_equal(pipeline(source), expected)
    assert np.array_equal(pipeline(COLOURS.astype(np.uint16) * 257), expected)


def test_the_centre_is_cut_and_the_rest_is_not_seen():
    """Red in the middle third of a wide picture, blue left and right: a square crop is red alone."""
    wide = np.zeros((30, 90, 3), np.uint8)
    wide[:, 30:60, 0] = 255
    wide[:, :30, 2] = wide[:, 60:, 2] = 255
    for picture in (wide, wide.transpose(1, 0, 2)):
        assert np.array_equal(PhotoPipeline(30, 30)(picture), np.full((30, 30, 3), (255, 0, 0), np.uint8))
        stretched = PhotoPipeline(30, 30, crop="stretch")(picture)
        assert tuple(stretched[15, 15]) == (255, 0, 0)
        assert tuple(stretched[0, 0]) == tuple(stretched[-1, -1]) == (0, 0, 255)


def test_padding_adds_black_bars_and_loses_nothing():
    white = np.full((30, 90, 3), 255, np.uint8)
    padded = PhotoPipeline(30, 30, crop="pad")(white)
    assert (padded[10:20] == 255).all()
    assert not padded[:10].any()
    assert not padded[20:].any()


def test_reducing_averages_instead_of_skipping():
    """A fine chessboard is grey from afar; taking single pixels would give black, white or false stripes."""
    board = (np.indices((512, 512)).sum(axis=0) % 2 * 255).astype(np.uint8)
    assert np.abs(PhotoPipeline(32, 32, channels=1)(board).astype(int) - 128).max() <= 3


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "CMYK", "YCbCr", "HSV"])
def test_the_modes_of_files_keep_their_colours(mode):
    pixels = PhotoPipeline(20, 30)(flat((200, 120, 40), mode))
    assert np.abs(pixels[10:, 10:].astype(int) - (200, 120, 40)).max() <= 3  # HSV and YCbCr round


def test_a_cmyk_jpeg_has_its_colours():
    pixels = PhotoPipeline(24, 24)(encoded(flat((200, 120, 40), "CMYK"), "JPEG", quality=95))
    assert np.abs(pixels[12:, 12:].astype(int) - (200, 120, 40)).max() <= 6


@pytest.mark.parametrize("mode", ["1", "L", "LA", "I;16", "I", "F"])
def test_grey_modes_are_grey_in_colour_too(mode):
    grey = np.where(np.indices((16, 16)).sum(axis=0) > 15, 255, 0).astype(np.uint8)
    if mode == "1":
        image = Image.fromarray(grey > 0)
    elif mode == "I;16":
        image = Image.fromarray(grey.astype(np.uint16) * 257)
    else:
        image = Image.fromarray(grey).convert(mode)
    assert np.array_equal(PhotoPipeline(16, 16, channels=1)(image), grey)
    assert np.array_equal(PhotoPipeline(16, 16)(image), np.dstack([grey] * 3))


def test_sixteen_bits_are_scaled_not_clipped():
    deep = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    expected = np.rint(deep / 257).astype(np.uint8)
    for source in (deep, encoded(Image.fromarray(deep)), encoded(Image.fromarray(deep), "TIFF")):
        assert np.array_equal(PhotoPipeline(16, 16, channels=1)(source), expected)


def test_transparency_is_laid_on_white():
    picture = np.zeros((16, 16, 4), np.uint8)
    picture[:, 8:] = (255, 0, 0, 255)
    picture[:, 4:8] = (255, 0, 0, 128)  # half of red on white: (255, 127, 127)
    pixels = PhotoPipeline(16, 16)(encoded(Image.fromarray(picture)))
    assert tuple(pixels[0, 0]) == (255, 255, 255)
    assert tuple(pixels[0, 15]) == (255, 0, 0)
    assert np.abs(pixels[0, 5].astype(int) - (255, 127, 127)).max() <= 1
    palette = Image.fromarray(picture[..., :3]).quantize(4, dither=Image.Dither.NONE)
    hidden = palette.getpixel((0, 0))
    pixels = PhotoPipeline(16, 16)(encoded(palette, transparency=hidden))
    assert tuple(pixels[0, 0]) == (255, 255, 255)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_a_turned_photo_is_upright(orientation, kind):
    """A white picture whose corner at the top left is red, stored as each of the eight cases says."""
    true = np.full((24, 16, 3), 255, np.uint8)
    true[:8, :8] = (255, 0, 0)
    stored = {
        1: true,
        2: true[:, ::-1],
        3: true[::-1, ::-1],
        4: true[::-1],
        5: true.transpose(1, 0, 2),
        6: np.rot90(true, 1),
        7: true[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(true, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}}.get(kind, {})
    content = encoded(Image.fromarray(np.ascontiguousarray(stored)), kind, exif=exif, **options)
    assert np.abs(PhotoPipeline(24, 16)(content).astype(int) - true).max() <= 6


def test_damaged_exif_turns_nothing_and_hides_no_picture():
    content = encoded(Image.fromarray(COLOURS), exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xffnonsense")
    assert np.array_equal(PhotoPipeline(48, 64)(content), COLOURS)


def test_an_unknown_orientation_turns_nothing():
    exif = Image.Exif()
    exif[0x0112] = 77
    assert np.array_equal(PhotoPipeline(48, 64)(encoded(Image.fromarray(COLOURS), exif=exif)), COLOURS)


def test_a_pillow_image_of_the_caller_is_left_as_it_was():
    for content in (encoded(Image.fromarray(np.tile(COLOURS, (8, 8, 1))), "JPEG"), encoded(Image.fromarray(COLOURS))):
        image = Image.open(io.BytesIO(content))
        size = image.size
        PhotoPipeline(8, 8)(image)
        assert image.size == size
        assert np.asarray(image).shape == (size[1], size[0], 3)


def test_a_large_jpeg_is_hardly_changed_by_decoding_it_small():
    smooth = np.asarray(Image.fromarray(COLOURS[:6, :8]).resize((1600, 1200), Image.Resampling.BICUBIC))
    content = encoded(Image.fromarray(smooth), "JPEG", quality=95)
    difference = PhotoPipeline(64, 64)(content).astype(int) - PhotoPipeline(64, 64)(smooth)
    assert np.abs(difference).mean() < 1.5


def test_an_empty_picture_is_in_doubt_and_a_photo_is_not():
    pipeline = PhotoPipeline(16, 16)
    assert "one colour" in pipeline.prepare(np.full((20, 20, 3), 77, np.uint8)).doubt
    assert pipeline.prepare(COLOURS).doubt is None


def test_several_pictures_and_the_name_of_a_bad_one():
    pipeline = PhotoPipeline(16, 16)
    one, other = pipeline.batch([COLOURS, COLOURS[::-1]])
    assert np.array_equal(one.pixels, pipeline(COLOURS))
    assert not np.array_equal(one.pixels, other.pixels)
    with pytest.raises(DataError, match=r"picture 1: the picture \(0 bytes\) is empty"):
        pipeline.batch([COLOURS, b""])


@pytest.mark.parametrize(
    "options",
    [
        {"height": 0},
        {"width": 5000},
        {"height": 2.5},
        {"channels": 2},
        {"channels": "3"},
        {"channels": 3.0},
        {"channels": True},
        {"channels": np.array([1, 3])},
        {"crop": "center"},
        {"crop": None},
    ],
)
def test_wrong_fields(options):
    with pytest.raises(ArgumentError):
        PhotoPipeline(**options)


def test_whole_numbers_of_numpy_are_whole_numbers():
    pipeline = PhotoPipeline(np.int64(8), np.int32(8), np.int64(3))
    assert repr(pipeline) == repr(PhotoPipeline(8, 8, 3))


def test_a_file_without_an_end_is_not_read_to_it(tmp_path, monkeypatch):
    monkeypatch.setattr(image_file, "MAX_BYTES", 1 << 21)
    with open(tmp_path / "long.png", "wb") as file:
        file.truncate(1 << 40)  # a terabyte that takes no room
    with pytest.raises(DataError, match=r"long.png' has more than 2,097,152 bytes"):
        PhotoPipeline()(tmp_path / "long.png")


@pytest.mark.parametrize(
    "source",
    [np.zeros((5, 5, 3), np.uint8), np.zeros((16, 16), np.int64), np.full((16, 16), 2.0), np.zeros(9, np.uint8), 3],
)
def test_what_is_no_picture_is_refused(source):
    with pytest.raises(DataError):
        PhotoPipeline()(source)


@given(
    height=st.integers(2, 90),
    width=st.integers(8, 90),
    target=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    crop=st.sampled_from(CROPS),
    channels=st.sampled_from([1, 3]),
)
def test_every_proportion_gives_the_promised_shape(height, width, target, crop, channels):
    """And a white picture stays white, apart from bars, which are there only where the proportions differ."""
    pipeline = PhotoPipeline(*target, channels, crop)
    pixels = pipeline(np.full((height, width, 3), 255, np.uint8))
    assert pixels.shape == pipeline.output_shape
    assert pixels.max() == 255
    if crop != "pad" or height * target[1] == width * target[0]:
        assert pixels.min() == 255


def network_for(pipeline: PhotoPipeline, classes: int = 2) -> pl.Network:
    return pl.Network([pl.Input(*pipeline.output_shape), pl.Classification(classes)])


@pytest.mark.parametrize("channels", [1, 3])
def test_it_is_saved_and_loaded_with_the_model(channels, tmp_path):
    pipeline = PhotoPipeline(10, 12, channels, "pad")
    model = pl.Model(network_for(pipeline), pipeline, ["cat", "kein Kätzchen"])
    model.save(tmp_path / "cat.safetensors")
    loaded = pl.load(tmp_path / "cat.safetensors")
    assert loaded.pipeline == pipeline
    assert loaded.labels == ("cat", "kein Kätzchen")
    one, again = model.predict(COLOURS), loaded.predict(COLOURS)
    assert one == again
    assert np.array_equal(one.probabilities, again.probabilities)
    assert np.array_equal(again.seen, pipeline(COLOURS))


def test_a_model_answers_for_one_and_for_several_colour_arrays():
    pipeline = PhotoPipeline(10, 12)
    model = pl.Model(network_for(pipeline), pipeline)
    assert isinstance(model.predict(COLOURS), pl.Prediction)
    assert isinstance(model.predict(COLOURS[..., 0]), pl.Prediction)
    several = model.predict(np.stack([COLOURS, COLOURS[::-1], COLOURS]))
    assert [len(several), len(model.predict([COLOURS, COLOURS]))] == [3, 2]
    assert several[0] == several[2] == model.predict(COLOURS)


def test_a_pipeline_of_another_shape_is_refused():
    with pytest.raises(ArgumentError, match=r"64x64x3.*\(10, 12, 3\)"):
        pl.Model(network_for(PhotoPipeline(10, 12)), PhotoPipeline())
    with pytest.raises(ArgumentError, match="Pipeline"):
        pl.Model(network_for(PhotoPipeline(10, 12)), "photos")


def test_a_registered_pipeline_of_your_own_works_like_these(tmp_path):
    @pl.register
    @dataclasses.dataclass(frozen=True)
    class Negative(Pipeline):
        """White becomes black."""

        inner: PhotoPipeline

        @property
        def output_shape(self):
            return self.inner.output_shape

        def prepare(self, source):
            prepared = self.inner.prepare(source)
            return dataclasses.replace(prepared, pixels=255 - prepared.pixels)

    model = pl.Model(network_for(PhotoPipeline(10, 12)), Negative(PhotoPipeline(10, 12)))
    model.save(tmp_path / "negative.safetensors")
    seen = pl.load(tmp_path / "negative.safetensors").predict(COLOURS).seen
    assert np.array_equal(seen, 255 - PhotoPipeline(10, 12)(COLOURS))
