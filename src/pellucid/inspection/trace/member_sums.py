"""The weighted sums of an ensemble inside one network: those of each member, and their mean, which is a sum too."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pellucid.core.shapes import Array, Shape
from pellucid.inspection.trace.layer_trace import LayerTrace


class WeightedSum(NamedTuple):
    """sum_d inputs_d weights_d + bias, with the place of each input in the input of its layer, (D, axes)."""

    positions: NDArray[np.int64]
    inputs: Array
    weights: Array
    bias: float | None


def sum_of_member(layer: LayerTrace, unit: int, sample: int, member: int) -> WeightedSum:
    """The sum of one unit of a member. The scales of an `EnsembleDense` are multiplied into the weights:
    z_mu = sum_d x_md (r_md W_du s_mu) + b_mu."""
    own, x = layer.parameters, layer.input[sample]
    weights = own["weight"][..., unit]
    weights = weights[member] if weights.ndim == 2 else weights
    if "input_scales" in own:
        weights = own["input_scales"][member] * weights * own["output_scales"][member, unit]
    bias = float(own["bias"][member, unit]) if "bias" in own else None
    if x.ndim == 1:
        return WeightedSum(_positions(x.shape), x, weights, bias)
    in_row = _positions(x.shape[1:])
    return WeightedSum(np.insert(in_row, 0, member, axis=1), x[member], weights, bias)


def weights_to_units(layer: LayerTrace, member: int, d: int) -> Array:
    """(U,): from input d to each unit of a member, with its scales."""
    own = layer.parameters
    if "input_scales" not in own:
        return own["weight"][member, d]
    return own["input_scales"][member, d] * own["weight"][d] * own["output_scales"][member]


def mean_sum(layer: LayerTrace, unit: int, sample: int) -> WeightedSum:
    """The logit of the answer, the mean of those of the members: z_v = sum_m sum_d x_md (W_mdv / M) + mean of b_mv."""
    weight, bias = mean_weights(layer)
    x = layer.input[sample]
    own_bias = float(bias[unit]) if "bias" in layer.parameters else None
    return WeightedSum(_positions(x.shape), x.ravel(), weight[:, unit], own_bias)


def mean_weights(output: LayerTrace) -> tuple[Array, Array]:
    """Weights (D, V) and bias (V,) from the input of an output layer, as one row, to the logits of the answer; of an
    ensemble (M D, V)."""
    weight = output.parameters["weight"]
    bias = output.parameters.get("bias", np.zeros(weight.shape[-1]))
    if weight.ndim == 2:
        return weight, bias
    members = len(weight)
    return weight.reshape(-1, weight.shape[-1]) / members, (bias.mean(axis=0) if bias.ndim == 2 else bias)


def _positions(shape: Shape) -> NDArray[np.int64]:
    return np.stack(np.unravel_index(np.arange(int(np.prod(shape))), shape), axis=1)
