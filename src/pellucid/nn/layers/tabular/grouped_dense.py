"""GroupedDense: a small dense layer for each group of columns, such as a column of a table and its bins."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pellucid.core import random
from pellucid.core.checks import positive_integer
from pellucid.core.errors import ArgumentError, ShapeError
from pellucid.core.shapes import Array, Shape
from pellucid.mathematics.initializers import Constant, Initializer
from pellucid.nn.layers.base import Context, Gradients, Layer, Named, ParameterSpec
from pellucid.nn.layers.tabular.piecewise_linear_encoding import PiecewiseLinearEncoding


class GroupedDenseCache(NamedTuple):
    """x (B, D), and whether dx is asked for."""

    x: Array
    needs_dx: bool


@dataclass(frozen=True)
class _FirstOfEach(Initializer):
    """Uniform numbers between -1 and 1 for the first column of each group, which begin at ``rows``; 0 for the others."""

    rows: tuple[int, ...]

    def draw(self, shape: Shape, key: random.Key) -> Array:
        weight = np.zeros(shape)
        weight[list(self.rows)] = 2.0 * random.uniform(key, (len(self.rows), shape[-1])) - 1.0
        return weight


@dataclass(frozen=True)
class GroupedDense(Layer):
    """y = (the other columns, then for each group g of columns its own z_g):

        z_gu = sum over the columns d of group g of x_d w_du + b_gu             u = 1 ... units

    so that the numbers of one group meet those of another only in the next layer.

    groups  for each group its columns, counted from 0; no column is in two
    units   how many numbers each group becomes

    ``weight`` (columns of all groups in their order, units) starts at random, between -1 and 1, for the first column of
    each group, and at 0 for the others; ``bias`` (groups, units) starts at 0. Penalties and weight decay act on the weight.

    Behind `PiecewiseLinearEncoding`, with a group for each column and its bins (`of_bins`), z is a vector that each column
    is embedded in: at first a straight line, which bends at the edges as training bends it. Source: Gorishniy, Rubachev and
    Babenko 2022 (arXiv:2203.05556), "PLE" with a linear layer; the start at 0 is that of Gorishniy, Kotelnikov and Babenko
    2024 (arXiv:2410.24210).
    """

    groups: tuple[tuple[int, ...], ...]
    units: int

    def __post_init__(self) -> None:
        positive_integer(self.units, "GroupedDense(units)")
        if not isinstance(self.groups, tuple) or not self.groups:
            raise ArgumentError(f"GroupedDense(groups) is a tuple with the columns of each group, not {self.groups!r:.60}.")
        taken: set[int] = set()
        for group in self.groups:
            if not isinstance(group, tuple) or not group or any(type(d) is not int or d < 0 for d in group):
                raise ArgumentError(f"A group of GroupedDense is a tuple of columns, counted from 0, not {group!r:.60}.")
            twice = next((d for d in group if d in taken or group.count(d) > 1), None)
            if twice is not None:
                raise ArgumentError(f"GroupedDense(groups) has the column {twice} twice.")
            taken |= set(group)

    @classmethod
    def of_bins(cls, encoding: PiecewiseLinearEncoding, units: int) -> GroupedDense:
        """A group for each column that has bins: the column, then its bins; as it stands behind the ``encoding``."""
        columns, owner = len(encoding.edges), encoding.bins.column
        first = np.searchsorted(owner, np.arange(columns + 1)) + columns
        pairs = zip(first[:-1].tolist(), first[1:].tolist(), strict=True)
        groups = ((column, *range(start, stop)) for column, (start, stop) in enumerate(pairs) if start < stop)
        return cls(tuple(groups), units)

    @cached_property
    def columns(self) -> NDArray[np.int64]:
        """The columns of all groups, in the order of the rows of the weight."""
        return np.array([column for group in self.groups for column in group])

    @cached_property
    def rows(self) -> tuple[slice, ...]:
        """Which rows of the weight belong to each group."""
        ends = np.cumsum([len(group) for group in self.groups]).tolist()
        return tuple(slice(end - len(group), end) for end, group in zip(ends, self.groups, strict=True))

    def others(self, inputs: int) -> list[int]:
        """The columns that go through as they are."""
        return np.setdiff1d(np.arange(inputs), self.columns).tolist()

    def output_shape(self, input_shape: Shape) -> Shape:
        last = int(self.columns.max())
        if len(input_shape) != 1 or input_shape[0] <= last:
            raise ShapeError(f"GroupedDense has the column {last} of a row; samples of the shape {input_shape} came.")
        return (input_shape[0] - len(self.columns) + len(self.groups) * self.units,)

    def parameter_specs(self, input_shape: Shape) -> tuple[ParameterSpec, ...]:
        first = _FirstOfEach(tuple(rows.start for rows in self.rows))
        return (
            ParameterSpec("weight", (len(self.columns), self.units), first, is_weight=True),
            ParameterSpec("bias", (len(self.groups), self.units), Constant(0.0)),
        )

    def forward(self, parameters: Named, x: Array, context: Context) -> tuple[Array, GroupedDenseCache]:
        weight, bias = parameters["weight"], parameters["bias"]
        z = [x[:, group] @ weight[rows] + b for group, rows, b in zip(self.groups, self.rows, bias, strict=True)]
        return np.concatenate([x[:, self.others(x.shape[1])], *z], axis=1), GroupedDenseCache(x, context.needs_dx)

    def backward(self, parameters: Named, cache: GroupedDenseCache, dy: Array) -> tuple[Array | None, Gradients]:
        """dw_du = sum_b x_bd dz_bgu,  db_gu = sum_b dz_bgu,  dx_bd = sum_u dz_bgu w_du  for each column d of group g."""
        x, weight = cache.x, parameters["weight"]
        others = self.others(x.shape[1])
        dz = dy[:, len(others) :].reshape(len(dy), len(self.groups), self.units)
        own = zip(self.groups, np.swapaxes(dz, 0, 1), strict=True)
        gradients = {
            "weight": np.concatenate([x[:, group].T @ of_group for group, of_group in own]),
            "bias": dz.sum(axis=0),
        }
        if not cache.needs_dx:
            return None, gradients
        dx = np.zeros_like(x)
        dx[:, others] = dy[:, : len(others)]
        for number, (group, rows) in enumerate(zip(self.groups, self.rows, strict=True)):
            dx[:, group] = dz[:, number] @ weight[rows].T
        return dx, gradients
