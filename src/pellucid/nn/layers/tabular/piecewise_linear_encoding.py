"""PiecewiseLinearEncoding: each number beside how far it has come through each bin of its column."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pellucid.core.checks import as_numbers, number_between, positive_integer
from pellucid.core.errors import ArgumentError, ShapeError
from pellucid.core.shapes import Array, Shape, describe
from pellucid.nn.layers.base import Context, Gradients, Layer, Named

LARGEST = 1e30
NARROWEST = 1e-30  # a bin: 1 / its width is a number in float32, also times the largest gain
LARGEST_GAIN = 1e6
BEYOND = 1.0  # how far the first and the last bin of a column go on, in their own widths


class Bins(NamedTuple):
    """All T bins, those of a column after those of the one before: the column (T,), the low edge, 1 / width, and the bounds
    of e."""

    column: NDArray[np.int64]
    low: NDArray[np.float64]
    slope: NDArray[np.float64]
    least: NDArray[np.float64]
    most: NDArray[np.float64]


class EncodingCache(NamedTuple):
    """x (B, D), y (B, D + T), and dy_t/dx of each bin (B, T): 0 where e is held."""

    x: Array
    y: Array
    slopes: Array


@dataclass(frozen=True)
class PiecewiseLinearEncoding(Layer):
    """y = (x, gain e(x)): the D columns, then for each bin from b_(t-1) to b_t of a column

        e_t(x) = (x - b_(t-1)) / (b_t - b_(t-1)),  held between 0 and 1

    so that a linear layer behind it can be any function that is linear within each bin. The first bin of a column goes on
    below 0, to -1, the last one above 1, to 2: numbers beyond the edges are told apart, and cannot grow without bound.

    edges  for each column the edges b_0 < b_1 < ... < b_T; () for a column that has no bins
    gain   of the bins, beside columns of size 1

    Source: Gorishniy, Rubachev and Babenko 2022 (arXiv:2203.05556), with quantiles as edges; there the ends have no bound.
    """

    edges: tuple[tuple[float, ...], ...]
    gain: float = 0.5

    def __post_init__(self) -> None:
        number_between(self.gain, "PiecewiseLinearEncoding(gain)", 0.0, LARGEST_GAIN, open_low=True)
        if not isinstance(self.edges, tuple) or not self.edges:
            raise ArgumentError(
                f"PiecewiseLinearEncoding(edges) is a tuple with the edges of each column, not {self.edges!r:.60}."
            )
        for column, edges in enumerate(self.edges):
            what = f"column {column} of PiecewiseLinearEncoding(edges)"
            if not isinstance(edges, tuple) or len(edges) == 1:
                raise ArgumentError(f"{what} has two or more edges, or none: (), not {edges!r:.60}.")
            for edge in edges:
                number_between(edge, what, -LARGEST, LARGEST)
            for low, high in pairwise(edges):
                if not high - low >= NARROWEST:
                    raise ArgumentError(
                        f"{what}: each edge lies at least {NARROWEST:g} above the last; {high} follows {low}."
                    )

    @classmethod
    def fit(cls, x: Any, bins: int = 48, gain: float = 0.5) -> PiecewiseLinearEncoding:
        """Edges at the quantiles of training rows x (N, D), of x / 255 if x is uint8: ``bins`` of equal counts for each
        column. A number that comes more often than one bin has rows counts as one bin, so that the others get theirs: of a
        column that is mostly 0, the bins lie where it is not. Each edge is a number of the column; few different ones are
        all edges. A column with fewer than three, such as yes and no, has no bins."""
        positive_integer(bins, "bins")
        expected = "a table of numbers (N, D) is expected"
        rows = as_numbers(x, "x", expected)
        if rows.ndim != 2 or rows.size == 0 or not np.isfinite(rows).all():
            raise ShapeError(f"x is {describe(rows)}; {expected}, all of them finite.")
        unit = 1 / 255 if rows.dtype == np.uint8 else 1.0
        edges = (_apart(_quantiles(column.astype(np.float64) * unit, bins)) for column in rows.T)
        return cls(tuple(one if len(one) > 2 else () for one in edges), gain)

    def output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) != 1 or input_shape[0] != len(self.edges):
            raise ShapeError(
                f"PiecewiseLinearEncoding has edges for {len(self.edges)} columns; samples of the shape {input_shape} came."
            )
        return (len(self.edges) + len(self.bins.column),)

    @cached_property
    def bins(self) -> Bins:
        """The edges as arrays."""
        counts = np.array([max(len(edges) - 1, 0) for edges in self.edges])
        ends = np.cumsum(counts)
        low = np.array([edge for edges in self.edges for edge in edges[:-1]], np.float64)
        high = np.array([edge for edges in self.edges for edge in edges[1:]], np.float64)
        least, most = np.zeros(len(low)), np.ones(len(low))
        least[(ends - counts)[counts > 0]] -= BEYOND
        most[ends[counts > 0] - 1] += BEYOND
        return Bins(np.repeat(np.arange(len(counts)), counts), low, 1 / (high - low), least, most)

    def forward(self, parameters: Named, x: Array, context: Context) -> tuple[Array, EncodingCache]:
        column = self.bins.column
        low, slope, least, most = (part.astype(x.dtype) for part in self.bins[1:])
        gain = x.dtype.type(self.gain)
        with np.errstate(over="ignore"):  # far beyond a narrow bin: held at once
            e = (x[:, column] - low) * slope
        y = np.concatenate([x, gain * np.clip(e, least, most)], axis=1)
        slopes = np.where((e >= least) & (e < most), gain * slope, x.dtype.type(0))  # on an edge: of the bin above
        return y, EncodingCache(x, y, slopes)

    def backward(self, parameters: Named, cache: EncodingCache, dy: Array) -> tuple[Array, Gradients]:
        """dx_d = dy_d + gain sum over the bins of column d of dy_t / (b_t - b_(t-1)), where e_t is not held."""
        columns = len(self.edges)
        dx = dy[:, :columns].copy()
        np.add.at(dx.T, self.bins.column, (dy[:, columns:] * cache.slopes).T)
        return dx, {}


def _quantiles(column: NDArray[np.float64], bins: int) -> NDArray[np.float64]:
    """All numbers of a column (N,) if they are few; else those between which there are equally many rows, where none counts
    more than N / bins of them."""
    numbers, counts = np.unique(column, return_counts=True)
    if len(numbers) <= bins + 1:
        return numbers
    reached = np.minimum(counts, max(len(column) // bins, 1)).cumsum()
    return numbers[np.searchsorted(reached, np.linspace(0, reached[-1], bins + 1))]


def _apart(quantiles: NDArray[np.float64]) -> tuple[float, ...]:
    """Without those that lie where the one before does, to a float32."""
    edges = np.unique(quantiles.astype(np.float32)).astype(np.float64)
    return tuple(edges[np.diff(edges, prepend=-np.inf) >= NARROWEST].tolist())
