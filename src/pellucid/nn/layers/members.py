"""The members of an ensemble inside one network: how many there can be, and the weighted sums that each has of its own.

A sample of an ensemble of M members is (M, D): a row for each member.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pellucid.core import random
from pellucid.core.checks import positive_integer
from pellucid.core.errors import ArgumentError
from pellucid.core.shapes import Array, Shape
from pellucid.mathematics.initializers import Constant, Initializer
from pellucid.nn.layers.base import Gradients, Named, ParameterSpec

MOST_MEMBERS = 1024


def check_members(members: object, what: str, fewest: int) -> int:
    """A number of members, or an `ArgumentError`."""
    number = positive_integer(members, what)
    if not fewest <= number <= MOST_MEMBERS:
        raise ArgumentError(f"{what} is a number from {fewest} to {MOST_MEMBERS:,}, not {number:,}.")
    return number


def own_affine_specs(members: int, shape: Shape, draw: Initializer, use_bias: bool) -> tuple[ParameterSpec, ...]:
    """``weight`` (M, D, V), of which each member's (D, V) is drawn by itself, and ``bias`` (M, V); biases start at 0."""
    weight = ParameterSpec("weight", (members, *shape), _EachMember(draw), is_weight=True)
    return (weight, ParameterSpec("bias", (members, shape[-1]), Constant(0.0))) if use_bias else (weight,)


def own_affine_forward(parameters: Named, x: Array) -> Array:
    """z_m = x_m W_m + b_m: (B, M, D) -> (B, M, V)."""
    z = np.ascontiguousarray(_turned(_turned(x) @ parameters["weight"]))
    if "bias" in parameters:
        z += parameters["bias"]
    return z


def own_affine_backward(parameters: Named, x: Array, dz: Array, needs_dx: bool) -> tuple[Array | None, Gradients]:
    """As `affine_backward`, for each member by itself:

    dW_mdv = sum_b x_bmd dz_bmv
    db_mv  = sum_b dz_bmv
    dx_bmd = sum_v dz_bmv W_mdv
    """
    gradients: Gradients = {"weight": _turned(x).swapaxes(1, 2) @ _turned(dz)}
    if "bias" in parameters:
        gradients["bias"] = dz.sum(axis=0)
    dx = np.ascontiguousarray(_turned(_turned(dz) @ parameters["weight"].swapaxes(1, 2))) if needs_dx else None
    return dx, gradients


def _turned(x: Array) -> Array:
    """(B, M, ...) as (M, B, ...), and back."""
    return x.swapaxes(0, 1)


@dataclass(frozen=True)
class _EachMember(Initializer):
    """Arrays (M, ...): those of each member are drawn by ``own``, with random numbers of their own."""

    own: Initializer

    def draw(self, shape: Shape, key: random.Key) -> Array:
        return np.stack([self.own.draw(shape[1:], random.key(key, member)) for member in range(shape[0])])
