"""Compiles the image part of a network into nodes of the native executor (native/images/images.hpp).

The *image part* is everything up to the last layer on images; the dense layers after it are compiled without it. Its images
are (H, W, C). Layers that go by pixels read (H, W) as one row of H pixels with W channels, windows read it as (H, W, 1); a
network with both runs in NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from pellucid.core.shapes import Shape, size_of
from pellucid.nn.layers.base import Layer
from pellucid.nn.layers.batch_normalization import BatchNormalization
from pellucid.nn.layers.convolution import Conv2D
from pellucid.nn.layers.dense import Dense
from pellucid.nn.layers.dropout import Dropout, Dropout2D
from pellucid.nn.layers.ensemble_dense import EnsembleDense
from pellucid.nn.layers.flatten import Flatten
from pellucid.nn.layers.layer_normalization import LayerNormalization
from pellucid.nn.layers.nodes import Node
from pellucid.nn.layers.pooling import AveragePooling2D, GlobalAveragePooling2D, MaxPooling2D
from pellucid.nn.layers.rescale import Rescale
from pellucid.nn.layers.residual import LAYER_BITS, Residual
from pellucid.nn.layers.tabular.embedding import Embedding
from pellucid.nn.layers.windows import Windows, image_shape
from pellucid.nn.stack import Stack

if TYPE_CHECKING:
    from pellucid._native import Images, Inference, Plan

Geometry: TypeAlias = tuple[int, int, int]
PenaltyOf: TypeAlias = Callable[[Layer], tuple[float, float]]  # the strengths of L1 and L2

# In the order of the enumeration in native/kernels/kernels.hpp.
ACTIVATIONS = (
    *("identity", "relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "softplus", "sigmoid", "hard_sigmoid"),
    "tanh",
)
WINDOWED = (Conv2D, MaxPooling2D, AveragePooling2D, GlobalAveragePooling2D, Dropout2D)
IMAGE_LAYERS: tuple[type[Layer], ...] = (*WINDOWED, LayerNormalization, Rescale, Residual)


def is_of_images(node: Node) -> bool:
    """Whether this layer, as it is used here, belongs to the image part."""
    layer = node.layer
    if isinstance(layer, BatchNormalization):
        return len(node.input_shape) > 1 or layer.activation != "identity"
    return type(layer) in IMAGE_LAYERS


def count_image_nodes(stack: Stack) -> int:
    """How many nodes the image part has, with `Input`; 0 if there is none."""
    return max((index + 1 for index, node in enumerate(stack.nodes) if is_of_images(node)), default=0)


def every_node(nodes: Sequence[Node]) -> Iterator[Node]:
    """All nodes, a residual block before those in it."""
    for node in nodes:
        yield node
        if isinstance(node.layer, Residual):
            for branch in node.layer.branches(node.input_shape):
                yield from every_node(branch)


def reads_differ(stack: Stack) -> bool:
    """Whether some layers read an image (H, W) as pixels of one channel, and others as a row of pixels."""
    flat = [node.layer for node in every_node(stack.nodes[: count_image_nodes(stack)]) if len(node.input_shape) == 2]
    return any(isinstance(layer, WINDOWED) for layer in flat) and any(_goes_by_pixels(layer) for layer in flat)


def multiply_adds(stack: Stack) -> int:
    """Multiply-adds of the forward pass of one sample: each weight once for each window, or member of an ensemble."""
    total = 0
    for node in every_node(stack.nodes):
        if isinstance(node.layer, Residual | Embedding):  # a vector is looked up
            continue
        windows = size_of(node.output_shape[:2]) if isinstance(node.layer, Conv2D) else 1
        windows = node.layer.members if isinstance(node.layer, EnsembleDense) else windows
        specs = node.layer.parameter_specs(node.input_shape)
        total += windows * sum(size_of(spec.shape) for spec in specs if spec.is_weight)
    return total


def compile_images(native: Plan | Inference, stack: Stack, penalty_of: PenaltyOf, *, trains: bool) -> int:
    """Add the image part to a plan or an inference; gives the number of its nodes."""
    count = count_image_nodes(stack)
    if count:
        nodes = stack.nodes[1:count]
        windowed = any(isinstance(node.layer, WINDOWED) and len(node.input_shape) == 2 for node in every_node(nodes))
        shape = image_shape(stack.input.shape, "a window") if windowed else _by_pixels(stack.input.shape)
        images = native.begin_images(shape[0], shape[1], shape[2], _is_compact(nodes))
        _Compiler(images, penalty_of, trains).branch(nodes, 0, shape, 1)
        native.end_images()
    return count


class _Compiler:
    """Adds nodes; each method gives the number of the last one."""

    def __init__(self, images: Images, penalty_of: PenaltyOf, trains: bool) -> None:
        self.images = images
        self.penalty_of = penalty_of
        self.trains = trains

    def branch(self, nodes: Sequence[Node], source: int, shape: Geometry, first: int) -> int:
        """A sequence of layers; ``first`` is the number of the first one in its network or block."""
        for index, node in enumerate(nodes):
            source = self.node(node, source, shape, first + index)
            if node.output_shape != node.input_shape:
                shape = _by_pixels(node.output_shape)
        return source

    def node(self, node: Node, source: int, shape: Geometry, number: int) -> int:
        layer, images = node.layer, self.images
        if isinstance(layer, Conv2D):
            places, filters = layer.windows.count(shape), layer.filters
            window = [*layer.windows.size, *layer.windows.stride, *layer.windows.dilation, *_before(layer.windows, shape)]
            return self._convolution(layer, source, (*places, filters), window, layer.groups)
        if isinstance(layer, Dense):
            window = [*shape[:2], 1, 1, 1, 1, 0, 0]
            return self._convolution(layer, source, (1, 1, layer.units), window, 1)
        if isinstance(layer, MaxPooling2D | AveragePooling2D):
            windows = layer.windows
            window = [*windows.size, *windows.stride, *_before(windows, shape)]
            return images.add_pooling(source, *windows.count(shape), window, isinstance(layer, MaxPooling2D))
        if isinstance(layer, GlobalAveragePooling2D):
            return images.add_pooling(source, 1, 1, [*shape[:2], 1, 1, 0, 0], False)
        if isinstance(layer, BatchNormalization):
            return images.add_batch_normalization(
                source, layer.momentum, layer.epsilon, ACTIVATIONS.index(layer.activation)
            )
        if isinstance(layer, LayerNormalization):
            return images.add_layer_normalization(source, layer.epsilon)
        if isinstance(layer, Dropout):
            if not self.trains or layer.rate == 0:
                return source
            return images.add_dropout(source, layer.rate, number, isinstance(layer, Dropout2D))
        if isinstance(layer, Rescale):
            scale, offset = (np.broadcast_to(values, shape[2]).tolist() for values in (layer.scale, layer.offset))
            return images.add_rescale(source, scale, offset)
        if isinstance(layer, Residual):
            main, shortcut = layer.branches(node.input_shape)
            first = (number + 1) << LAYER_BITS
            end = self.branch(main, source, shape, first)
            other = self.branch(shortcut, source, shape, first + len(main))
            return images.add_sum(end, other, ACTIVATIONS.index(layer.activation))
        assert isinstance(layer, Flatten)
        return images.add_flatten(source) if shape[:2] != (1, 1) else source

    def _convolution(self, layer: Conv2D | Dense, source: int, shape: Geometry, window: list[int], groups: int) -> int:
        l1, l2 = self.penalty_of(layer)
        number = ACTIVATIONS.index(layer.activation)
        return self.images.add_convolution(source, *shape, window, groups, number, layer.use_bias, l1, l2)


def _by_pixels(shape: Shape) -> Geometry:
    """A shape as (H, W, C): the last axis is C, the one before it W."""
    return size_of(shape[:-2]), (shape[-2] if len(shape) > 1 else 1), shape[-1]


def _before(windows: Windows, shape: Geometry) -> tuple[int, int]:
    """The padding before an image: (top, left)."""
    (top, _), (left, _) = windows.margins(shape)
    return top, left


def _goes_by_pixels(layer: Layer) -> bool:
    """Whether the layer takes the last axis for channels, even of an image (H, W)."""
    if isinstance(layer, Rescale):
        return isinstance(layer.scale, tuple) or isinstance(layer.offset, tuple)
    return isinstance(layer, BatchNormalization | LayerNormalization)


def _is_compact(nodes: Sequence[Node]) -> bool:
    """Whether the input may be stored without gaps between its pixels: if only a weighted sum reads it."""
    layers = [node.layer for node in nodes]
    if layers and isinstance(layers[0], Rescale):
        del layers[0]
    first = layers[0] if layers else None
    return isinstance(first, Dense) or (isinstance(first, Conv2D) and first.groups == 1)
