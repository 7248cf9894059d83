"""From a table to a model: ``pl.train`` for rows of columns."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from pellucid.core.errors import ArgumentError
from pellucid.data.samples import Samples, split
from pellucid.data.tables.table import Table
from pellucid.data.tables.table_pipeline import TablePipeline
from pellucid.mathematics.losses import Loss
from pellucid.models.calibrate import calibrate
from pellucid.models.labelled_table import as_numbers
from pellucid.models.model import Model
from pellucid.models.network import Network
from pellucid.models.table_front import TableFront, table_front
from pellucid.models.table_split import FEWEST_HELD_OUT, Rows, TableSplit
from pellucid.models.target_units import TargetUnits
from pellucid.nn.layers.base import Layer
from pellucid.nn.layers.outputs.classification import Classification
from pellucid.nn.layers.outputs.output import OutputLayer
from pellucid.nn.layers.outputs.regression import Regression
from pellucid.training.recipes.recipe import Recipe
from pellucid.training.recipes.table_rules import choose_for_table
from pellucid.training.runs.run import recorded

BINS = 48  # of a column of numbers, at the quantiles of the training rows
MOST_MEASURED = 200_000  # training rows; more would not move the quantiles


def divide_table(table: Table, fraction: float | None, seed: int, by: TableSplit | None = None) -> Rows:
    """(training rows, held-out rows): of each class its share, or as a time or group says; none are held out if they would
    be fewer than ten."""
    rows = np.arange(len(table))
    if by is not None and fraction:
        return by.divide(fraction, seed)
    if not fraction or round(len(rows) * fraction) < FEWEST_HELD_OUT:
        return rows, rows[:0]
    training, held_out = split(Samples(rows, rows, rows), fraction, seed, None if table.labels is None else table.y)
    return training.rows, held_out.rows


def with_numbers(table: Table, loss: str | Loss | None, resumed: Model | None = None) -> Table:
    """The table; where a ``loss`` for numbers or a regression that goes on says so, few whole numbers are no classes."""
    asked = isinstance(resumed.network.output, Regression) if resumed else loss not in (None, "cross_entropy")
    return as_numbers(table) if asked else table


def _recipe(table: Table, width: int, division: Rows, changes: dict[str, Any]) -> Recipe:
    """The recipe by the rules, but for these changes of its fields. Early stopping needs rows that are held out."""
    training, held_out = division
    classes = 0 if table.labels is None else len(table.labels)
    recipe = choose_for_table(len(training), width, classes, changes.get("epochs")).changed(**changes)
    if recipe.class_weight is not None and not classes:
        raise ArgumentError(
            f"class weights are for a target of classes; {table.target.name!r} is a number. Leave --class-weight "
            f"(class_weight=) out, or say that it has classes: --kind {table.target.name}=category."
        )
    return recipe if len(held_out) else recipe.changed(validation=0.0, patience=0)


def _output(table: Table, loss: str | Loss | None) -> Classification | Regression:
    """The output layer of this target, with the ``loss`` that was asked for."""
    if table.labels is None:
        return Regression(len(table.targets), "mse" if loss is None else loss)
    if loss not in (None, "cross_entropy"):
        raise ArgumentError(
            f"the target {table.target.name!r} has classes, whose loss is the cross-entropy, not {loss!r}. Leave --loss "
            f"(loss=) out, or say that it is a number: --kind {table.target.name}=number."
        )
    return Classification(len(table.labels))


def _pipeline_to_go_on(table: Table, model: Model) -> TablePipeline:
    """The pipeline of a model that learned from such a table. Raises `ArgumentError` if it was another one."""
    pipeline = model.pipeline
    if not isinstance(pipeline, TablePipeline):
        raise ArgumentError("a training on a table goes on with a model of tables; this one reads pictures or arrays.")
    for what, ours, theirs in (
        ("columns", table.columns, pipeline.columns),
        ("targets", table.targets, pipeline.targets),
    ):
        now, then = ([f"{column.name} ({column.kind})" for column in columns] for columns in (ours, theirs))
        if now != then:
            changed = [f"now with {one}" for one in now if one not in then]
            changed += [f"now without {one}" for one in then if one not in now]
            raise ArgumentError(f"the model learned from other {what}: {', '.join(changed[:5]) or 'in another order'}.")
    if (table.labels or ()) != model.labels:
        shown = [", ".join(map(str, labels[:20])) or "none" for labels in (model.labels, table.labels or ())]
        raise ArgumentError(f"the model learned other classes: {shown[0]}; now {shown[1]}.")
    return pipeline


class TableTraining:
    """A training on a table that can be run: the pipeline is fitted on the training rows, the ``recipe`` chosen by rules
    but for ``changes`` of its fields. The numbers ``y`` of a regression are scaled for training (`TargetUnits`). With a
    model that is ``resumed`` its network goes on, with its pipeline."""

    def __init__(
        self,
        table: Table,
        division: Rows,
        changes: dict[str, Any],
        seed: int,
        loss: str | Loss | None = None,
        resumed: Model | None = None,
    ) -> None:
        self.table, self.seed, self.loss, self.resumed = table, seed, loss, resumed
        self.training, self.held_out = division
        self.pipeline = _pipeline_to_go_on(table, resumed) if resumed else table.pipeline(self.training)
        output: OutputLayer = resumed.network.output if resumed else _output(table, loss)
        self.x = table.encode(self.pipeline)
        self.recipe = _recipe(table, self.x.shape[1], division, changes)
        of_training = table.y[self.training]
        self.units = TargetUnits.of(of_training, output) if isinstance(output, Regression) else None
        self.y = table.y if self.units is None else self.units.scaled(table.y)

    @property
    def is_regression(self) -> bool:
        return self.units is not None

    @property
    def std(self) -> float:
        """How large the unit of losses and errors in the course of training is, of the first value; 1 for classes."""
        return 1.0 if self.units is None else float(np.ravel(self.units.scale)[0])

    @cached_property
    def front(self) -> TableFront:
        """The first layers, measured on the training rows."""
        return table_front(self.pipeline, self.x[self.training[:MOST_MEASURED]], BINS)

    @cached_property
    def network(self) -> Network:
        """The network of the recipe, or the one that goes on."""
        if self.resumed is not None:
            return self.resumed.network
        network = Network(self.layers(self.recipe), self.seed)
        network.pipeline = self.pipeline
        return network

    def layers(self, recipe: Recipe) -> list[Layer]:
        """All layers of a network of this recipe."""
        front = self.front
        hidden = recipe.hidden_layers((front.width,))
        output = replace(_output(self.table, self.loss), members=recipe.ensemble)
        return [*front.layers, *hidden, output]

    def fit(self, options: dict[str, Any]) -> Model:
        """Fit the network, and measure on the held-out rows what its answers are worth."""
        x, y, network = self.x, self.y, self.network
        validation = (x[self.held_out], y[self.held_out]) if len(self.held_out) else None
        if self.resumed is not None and self.units is not None:
            self.units.leave(network)
        with recorded(options | {"validation": validation}) as (record, options):
            try:
                network.fit(x[self.training], y[self.training], **options)
            finally:  # also where it was interrupted
                self.to_own_units(network)
            model = self.measured(network)
            if record is not None:
                record.finish(model.to_bytes)
        return model

    def to_own_units(self, network: Network) -> None:
        """Let a network that has learned ``y`` answer in the target's own units."""
        if self.units is not None:
            self.units.enter(network)

    def measured(self, network: Network) -> Model:
        """The model of a network that answers in own units, with what the held-out rows say of its answers."""
        model = Model(network, self.pipeline, self.table.labels)
        calibrate(model, self.x, self.table.y, self.held_out)
        return model
