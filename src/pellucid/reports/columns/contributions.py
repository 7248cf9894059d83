"""What each column contributes to the answers of many rows: the attribution of each row, summed to its columns."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pellucid.core import random
from pellucid.core.shapes import Array
from pellucid.data.tables.columns import CategoryColumn
from pellucid.data.tables.table_pipeline import TablePipeline
from pellucid.inspection.attribution.attribute import attribute
from pellucid.inspection.attribution.categories import UNSEEN
from pellucid.models.model import Model
from pellucid.models.value_names import first_explained, score_name
from pellucid.nn.layers.outputs.classification import BinaryClassification, ClassifyingOutput

ROWS = 100  # of the test; their attributions take a few seconds
Z = 1.959963984540054  # standard deviations of a 95 % interval


@dataclass(frozen=True)
class ColumnContribution:
    """The mean ``size`` of the contributions of a column, each without its sign, and its 95 % interval."""

    column: str
    size: float
    low: float
    high: float


@dataclass(frozen=True)
class Contributions:
    """Of each column to the score, counted from the mean of the rows; the largest first.

    rows         that were explained, of ``rows_in_all``
    method       "exact" or "integrated_gradients"
    gap          the largest of a row: score - contributions - what the score is counted from; ``relative_gap`` as a part of
                 the score
    unit         of the score, in words
    """

    columns: tuple[ColumnContribution, ...]
    rows: int
    rows_in_all: int
    method: str
    gap: float
    relative_gap: float
    unit: str


def contributions_of(model: Model, x: Array, rows: int = ROWS, seed: int = 0) -> Contributions:
    """The contributions to the answers for rows x (N, D) in the network's form, or for a sample of so many of them.

    In units of the target for a regression (of several targets, of the first one; of quantiles, of that nearest to 0.5; of
    a count its logarithm); for classes in units of the score, a difference of two logits.
    """
    pipeline, network = model.pipeline, model.network
    assert isinstance(pipeline, TablePipeline)
    order = random.permutation(random.key(seed, random.Purpose.PERMUTE), len(x))
    chosen = x[np.sort(order[:rows])]
    target, against, unit = None, None, "units of the logit of the answer"
    if not isinstance(network.output, ClassifyingOutput):
        target = first_explained(network.output)
        unit = f"units of {score_name(pipeline, network.output, target)}"
    elif not isinstance(network.output, BinaryClassification):
        unit = "units of the logit of the answer minus that of the runner-up"
        target, against = np.argsort(-network.predict_proba(chosen), axis=1, kind="stable")[:, :2].T
    found = attribute(network, chosen, target, against=against, baseline=_middle(pipeline, chosen))
    given = np.zeros((len(pipeline.columns), len(chosen)))
    np.add.at(given, pipeline.sources, found.contributions.T)
    sizes = np.abs(given)
    reach = Z * sizes.std(axis=1) / math.sqrt(len(chosen))
    columns = [
        ColumnContribution(column.name, float(size), max(float(size - r), 0.0), float(size + r))
        for column, size, r in zip(pipeline.columns, sizes.mean(axis=1), reach, strict=True)
    ]
    worst = int(np.abs(found.gap).argmax())
    return Contributions(
        tuple(sorted(columns, key=lambda one: -one.size)),
        *(len(chosen), len(x), found.method),
        *(float(abs(found.gap[worst])), float(found.relative_gap.max())),
        unit,
    )


def _middle(pipeline: TablePipeline, x: Array) -> Array:
    """The mean row (D,); where a number is the place of a value, which has no mean, that of no value."""
    middle = x.mean(axis=0)
    for k, column in enumerate(pipeline.columns):
        if isinstance(column, CategoryColumn) and column.is_embedded:
            middle[pipeline.sources == k] = UNSEEN
    return middle
