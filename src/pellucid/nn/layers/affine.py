"""The weighted sum z = x W + b, the arithmetic of every neuron: shared by hidden and output layers."""

from __future__ import annotations

from typing import Any

from pellucid.core.checks import instance_of, one_of
from pellucid.core.shapes import Array, Shape
from pellucid.mathematics.activations import activation
from pellucid.mathematics.initializers import INITIALIZERS, Constant, Initializer, initializer
from pellucid.mathematics.regularizers import regularizer
from pellucid.nn.layers.base import Gradients, Named, ParameterSpec


def check_affine(layer: Any) -> None:
    """Check the options that all layers with a weighted sum share, and keep our names of them."""
    if isinstance(layer.initializer, str):
        object.__setattr__(layer, "initializer", one_of(layer.initializer, INITIALIZERS, "initializer"))
    instance_of(layer.use_bias, bool, "use_bias")
    object.__setattr__(layer, "regularizer", regularizer(layer.regularizer))


def suited_initializer(choice: str | Initializer | None, function: str) -> Initializer:
    """The chosen initializer of the weights; None: the one that suits the activation function, whose name is checked."""
    suited = activation(function).initializer
    return initializer(suited if choice is None else choice)


def affine_specs(shape: Shape, draw: Initializer, use_bias: bool) -> tuple[ParameterSpec, ...]:
    """``weight`` of this shape (..., U), and ``bias`` (U,); biases start at 0."""
    weight = ParameterSpec("weight", shape, draw, is_weight=True)
    return (weight, ParameterSpec("bias", shape[-1:], Constant(0.0))) if use_bias else (weight,)


def affine_forward(parameters: Named, x: Array) -> Array:
    """z = x W + b: (B, ...) -> (B, U). Each sample is read as a row of D values."""
    z = x.reshape(len(x), -1) @ parameters["weight"]
    if "bias" in parameters:
        z += parameters["bias"]
    return z


def affine_backward(parameters: Named, x: Array, dz: Array, needs_dx: bool) -> tuple[Array | None, Gradients]:
    """From z_bu = sum_d x_bd W_du + b_u:

    dW_du = sum_b x_bd dz_bu,  dW = x^T dz
    db_u  = sum_b dz_bu
    dx_bd = sum_u dz_bu W_du,  dx = dz W^T
    """
    gradients: Gradients = {"weight": x.reshape(len(x), -1).T @ dz}
    if "bias" in parameters:
        gradients["bias"] = dz.sum(axis=0)
    dx = (dz @ parameters["weight"].T).reshape(x.shape) if needs_dx else None
    return dx, gradients
