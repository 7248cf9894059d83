"""EnsembleDense: one dense layer for several networks, which share its weights and differ in scales and biases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from pellucid.core.checks import positive_integer
from pellucid.core.errors import ShapeError
from pellucid.core.shapes import Array, Shape
from pellucid.mathematics.activations import activation
from pellucid.mathematics.initializers import Constant, Initializer, initializer
from pellucid.mathematics.regularizers import Regularizer
from pellucid.nn.layers.affine import check_affine, suited_initializer
from pellucid.nn.layers.base import Context, Gradients, Layer, Named, ParameterSpec
from pellucid.nn.layers.members import check_members


class EnsembleDenseCache(NamedTuple):
    """x as it came, x r and (x r) W of each member, z and a."""

    x: Array
    scaled: Array
    product: Array
    z: Array
    a: Array
    needs_dx: bool


@dataclass(frozen=True)
class EnsembleDense(Layer):
    """A `Dense` layer of M networks, the members of an ensemble, which share its weights W (D, U):

        a_m = f(((x_m r_m) W) s_m + b_m)          (B, M, D) -> (B, M, U)

    where r (M, D), s (M, U) and b (M, U) are each member's own: scales of its inputs and of its sums, and biases. A first
    such layer takes x (B, D), which all members see alike; there r is drawn by ``scales``, which makes the members differ:
    random signs, +1 or -1. All other scales begin as 1. ``members`` is M; the other fields are those of `Dense`.

    scales  an initializer of the scales of a first layer, or its name

    Source: Wen, Tran and Ba 2020 (BatchEnsemble, arXiv:2002.06715), and Gorishniy et al. 2024 (TabM, arXiv:2410.24210).
    """

    units: int
    members: int
    activation: str = "identity"
    scales: str | Initializer = "random_signs"
    initializer: str | Initializer | None = None
    use_bias: bool = True
    regularizer: str | Regularizer | None = None

    def __post_init__(self) -> None:
        positive_integer(self.units, "EnsembleDense(units)")
        check_members(self.members, "EnsembleDense(members)", fewest=2)
        initializer(self.scales)
        suited_initializer(self.initializer, self.activation)
        object.__setattr__(self, "activation", activation(self.activation).name)  # ours, whatever it was called
        check_affine(self)

    def output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) != 1 and (len(input_shape) != 2 or input_shape[0] != self.members):
            raise ShapeError(
                f"EnsembleDense with {self.members} members takes samples (D,), which all members see, or "
                f"({self.members}, D), a row for each member; samples of the shape {input_shape} came. "
                f"Flatten() makes an image one row."
            )
        return (self.members, self.units)

    def parameter_specs(self, input_shape: Shape) -> tuple[ParameterSpec, ...]:
        draw = suited_initializer(self.initializer, self.activation)
        inputs, table = input_shape[-1], (self.members, self.units)
        first = initializer(self.scales) if len(input_shape) == 1 else Constant(1.0)
        specs = (
            ParameterSpec("input_scales", (self.members, inputs), first),
            ParameterSpec("weight", (inputs, self.units), draw, is_weight=True),
            ParameterSpec("output_scales", table, Constant(1.0)),
        )
        return (*specs, ParameterSpec("bias", table, Constant(0.0))) if self.use_bias else specs

    def forward(self, parameters: Named, x: Array, context: Context) -> tuple[Array, EnsembleDenseCache]:
        scaled = (x[:, None] if x.ndim == 2 else x) * parameters["input_scales"]
        rows = scaled.reshape(-1, scaled.shape[-1])  # one product for all members
        product = (rows @ parameters["weight"]).reshape(len(x), self.members, self.units)
        z = product * parameters["output_scales"]
        if self.use_bias:
            z += parameters["bias"]
        a = activation(self.activation).value(z)
        return a, EnsembleDenseCache(x, scaled, product, z, a, context.needs_dx)

    def backward(self, parameters: Named, cache: EnsembleDenseCache, dy: Array) -> tuple[Array | None, Gradients]:
        """Through a = f(z): dz = dy f'(z). With u = x r and p = u W, so that z = p s + b:

        db_mu = sum_b dz_bmu
        ds_mu = sum_b dz_bmu p_bmu,             dp = dz s
        dW_du = sum_b sum_m u_bmd dp_bmu,       du = dp W^T
        dr_md = sum_b du_bmd x_bmd,             dx = du r

        Where all members see one x (B, D), its gradient is the sum of theirs: dx_bd = sum_m du_bmd r_md.
        """
        dz = dy * activation(self.activation).derivative(cache.z, cache.a)
        dproduct = dz * parameters["output_scales"]
        rows = dproduct.reshape(-1, self.units)
        dscaled = (rows @ parameters["weight"].T).reshape(cache.scaled.shape)
        x = cache.x[:, None] if cache.x.ndim == 2 else cache.x
        gradients = {
            "input_scales": (dscaled * x).sum(axis=0),
            "weight": cache.scaled.reshape(len(rows), -1).T @ rows,
            "output_scales": (dz * cache.product).sum(axis=0),
        }
        if self.use_bias:
            gradients["bias"] = dz.sum(axis=0)
        if not cache.needs_dx:
            return None, gradients
        dx = dscaled * parameters["input_scales"]
        return dx.sum(axis=1) if cache.x.ndim == 2 else dx, gradients
