"""What a layer is: a shape rule, the parameters it needs, forward, and backward.

A layer is a frozen description (how many units, which activation). It holds no arrays: parameters come in by name, and
what backward needs from forward goes through an explicit ``cache``. So a layer can be used twice at once, and the trace
can read every intermediate number. To make your own, subclass `Layer` and implement the three abstract methods;
``pl.gradcheck(layer, x)`` then checks that backward is the derivative of forward.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from pellucid.core import random
from pellucid.core.shapes import Array, Shape
from pellucid.mathematics.initializers import Initializer
from pellucid.mathematics.regularizers import Regularizer

Named = Mapping[str, Array]
Gradients = dict[str, Array]

Place = Literal["first", "hidden", "last"]

FLOAT32: np.dtype[Any] = np.dtype(np.float32)


@dataclass(frozen=True, slots=True)
class Context:
    """What a forward pass knows besides its arrays.

    ``training`` switches dropout and batch statistics on; (``seed``, ``step``, ``layer``) determine the random numbers;
    ``needs_dx`` is False for the lowest layer with parameters, which may then return None for dx.
    """

    training: bool = False
    seed: int = 0
    step: int = 0
    layer: int = 0
    needs_dx: bool = True
    dtype: np.dtype[Any] = FLOAT32

    def key(self, purpose: random.Purpose) -> random.Key:
        """The key of this layer's random numbers in this step."""
        return random.key(self.seed, purpose, self.step, self.layer)


@dataclass(frozen=True)
class ParameterSpec:
    """A parameter of a layer: its name in the layer ("weight"), its shape and its initializer.

    ``is_weight`` marks what regularizers and weight decay act on: weights, but not biases, scales or shifts.
    ``minimum`` is the smallest value that is allowed: 0 for a variance.
    """

    name: str
    shape: Shape
    initializer: Initializer
    is_weight: bool = False
    minimum: float | None = None


class Layer(ABC):
    """The interface. ``parameters`` maps the layer's own names ("weight", "bias", "moving_mean") to arrays.

    ``place`` is where in a network the layer can be.
    """

    place: ClassVar[Place] = "hidden"

    @property
    def kind(self) -> str:
        """The class name in snake case: the stem of the layer's name in a network (``batch_normalization_2``).

        There is no underscore after a digit: a ``Conv2D`` is a ``conv2d``.
        """
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(self).__name__).lower()

    def penalty_of(self, name: str) -> Regularizer | None:
        """The regularizer of one of the layer's weights, by its name in the layer; a block asks its inner layers.

        It replaces the one given to ``fit``; None keeps that one.
        """
        return getattr(self, "regularizer", None)

    @abstractmethod
    def output_shape(self, input_shape: Shape) -> Shape:
        """The shape of one output sample, from that of one input sample; raises `ShapeError` if it cannot be."""

    def parameter_specs(self, input_shape: Shape) -> tuple[ParameterSpec, ...]:
        """The arrays that training changes."""
        return ()

    def state_specs(self, input_shape: Shape) -> tuple[ParameterSpec, ...]:
        """The arrays that are kept but have no gradient (moving averages)."""
        return ()

    @abstractmethod
    def forward(self, parameters: Named, x: Array, context: Context) -> tuple[Array, Any]:
        """(y, cache): the output for the batch x, and what `backward` needs (a NamedTuple if that is several things)."""

    @abstractmethod
    def backward(self, parameters: Named, cache: Any, dy: Array) -> tuple[Array | None, Gradients]:
        """(dx, gradients): the chain rule from dL/dy to dL/dx and to dL/dparameter, by the layer's own names."""

    def next_state(self, parameters: Named, cache: Any) -> Gradients:
        """The new value of each state array after a training step."""
        return {}
