"""The class activation map: what each place of a picture contributes to a score.

Where a network ends in the global average of its last feature maps a (h, w, C) and a linear output layer, the order of
the two sums can be exchanged:

    score = b + sum_c w_c mean_ij a_ijc = b + sum_ij m_ij        m_ij = sum_c w_c a_ijc / (h w)

So the map is exact: its sum and the bias are the score. What a place of it has seen of the picture is not only what lies
below it.

B. Zhou, A. Khosla, A. Lapedriza, A. Oliva, A. Torralba, "Learning deep features for discriminative localization", CVPR
2016.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.core.errors import ArgumentError
from pellucid.core.shapes import Array
from pellucid.core.suggestions import suggests_arguments
from pellucid.inspection.attribution.case import case_of, check_network
from pellucid.nn.layers.dropout import Dropout, Dropout2D
from pellucid.nn.layers.pooling import GlobalAveragePooling2D
from pellucid.nn.stack import Stack


@suggests_arguments
def class_activation_map(network: Stack, x: Any, target: Any = None, *, against: Any = None) -> Array:
    """What each place contributes to the score of each sample: (B, h, w) in float64; its sum and the bias are the score.

    ``target`` and ``against`` are those of `attribute`. Raises `ArgumentError` for a network that does not end in
    `GlobalAveragePooling2D` and an output layer.

    >>> pl.class_activation_map(model.network, pictures, against=1).shape
    (8, 7, 7)
    """
    pooling = place_of_pooling(check_network(network))
    if pooling is None:
        raise ArgumentError(
            "a class activation map needs a network whose last hidden layer is GlobalAveragePooling2D; pl.attribute and "
            "pl.occlusion work for any."
        )
    case = case_of(network, x, target, against)
    weight = case.stack.parameters["output.weight"]
    return np.concatenate(
        [
            contributions(case.stack.propagate(numbers, keep=True).outputs[pooling - 1], selector @ weight.T)
            for numbers, selector in case.blocks()
        ]
    )


def place_of_pooling(stack: Stack) -> int | None:
    """The place of the global average below the output layer; None if there is none, or only an ensemble above it."""
    place = len(stack.layers) - 2
    while isinstance(stack.layers[place], Dropout | Dropout2D):  # in prediction they do nothing
        place -= 1
    is_single = getattr(stack.output, "members", 1) == 1
    return place if isinstance(stack.layers[place], GlobalAveragePooling2D) and is_single else None


def contributions(activations: Array, weights: Array) -> Array:
    """m (B, h, w) of activations (B, h, w, C) and weights (B, C)."""
    found: Array = np.einsum("bijc,bc->bij", activations, weights) / (activations.shape[1] * activations.shape[2])
    return found
