"""What several kinds of layers share: f(z), and the penalty in gradients."""

from __future__ import annotations

import math
from collections.abc import Iterable

from tracecheck.activations import FUNCTIONS, sized
from tracecheck.comparing import Checker, Record, Sized, exact, numbers


def check_activation(check: Checker, path: str, layer: Record) -> None:
    """output = f(sums); and backward slopes = f'(sums), dsums = doutput slopes."""
    value, derivative = FUNCTIONS[layer["description"].get("activation", "identity")]
    z = numbers(layer["sums"]).flat
    check.compare(f"{path}.output", layer["output"], [sized(value(one)) for one in z])
    if "dsums" not in layer:
        return
    dy = numbers(layer["doutput"]).flat
    if "slopes" in layer:
        check.compare(f"{path}.slopes", layer["slopes"], [sized(derivative(one)) for one in z])
        dy = [a * b for a, b in zip(dy, numbers(layer["slopes"]).flat, strict=True)]
    check.compare(f"{path}.dsums", layer["dsums"], exact(dy))


def check_gradient(check: Checker, path: str, layer: Record, name: str, of_loss: Iterable[Sized]) -> None:
    """The gradient of a parameter: that of the loss, which is given, and that of the penalty."""
    expected = list(of_loss)
    regularizer = layer.get("regularizers", {}).get(name)
    if regularizer is not None:
        of_penalty = [penalty_gradient(regularizer, w) for w in numbers(layer["parameters"][name]).flat]
        expected = [(a + b, size + abs(b)) for (a, size), b in zip(expected, of_penalty, strict=True)]
    check.compare(f"{path}.gradients.{name}", layer["gradients"][name], expected)


def penalty_gradient(regularizer: Record, w: float) -> float:
    if regularizer["type"] == "Sum":
        return penalty_gradient(regularizer["first"], w) + penalty_gradient(regularizer["second"], w)
    return regularizer["strength"] * (2 * w if regularizer["type"] == "L2" else math.copysign(1.0, w) if w else 0.0)


def penalty_of(regularizer: Record, w: float) -> float:
    if regularizer["type"] == "Sum":
        return penalty_of(regularizer["first"], w) + penalty_of(regularizer["second"], w)
    return regularizer["strength"] * (w * w if regularizer["type"] == "L2" else abs(w))
