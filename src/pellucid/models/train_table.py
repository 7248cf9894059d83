"""From a table to a model: ``pl.train`` for rows of columns."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.core.errors import ArgumentError
from pellucid.core.shapes import AnyArray
from pellucid.data.samples import Samples, split
from pellucid.data.tables.table import Table
from pellucid.models.model import Model
from pellucid.models.network import Network
from pellucid.nn.layers.input import Input
from pellucid.nn.layers.outputs.classification import Classification
from pellucid.nn.layers.outputs.regression import Regression
from pellucid.nn.layers.tabular.piecewise_linear_encoding import PiecewiseLinearEncoding
from pellucid.training.recipes.recipe import Recipe
from pellucid.training.recipes.table_rules import choose_for_table

Rows = tuple[NDArray[np.int64], NDArray[np.int64]]  # to train on, and held out
BINS = 48  # of a column of numbers, at the quantiles of the training rows
MOST_MEASURED = 200_000  # training rows; more would not move the quantiles
FEWEST_HELD_OUT = 10  # rows; a judgement on fewer would choose an epoch at random


def divide_table(table: Table, fraction: float | None, seed: int) -> Rows:
    """(training rows, held-out rows): of each class its share; none are held out if they would be fewer than ten."""
    rows = np.arange(len(table))
    if not fraction or round(len(rows) * fraction) < FEWEST_HELD_OUT:
        return rows, rows[:0]
    training, held_out = split(Samples(rows, rows, rows), fraction, seed, None if table.labels is None else table.y)
    return training.rows, held_out.rows


def _recipe(table: Table, width: int, division: Rows, changes: dict[str, Any]) -> Recipe:
    """The recipe by the rules, but for these changes of its fields. Early stopping needs rows that are held out."""
    training, held_out = division
    classes = 0 if table.labels is None else len(table.labels)
    recipe = choose_for_table(len(training), width, classes, changes.get("epochs")).changed(**changes)
    return recipe if len(held_out) else recipe.changed(validation=0.0, patience=0)


class TableTraining:
    """A training on a table that can be run: the pipeline is fitted on the training rows, the ``recipe`` chosen by rules
    but for ``changes`` of its fields, the network made."""

    def __init__(self, table: Table, division: Rows, changes: dict[str, Any], seed: int) -> None:
        self.table = table
        self.training, self.held_out = division
        self.pipeline = table.pipeline(self.training)
        self.x = table.encode(self.pipeline)
        self.recipe = recipe = _recipe(table, self.x.shape[1], division, changes)
        output = Regression() if table.labels is None else Classification(len(table.labels))
        output = replace(output, members=recipe.ensemble)
        encoding = PiecewiseLinearEncoding.fit(self.x[self.training[:MOST_MEASURED]], BINS)
        columns = (*range(len(encoding.edges)), *encoding.bins.column.tolist())  # which each encoded number comes from
        hidden = recipe.hidden_layers(encoding.output_shape(self.x.shape[1:]), columns)
        self.network = Network([Input(self.x.shape[1]), encoding, *hidden, output], seed)
        self.network.pipeline = self.pipeline

    def fit(self, options: dict[str, Any]) -> Model:
        """Fit the network, and measure on the held-out rows what its answers are worth.

        The numbers of a regression are standardised for training; afterwards mean and standard deviation go into the
        weights of the output layer, so that the network answers in the target's own units:

            y = std (w x + b) + mean  =  (std w) x + (std b + mean)
        """
        x, y, network = self.x, self.table.y, self.network
        is_regression = self.table.labels is None
        mean, std = _mean_and_std(y[self.training]) if is_regression else (0.0, 1.0)
        scaled = (y - mean) / std if is_regression else y
        validation = (x[self.held_out], scaled[self.held_out]) if len(self.held_out) else None
        try:
            network.fit(x[self.training], scaled[self.training], **(options | {"validation": validation}))
        finally:  # also where it was interrupted
            if is_regression:
                _to_own_units(network, mean, std)
        model = Model(network, labels=self.table.labels)
        if len(self.held_out) and not is_regression:
            model.calibrate(x, y, rows=self.held_out)
        if len(self.held_out):
            model.conformal(x, y, rows=self.held_out)
        return model


def _mean_and_std(y: AnyArray) -> tuple[float, float]:
    mean, std = float(y.mean()), float(y.std())
    if not std > 0:
        raise ArgumentError("the target has one value in all training rows; there is nothing to learn.")
    return mean, std


def _to_own_units(network: Network, mean: float, std: float) -> None:
    name = network.nodes[-1].name
    weight, bias = network.parameters[f"{name}.weight"], network.parameters[f"{name}.bias"]
    weight *= std
    bias *= std
    bias += mean
