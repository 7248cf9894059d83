"""Activations: name -> value(z) and derivative(z); where digits are lost, with the size for measuring errors."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tracecheck.comparing import Sized


def sigmoid(z: float) -> float:
    e = math.exp(-abs(z))
    return (1.0 if z >= 0 else e) / (1.0 + e)


def softplus(z: float) -> float:
    return max(z, 0.0) + math.log1p(math.exp(-abs(z)))


def gelu(z: float) -> Sized:
    return 0.5 * z * (1 + math.tanh(gelu_inner(z))), abs(z)


def gelu_derivative(z: float) -> Sized:
    t, clipped = math.tanh(gelu_inner(z)), min(max(z, -50.0), 50.0)
    inner_derivative = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * clipped * clipped)
    return 0.5 * (1 + t) + 0.5 * clipped * (1 - t * t) * inner_derivative, 1 + abs(clipped) * inner_derivative


def gelu_inner(z: float) -> float:
    clipped = min(max(z, -50.0), 50.0)
    return math.sqrt(2 / math.pi) * (clipped + 0.044715 * clipped**3)


def silu_derivative(z: float) -> float:
    s = sigmoid(z)
    return s + z * s * (1 - s)


SELU, ALPHA = 1.0507009873554805, 1.6732632423543772
FUNCTIONS: dict[str, tuple[Callable[[float], Any], Callable[[float], Any]]] = {
    "identity": (lambda z: z, lambda z: 1.0),
    "relu": (lambda z: max(z, 0.0), lambda z: float(z > 0)),
    "relu6": (lambda z: min(max(z, 0.0), 6.0), lambda z: float(0 < z < 6)),
    "leaky_relu": (lambda z: z if z > 0 else 0.01 * z, lambda z: 1.0 if z > 0 else 0.01),
    "elu": (lambda z: z if z > 0 else math.expm1(z), lambda z: (1.0 if z > 0 else math.exp(z), 1.0)),
    "selu": (
        lambda z: SELU * (z if z > 0 else ALPHA * math.expm1(z)),
        lambda z: (SELU if z > 0 else SELU * ALPHA * math.exp(z), 2.0),
    ),
    "gelu": (gelu, gelu_derivative),
    "silu": (lambda z: z * sigmoid(z), lambda z: (silu_derivative(z), sigmoid(z) * (1 + abs(z)))),
    "softplus": (softplus, sigmoid),
    "sigmoid": (sigmoid, lambda z: (sigmoid(z) * sigmoid(-z), sigmoid(z))),
    "hard_sigmoid": (lambda z: min(max(z / 6 + 0.5, 0.0), 1.0), lambda z: 1 / 6 if abs(z) < 3 else 0.0),
    "tanh": (math.tanh, lambda z: (1 - math.tanh(z) ** 2, 1.0)),
}


def sized(value: Any) -> Sized:
    return value if isinstance(value, tuple) else (value, abs(value))
