"""PeriodicEmbedding: each number beside waves of it, whose frequencies are learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pellucid.core.checks import number_between, positive_integer
from pellucid.core.errors import ArgumentError, ShapeError
from pellucid.core.shapes import Array, Shape
from pellucid.mathematics.initializers import VarianceScaling
from pellucid.nn.layers.base import Context, Gradients, Layer, Named, ParameterSpec

LARGEST_SIGMA = 1e6
TURN = 2 * np.pi


class PeriodicEmbeddingCache(NamedTuple):
    """x (B, D), and w x + b less the nearest whole number, (B, columns, F): where in its turn each wave is, -1/2 to 1/2."""

    x: Array
    turns: Array


@dataclass(frozen=True)
class PeriodicEmbedding(Layer):
    """y = (x, waves of x): the D columns, then for each embedded column F numbers

        cos(2 pi (w_f x + b_f))                 f = 1 ... F

    with frequencies w and phases b that are learned, for each column its own. A dense layer behind them can be any sum of
    such waves: it bends in every column, and more than once.

    frequencies  F, how many for each column
    columns      those that are embedded; None: all. Yes and no has only two values, and needs no waves
    sigma        the frequencies start as normal numbers with this standard deviation: about so many turns for a step of 1

    The phases ``phase`` start anywhere in a turn. Neither penalties nor weight decay act on ``frequency`` and ``phase``.
    Source: Gorishniy, Rubachev and Babenko 2022 (arXiv:2203.05556), there with sines and without b; with learned phases and
    beside x in RealMLP (Holzmüller, Grinsztajn and Steinwart 2024, arXiv:2407.04491), which has F = 16 and sigma = 0.1.
    """

    frequencies: int = 16
    columns: tuple[int, ...] | None = None
    sigma: float = 0.1

    def __post_init__(self) -> None:
        positive_integer(self.frequencies, "PeriodicEmbedding(frequencies)")
        number_between(self.sigma, "PeriodicEmbedding(sigma)", 0.0, LARGEST_SIGMA, open_low=True)
        columns = self.columns
        if columns is None:
            return
        are_columns = isinstance(columns, tuple) and all(type(column) is int and column >= 0 for column in columns)
        if not are_columns or not columns or len(set(columns)) != len(columns):
            raise ArgumentError(
                f"PeriodicEmbedding(columns) is a tuple of different columns, counted from 0, or None for all; not "
                f"{columns!r:.60}."
            )

    def embedded(self, inputs: int) -> list[int]:
        """The columns that are embedded, in their order."""
        return list(range(inputs) if self.columns is None else self.columns)

    def output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) != 1:
            raise ShapeError(f"PeriodicEmbedding takes rows of numbers; samples of the shape {input_shape} came.")
        (inputs,) = input_shape
        embedded = self.embedded(inputs)
        if max(embedded) >= inputs:
            raise ShapeError(f"PeriodicEmbedding has the column {max(embedded)} of a row; this one has {inputs} numbers.")
        return (inputs + len(embedded) * self.frequencies,)

    def parameter_specs(self, input_shape: Shape) -> tuple[ParameterSpec, ...]:
        count = len(self.embedded(input_shape[0]))
        shape = (count, self.frequencies)  # a fan of `count`, so a variance of scale / count
        return (
            ParameterSpec("frequency", shape, VarianceScaling(count * self.sigma**2, "fan_in", "normal")),
            ParameterSpec("phase", shape, VarianceScaling(count / 12, "fan_in", "uniform")),
        )

    def forward(self, parameters: Named, x: Array, context: Context) -> tuple[Array, PeriodicEmbeddingCache]:
        t = x[:, self.embedded(x.shape[1]), None] * parameters["frequency"] + parameters["phase"]
        turns = t - np.rint(t)  # the same wave, from a small number
        waves = np.cos(x.dtype.type(TURN) * turns)
        return np.concatenate([x, waves.reshape(len(x), -1)], axis=1), PeriodicEmbeddingCache(x, turns)

    def backward(self, parameters: Named, cache: PeriodicEmbeddingCache, dy: Array) -> tuple[Array, Gradients]:
        """With t = w x + b and dt_bdf = -2 pi sin(2 pi t_bdf) dy_bdf:

        dx_bd = dy_bd + sum_f dt_bdf w_df
        dw_df = sum_b dt_bdf x_bd
        db_df = sum_b dt_bdf
        """
        x, turns = cache
        inputs, embedded, turn = x.shape[1], self.embedded(x.shape[1]), dy.dtype.type(TURN)
        dt = -turn * np.sin(turn * turns) * dy[:, inputs:].reshape(turns.shape)
        dx = dy[:, :inputs].copy()
        dx[:, embedded] += np.einsum("bdf,df->bd", dt, parameters["frequency"])
        return dx, {"frequency": np.einsum("bdf,bd->df", dt, x[:, embedded]), "phase": dt.sum(axis=0)}
