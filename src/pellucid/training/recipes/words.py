"""Architectures as text: ``conv32 conv32 pool conv64 conv64 pool dense128``, one word for each hidden part.

    conv32       Conv2D, 32 filters of 3x3; conv32x5: of 5x5; conv32s2: with a stride of 2; conv32x5s2: both
    res32        Residual block of two such convolutions; res32s2: with a stride of 2
    pool         MaxPooling2D of 2x2; pool3: of 3x3; avgpool, avgpool3: AveragePooling2D
    average      GlobalAveragePooling2D: one number a channel
    flatten      Flatten
    dense128     Dense, 128 units, relu
    norm         BatchNormalization
    dropout0.3   Dropout of this rate; dropout2d0.1: of whole channels

Each convolution is followed by batch normalization and relu: networks of several convolutions then learn faster, from fewer
pictures, and at almost any learning rate. It has no bias, which batch normalization would subtract with the mean.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import get_close_matches

from pellucid.core.errors import ArgumentError, PellucidError, ShapeError
from pellucid.core.shapes import Shape
from pellucid.nn.layers.base import Layer
from pellucid.nn.layers.batch_normalization import BatchNormalization
from pellucid.nn.layers.convolution import Conv2D
from pellucid.nn.layers.dense import Dense
from pellucid.nn.layers.dropout import Dropout, Dropout2D
from pellucid.nn.layers.flatten import Flatten
from pellucid.nn.layers.pooling import AveragePooling2D, GlobalAveragePooling2D, MaxPooling2D
from pellucid.nn.layers.residual import Residual

Make = Callable[[re.Match[str], Shape], tuple[Layer, ...]]
RATE = r"(\d*\.?\d+)"


def layers_from_text(text: str, shape: Shape) -> list[Layer]:
    """The hidden layers that the words of ``text`` name, for samples of this shape: (H, W) or (H, W, C).

    Raises `ArgumentError` for a word that is none, `ShapeError` for one that does not fit the shape that reaches it; both
    name the word and its place.
    """
    if not isinstance(text, str) or not text.split():
        raise ArgumentError(
            f"layers are words such as 'conv32 pool dense64', not {text!r}; for no hidden layer say 'flatten'."
        )
    layers: list[Layer] = []
    for place, word in enumerate(text.split(), 1):
        try:
            for layer in _layers_of(word, shape):
                shape = layer.output_shape(shape)
                layers.append(layer)
        except PellucidError as error:
            kind = ShapeError if isinstance(error, ShapeError) else ArgumentError
            raise kind(f"layers, word {place}, {word[:40]!r}: {error}") from None
    return layers


def _layers_of(word: str, shape: Shape) -> tuple[Layer, ...]:
    for _, pattern, make in WORDS:
        match = re.fullmatch(pattern, word, re.ASCII)
        if match:
            return make(match, shape)
    stem, *numbers = re.split(r"(?=[\d.])", word, maxsplit=1)
    near = get_close_matches(stem, [re.sub(r"[\d.]+$", "", example) for example in EXAMPLES], n=1)
    hint = f" Did you mean {''.join([near[0], *numbers])[:40]!r}?" if near and near[0] != stem else ""
    raise ArgumentError(f"it is unknown; the words are {', '.join(EXAMPLES)}.{hint}")


def _convolution(filters: int, kernel_size: int, stride: int, activation: str = "relu") -> tuple[Layer, Layer]:
    convolution = Conv2D(filters, kernel_size, stride=stride, use_bias=False)
    return convolution, BatchNormalization(activation=activation)


def _conv(match: re.Match[str], shape: Shape) -> tuple[Layer, ...]:
    filters, kernel_size, stride = match.groups()
    return _convolution(int(filters), int(kernel_size or 3), int(stride or 1))


def _res(match: re.Match[str], shape: Shape) -> tuple[Layer, ...]:
    """If size or channels change, the shortcut is a 1x1 convolution."""
    filters, stride = int(match[1]), int(match[2] or 1)
    layers = (*_convolution(filters, 3, stride), *_convolution(filters, 3, 1, "identity"))
    changes = stride > 1 or len(shape) < 3 or shape[-1] != filters
    return (Residual(layers, _convolution(filters, 1, stride, "identity") if changes else (), "relu"),)


WORDS: tuple[tuple[str, str, Make], ...] = (  # examples of the words that a pattern stands for, the pattern, the layers
    ("conv32 conv32x5 conv32s2", r"conv(\d{1,9})(?:x(\d{1,9}))?(?:s(\d{1,9}))?", _conv),
    ("res32", r"res(\d{1,9})(?:s(\d{1,9}))?", _res),
    ("pool", r"pool(\d{0,9})", lambda match, shape: (MaxPooling2D(int(match[1] or 2)),)),
    ("avgpool", r"avgpool(\d{0,9})", lambda match, shape: (AveragePooling2D(int(match[1] or 2)),)),
    ("average", r"average", lambda match, shape: (GlobalAveragePooling2D(),)),
    ("flatten", r"flatten", lambda match, shape: (Flatten(),)),
    ("dense128", r"dense(\d{1,9})", lambda match, shape: (Dense(int(match[1]), "relu"),)),
    ("norm", r"norm", lambda match, shape: (BatchNormalization(),)),
    ("dropout0.3", rf"dropout{RATE}", lambda match, shape: (Dropout(float(match[1])),)),
    ("dropout2d0.1", rf"dropout2d{RATE}", lambda match, shape: (Dropout2D(float(match[1])),)),
)
EXAMPLES = [example for examples, _, _ in WORDS for example in examples.split()]
