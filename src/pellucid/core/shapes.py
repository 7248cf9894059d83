"""The legend of shape letters, and the array types that go with it.

    B  batch (samples)          D  features into a layer      U  units out of a layer
    C  channels                 H  W  height and width        K  classes
    V  values of a regression   P  all parameters             N  samples of a data set
    M  members of an ensemble

Shapes are written ``(B, D)``. The gradient of the loss with respect to ``x`` is called ``dx`` and has the shape of ``x``.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.floating[Any]]
AnyArray: TypeAlias = NDArray[Any]
Shape: TypeAlias = tuple[int, ...]
Label: TypeAlias = str | int
"""The name of a class."""


def size_of(shape: Shape) -> int:
    """The number of elements of an array of this shape."""
    return math.prod(shape)


def describe(array: AnyArray) -> str:
    """How an error message names an array: ``float32 (60000, 28, 28)``."""
    return f"{array.dtype} {array.shape}"


def batch_letters(shape: Shape) -> str:
    """The shape of a batch with its first axis as a letter: ``(B, 28, 28)``."""
    return "(" + ", ".join(["B", *map(str, shape)]) + ("," if not shape else "") + ")"
