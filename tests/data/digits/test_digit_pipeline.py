"""Preparing digits: the same digit, however it was photographed, drawn or stored, comes out as the same picture."""

from __future__ import annotations

import dataclasses
import io
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pellucid.core.errors import ArgumentError, DataError, ShapeError
from pellucid.data.digits.digit_pipeline import DigitPipeline

CLOSE = 0.12  # two preparations of the same digit differ by less, different digits of the sample by 0.63 on average


def difference(one: np.ndarray, other: np.ndarray) -> float:
    """Sum of absolute differences over the sum of ink, 0 (equal) to 1 (nothing in common).

    The least over moves by one pixel: centres of mass are rounded to whole pixels, and a hair may tip the balance.
    """
    a, b = one.astype(float), other.astype(float)
    moves = [np.roll(a, (y, x), (0, 1)) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    return float(min(np.abs(moved - b).sum() for moved in moves) / (a.sum() + b.sum()))


def enlarged(image: np.ndarray, height: int, width: int | None = None) -> np.ndarray:
    return np.asarray(Image.fromarray(image).resize((width or height, height), Image.Resampling.BICUBIC))


def on_canvas(image: np.ndarray, height: int, width: int, top: int, left: int) -> np.ndarray:
    canvas = np.zeros((height, width), np.uint8)
    canvas[top : top + image.shape[0], left : left + image.shape[1]] = image
    return canvas


def test_fit_measures_mnist(pipeline):
    """MNIST's digits fit a box of 20 in 28 pixels: Y. LeCun, description of the data."""
    assert (pipeline.size, pipeline.box) == (28, 20)
    assert 1.5 < pipeline.thin < pipeline.thick < 3.5


def test_fields_are_plain_numbers(pipeline):
    assert DigitPipeline(**json.loads(json.dumps(dataclasses.asdict(pipeline)))) == pipeline


def test_training_pictures_pass_unchanged(pipeline, mnist):
    for one, digit in zip(pipeline.batch(mnist), mnist, strict=True):
        assert np.array_equal(one.pixels, digit)
        assert one.doubt is None


def test_shifted_inverted_and_stored_digits_come_back_exactly(pipeline, mnist, tmp_path):
    for index, digit in enumerate(mnist[:60]):
        y, x = divmod(index, 8)
        shifted = on_canvas(digit, 40, 37, y, x)
        for same in (shifted, 255 - shifted, np.stack([shifted] * 3, axis=2), shifted.astype(np.uint16) * 257):
            assert np.array_equal(pipeline(same), digit)
    for name in ("a.png", "a.bmp", "a.gif", "a.tif"):
        Image.fromarray(255 - mnist[0]).save(tmp_path / name)
        assert np.array_equal(pipeline(tmp_path / name), mnist[0])


def variants(digit: np.ndarray) -> dict[str, object]:
    """One digit in many guises, each of them lossy: all go through the whole of the pipeline."""
    large = enlarged(digit, 280)
    placed = on_canvas(enlarged(digit, 112), 300, 200, 170, 20)
    ink = placed[..., None] / 255.0
    y, x = np.mgrid[-1:1:300j, -1:1:200j]
    paper = np.stack([0.65 + 0.2 * x + 0.1 * y * y] * 3, axis=2) * (1.0, 0.95, 0.85)
    photo = (255 * (paper * (1 - ink) + ink * (0.1, 0.1, 0.4))).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(photo).save(file, "JPEG", quality=60)
    clear = np.zeros((*large.shape, 4), np.uint8)
    clear[..., 3] = large
    yellow = np.stack([np.full_like(large, 255), np.full_like(large, 255), 255 - large], axis=2)
    rim = np.flatnonzero(large.any(axis=1)), np.flatnonzero(large.any(axis=0))
    crop = large[rim[0][0] : rim[0][-1] + 1, rim[1][0] : rim[1][-1] + 1]
    ruled = np.minimum(255 - placed.astype(int), np.where(np.arange(300) % 30 < 2, 150, 255)[:, None])
    turned = Image.fromarray(np.rot90(255 - large, 1).copy())
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.save(rotated := io.BytesIO(), "PNG", exif=exif)
    return {
        "large": large,
        "large, dark on light": 255 - large,
        "low contrast": (90 + large // 8).astype(np.uint8),
        "sixteen bits": 65535 - large.astype(np.uint16) * 257,
        "floating point": 1 - large / 255.0,
        "one bit": large > 127,
        "off centre": placed,
        "tight crop": crop,
        "tight crop, dark on light": 255 - crop,
        "photograph": file.getvalue(),
        "dark ink on nothing": clear,
        "light ink on nothing": np.concatenate([np.full((*large.shape, 3), 255, np.uint8), clear[..., 3:]], axis=2),
        "yellow on white": yellow,
        "ruled paper": ruled.astype(np.uint8),
        "turned by EXIF": rotated.getvalue(),
        "palette": Image.fromarray(photo).quantize(32),
        "CMYK": Image.fromarray(photo).convert("CMYK"),
        "on a red ground": np.stack([np.full_like(large, 200), large, large], axis=2),
    }


@pytest.mark.parametrize("guise", variants(np.zeros((28, 28), np.uint8) + np.eye(28, dtype=np.uint8)))
def test_every_guise_ends_in_the_same_digit(guise, pipeline, mnist):
    different = []
    for digit in mnist[:10]:
        prepared = pipeline.prepare(variants(digit)[guise])
        assert prepared.doubt is None
        different.append(difference(prepared.pixels, pipeline(enlarged(digit, 280))))
    assert np.mean(different) < CLOSE
    assert np.max(different) < 2 * CLOSE


def test_redrawn_digits_resemble_the_original(pipeline, mnist):
    """Enlarged and prepared, a digit overlaps with itself far better than with any other of the sample."""
    prepared = np.stack([pipeline(enlarged(digit, 150)) for digit in mnist[:40]])
    table = np.array([[difference(one, other) for other in mnist[:40]] for one in prepared])
    assert np.diag(table).mean() < CLOSE
    assert np.array_equal(table.argmin(axis=1), np.arange(40))


@settings(max_examples=60)
@given(st.integers(8, 300), st.integers(8, 300), st.integers(0, 399), st.booleans(), st.booleans())
def test_any_size_gives_a_digit_in_its_form_and_twice_is_once(pipeline, mnist, height, width, index, invert, one_bit):
    picture = enlarged(mnist[index], height, width)
    picture = 255 - picture if invert else picture
    picture = picture > 127 if one_bit else picture
    once = pipeline(picture)
    assert once.shape == (28, 28)
    assert once.dtype == np.uint8
    assert np.array_equal(pipeline(once), once)
    rows, columns = np.flatnonzero(once.any(axis=1)), np.flatnonzero(once.any(axis=0))
    if len(rows):
        assert max(np.ptp(rows), np.ptp(columns)) + 1 in (19, 20)


@settings(max_examples=40)
@given(st.integers(2, 60), st.integers(8, 60), st.integers(0, 2**32 - 1), st.sampled_from([1, 3, 4]))
def test_no_array_breaks_it(pipeline, height, width, seed, channels):
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)
    assert pipeline(noise).shape == (28, 28)


def test_thick_and_thin_pens_come_near_the_training_set(pipeline, mnist):
    from scipy.ndimage import binary_dilation

    from pellucid.data.digits.stroke import stroke_thickness

    lines = enlarged(mnist[0], 280) > 127
    thick = binary_dilation(lines, iterations=28)
    pixel = max(np.ptp(np.nonzero(thick), axis=1) + 1) / 20
    before, after = stroke_thickness(thick / 1.0) / pixel, stroke_thickness(pipeline(thick) / 255.0)
    assert before > 1.2 * pipeline.thick
    assert after < 0.95 * before
    ys, _ = np.nonzero(lines)
    hair = np.zeros((280, 280), bool)
    hair[ys.min() : ys.max(), 140] = hair[ys.min(), 100:140] = True
    assert stroke_thickness(pipeline(hair) / 255.0) > 0.8 * pipeline.thin


NOTHING = {
    "black": np.zeros((28, 28), np.uint8),
    "white": np.full((50, 80, 3), 255, np.uint8),
    "grey": np.full((300, 200), 100, np.uint8),
    "noise": np.random.default_rng(2).integers(0, 256, (28, 28), np.uint8),
    "grainy paper": np.random.default_rng(2).normal(200, 5, (200, 200)).clip(0, 255).astype(np.uint8),
    "light from one side": np.tile(np.linspace(60, 220, 120).astype(np.uint8), (90, 1)),
    "checkerboard": np.kron(np.indices((16, 16)).sum(axis=0) % 2, np.ones((4, 4))).astype(np.uint8) * 255,
    "disc": ((np.indices((64, 64)) - 32) ** 2).sum(axis=0) < 400,
    "edge": np.indices((40, 40))[1] > 20,
    "stripes": np.indices((60, 60))[1] // 3 % 2 == 0,
    "dot": np.indices((60, 60)).sum(axis=0) == 0,
    "transparent": np.zeros((30, 30, 4), np.uint8),
}


@pytest.mark.parametrize("name", NOTHING)
def test_what_is_no_digit_is_doubted(name, pipeline):
    doubt = pipeline.prepare(NOTHING[name]).doubt
    assert doubt is not None
    assert "empty" in doubt or "figure" in doubt


def test_several_digits_are_doubted(pipeline, mnist):
    row = np.concatenate([enlarged(digit, 56) for digit in mnist[:3]], axis=1)
    assert "figure" in (pipeline.prepare(np.pad(row, 20)).doubt or "")


def test_dust_and_a_frame_are_left_out(pipeline, mnist):
    picture = on_canvas(enlarged(mnist[3], 100), 200, 200, 50, 50)
    clean = pipeline(picture)
    dusty = picture.copy()
    dusty[10:13, 20:23] = dusty[180:182, 150:154] = 255
    framed = picture.copy()
    framed[:3] = framed[-3:] = framed[:, :3] = framed[:, -3:] = 255
    assert difference(pipeline(dusty), clean) < CLOSE
    assert difference(pipeline(framed), clean) < CLOSE


def test_a_bad_picture_in_a_batch_is_named(pipeline, mnist):
    with pytest.raises(DataError, match="picture 1"):
        pipeline.batch([mnist[0], b"no picture"])


@pytest.mark.parametrize(
    "bad", [{"size": 10}, {"box": 2}, {"thin": 0.0}, {"thin": 5.0}, {"heavy": float("nan")}, {"lengthy": -1.0}]
)
def test_bad_numbers_are_refused(bad):
    with pytest.raises(ArgumentError, match=next(iter(bad))):
        DigitPipeline(**bad)


def test_fit_refuses_what_it_cannot_measure(mnist):
    with pytest.raises(ShapeError, match="uint8"):
        DigitPipeline.fit(mnist / 255.0)
    with pytest.raises(DataError, match="no ink"):
        DigitPipeline.fit(np.zeros((5, 28, 28), np.uint8))
