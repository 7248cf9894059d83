"""Samples as words in the address, so that a link shows the same numbers.

test-17              the row of the test digits; or of the user's own pictures, those to test with if there are such
px.<base64url>       the pixels themselves, packed by zlib; ".doubtful" behind it if they may show nothing to read
kept-3               a picture too large for an address, remembered while the studio runs
xy.0.25,-1.5         a row of numbers
"""

from __future__ import annotations

import base64
import binascii
import math
import re
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.apps.studio.session import DIGITS, Session, reads
from pellucid.core.display.text import counted
from pellucid.core.errors import ArgumentError
from pellucid.core.shapes import AnyArray, Shape
from pellucid.data.datasets.idx import Part
from pellucid.models.model import Model

MOST_IN_ADDRESS = 4096  # bytes of pixels
LONGEST = 8192  # characters of a word
DOUBTFUL = ".doubtful"
FORMS = "test-17, px.(pixels), kept-3 or xy.0.5,-1"


@dataclass(frozen=True)
class Sample:
    """``x`` in the input form of the network, without the batch axis; ``label`` is the true class number, if known.

    ``is_doubtful`` says that the pipeline found nothing to read in the original picture.
    """

    word: str
    x: AnyArray
    label: int | None = None
    is_doubtful: bool = False


def find_sample(session: Session, model: Model, word: str) -> Sample:
    """The sample that this word names for this model; raises `ArgumentError` if there is none."""
    if len(word) > LONGEST:
        raise ArgumentError(f"the word of the sample has {len(word):,} characters; an address holds at most {LONGEST:,}.")
    kind, _, rest = word.partition("." if "." in word else "-")
    shape = model.network.input.shape
    if kind == "test":
        return _of_test(session, model, word, _number(rest, word))
    if kind == "kept":
        kept = session.pictures.find(_number(rest, word))
        if kept.pixels.shape != shape:
            raise ArgumentError(f"{word} is a picture of {_times(kept.pixels.shape)}; this network takes {_times(shape)}.")
        return Sample(word, kept.pixels, None, kept.doubt is not None)
    if kind == "px":
        _check_is_image(shape, word)
        return Sample(word, _unpacked(rest.removesuffix(DOUBTFUL), shape), None, rest.endswith(DOUBTFUL))
    if kind == "xy":
        return Sample(word, _row(rest, shape))
    raise ArgumentError(f"there is no sample {word[:40]!r}; expected {FORMS}.")


def default_sample(session: Session, model: Model) -> str:
    """The word of a sample to begin with, for this model."""
    shape = model.network.input.shape
    if _tests(session, model) is not None:
        return "test-0"
    if len(shape) == 1:
        return "xy." + ",".join(["0.5"] * shape[0] if reads(model) == "points" else ["0"] * shape[0])
    return word_of(session, np.zeros(shape, np.uint8))


def word_of(session: Session, pixels: NDArray[np.uint8], doubt: str | None = None) -> str:
    """The word for these pixels: themselves if they are small, else a number under which the session keeps them."""
    if pixels.nbytes > MOST_IN_ADDRESS:
        return f"kept-{session.pictures.keep(pixels, doubt)}"
    packed = base64.urlsafe_b64encode(zlib.compress(pixels.tobytes(), 9)).decode("ascii").rstrip("=")
    return f"px.{packed}{DOUBTFUL if doubt else ''}"


def words_to_try(session: Session, model: Model, count: int) -> list[str]:
    """Words of test samples, alternating between the classes."""
    tests = _tests(session, model)
    if tests is None:
        return []
    y = tests[1]
    place = np.empty(len(y), np.int64)  # how many of its class come before each sample
    for k in np.unique(y):
        place[y == k] = np.arange(np.count_nonzero(y == k))
    return [f"test-{row}" for row in np.lexsort((y, place))[:count]]


def _of_test(session: Session, model: Model, word: str, row: int) -> Sample:
    tests = _tests(session, model)
    if tests is None:
        raise ArgumentError(f"{word} is a test sample, and this studio has none for this network.")
    x, y = tests
    if row >= len(x):
        raise ArgumentError(f"{word} is beyond the last test sample, test-{len(x) - 1}.")
    return Sample(word, np.array(x[row]), _class(session, model, int(y[row])))


def _tests(session: Session, model: Model) -> Part | None:
    """The test samples for this model, if the studio has any."""
    shape, kind = model.network.input.shape, reads(model)
    if kind == "digits" and shape == (28, 28):
        return session.test_digits
    photos = session.photos
    if kind == "photos" and photos is not None and photos.pipeline == model.pipeline:
        return photos.test or (photos.x, photos.y)
    return None


def _class(session: Session, model: Model, y: int) -> int | None:
    """The number that this class has in the model; None if the model does not know it, or knows something else."""
    own = [str(label) for label in model.labels]
    if reads(model) == "digits":
        return y if own == [str(label) for label in DIGITS] else None
    name = session.photos.labels[y] if session.photos is not None else ""
    return own.index(name) if name in own else None


def _unpacked(text: str, shape: Shape) -> NDArray[np.uint8]:
    expected = math.prod(shape)
    try:
        packed = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        unpacking = zlib.decompressobj()
        content = unpacking.decompress(packed, expected + 1)  # at most that much memory, whatever was packed
    except (UnicodeEncodeError, binascii.Error, zlib.error):
        raise ArgumentError("the pixels in this address (px...) are damaged; copy the whole link.") from None
    if len(content) != expected or not unpacking.eof:
        raise ArgumentError(f"the pixels in this address (px...) are not {_times(shape)}, which this network takes.")
    return np.frombuffer(content, np.uint8).reshape(shape)


def _row(text: str, shape: Shape) -> NDArray[np.float32]:
    if len(shape) != 1:
        raise ArgumentError(f"xy... is a row of numbers; this network takes pictures of {_times(shape)}.")
    parts = text.split(",")
    try:
        with np.errstate(over="ignore"):
            numbers = np.array([float(part) for part in parts], np.float32)
    except ValueError:
        raise ArgumentError(f"{text[:40]!r} is not a row of numbers such as 0.25,-1.5.") from None
    if len(numbers) != shape[0]:
        raise ArgumentError(f"the row has {counted(len(numbers), 'number')}; this network takes {shape[0]}.")
    if not np.isfinite(numbers).all():
        raise ArgumentError(f"{text[:40]!r} contains a number that is not finite.")
    return numbers


def _check_is_image(shape: Shape, word: str) -> None:
    if len(shape) < 2:
        raise ArgumentError(f"{word[:12]}... is a picture; this network takes {shape[0]} numbers: xy.0.5,-1.")
    if math.prod(shape) > MOST_IN_ADDRESS:
        raise ArgumentError(f"a picture of {_times(shape)} does not fit into an address; drop it on the page Draw.")


def _number(text: str, word: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise ArgumentError(f"there is no sample {word[:40]!r}; expected {FORMS}.")
    return int(text)


def _times(shape: Shape) -> str:
    return " x ".join(map(str, shape))
