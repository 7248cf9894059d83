"""A run that learns from a table: the experiment and the material that ``pl.train`` would have."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.apps.studio.runs.experiment import Experiment
from pellucid.apps.studio.runs.material import Material, OfTable
from pellucid.data.samples import Samples
from pellucid.data.tables.table import Table
from pellucid.data.weights import weights_by_class
from pellucid.models.table_split import TableSplit
from pellucid.models.train_table import TableTraining, divide_table, with_numbers
from pellucid.nn.layers.outputs.output import OutputLayer
from pellucid.training.recipes.table_rules import HELD_OUT


@dataclass(frozen=True)
class TableChoices:
    """What the page has chosen in place of the rules; None is by the rules. As the arguments of ``pl.train``."""

    epochs: int | None = None
    ensemble: int | None = None
    loss: str | None = None
    split: str = "random"

    @property
    def changes(self) -> dict[str, Any]:
        """Of the recipe."""
        found = {"epochs": self.epochs, "ensemble": self.ensemble}
        return {name: value for name, value in found.items() if value is not None}


def table_run(table: Table, name: str, choices: TableChoices, seed: int) -> tuple[Experiment, Material]:
    """What a run needs that learns from this table; ``name`` is that of the table in the studio."""
    table = with_numbers(table, choices.loss)
    by = TableSplit.of(table, choices.split)
    division = divide_table(table, HELD_OUT, seed, by)
    notes = () if by is None else tuple(filter(None, (by.left_out(), by.in_words(division, "for validation"))))
    training = TableTraining(table, division, choices.changes, seed, choices.loss)
    recipe, output = training.recipe, training.layers(training.recipe)[-1]
    assert isinstance(output, OutputLayer)
    learned, held_out = (_samples(training, output, rows) for rows in (training.training, training.held_out))
    if recipe.class_weight is not None:
        learned = replace(learned, weights=weights_by_class(recipe.class_weight, learned, output))
    experiment = Experiment("table", len(table), 0.0, seed, None, recipe, seed)
    material = Material(
        learned,
        held_out if len(held_out) else None,
        table.labels or (),
        pipeline=training.pipeline,
        table=OfTable(name, training, notes),
    )
    return experiment, material


def _samples(training: TableTraining, output: OutputLayer, rows: NDArray[np.int64]) -> Samples:
    return Samples(training.x, output.check_targets(training.y, len(training.y)), rows)
