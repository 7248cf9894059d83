"""Attribution through an `Embedding` at the front: a category contributes what the numbers of its vector do.

A vector does not change between two whole numbers, so a category has no slope, and there is no way from one to another. The
network behind the embedding has slopes, and its inputs have ways: it is attributed, from the vectors of a baseline, and the
contributions of the numbers of each vector are added up.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pellucid.core.shapes import Array
from pellucid.inspection.attribution.case import FLOAT64, Case
from pellucid.nn.layers.base import Context
from pellucid.nn.layers.input import Input
from pellucid.nn.layers.nodes import numbered
from pellucid.nn.layers.tabular.embedding import Embedding
from pellucid.nn.stack import Stack

UNSEEN = -1.0  # a category that is none of an embedding's


def front_of(case: Case) -> Embedding | None:
    """The `Embedding` right behind the input, unless there is another one: then the layers behind it have other names."""
    first, *others = case.stack.layers[1:]
    is_one = isinstance(first, Embedding) and not any(isinstance(layer, Embedding) for layer in others)
    return first if is_one and isinstance(first, Embedding) else None


def behind(case: Case, front: Embedding, origin: Array) -> tuple[Case, Array]:
    """The same case for the network behind its embedding, and the baseline as that network sees it."""
    (name,) = numbered((front,))
    own = case.stack.arrays()[1]
    numbers, baseline = (front.forward(own, x, Context(dtype=FLOAT64))[0] for x in (case.numbers, origin[None]))
    arrays = {**case.stack.parameters, **case.stack.state}
    kept = {full: array for full, array in arrays.items() if not full.startswith(f"{name}.")}
    stack = Stack([Input(numbers.shape[1]), *case.stack.layers[2:]], case.stack.seed, FLOAT64, arrays=kept)
    return replace(case, stack=stack, numbers=numbers), baseline[0]


def folded(front: Embedding, contributions: Array, slopes: Array, inputs: int) -> tuple[Array, Array]:
    """(contributions, slopes) of the inputs (B, D), from those of the numbers behind the embedding. The contributions of a
    vector's numbers are added up; there is no slope, NaN."""
    others = front.others(inputs)
    total, slope = np.empty((len(slopes), inputs)), np.full((len(slopes), inputs), np.nan)
    total[:, others], slope[:, others] = contributions[:, : len(others)], slopes[:, : len(others)]
    for column, place in front.places(inputs):
        total[:, column] = contributions[:, place].sum(axis=1)
    return total, slope
