"""Activation functions: a table of name -> (value, derivative).

An activation a = f(z) is applied to each weighted sum z by itself. Its derivative f'(z) is the factor by which the chain
rule multiplies: dz = da * f'(z). ``derivative`` is also given a = f(z), since many derivatives are shortest in terms of
it. No exponential ever sees a positive argument, so none overflows.

The order of the file: the formulas, then the table, then the door for a user's own pair.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pellucid.core.checks import one_of
from pellucid.core.errors import ArgumentError
from pellucid.core.shapes import Array
from pellucid.core.suggestions import suggests_arguments

RELU6_TOP = 6
LEAKY_SLOPE = 0.01
ELU_ALPHA = 1.0
SELU_SCALE = 1.0507009873554805
SELU_ALPHA = 1.6732632423543772
GELU_CUBIC = 0.044715
GELU_ROOT = 0.7978845608028654  # sqrt(2 / pi)


def relu(z: Array) -> Array:
    """max(z, 0)."""
    return np.maximum(z, 0)


def relu_derivative(z: Array, a: Array) -> Array:
    """1 where z > 0, else 0 (the derivative chosen at 0 is 0)."""
    return (z > 0).astype(z.dtype)


def relu6(z: Array) -> Array:
    """min(max(z, 0), 6): bounded, as networks for small processors want it (Krizhevsky 2010; MobileNet)."""
    return np.clip(z, 0, RELU6_TOP)


def relu6_derivative(z: Array, a: Array) -> Array:
    """1 where 0 < z < 6, else 0."""
    return ((z > 0) & (z < RELU6_TOP)).astype(z.dtype)


def sigmoid(z: Array) -> Array:
    """1 / (1 + e^-z), from e = e^-|z|: 1 / (1 + e) for z >= 0, else e / (1 + e)."""
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, e) / (1 + e)


def sigmoid_derivative(z: Array, a: Array) -> Array:
    """a (1 - a)."""
    return a * (1 - a)


def tanh_derivative(z: Array, a: Array) -> Array:
    """1 - a^2."""
    return 1 - a * a


def leaky_relu(z: Array) -> Array:
    """z where z > 0, else 0.01 z."""
    return np.maximum(z, LEAKY_SLOPE * z)


def leaky_relu_derivative(z: Array, a: Array) -> Array:
    """1 where z > 0, else 0.01."""
    return np.where(z > 0, 1, LEAKY_SLOPE).astype(z.dtype)


def elu(z: Array) -> Array:
    """z where z > 0, else e^z - 1 (Clevert et al. 2015, alpha = 1)."""
    return np.where(z > 0, z, ELU_ALPHA * np.expm1(np.minimum(z, 0)))


def elu_derivative(z: Array, a: Array) -> Array:
    """1 where z > 0, else e^z = a + alpha."""
    return np.where(z > 0, 1, a + ELU_ALPHA).astype(z.dtype)


def selu(z: Array) -> Array:
    """scale * (z where z > 0, else alpha (e^z - 1)); keeps mean 0 and variance 1 (Klambauer et al. 2017)."""
    return SELU_SCALE * np.where(z > 0, z, SELU_ALPHA * np.expm1(np.minimum(z, 0)))


def selu_derivative(z: Array, a: Array) -> Array:
    """scale where z > 0, else scale alpha e^z = a + scale alpha."""
    return np.where(z > 0, SELU_SCALE, a + SELU_SCALE * SELU_ALPHA).astype(z.dtype)


def gelu(z: Array) -> Array:
    """z/2 (1 + tanh(sqrt(2/pi) (z + 0.044715 z^3))): the tanh form of Hendrycks and Gimpel (2016), not the erf form."""
    return 0.5 * z * (1 + np.tanh(_gelu_inner(z)))


def gelu_derivative(z: Array, a: Array) -> Array:
    """(1 + t)/2 + z/2 (1 - t^2) u', with t = tanh(u), u the inner cubic and u' = sqrt(2/pi) (1 + 3 * 0.044715 z^2)."""
    t = np.tanh(_gelu_inner(z))
    bounded = np.clip(z, -50, 50)  # beyond, 1 - t^2 is exactly 0
    return 0.5 * (1 + t) + 0.5 * bounded * (1 - t * t) * GELU_ROOT * (1 + 3 * GELU_CUBIC * bounded * bounded)


def _gelu_inner(z: Array) -> Array:
    bounded = np.clip(z, -50, 50)
    return GELU_ROOT * (bounded + GELU_CUBIC * bounded * bounded * bounded)


def silu(z: Array) -> Array:
    """z sigmoid(z), also called swish (Elfwing et al. 2017; Ramachandran et al. 2017)."""
    return z * sigmoid(z)


def silu_derivative(z: Array, a: Array) -> Array:
    """s + z s (1 - s), with s = sigmoid(z)."""
    s = sigmoid(z)
    return s + z * s * (1 - s)


def softplus(z: Array) -> Array:
    """log(1 + e^z) = max(z, 0) + log(1 + e^-|z|)."""
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def softplus_derivative(z: Array, a: Array) -> Array:
    """sigmoid(z)."""
    return sigmoid(z)


def hard_sigmoid(z: Array) -> Array:
    """min(max(z/6 + 1/2, 0), 1): the slope 1/6 of MobileNetV3, Keras 3 and PyTorch (older Keras had 1/5)."""
    return np.clip(z / 6 + 0.5, 0, 1)


def hard_sigmoid_derivative(z: Array, a: Array) -> Array:
    """1/6 where -3 < z < 3, else 0."""
    return np.where(np.abs(z) < 3, 1 / 6, 0).astype(z.dtype)


def identity(z: Array) -> Array:
    """z."""
    return z


def identity_derivative(z: Array, a: Array) -> Array:
    """1."""
    return np.ones_like(z)


def softmax(z: Array) -> Array:
    """e^z_k / sum_j e^z_j over the last axis, shifted by the largest z so that nothing overflows.

    It is no entry of the table: it mixes the units, and it belongs to the output layer together with its loss.
    """
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


@dataclass(frozen=True)
class Activation:
    """One row of the table.

    value(z) -> a, derivative(z, a) -> f'(z), both elementwise, of the shape and dtype of z; ``initializer`` is the name of
    the initializer that suits a layer with this activation.
    """

    name: str
    value: Callable[[Array], Array]
    derivative: Callable[[Array, Array], Array]
    initializer: str = "glorot_uniform"


ACTIVATIONS: dict[str, Activation] = {
    row.name: row
    for row in (
        Activation("identity", identity, identity_derivative),
        Activation("relu", relu, relu_derivative, "he_normal"),
        Activation("relu6", relu6, relu6_derivative, "he_normal"),
        Activation("leaky_relu", leaky_relu, leaky_relu_derivative, "he_normal"),
        Activation("elu", elu, elu_derivative, "he_normal"),
        Activation("selu", selu, selu_derivative, "lecun_normal"),
        Activation("gelu", gelu, gelu_derivative, "he_normal"),
        Activation("silu", silu, silu_derivative, "he_normal"),
        Activation("softplus", softplus, softplus_derivative, "he_normal"),
        Activation("sigmoid", sigmoid, sigmoid_derivative),
        Activation("hard_sigmoid", hard_sigmoid, hard_sigmoid_derivative),
        Activation("tanh", np.tanh, tanh_derivative),
    )
}
_BUILT_IN = frozenset(ACTIVATIONS)


def activation(name: str) -> Activation:
    """The row of that name; raises `ArgumentError` with the known names."""
    return ACTIVATIONS[one_of(name, list(ACTIVATIONS), "activation")]


@suggests_arguments
def register_activation(
    name: str,
    value: Callable[[Array], Array],
    derivative: Callable[[Array, Array], Array],
    initializer: str = "glorot_uniform",
) -> Activation:
    """Add your own activation: ``value(z) -> a`` and ``derivative(z, a) -> da/dz``, both elementwise on arrays.

    Afterwards ``Dense(64, name)`` uses it and ``gradcheck`` can prove the pair. A model file stores the name alone, so
    register it again before loading. Raises `ArgumentError` for a built-in name or something that cannot be called.
    """
    if not isinstance(name, str) or not name.isidentifier():
        raise ArgumentError(f"the name of an activation must be a Python identifier, not {name!r}.")
    from pellucid.core.vocabulary import translated

    if name == "softmax" or translated(name, _BUILT_IN, "activation"):
        raise ArgumentError(f"{name!r} is built in; choose another name for your own activation.")
    if not callable(value) or not callable(derivative):
        raise ArgumentError(f"activation {name!r} needs two functions: value(z) and derivative(z, a).")
    ACTIVATIONS[name] = Activation(name, value, derivative, initializer)
    return ACTIVATIONS[name]
