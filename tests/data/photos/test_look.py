"""What pictures look like: with colours or without, large or tiny, whatever format says so."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import pellucid as pl
from pellucid.data.photos.listing import list_folder
from pellucid.data.photos.look import MOST, look_at_files, look_at_pixels


def draw(path, colored, size=(48, 40), mode="RGB"):
    """Noise, with or without colours."""
    rng = np.random.default_rng([*path.parent.name.encode(), int(path.stem)])
    pixels = rng.integers(0, 256, (size[1], size[0], 3), np.uint8)
    pixels = pixels if colored else np.repeat(pixels[..., :1], 3, axis=2)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).convert(mode).save(path)


def folder_of(root, count, colored, size=(48, 40), mode="RGB", suffix="png"):
    for label in ("a", "b"):
        for number in range(count):
            draw(root / label / f"{number:03}.{suffix}", colored, size, mode)
    return root


@pytest.mark.parametrize(("mode", "suffix"), [("RGB", "png"), ("RGB", "jpg"), ("P", "png"), ("RGBA", "png"), ("L", "png")])
def test_colours_and_sides(tmp_path, mode, suffix):
    look = look_at_files(list_folder(folder_of(tmp_path, 3, colored=True, mode=mode, suffix=suffix)))
    assert look.count == 6
    assert look.side == 40
    assert look.in_color == (0 if mode == "L" else 6)
    assert look.are_photos == (mode != "L")


def test_greys_that_are_stored_as_colours_are_seen(tmp_path):
    look = look_at_files(list_folder(folder_of(tmp_path, 3, colored=False, suffix="jpg")))
    assert (look.in_color, look.are_photos) == (0, False)
    assert look.in_words == "6 of 6 have no colours"


def test_some_of_many_are_looked_at_and_broken_ones_tell_nothing(tmp_path):
    folder_of(tmp_path, 40, colored=True)
    (tmp_path / "a" / "000.png").write_bytes(b"no picture")
    look = look_at_files(list_folder(tmp_path))
    assert look.count == MOST - 1
    assert look.are_photos


def test_a_folder_where_nothing_can_be_read_has_no_photos(tmp_path):
    for name in ("a/1.png", "b/1.png"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"?")
    assert not look_at_files(list_folder(tmp_path)).are_photos


def test_the_look_decides_the_size(tmp_path):
    photos = pl.datasets.folder(folder_of(tmp_path / "photos", 2, colored=True), cache=tmp_path / "cache")
    assert photos.x.shape == (4, 224, 224, 3)
    assert photos.look.side == 40
    greys = pl.datasets.folder(folder_of(tmp_path / "greys", 2, colored=False), cache=tmp_path / "cache")
    assert greys.x.shape == (4, 64, 64, 3)
    tiny = pl.datasets.folder(folder_of(tmp_path / "tiny", 2, True, (31, 50)), cache=tmp_path / "cache")
    assert (tiny.x.shape[1], tiny.look.side) == (64, 31)
    asked = pl.datasets.folder(tmp_path / "photos", 20, cache=tmp_path / "cache")
    assert (asked.x.shape[1], asked.look) == (20, None)
    without = pl.datasets.folder(tmp_path / "photos", channels=1, cache=tmp_path / "cache")
    assert (without.x.shape, without.look) == ((4, 64, 64), None)


def test_prepared_pictures_tell_their_colours():
    rng = np.random.default_rng(0)
    colored = rng.integers(0, 256, (5, 100, 90, 3), np.uint8)
    assert look_at_pixels(colored).are_photos
    assert look_at_pixels(colored).in_words == "5 of 5 have colours"
    assert not look_at_pixels(np.repeat(colored[..., :1], 3, axis=3)).are_photos
    assert not look_at_pixels(colored[..., 0]).are_photos
