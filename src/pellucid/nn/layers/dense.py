"""The dense layer: every unit looks at every input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from pellucid.core.checks import positive_integer
from pellucid.core.shapes import Array, Shape, size_of
from pellucid.mathematics.activations import activation
from pellucid.mathematics.initializers import Initializer
from pellucid.mathematics.regularizers import Regularizer
from pellucid.nn.layers.affine import affine_backward, affine_forward, affine_specs, check_affine, suited_initializer
from pellucid.nn.layers.base import Context, Gradients, Layer, Named, ParameterSpec


class DenseCache(NamedTuple):
    x: Array
    z: Array
    a: Array
    needs_dx: bool


@dataclass(frozen=True)
class Dense(Layer):
    """a = f(x W + b): (B, D) -> (B, U), with W (D, U) and b (U,).

    ``activation`` is a name of the table in `pellucid.mathematics.activations`; ``initializer`` draws W (None: the one that
    suits the activation); ``regularizer`` replaces the one given to ``fit``. An image is read as one row of D values.
    """

    units: int
    activation: str = "identity"
    initializer: str | Initializer | None = None
    use_bias: bool = True
    regularizer: str | Regularizer | None = None

    def __post_init__(self) -> None:
        positive_integer(self.units, "Dense(units)")
        suited_initializer(self.initializer, self.activation)
        object.__setattr__(self, "activation", activation(self.activation).name)  # ours, whatever it was called
        check_affine(self)

    def output_shape(self, input_shape: Shape) -> Shape:
        return (self.units,)

    def parameter_specs(self, input_shape: Shape) -> tuple[ParameterSpec, ...]:
        draw = suited_initializer(self.initializer, self.activation)
        return affine_specs((size_of(input_shape), self.units), draw, self.use_bias)

    def forward(self, parameters: Named, x: Array, context: Context) -> tuple[Array, DenseCache]:
        z = affine_forward(parameters, x)
        a = activation(self.activation).value(z)
        return a, DenseCache(x, z, a, context.needs_dx)

    def backward(self, parameters: Named, cache: DenseCache, dy: Array) -> tuple[Array | None, Gradients]:
        """Through a = f(z): dz = dy f'(z). Then through the weighted sum: see `affine_backward`."""
        dz = dy * activation(self.activation).derivative(cache.z, cache.a)
        return affine_backward(parameters, cache.x, dz, cache.needs_dx)
