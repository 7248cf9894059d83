"""Numbers as text."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pellucid.core.shapes import Array

DIGITS = 4
FINE = 6  # digits of parameters, and of the steps of a softmax


def written(number: float, digits: int = DIGITS) -> str:
    """A number with ``digits`` significant digits."""
    text = f"{number:.{digits}g}"
    return "0" if text == "-0" else text


def plain(number: float, digits: int = DIGITS) -> str:
    """The same without an exponent, as 93,290 and 0.085, between 1e-4 and 1e15."""
    rounded = float(f"{number:.{digits}g}")
    return f"{rounded:,.15g}" if 1e-4 <= abs(rounded) < 1e15 else written(number, digits)


def largest(numbers: Array, count: int) -> NDArray[np.int64]:
    """The indices of the ``count`` numbers of largest magnitude, without zeros."""
    order = np.argsort(-np.abs(numbers), kind="stable")[:count]
    return order[numbers[order] != 0]
