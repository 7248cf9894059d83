"""What several kinds of layers share: f(z), and gradients with the price of weights in them."""

from __future__ import annotations

import math
from collections.abc import Iterable

from tracecheck.activations import FUNCTIONS, sized
from tracecheck.comparing import Checker, Record, Sized, exact, numbers


def check_activation(check: Checker, path: str, layer: Record) -> None:
    """output = f(sums); and backward slopes = f'(sums), dsums = doutput slopes."""
    value, slope = FUNCTIONS[layer["description"].get("activation", "identity")]
    z = numbers(layer["sums"]).flat
    check.compare(f"{path}.output", layer["output"], [sized(value(one)) for one in z])
    if "dsums" not in layer:
        return
    dy = numbers(layer["doutput"]).flat
    if "slopes" in layer:
        check.compare(f"{path}.slopes", layer["slopes"], [sized(slope(one)) for one in z])
        dy = [a * b for a, b in zip(dy, numbers(layer["slopes"]).flat, strict=True)]
    check.compare(f"{path}.dsums", layer["dsums"], exact(dy))


def check_gradient(check: Checker, path: str, layer: Record, name: str, of_loss: Iterable[Sized]) -> None:
    """The gradient of a parameter: that of the loss, which is given, and that of its price."""
    expected = list(of_loss)
    price = layer.get("regularizers", {}).get(name)
    if price is not None:
        weights = numbers(layer["parameters"][name]).flat
        prices = [price_slope(price, w) for w in weights]
        expected = [(a + b, size + abs(b)) for (a, size), b in zip(expected, prices, strict=True)]
    check.compare(f"{path}.gradients.{name}", layer["gradients"][name], expected)


def price_slope(price: Record, w: float) -> float:
    if price["type"] == "Sum":
        return price_slope(price["first"], w) + price_slope(price["second"], w)
    return price["strength"] * (2 * w if price["type"] == "L2" else math.copysign(1.0, w) if w else 0.0)


def price_of(price: Record, w: float) -> float:
    if price["type"] == "Sum":
        return price_of(price["first"], w) + price_of(price["second"], w)
    return price["strength"] * (w * w if price["type"] == "L2" else abs(w))
