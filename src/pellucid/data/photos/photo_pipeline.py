"""What a network trained on photos expects, and how to bring any picture there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.core.checks import one_of, positive_integer
from pellucid.core.errors import ArgumentError
from pellucid.core.shapes import Shape
from pellucid.data.pictures.image_file import Picture, decoding, name_of, open_image, upright, without_warnings
from pellucid.data.pictures.read_picture import check_array, decode, white_of
from pellucid.data.pipeline import Pipeline, Prepared

if TYPE_CHECKING:
    from PIL.Image import Image

CROPS = ("centre", "stretch", "pad")
MAX_SIDE = 4096

_REDUCING_GAP = 3.0  # a picture is first averaged down to so many times the size: much faster, hardly a difference
_STRIP = 1 << 20  # so many pixels are converted at a time
_DRAFT = 2  # a JPEG is decoded at no less than so many times the size


@dataclass(frozen=True)
class PhotoPipeline(Pipeline):
    """Brings any picture to one size and one kind of colour, uint8 (height, width, 3), or (height, width) in grey.

    height, width   of the result
    channels        3 for RGB, 1 for grey
    crop            "centre": scale until the picture covers the result, cut off what lies outside; "stretch": scale
                    height and width apart; "pad": scale until it fits inside, with black bars

    A picture is turned as its EXIF data say, laid on white where it is transparent, and scaled with a filter that leaves
    no false patterns. One that has the right size and colours already is kept, bit for bit.

    >>> pipeline = PhotoPipeline(64, 64)
    >>> pipeline("cat.jpg").shape
    (64, 64, 3)
    """

    height: int = 64
    width: int = 64
    channels: int = 3
    crop: str = "centre"

    def __post_init__(self) -> None:
        for name in ("height", "width", "channels"):
            object.__setattr__(self, name, positive_integer(getattr(self, name), f"PhotoPipeline({name})"))
        for name in ("height", "width"):
            if getattr(self, name) > MAX_SIDE:
                raise ArgumentError(f"PhotoPipeline({name}={getattr(self, name)}): at most {MAX_SIDE} pixels are possible.")
        if self.channels not in (1, 3):
            raise ArgumentError(f"PhotoPipeline(channels={self.channels!r}): expected 3 for RGB, or 1 for grey.")
        one_of(self.crop, CROPS, "crop")

    @property
    def output_shape(self) -> Shape:
        """(height, width, 3), or (height, width) in grey."""
        return (self.height, self.width, 3) if self.channels == 3 else (self.height, self.width)

    def prepare(self, source: Picture) -> Prepared:
        """The picture as the network gets it; it is in doubt if it has one colour."""
        name = name_of(source)
        if isinstance(source, np.ndarray):
            check_array(source, name)
            pixels = self._resized(_image_of(source, name))
        else:
            with without_warnings():
                pixels = self.draw(open_image(source, name), name, is_ours=isinstance(source, str | os.PathLike | bytes))
        is_empty = bool((pixels == pixels[0, 0]).all())
        return Prepared(pixels, "the picture is empty: it has one colour" if is_empty else None)

    def draw(self, image: Image, name: str, *, is_ours: bool = True) -> NDArray[np.uint8]:
        """The pixels of an image that was opened and not yet decoded; raises DataError if it is damaged.

        ``is_ours`` says that nobody else holds the image, so that a JPEG may be decoded at a smaller size.
        """
        with decoding(name):
            if is_ours:
                side = _DRAFT * max(self.height, self.width)
                image.draft(None, (side, side))
            return self._resized(upright(image))

    def _resized(self, image: Image) -> NDArray[np.uint8]:
        from PIL import Image

        target = (self.width, self.height)
        image = _eight_bits(image, "RGB" if self.channels == 3 else "L")
        size = _inside(image.size, target) if self.crop == "pad" else target
        box = _middle(image.size, target) if self.crop == "centre" else None
        image = image.resize(size, Image.Resampling.BICUBIC, box, reducing_gap=_REDUCING_GAP)
        if size != target:
            fitted, image = image, Image.new(image.mode, target)
            image.paste(fitted, ((self.width - fitted.width) // 2, (self.height - fitted.height) // 2))
        return np.array(image)


def _middle(size: tuple[int, int], target: tuple[int, int]) -> tuple[float, float, float, float]:
    """The largest box (left, top, right, bottom) in the middle of a picture with the proportions of the target."""
    width, height = float(size[0]), float(size[1])
    if width * target[1] > height * target[0]:
        width = height * target[0] / target[1]
    else:
        height = width * target[1] / target[0]
    left, top = (size[0] - width) / 2, (size[1] - height) / 2
    return left, top, min(left + width, size[0]), min(top + height, size[1])


def _inside(size: tuple[int, int], target: tuple[int, int]) -> tuple[int, int]:
    """The largest (width, height) with the proportions of the picture that fits into the target."""
    scale = min(target[0] / size[0], target[1] / size[1])
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _eight_bits(image: Image, mode: str) -> Image:
    """A picture of any mode as RGB or L of eight bits, on white; by strips, so that a large one needs little memory."""
    from PIL import Image

    if image.mode == mode and not image.has_transparency_data:
        return image
    if image.mode in ("I", "F"):  # all of their pixels say what white is
        image = _image_of(decode(image), "the picture")
    result = Image.new(mode, image.size)
    rows = max(1, _STRIP // image.width)
    for top in range(0, image.height, rows):
        box = (0, top, image.width, min(top + rows, image.height))
        result.paste(_on_white(image.crop(box)).convert(mode), box)
    return result


def _on_white(image: Image) -> Image:
    """A picture of any mode without transparency, with eight bits a channel."""
    from PIL import Image

    if image.mode.startswith("I;16") or image.has_transparency_data:
        image = _image_of(decode(image), "the picture")
    if image.mode not in ("LA", "RGBA"):
        return image
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)


def _image_of(pixels: NDArray[Any], name: str) -> Image:
    """An array as a Pillow image: grey, grey and alpha, RGB or RGBA, of eight bits a channel."""
    from PIL import Image

    white = white_of(pixels, name)
    if pixels.dtype != np.uint8:
        pixels = np.rint(np.clip(pixels * (255 / white), 0, 255)).astype(np.uint8)
    return Image.fromarray(pixels[:, :, 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels)
