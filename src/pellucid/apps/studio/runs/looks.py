"""A look at a network in training: its answers over the plane, histograms of its numbers, and its dead units.

The numbers come from a forward and backward pass without dropout, on a few training samples that stay the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np

from pellucid.apps.studio.runs.material import Material
from pellucid.core.errors import DivergenceError
from pellucid.core.packing import pack
from pellucid.core.shapes import AnyArray, Array, size_of
from pellucid.executors.logits import answer
from pellucid.executors.native.compile_images import multiply_adds
from pellucid.models.network import Network
from pellucid.nn.layers.base import Named
from pellucid.nn.layers.input import Input
from pellucid.nn.layers.nodes import Node
from pellucid.nn.objective import Objective

BINS = 30
MOST_LOOKED_AT, FEWEST_LOOKED_AT = 128, 4  # samples
WORK = 15_000_000  # multiply-adds of the forward pass: some milliseconds
PRODUCTS_AT_ONCE = 1_000_000  # of one matrix product
BOUNDARY_SIDE, NEURON_SIDE = 64, 24  # points along a side of the plane
MOST_PICTURES = 32  # units of a layer that are shown one by one
MOST_WEIGHTS = 4_096  # of a matrix that is shown whole
MIDDLE = 128  # the byte that stands for 0 in the map of a neuron
SMALLEST, LARGEST = 1e-30, 1e38  # ranges that float32 can hold and be divided by


class Looks:
    """Makes looks at one network."""

    def __init__(self, network: Network, material: Material) -> None:
        self._network = network
        count = min(max(WORK // max(multiply_adds(network), 1), FEWEST_LOOKED_AT), MOST_LOOKED_AT, len(material.training))
        self.rows = material.training.rows[np.linspace(0, len(material.training) - 1, count).astype(int)]
        self._x, self._y = material.training.x[self.rows], material.training.y[self.rows]
        largest = max(size_of(slot.spec.shape) for slot in network.parameters.layout.slots.values())
        self._at_once = max(PRODUCTS_AT_ONCE // largest, 1)
        self._extent = None if material.points is None else material.points.extent
        if self._extent is not None:
            self._plane = plane(self._extent, BOUNDARY_SIDE)
            self._coarse_plane = plane(self._extent, NEURON_SIDE)

    def look(self) -> dict[str, Any]:
        """The data of a ``look`` event."""
        network = self._network
        with np.errstate(all="ignore"):
            outputs, gradient = self._walk()
            seen: dict[str, Any] = {"step": network.training_state.step}
            over_plane = None
            if self._extent is not None:
                with suppress(DivergenceError):  # then there is no boundary
                    probabilities = answer(network, self._plane, probabilities=True)
                    seen["boundary"] = pack(_bytes(255 * probabilities.reshape(BOUNDARY_SIDE, BOUNDARY_SIDE, -1)))
                over_plane = network.propagate(self._coarse_plane, keep=True).outputs
            seen["layers"] = list(self._layers(outputs, gradient, over_plane))
        return seen

    def _walk(self) -> tuple[list[Array], Array]:
        """The outputs of every layer for each sample, and the gradient of the objective (P,).

        A few samples at a time: such small products run in one thread, which a busy second core cannot delay.
        """
        network, count = self._network, len(self._x)
        objective = Objective(network)
        total = np.zeros_like(objective.gradient)
        outputs = []
        for start in range(0, count, self._at_once):
            x, y = self._x[start : start + self._at_once], self._y[start : start + self._at_once]
            found = objective.descend(x, network.output.targets(y, network.dtype), training=False)
            total += objective.gradient * (len(x) / count)  # the gradient is that of a mean over these samples
            outputs.append(found.forward.outputs)
        return [np.concatenate(parts) for parts in zip(*outputs, strict=True)], total

    def _layers(self, outputs: list[Array], gradient: Array, over_plane: list[Array] | None) -> Iterator[dict[str, Any]]:
        network, is_first = self._network, True
        arrays, gradients = network.arrays(), network.gradient_arrays(gradient)
        for index, (node, own, slopes, output) in enumerate(zip(network.nodes, arrays, gradients, outputs, strict=True)):
            if not slopes:  # no parameters
                continue
            weights = [spec.name for spec in node.layer.parameter_specs(node.input_shape) if spec.is_weight] or list(slopes)
            layer: dict[str, Any] = {
                "name": node.name,
                "units": node.output_shape[-1],
                "dead": dead_units(node, output),
                "histograms": {
                    "weights": histogram([own[name] for name in weights]),
                    "activations": histogram([output]),
                    "gradients": histogram([slopes[name] for name in weights]),
                },
            }
            shown = self._weights(own, is_first)
            if shown is not None:
                layer["weights"] = pack(shown)
            is_hidden = index < len(arrays) - 1
            if over_plane is not None and is_hidden and node.output_shape[-1] <= MOST_PICTURES:
                layer["neurons"] = pack(maps(over_plane[index]))
            yield layer
            is_first = False

    def _weights(self, own: Named, is_first: bool) -> Array | None:
        """For pixels those of the first layer, (n, H, W) or (n, H, W, C), a picture a unit; for points the whole matrix."""
        weight = own.get("weight")
        if weight is None:
            return None
        if self._extent is not None:
            return weight if weight.size <= MOST_WEIGHTS else None
        if not is_first:
            return None
        pictures = pictures_of(weight, self._network.layers[0])
        return None if pictures is None else pictures[:MOST_PICTURES]


def plane(extent: float, side: int) -> Array:
    """(side * side, 2): the centres of the cells of a square, row by row from the top (x2 = +extent) and the left."""
    middles = (np.arange(side) + 0.5) / side * 2 * extent - extent
    x2, x1 = np.meshgrid(-middles, middles, indexing="ij")
    return np.stack([x1.ravel(), x2.ravel()], axis=1).astype(np.float32)


def histogram(arrays: list[Array]) -> dict[str, Any]:
    """The histogram of the finite numbers of these arrays, in `BINS` bins from the lowest to the highest."""
    values = arrays[0].ravel() if len(arrays) == 1 else np.concatenate([array.ravel() for array in arrays])
    low, high = float(values.min()), float(values.max())
    if not SMALLEST < high - low < LARGEST:
        values = values[np.isfinite(values)].astype(np.float64)
        low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 0.0)
    scale = BINS / (high - low) if high > low else 0.0
    places = np.minimum((scale * (values - low)).astype(np.int32), BINS - 1)
    return {"low": low, "high": high, "counts": np.bincount(places, minlength=BINS).tolist()}


def dead_units(node: Node, output: Array) -> int | None:
    """How many units (or channels) with relu give 0 for every sample, at every position; None for other activations."""
    if getattr(node.layer, "activation", None) != "relu":
        return None
    return int((output.reshape(-1, output.shape[-1]) == 0).all(axis=0).sum())


def maps(output: Array) -> AnyArray:
    """(n, g, g) bytes: the output of each unit over the plane, relative to its own largest value; 0 is `MIDDLE`."""
    largest = np.maximum(np.abs(output).max(axis=0), np.finfo(np.float32).tiny)
    side = round(len(output) ** 0.5)
    return _bytes(MIDDLE + (MIDDLE - 1) * (output / largest).T.reshape(-1, side, side))


def pictures_of(weight: Array, first: Any) -> Array | None:
    """The weights of a first layer on pixels, a picture a unit."""
    if weight.ndim == 4:  # (height, width, channels, filters)
        filters = weight.transpose(3, 0, 1, 2)
        return filters[..., 0] if filters.shape[-1] == 1 else filters
    assert isinstance(first, Input)
    return weight.T.reshape(-1, *first.shape) if len(weight) == size_of(first.shape) else None


def _bytes(values: Array) -> AnyArray:
    return np.rint(np.nan_to_num(values)).astype(np.uint8)
