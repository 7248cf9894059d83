"""The first layers of a network for a table: vectors of categories with many values, then bins of the numbers, and vectors
of these."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pellucid.core.shapes import Array, size_of
from pellucid.data.tables.columns import VECTOR, CategoryColumn
from pellucid.data.tables.table_pipeline import TablePipeline
from pellucid.nn.layers.base import Layer
from pellucid.nn.layers.input import Input
from pellucid.nn.layers.tabular.embedding import Embedding
from pellucid.nn.layers.tabular.grouped_dense import GroupedDense
from pellucid.nn.layers.tabular.piecewise_linear_encoding import PiecewiseLinearEncoding

UNITS = 12  # numbers for a column with bins
GAIN = 1.0  # of a bin, beside its column
NO_BINS: tuple[float, ...] = ()


class TableFront(NamedTuple):
    """The ``layers``, and how many numbers they give."""

    layers: tuple[Layer, ...]
    width: int


def table_front(pipeline: TablePipeline, x: Array, bins: int) -> TableFront:
    """`Input`, an `Embedding` if there are columns with many values, `PiecewiseLinearEncoding` with edges at the
    quantiles of the training rows x (N, D), and `GroupedDense` of each column with its bins."""
    first: list[Layer] = [Input(x.shape[1])]
    (width,) = x.shape[1:]
    embedding = embedding_of(pipeline)
    if embedding is not None:
        first.append(embedding)
        others = embedding.others(width)
        (width,) = embedding.output_shape((width,))
        edges = PiecewiseLinearEncoding.fit(x[:, others], bins).edges if others else ()
        encoding = PiecewiseLinearEncoding((*edges, *[NO_BINS] * (width - len(others))), GAIN)
    else:
        encoding = PiecewiseLinearEncoding.fit(x, bins, GAIN)
    first.append(encoding)
    if len(encoding.bins.column):
        vectors = GroupedDense.of_bins(encoding, UNITS)
        first.append(vectors)
        (width,) = vectors.output_shape(encoding.output_shape((width,)))
    return TableFront(tuple(first), width)


def embedding_of(pipeline: TablePipeline) -> Embedding | None:
    """The layer that makes vectors of the columns with many values; None if there are no such columns."""
    starts = np.cumsum([0, *(column.width for column in pipeline.columns)]).tolist()
    embedded = [
        (start, len(column.values), VECTOR)
        for start, column in zip(starts, pipeline.columns, strict=False)
        if isinstance(column, CategoryColumn) and column.is_embedded
    ]
    return Embedding(tuple(embedded)) if embedded else None


def edges_of(layers: tuple[Layer, ...], number: int) -> tuple[float, ...]:
    """The edges of the bins of one number of the input; () if the first layers have none for it."""
    first, place = layers[0], number
    assert isinstance(first, Input)
    for layer in layers[1:3]:
        if isinstance(layer, Embedding):
            others = layer.others(size_of(first.shape))
            if number not in others:
                return NO_BINS
            place = others.index(number)
        elif isinstance(layer, PiecewiseLinearEncoding):
            return layer.edges[place]
    return NO_BINS
