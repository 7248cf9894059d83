"""Open a picture file: judged by its header before a pixel is decoded, then decoded and turned upright.

A bomb (a small file that claims to be huge) so costs nothing.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pellucid.core.errors import DataError
from pellucid.core.shapes import describe

if TYPE_CHECKING:
    from PIL.Image import Image

Picture: TypeAlias = "str | os.PathLike[str] | bytes | NDArray[Any] | Image"

MAX_PIXELS = 8192 * 6144  # the photographs of 50 megapixels that phones make
MAX_BYTES = 8 * MAX_PIXELS  # more than the largest picture needs without any compression
MIN_SIDE, MIN_LONGEST = 2, 8  # a tightly cropped 1 may be very narrow
FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "GIF", "TIFF", "PPM")
FORMATS_IN_WORDS = "PNG, JPEG, BMP, WebP, GIF, TIFF or PPM"

_PART = 1 << 20
_ORIENTATION = 0x0112  # the number of this tag in EXIF
_TURNS = {  # value of the tag -> the turn that undoes it, by its name in Pillow
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}
_GREYS = {"L;2": 85, "L;4": 17}  # greys of 2 and of 4 bits, times this, are greys of 8


class PictureSizeError(DataError):
    """A picture has too many pixels, or too few."""


@contextmanager
def without_warnings() -> Iterator[None]:
    """Silence Pillow, which warns of bombs and odd metadata: what matters is checked here. Not from several threads."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def name_of(source: Picture) -> str:
    """How error messages call a picture."""
    if isinstance(source, np.ndarray):
        return f"the array {describe(source)}"
    if isinstance(source, bytes):
        return f"the picture ({len(source)} bytes)"
    return f"'{os.fspath(source)}'" if isinstance(source, str | os.PathLike) else "the picture"


def open_image(source: str | os.PathLike[str] | bytes | Image, name: str) -> Image:
    """A picture of which only the header has been read; ``name`` is how errors call it.

    Raises `PictureSizeError` for a size that is refused, DataError for what is missing or no picture.
    """
    from PIL import Image

    image = source if isinstance(source, Image.Image) else _identified(_content(source, name), name)
    check_size(image.height, image.width, name)
    return image


def _identified(content: bytes, name: str) -> Image:
    from PIL import Image

    try:
        return Image.open(BytesIO(content), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise PictureSizeError(f"{name} claims to have more than {MAX_PIXELS:,} pixels; reduce it first") from error
    except MemoryError:
        raise
    except Exception as error:
        raise DataError(f"{name} is not a picture that can be read; expected {FORMATS_IN_WORDS}") from error


def _content(source: object, name: str) -> bytes:
    if not isinstance(source, str | os.PathLike | bytes):
        raise DataError(
            f"a {type(source).__name__} is not a picture; "
            "expected a path, the bytes of a file, a NumPy array or a Pillow image"
        )
    if source == "":  # it would be the folder that one is in
        raise DataError("an empty name is no picture; expected a picture file")
    content = source if isinstance(source, bytes) else _read_bytes(Path(source))
    if not content:
        raise DataError(f"{name} is empty; expected a {FORMATS_IN_WORDS} file")
    return content


def check_size(height: int, width: int, name: str) -> None:
    """Raise `PictureSizeError` for a picture larger than `MAX_PIXELS`, or too small to show anything."""
    if height * width > MAX_PIXELS:
        raise PictureSizeError(f"{name} has {height} x {width} pixels, more than {MAX_PIXELS:,}; reduce it first")
    if min(height, width) < MIN_SIDE or max(height, width) < MIN_LONGEST:
        raise PictureSizeError(f"{name} has only {height} x {width} pixels; expected at least {MIN_SIDE} x {MIN_LONGEST}")


@contextmanager
def decoding(name: str) -> Iterator[None]:
    """What goes wrong while pixels are decoded is a DataError that says that the picture is damaged; or a MemoryError."""
    try:
        yield
    except (DataError, MemoryError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and str(error).startswith("out of memory"):  # as the decoders of Pillow say it
            raise MemoryError(f"{name}: {error}") from error
        raise DataError(f"{name} is damaged: it ends too early or its content contradicts itself ({error})") from error


def upright(image: Image) -> Image:
    """The picture decoded and turned as its EXIF data say; damaged EXIF data turn nothing."""
    from PIL.Image import Transpose

    _load(image)
    try:
        orientation = image.getexif().get(_ORIENTATION)
    except MemoryError:
        raise
    except Exception:
        return image
    return image.transpose(Transpose[_TURNS[orientation]]) if orientation in _TURNS else image


def _load(image: Image) -> None:
    """Decode the pixels, and say the transparent colour of a PNG in their bits; Pillow leaves it in those of the file."""
    tiles = getattr(image, "tile", None)
    raw_mode = tiles[0][3] if tiles and image.format == "PNG" else None
    image.load()
    hidden = image.info.get("transparency")
    if raw_mode in _GREYS and isinstance(hidden, int):
        image.info["transparency"] = hidden * _GREYS[raw_mode]
    elif raw_mode == "RGB;16B" and isinstance(hidden, tuple):
        image.info["transparency"] = tuple(value >> 8 for value in hidden)


def _read_bytes(path: Path) -> bytes:
    if path.is_dir():
        raise DataError(f"'{path}' is a folder; expected a picture file")
    try:
        with path.open("rb") as file:
            parts = list(islice(iter(lambda: file.read(_PART), b""), MAX_BYTES // _PART + 1))
    except FileNotFoundError as error:
        raise DataError(f"'{path}' does not exist; expected a picture file") from error
    except (OSError, ValueError) as error:
        raise DataError(f"'{path}' cannot be opened: {error}") from error
    if sum(map(len, parts)) > MAX_BYTES:  # or it has no end, as a device
        raise PictureSizeError(f"'{path}' has more than {MAX_BYTES:,} bytes; expected a picture file")
    return b"".join(parts)
