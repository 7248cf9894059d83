"""A run that learns from a table: the experiment and the material that ``pl.train`` would have."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pellucid.apps.studio.runs.experiment import Experiment
from pellucid.apps.studio.runs.material import Material, OfTable
from pellucid.data.samples import Samples
from pellucid.data.tables.table import Table
from pellucid.data.weights import weights_by_class
from pellucid.models.train_table import TableTraining, divide_table
from pellucid.nn.layers.outputs.output import OutputLayer
from pellucid.training.recipes.table_rules import HELD_OUT


def table_run(table: Table, name: str, epochs: int | None, seed: int) -> tuple[Experiment, Material]:
    """What a run needs that learns from this table, by the rules; ``name`` is that of the table in the studio."""
    changes = {} if epochs is None else {"epochs": epochs}
    training = TableTraining(table, divide_table(table, HELD_OUT, seed), changes, seed)
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
        table=OfTable(name, training),
    )
    return experiment, material


def _samples(training: TableTraining, output: OutputLayer, rows: NDArray[np.int64]) -> Samples:
    return Samples(training.x, output.check_targets(training.y, len(training.y)), rows)
