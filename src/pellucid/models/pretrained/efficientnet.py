"""EfficientNet-Lite0: the layers of a small network for photos.

M. Tan and Q. V. Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", 2019; the variant "Lite"
for small processors has relu6 and no squeeze-and-excitation. A block first makes each pixel wide (`expand` times as many
channels), then looks at the neighbours of each channel by itself, then makes the pixels narrow again. All convolutions pad
by (k - 1) / 2 on each side, as in PyTorch, where these weights come from.
"""

from __future__ import annotations

from pellucid.nn.layers.base import Layer
from pellucid.nn.layers.batch_normalization import BatchNormalization
from pellucid.nn.layers.convolution import Conv2D
from pellucid.nn.layers.input import Input
from pellucid.nn.layers.outputs.classification import Classification
from pellucid.nn.layers.pooling import GlobalAveragePooling2D
from pellucid.nn.layers.rescale import Rescale
from pellucid.nn.layers.residual import Residual

SIDE = 224  # pixels of a picture
STEM, HEAD = 32, 1280  # channels before the blocks, and after them: the features of a picture
GROUPS = (  # of blocks: expand, channels, how many blocks, stride of the first, kernel
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)


def efficientnet_lite0(classes: int = 1000) -> list[Layer]:
    """The layers, from pixels (224, 224, 3) to the scores of the classes."""
    # The network was trained on (pixel - 127) / 128; `Input` gives pixel / 255.
    layers: list[Layer] = [Input(SIDE, SIDE, 3), Rescale(255 / 128, -127 / 128), *_normalized(STEM, 3, stride=2)]
    channels = STEM
    for expand, wanted, count, stride, kernel in GROUPS:
        for number in range(count):
            block = _block(channels, expand, wanted, stride if number == 0 else 1, kernel)
            layers += [Residual(block)] if number > 0 else block  # only there do input and output agree
            channels = wanted
    return [*layers, *_normalized(HEAD, 1), GlobalAveragePooling2D(), Classification(classes)]


def _block(channels: int, expand: int, wanted: int, stride: int, kernel: int) -> list[Layer]:
    wide = channels * expand
    return [
        *(_normalized(wide, 1) if expand > 1 else []),
        *_normalized(wide, kernel, stride=stride, groups=wide),  # depthwise: a window for each channel
        *_normalized(wanted, 1, "identity"),
    ]


def _normalized(filters: int, kernel: int, bend: str = "relu6", *, stride: int = 1, groups: int = 1) -> list[Layer]:
    """A convolution, normalized; the shift of the normalization is its bias."""
    padding = (kernel - 1) // 2
    return [
        Conv2D(filters, kernel, stride=stride, padding=padding, groups=groups, use_bias=False),
        BatchNormalization(0.99, 1e-3, bend),
    ]
