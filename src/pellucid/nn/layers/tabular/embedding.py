"""Embedding: a category becomes a vector of numbers, which is learned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pellucid.core import random
from pellucid.core.errors import ArgumentError, ShapeError
from pellucid.core.shapes import Array, Shape
from pellucid.mathematics.initializers import Initializer
from pellucid.nn.layers.base import Context, Gradients, Layer, Named, ParameterSpec

MOST_VALUES = 1 << 22  # up to here float32 has all halves, which are the bounds between two categories
MOST_WIDTH = 1 << 12


class EmbeddingCache(NamedTuple):
    """Which vector each column has taken (B, columns), and how many columns a sample had."""

    categories: NDArray[np.int64]
    inputs: int


class _Vectors(Initializer):
    """Normal numbers of the variance 1 / width, so that a vector has about the length 1, as a one-hot one has; the last
    vector is 0."""

    def draw(self, shape: Shape, key: random.Key) -> Array:
        vectors = random.normal(key, shape) / np.sqrt(shape[-1])
        vectors[-1] = 0
        return vectors


@dataclass(frozen=True)
class Embedding(Layer):
    """y = (the other columns, then v[x] of each embedded one): each of K categories has a vector v_k of W numbers.

    columns  for each embedded column (column, K, W). Its numbers are 0, 1, ... K - 1; anything else (-1, a category that
             training has not seen) has the vector v_K of its own

    The vectors of a column are one array (K + 1, W), ``vectors_<column>``. Penalties and weight decay act on them. v_K
    starts at 0, in the middle of the others: if some numbers of the training are none of the K, it is learned from them; if
    none are, it stays there, and says nothing. What counts is the nearest whole number.

    One-hot numbers with a dense layer behind them compute the same for W = units, with K weights for each unit. Source: Guo
    and Berkhahn 2016 (arXiv:1604.06737).
    """

    columns: tuple[tuple[int, int, int], ...]

    def __post_init__(self) -> None:
        if not isinstance(self.columns, tuple) or not self.columns:
            raise ArgumentError(
                f"Embedding(columns) is a tuple with (column, categories, width) of each embedded column, not "
                f"{self.columns!r:.60}."
            )
        for one in self.columns:
            if not isinstance(one, tuple) or len(one) != 3 or any(type(number) is not int for number in one):
                raise ArgumentError(
                    f"Embedding(columns) has three whole numbers (column, categories, width) for each embedded column, not "
                    f"{one!r:.60}."
                )
            column, values, width = one
            if column < 0 or not 1 <= values <= MOST_VALUES or not 1 <= width <= MOST_WIDTH:
                raise ArgumentError(
                    f"Embedding(columns): a column is counted from 0, has 1 to {MOST_VALUES:,} categories and a width of 1 "
                    f"to {MOST_WIDTH:,}, not {one!r}."
                )
        embedded = [column for column, _, _ in self.columns]
        twice = next((column for column in embedded if embedded.count(column) > 1), None)
        if twice is not None:
            raise ArgumentError(f"Embedding(columns) has the column {twice} twice.")

    def others(self, inputs: int) -> list[int]:
        """The columns that go through as they are."""
        embedded = {column for column, _, _ in self.columns}
        return [column for column in range(inputs) if column not in embedded]

    def places(self, inputs: int) -> Iterator[tuple[int, slice]]:
        """Each embedded column, and where its vector stands in the output."""
        start = inputs - len(self.columns)
        for column, _, width in self.columns:
            yield column, slice(start, start + width)
            start += width

    def output_shape(self, input_shape: Shape) -> Shape:
        last = max(column for column, _, _ in self.columns)
        if len(input_shape) != 1 or input_shape[0] <= last:
            raise ShapeError(f"Embedding has the column {last} of a row; samples of the shape {input_shape} came.")
        return (input_shape[0] + sum(width - 1 for _, _, width in self.columns),)

    def parameter_specs(self, input_shape: Shape) -> tuple[ParameterSpec, ...]:
        return tuple(
            ParameterSpec(f"vectors_{column}", (values + 1, width), _Vectors(), is_weight=True)
            for column, values, width in self.columns
        )

    def forward(self, parameters: Named, x: Array, context: Context) -> tuple[Array, EmbeddingCache]:
        given = x[:, [column for column, _, _ in self.columns]]
        values = np.array([values for _, values, _ in self.columns])
        with np.errstate(invalid="ignore"):  # NaN is none of them
            is_known = (given > -0.5) & (given < (values - 0.5).astype(x.dtype))
            categories = np.where(is_known, np.rint(np.where(is_known, given, 0)), values).astype(np.int64)
        vectors = (
            parameters[f"vectors_{column}"][own] for (column, _, _), own in zip(self.columns, categories.T, strict=True)
        )
        y = np.concatenate([x[:, self.others(x.shape[1])], *vectors], axis=1)
        return y, EmbeddingCache(categories, x.shape[1])

    def backward(self, parameters: Named, cache: EmbeddingCache, dy: Array) -> tuple[Array, Gradients]:
        """A vector gets what comes to the samples that have taken it: dv_k = sum of dy_b over b with category k. The other
        columns get their dy; a category has no slope, since a vector does not change between two whole numbers."""
        others = self.others(cache.inputs)
        dx = np.zeros((len(dy), cache.inputs), dy.dtype)
        dx[:, others] = dy[:, : len(others)]
        gradients: Gradients = {}
        for (column, place), own in zip(self.places(cache.inputs), cache.categories.T, strict=True):
            gradient = np.zeros_like(parameters[f"vectors_{column}"])
            np.add.at(gradient, own, dy[:, place])
            gradients[f"vectors_{column}"] = gradient
        return dx, gradients
