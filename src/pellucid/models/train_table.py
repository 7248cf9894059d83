"""From a table to a model: ``pl.train`` for rows of columns."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.core.errors import ArgumentError
from pellucid.core.shapes import AnyArray
from pellucid.data.samples import Samples, split
from pellucid.data.tables.table import Table
from pellucid.models.model import Model
from pellucid.models.network import Network
from pellucid.nn.layers.base import Layer
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
    but for ``changes`` of its fields.

    The numbers ``y`` of a regression are standardised for training; afterwards mean and standard deviation go into the
    weights of the output layer (`to_own_units`), so that the network answers in the target's own units:

        y = std (w x + b) + mean  =  (std w) x + (std b + mean)
    """

    def __init__(self, table: Table, division: Rows, changes: dict[str, Any], seed: int) -> None:
        self.table, self.seed = table, seed
        self.training, self.held_out = division
        self.pipeline = table.pipeline(self.training)
        self.x = table.encode(self.pipeline)
        self.recipe = _recipe(table, self.x.shape[1], division, changes)
        self.mean, self.std = _mean_and_std(table.y[self.training]) if self.is_regression else (0.0, 1.0)
        self.y = (table.y - self.mean) / self.std if self.is_regression else table.y

    @property
    def is_regression(self) -> bool:
        return self.table.labels is None

    @cached_property
    def encoding(self) -> PiecewiseLinearEncoding:
        """The bins of the training rows."""
        return PiecewiseLinearEncoding.fit(self.x[self.training[:MOST_MEASURED]], BINS)

    @cached_property
    def network(self) -> Network:
        """The network of the recipe."""
        network = Network(self.layers(self.recipe), self.seed)
        network.pipeline = self.pipeline
        return network

    def layers(self, recipe: Recipe) -> list[Layer]:
        """All layers of a network of this recipe."""
        output = Regression() if self.table.labels is None else Classification(len(self.table.labels))
        encoding = self.encoding
        columns = (*range(len(encoding.edges)), *encoding.bins.column.tolist())  # which each encoded number comes from
        hidden = recipe.hidden_layers(encoding.output_shape(self.x.shape[1:]), columns)
        return [Input(self.x.shape[1]), encoding, *hidden, replace(output, members=recipe.ensemble)]

    def fit(self, options: dict[str, Any]) -> Model:
        """Fit the network, and measure on the held-out rows what its answers are worth."""
        x, y, network = self.x, self.y, self.network
        validation = (x[self.held_out], y[self.held_out]) if len(self.held_out) else None
        try:
            network.fit(x[self.training], y[self.training], **(options | {"validation": validation}))
        finally:  # also where it was interrupted
            self.to_own_units(network)
        return self.measured(network)

    def to_own_units(self, network: Network) -> None:
        """Let a network that has learned ``y`` answer in the target's own units."""
        if self.is_regression:
            name = network.nodes[-1].name
            weight, bias = network.parameters[f"{name}.weight"], network.parameters[f"{name}.bias"]
            weight *= self.std
            bias *= self.std
            bias += self.mean

    def measured(self, network: Network) -> Model:
        """The model of a network that answers in own units, with what the held-out rows say of its answers."""
        model = Model(network, self.pipeline, self.table.labels)
        if len(self.held_out) and not self.is_regression:
            model.calibrate(self.x, self.table.y, rows=self.held_out)
        if len(self.held_out):
            model.conformal(self.x, self.table.y, rows=self.held_out)
        return model


def _mean_and_std(y: AnyArray) -> tuple[float, float]:
    mean, std = float(y.mean()), float(y.std())
    if not std > 0:
        raise ArgumentError("the target has one value in all training rows; there is nothing to learn.")
    return mean, std
