"""A photograph is no digit: it is grey all over and full of detail; an enlarged thumbnail is grey too, but blurred."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import pellucid as pl


def scene(seed):
    """What photographs have in common: every size of detail, the larger the stronger (a 1/f spectrum)."""
    chance = np.random.default_rng(seed)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(96), np.fft.rfftfreq(96), indexing="ij"))
    frequency[0, 0] = 1
    field = np.fft.irfft2(np.fft.rfft2(chance.normal(size=(96, 96))) / frequency, s=(96, 96))
    low, high = np.percentile(field, [2, 98])
    return (255 * np.clip((field - low) / (high - low), 0, 1)).astype(np.uint8)


def test_photographs_are_doubted():
    pipeline = pl.DigitPipeline()
    doubts = [pipeline.prepare(scene(seed)).doubt for seed in range(40)]
    assert sum(doubt is not None for doubt in doubts) >= 36
    assert any("photograph" in doubt for doubt in doubts if doubt)


@pytest.mark.parametrize("thumbnail", [8, 16])
def test_an_enlarged_thumbnail_of_a_digit_is_not(thumbnail):
    _, (x, _) = pl.datasets.digits()
    pipeline = pl.DigitPipeline()
    doubted = 0
    for image in x[:100]:
        ink = image[image.any(axis=1)][:, image.any(axis=0)]
        small = Image.fromarray(ink).resize((thumbnail, thumbnail), Image.Resampling.BOX)
        large = np.asarray(small.resize((128, 128), Image.Resampling.BICUBIC))
        doubted += pipeline.prepare(large).doubt is not None
    assert doubted <= 2
