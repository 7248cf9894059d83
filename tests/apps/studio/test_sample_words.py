"""Samples as words of the address: there and back, and words that fit nothing."""

from __future__ import annotations

import base64
import tracemalloc
import zlib

import numpy as np
import pytest

import pellucid as pl
from pellucid.apps.studio.kept_pictures import KeptPictures
from pellucid.apps.studio.sample_words import default_sample, find_sample, word_of, words_to_try
from pellucid.apps.studio.session import Session
from pellucid.core.errors import ArgumentError
from pellucid.data.photos.photo_pipeline import PhotoPipeline


def network(*shape, classes=3):
    return pl.Network([pl.Input(*shape), pl.Dense(3, "relu"), pl.Classification(classes)], seed=0)


@pytest.fixture(scope="module")
def session(reader):
    return Session({"digits": reader})


@pytest.fixture(scope="module")
def plane():
    return pl.Model(network(2))


@pytest.fixture(scope="module")
def photographs():
    return pl.Model(network(48, 48, 3), PhotoPipeline(48, 48))


def test_a_test_digit_is_that_row(session, reader):
    _, (x, y) = pl.datasets.digits()
    for row in (0, 17, 9999):
        sample = find_sample(session, reader, f"test-{row}")
        np.testing.assert_array_equal(sample.x, x[row])
        assert (sample.label, sample.x.dtype, sample.word) == (y[row], np.uint8, f"test-{row}")


def test_the_truth_is_not_told_to_a_model_of_other_things(session, reader):
    letters = pl.Model(reader.network, reader.pipeline, list("abcdefghij"))
    assert find_sample(session, letters, "test-3").label is None
    named = pl.Model(reader.network, reader.pipeline, list("0123456789"))
    assert find_sample(session, named, "test-3").label == 0  # the fourth test digit is a 0


def test_pixels_in_the_address_are_what_the_definition_says(session, reader):
    pixels = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    word = word_of(session, pixels)
    assert word.startswith("px.")
    packed = word.removeprefix("px.")
    by_hand = zlib.decompress(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)))
    assert by_hand == pixels.tobytes()
    sample = find_sample(session, reader, word)
    np.testing.assert_array_equal(sample.x, pixels)
    assert (sample.label, sample.is_doubtful) == (None, False)
    assert find_sample(session, reader, word_of(session, pixels, "why")).is_doubtful
    assert find_sample(session, reader, word).x.shape == (28, 28)


def test_a_larger_picture_is_kept(session, photographs):
    pixels = np.random.default_rng(1).integers(0, 256, (48, 48, 3), np.uint8)
    word = word_of(session, pixels)
    pixels_before, pixels[0, 0, 0] = pixels.copy(), pixels[0, 0, 0] ^ 255  # what is kept is a copy
    assert word.startswith("kept-")
    np.testing.assert_array_equal(find_sample(session, photographs, word).x, pixels_before)
    assert word_of(session, pixels_before) == word
    assert word_of(session, pixels) != word
    assert not find_sample(session, photographs, word).is_doubtful
    assert find_sample(session, photographs, word_of(session, pixels, "why")).is_doubtful


def test_a_word_is_unpacked_no_further_than_the_network_looks(session, reader):
    """A word of 8,000 letters can hold six million pixels."""
    bomb = base64.urlsafe_b64encode(zlib.compress(bytes(6_000_000), 9)).decode().rstrip("=")
    assert len(bomb) < 8_192 - 3
    tracemalloc.start()
    try:
        with pytest.raises(ArgumentError, match="are not 28 x 28"):
            find_sample(session, reader, f"px.{bomb}")
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_numbers_in_the_address(session, plane):
    sample = find_sample(session, plane, "xy.0.25,-1.5")
    assert sample.x.dtype == np.float32
    assert sample.x.tolist() == [0.25, -1.5]
    assert find_sample(session, plane, "xy.1e-3, +2").x.tolist() == [np.float32(1e-3), 2.0]


def pixels_word(content):
    return "px." + base64.urlsafe_b64encode(content).decode().rstrip("=")


BOMB = zlib.compress(bytes(50_000_000), 9)
WRONG = {
    "digits": [
        *("", "test", "test-", "test--1", "test-1.5", "test-10000", "test-99999999999999", "test-٣", "test- 1", "test-1e3"),
        *(
            "kept-1",
            "kept-0",
            "kept-x",
            "px",
            "px.",
            "px.!!!!",
            "px.é",
            "px.AAAA",
            "xy.1,2",
            "xy.",
            "nothing",
            "../../x",
            "px-a",
        ),
        pixels_word(zlib.compress(bytes(783))),
        pixels_word(zlib.compress(bytes(785))),
        pixels_word(zlib.compress(bytes(784))[:-3]),
        pixels_word(bytes(784)),
        pixels_word(BOMB)[:8000],
        "px." + "A" * 9000,
        "test-" + "0" * 9000,
    ],
    "plane": [
        "test-0",
        "px.AAAA",
        "xy.",
        "xy.1",
        "xy.1,2,3",
        "xy.nan,1",
        "xy.1,inf",
        "xy.1,1e39",
        "xy.a,b",
        "xy.1;2",
        "xy.1,,2",
    ],
    "photographs": ["test-0", "kept-99", "xy.1,2", pixels_word(zlib.compress(bytes(48 * 48 * 3)))],
}


@pytest.mark.parametrize(("kind", "word"), [(kind, word) for kind, words in WRONG.items() for word in words])
def test_words_that_fit_nothing_are_a_sentence(session, reader, plane, photographs, kind, word):
    model = {"digits": reader, "plane": plane, "photographs": photographs}[kind]
    with pytest.raises(ArgumentError) as error:
        find_sample(session, model, word)
    assert str(error.value).endswith((".", "-1"))
    assert len(str(error.value)) < 300


def test_a_kept_picture_fits_one_shape_alone(session, reader):
    word = word_of(session, np.zeros((80, 80), np.uint8))
    with pytest.raises(ArgumentError, match="80 x 80; this network takes 28 x 28"):
        find_sample(session, reader, word)


def test_only_so_many_pictures_are_kept():
    kept = KeptPictures(most_bytes=1000)
    numbers = [kept.keep(np.full((10, 40), value, np.uint8)) for value in range(5)]
    assert numbers == [1, 2, 3, 4, 5]
    assert kept.find(5).pixels[0, 0] == 4
    assert kept.find(4).pixels[0, 0] == 3
    with pytest.raises(ArgumentError, match="kept-3 is no longer here"):
        kept.find(3)
    assert kept.keep(np.zeros((100, 100), np.uint8)) == 6  # larger than all: it alone
    assert kept.find(6).pixels.shape == (100, 100)
    with pytest.raises(ArgumentError, match="kept-5"):
        kept.find(5)


def test_there_is_a_sample_to_begin_with_for_every_network(session, reader, plane, photographs):
    assert default_sample(session, reader) == "test-0"
    assert default_sample(session, plane) == "xy.0.5,0.5"
    for model in (reader, plane, photographs, pl.Model(network(5)), pl.Model(network(9, 9)), pl.Model(network(6, 6, 2))):
        word = default_sample(session, model)
        assert find_sample(session, model, word).x.shape == model.network.input.shape


def test_samples_to_try_come_from_every_class_in_turn(session, reader):
    words = words_to_try(session, reader, 30)
    assert len(set(words)) == 30
    truth = [find_sample(session, reader, word).label for word in words]
    assert truth == [*range(10)] * 3
    first_of = {digit: int(np.flatnonzero(pl.datasets.digits()[1][1] == digit)[0]) for digit in range(10)}
    assert words[:10] == [f"test-{first_of[digit]}" for digit in range(10)]


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    from PIL import Image

    folder, chance = tmp_path_factory.mktemp("photos"), np.random.default_rng(2)
    for part, count in (("train", 4), ("test", 2)):
        for label in ("bird", "cat"):
            (folder / part / label).mkdir(parents=True)
            for number in range(count):
                pixels = chance.integers(0, 256, (40, 40, 3), np.uint8)
                Image.fromarray(pixels).save(folder / part / label / f"{number}.png")
    return pl.datasets.folder(folder, 16, cache=tmp_path_factory.mktemp("cache"))


def test_the_users_own_pictures_are_samples_too(photos):
    session = Session({}, photos)
    model = pl.Model(network(16, 16, 3), photos.pipeline, ["dog", "cat", "bird"])
    x, y = photos.test
    for row in range(4):
        sample = find_sample(session, model, f"test-{row}")
        np.testing.assert_array_equal(sample.x, x[row])
        assert model.labels[sample.label] == photos.labels[y[row]]
    with pytest.raises(ArgumentError, match="test-3"):
        find_sample(session, model, "test-4")
    strange = pl.Model(network(16, 16, 3), photos.pipeline, ["x", "y", "cat"])
    assert {find_sample(session, strange, f"test-{row}").label for row in range(4)} == {None, 2}
    other_form = pl.Model(network(16, 16, 3), PhotoPipeline(16, 16, crop="pad"))
    with pytest.raises(ArgumentError, match="none for this network"):
        find_sample(session, other_form, "test-0")
