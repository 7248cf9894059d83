"""Exact attribution: the score of a piecewise-linear network, split into what its inputs and what its biases give.

Such a network is a linear function of the inputs around (almost) every point: its units are on or off, its windows have
their winners, and nothing else bends. There

    score = sum_d x_d dscore/dx_d + sum over all constants c of c dscore/dc

where the constants are what layers add: biases, the shift of batch normalization, the offset of `Rescale`, the edges of
`PiecewiseLinearEncoding`, the 6 of ``relu6``, the 1/2 in ``hard_sigmoid``. The second sum is made in one walk down, from
the gradient dy that arrives at each layer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pellucid.core.shapes import Array
from pellucid.inspection.attribution.case import check_finite, score_of
from pellucid.mathematics.activations import activation
from pellucid.nn.layers.base import Layer, Named
from pellucid.nn.layers.batch_normalization import BatchNormalization, BatchNormalizationCache
from pellucid.nn.layers.convolution import Conv2D
from pellucid.nn.layers.dense import Dense
from pellucid.nn.layers.dropout import Dropout, Dropout2D
from pellucid.nn.layers.ensemble_dense import EnsembleDense
from pellucid.nn.layers.flatten import Flatten
from pellucid.nn.layers.input import Input
from pellucid.nn.layers.nodes import Node
from pellucid.nn.layers.outputs.classification import BinaryClassification, Classification
from pellucid.nn.layers.outputs.regression import Regression
from pellucid.nn.layers.pooling import AveragePooling2D, GlobalAveragePooling2D, MaxPooling2D
from pellucid.nn.layers.rescale import Rescale
from pellucid.nn.layers.residual import Residual, own_arrays
from pellucid.nn.layers.tabular.grouped_dense import GroupedDense
from pellucid.nn.layers.tabular.piecewise_linear_encoding import EncodingCache, PiecewiseLinearEncoding
from pellucid.nn.layers.tabular.scale_features import ScaleFeatures
from pellucid.nn.stack import Stack

PIECEWISE_LINEAR = ("identity", "relu", "relu6", "leaky_relu", "hard_sigmoid")
CONSTANT_PIECES = ("relu6", "hard_sigmoid")  # whose pieces a = s z + t have a t other than 0

Parts = dict[str, Array]  # name of a constant -> what it gives to the score of each sample, (B,)
Rule = Callable[[Any, Named, Any, Array], Parts]


def obstacle(nodes: Sequence[Node], prefix: str = "") -> str | None:
    """What keeps these layers from being piecewise linear, as a sentence, or None."""
    for node in nodes:
        layer, name = node.layer, f"{prefix}{node.name}"
        if type(layer) not in RULES:
            kind = type(layer).__name__
            return f"{name} is {'an' if kind[0] in 'AEIOU' else 'a'} {kind}"
        bend = getattr(layer, "activation", "identity")
        if bend not in PIECEWISE_LINEAR:
            return f"{name} has the activation {bend!r}"
        if isinstance(layer, Residual):
            for branch in layer.branches(node.input_shape):
                inner = obstacle(branch, f"{name}.")
                if inner is not None:
                    return inner
    return None


def split(stack: Stack, numbers: Array, selector: Array) -> tuple[Array, Array, Parts]:
    """(score, dscore/dx, parts) of the samples, (B,), (B, ...) and a (B,) for each constant of the network, input first."""
    arrays = stack.arrays()
    parts: Parts = {}
    with np.errstate(all="ignore"):  # what is not finite is named below
        done = stack.propagate(numbers, arrays, needs_dx=True, keep=True)
        dx = _down(stack.nodes, arrays, done.caches, stack.output.answer_backward(selector), "", parts)
    score = score_of(done.logits, selector)
    check_finite(score, dx)
    return score, dx, dict(reversed(parts.items()))


def _down(
    nodes: Sequence[Node], arrays: Sequence[Named], caches: Sequence[Any], dy: Array, prefix: str, parts: Parts
) -> Array:
    """From dscore/dy of the last node to dscore/dx of the first; what each constant gives goes into ``parts``."""
    for node, own, cache in reversed(list(zip(nodes, arrays, caches, strict=True))):
        layer, name = node.layer, f"{prefix}{node.name}"
        dz, given = _through(layer, cache, dy)
        given |= RULES[type(layer)](layer, own, cache, dz)
        parts |= {f"{name}.{constant}": part for constant, part in given.items()}
        if isinstance(layer, Residual):  # z is the sum of both branches, so dz goes down each
            dy = np.zeros(1)
            for branch, kept in zip(layer.branches(node.input_shape), (cache.layers, cache.shortcut), strict=True):
                dy = dy + _down(branch, [own_arrays(inner.name, own) for inner in branch], kept, dz, f"{name}.", parts)
        else:
            dx, _ = layer.backward(own, cache, dy)
            assert dx is not None
            dy = dx
    return dy


def _through(layer: Layer, cache: Any, dy: Array) -> tuple[Array, Parts]:
    """On its piece a = f(z) = s z + t, an activation hands dz = dy s on, and gives dy t itself."""
    name = getattr(layer, "activation", None)
    if name is None:
        return dy, {}
    slope = activation(name).derivative(cache.z, cache.a)
    return dy * slope, {"activation": _per_sample(dy * (cache.a - slope * cache.z))} if name in CONSTANT_PIECES else {}


def _per_sample(products: Array) -> Array:
    """The sum for each sample: (B, ...) -> (B,)."""
    return products.reshape(len(products), -1).sum(axis=1)


def _bias(layer: Layer, own: Named, cache: Any, dz: Array) -> Parts:
    """z = W x + b gives dz b; a layer without a bias adds no constant."""
    return {"bias": _per_sample(dz * own["bias"])} if "bias" in own else {}


def _groups(layer: GroupedDense, own: Named, cache: Array, dz: Array) -> Parts:
    """The sums are the last numbers of the output."""
    return {"bias": _per_sample(dz[:, -own["bias"].size :] * own["bias"].ravel())}


def _batch_normalization(layer: Layer, own: Named, cache: BatchNormalizationCache, dz: Array) -> Parts:
    """z = gamma (x - mean) / std + beta gives dz beta, and -dz gamma mean / std."""
    shift = own["gamma"] * cache.inverse_std * cache.mean
    return {"beta": _per_sample(dz * own["beta"]), "moving_mean": _per_sample(-dz * shift)}


def _rescale(layer: Rescale, own: Named, cache: Any, dz: Array) -> Parts:
    return {"offset": _per_sample(dz * np.asarray(layer.offset))}


def _encoding(layer: PiecewiseLinearEncoding, own: Named, cache: EncodingCache, dz: Array) -> Parts:
    """On its piece a bin is y = s x + t: it gives dz t, and t = y - s x."""
    columns = len(layer.edges)
    rest = cache.y[:, columns:] - cache.slopes * cache.x[:, layer.bins.column]
    return {"edges": _per_sample(dz[:, columns:] * rest)}


RULES: dict[type[Layer], Rule] = {
    Rescale: _rescale,
    PiecewiseLinearEncoding: _encoding,
    GroupedDense: _groups,
    BatchNormalization: _batch_normalization,
    **dict.fromkeys((Dense, EnsembleDense, Conv2D, Classification, BinaryClassification, Regression), _bias),
    **dict.fromkeys((MaxPooling2D, AveragePooling2D, GlobalAveragePooling2D), _bias),
    **dict.fromkeys((Input, Flatten, Dropout, Dropout2D, Residual, ScaleFeatures), _bias),
}
