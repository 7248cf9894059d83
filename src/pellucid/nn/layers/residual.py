"""The residual block: layers that learn what to add to their input, not what to replace it with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeAlias

from pellucid.core.errors import ArgumentError, ShapeError
from pellucid.core.shapes import Array, Shape
from pellucid.mathematics.activations import activation
from pellucid.mathematics.regularizers import Regularizer
from pellucid.nn.layers.base import Context, Gradients, Layer, Named, ParameterSpec
from pellucid.nn.layers.nodes import Node, join, numbered

LAYER_BITS = 12  # of a layer's number in its block
DEEPEST = 4  # nested blocks: then the number of the innermost layer has at most 64 bits

Branch: TypeAlias = dict[str, Layer]


class ResidualCache(NamedTuple):
    layers: list[Any]  # their caches
    shortcut: list[Any]
    z: Array
    a: Array
    needs_dx: bool


@dataclass(frozen=True)
class Residual(Layer):
    """y = f(layers(x) + shortcut(x)), where no ``shortcut`` means x itself (He et al. 2015); ``activation`` is f.

    Both branches must give the same shape; they are kept as tuples. Inside, layers are named and numbered as in a network,
    those of the shortcut with the prefix ``shortcut_``: the parameters of a network are then ``residual_1.conv2d_2.weight``
    and ``residual_1.shortcut_conv2d_1.weight``. For its random numbers, layer j of block n (j counts from 0 through both
    branches) is layer (n + 1) 2^12 + j. Blocks can be nested at most 4 deep.
    """

    layers: Sequence[Layer]
    shortcut: Sequence[Layer] = ()
    activation: str = "identity"

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", _checked(self.layers, "layers"))
        object.__setattr__(self, "shortcut", _checked(self.shortcut, "shortcut"))
        if not self.layers:
            raise ArgumentError("Residual needs at least one layer: Residual([Conv2D(16), BatchNormalization()]).")
        if len(self.layers) + len(self.shortcut) > 1 << LAYER_BITS:
            raise ArgumentError(f"Residual takes at most {1 << LAYER_BITS} layers.")
        if _depth(self) > DEEPEST:
            raise ArgumentError(
                f"Residual blocks can be nested at most {DEEPEST} deep; put further blocks one after another."
            )
        object.__setattr__(self, "activation", activation(self.activation).name)  # ours, whatever it was called

    def branches(self, input_shape: Shape) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
        """The nodes of both branches, for samples of this shape."""
        main, shortcut = self._branches
        return join(main, input_shape), join(shortcut, input_shape)

    def output_shape(self, input_shape: Shape) -> Shape:
        main, shortcut = self.branches(input_shape)
        shape, other = main[-1].output_shape, shortcut[-1].output_shape if shortcut else input_shape
        if shape != other:
            source = "the shortcut" if shortcut else "the input, which is the shortcut,"
            raise ShapeError(
                f"the layers of Residual give {shape} and {source} gives {other}; they are added, so they must agree. "
                + _remedy(input_shape, shape)
            )
        return shape

    def parameter_specs(self, input_shape: Shape) -> tuple[ParameterSpec, ...]:
        return self._specs(input_shape, lambda node: node.layer.parameter_specs(node.input_shape))

    def state_specs(self, input_shape: Shape) -> tuple[ParameterSpec, ...]:
        return self._specs(input_shape, lambda node: node.layer.state_specs(node.input_shape))

    def penalty_of(self, name: str) -> Regularizer | None:
        main, shortcut = self._branches
        layer, own = name.split(".", 1)
        return (main | shortcut)[layer].penalty_of(own)

    def forward(self, parameters: Named, x: Array, context: Context) -> tuple[Array, ResidualCache]:
        main, shortcut = self._branches
        first = (context.layer + 1) << LAYER_BITS
        y, caches = _up(main, parameters, x, replace(context, layer=first))
        s, shortcut_caches = _up(shortcut, parameters, x, replace(context, layer=first + len(main)))
        z = y + s
        a = activation(self.activation).value(z)
        return a, ResidualCache(caches, shortcut_caches, z, a, context.needs_dx)

    def backward(self, parameters: Named, cache: ResidualCache, dy: Array) -> tuple[Array | None, Gradients]:
        """Through f: dz = dy f'(z). A sum passes its gradient to both terms unchanged, so dz goes back through each branch,
        and dx is the sum of the results; an empty shortcut gives dz itself. So a gradient reaches the layers below the
        block whatever the layers in it do.
        """
        main, shortcut = self._branches
        dz = dy * activation(self.activation).derivative(cache.z, cache.a)
        dx, gradients = _down(main, parameters, cache.layers, dz)
        dx_shortcut, shortcut_gradients = _down(shortcut, parameters, cache.shortcut, dz)
        gradients |= shortcut_gradients
        if not cache.needs_dx or dx is None or dx_shortcut is None:
            return None, gradients
        return dx + dx_shortcut, gradients

    def next_state(self, parameters: Named, cache: ResidualCache) -> Gradients:
        main, shortcut = self._branches
        state: Gradients = {}
        for (name, layer), kept in zip((main | shortcut).items(), cache.layers + cache.shortcut, strict=True):
            state |= _full(name, layer.next_state(own_arrays(name, parameters), kept))
        return state

    @property
    def _branches(self) -> tuple[Branch, Branch]:
        return numbered(self.layers), numbered(self.shortcut, "shortcut_")

    def _specs(self, shape: Shape, wanted: Callable[[Node], Sequence[ParameterSpec]]) -> tuple[ParameterSpec, ...]:
        nodes = [node for branch in self.branches(shape) for node in branch]
        return tuple(replace(spec, name=f"{node.name}.{spec.name}") for node in nodes for spec in wanted(node))


def _up(branch: Branch, parameters: Named, x: Array, context: Context) -> tuple[Array, list[Any]]:
    """(y, caches): forward through a branch, whose first layer has the number ``context.layer``."""
    y, caches = x, []
    for j, (name, layer) in enumerate(branch.items()):
        inner = replace(context, layer=context.layer + j, needs_dx=context.needs_dx or j > 0)
        y, cache = layer.forward(own_arrays(name, parameters), y, inner)
        caches.append(cache)
    return y, caches


def _down(branch: Branch, parameters: Named, caches: list[Any], dz: Array) -> tuple[Array | None, Gradients]:
    """(dx, gradients): backward through a branch."""
    dy: Array | None = dz
    gradients: Gradients = {}
    for (name, layer), cache in zip(reversed(branch.items()), reversed(caches), strict=True):
        if dy is None:
            raise ArgumentError(f"the layer above {name} gave no dx, but {name} needs one.")
        dy, named = layer.backward(own_arrays(name, parameters), cache, dy)
        gradients |= _full(name, named)
    return dy, gradients


def own_arrays(name: str, arrays: Named) -> Gradients:
    """The arrays of one layer of the block, by its own names."""
    stem = f"{name}."
    return {full.removeprefix(stem): array for full, array in arrays.items() if full.startswith(stem)}


def _full(name: str, arrays: Named) -> Gradients:
    """The arrays of one layer of the block, by their names in the block."""
    return {f"{name}.{own}": array for own, array in arrays.items()}


def _depth(layer: Layer) -> int:
    """How deep the blocks are nested, this one included."""
    return 1 + max(map(_depth, (*layer.layers, *layer.shortcut))) if isinstance(layer, Residual) else 0


def _remedy(before: Shape, after: Shape) -> str:
    """A shortcut that turns one shape into the other, if one convolution can."""
    if len(before) != 3 or len(after) != 3 or after[0] > before[0] or after[1] > before[1]:
        return "Give it a shortcut, a list of layers, with the same output shape."
    stride = tuple(-(-old // new) for old, new in zip(before[:2], after[:2], strict=True))
    step = stride[0] if stride[0] == stride[1] else stride
    return f"shortcut=[Conv2D({after[2]}, 1, stride={step})] has the shape of the layers."


def _checked(layers: object, what: str) -> tuple[Layer, ...]:
    if not isinstance(layers, list | tuple):
        raise ArgumentError(f"Residual({what}) is a list of layers, not {layers!r}.")
    for layer in layers:
        if not isinstance(layer, Layer) or layer.place != "hidden":
            hint = " Add parentheses: make an object of the class." if isinstance(layer, type) else ""
            raise ArgumentError(f"Residual({what}) holds hidden layers; {layer!r} is not one.{hint}")
    return tuple(layers)
