"""What the numbers that a regression answers are called: by the targets of its table, and the levels of its quantiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from pellucid.data.pipeline import Pipeline
from pellucid.mathematics.losses import PinballLoss
from pellucid.nn.layers.outputs.output import OutputLayer
from pellucid.nn.layers.outputs.regression import Regression

if TYPE_CHECKING:
    from pellucid.data.tables.table_pipeline import TablePipeline


def target_names(pipeline: Pipeline | None) -> tuple[str, ...]:
    """Of each value that was learned; () without a table."""
    if pipeline is None or not pipeline.reads_tables:
        return ()
    return tuple(one.name for one in cast("TablePipeline", pipeline).targets)


def answer_names(pipeline: Pipeline | None, output: OutputLayer) -> tuple[str, ...]:
    """Of each number of an answer: the target, of quantiles with the level, as in "price 0.9"; () without a table."""
    names = target_names(pipeline)
    if names and isinstance(output, Regression) and output.levels:
        return tuple(f"{names[0]} {level:g}" for level in output.levels)
    return names


def score_name(pipeline: Pipeline | None, output: OutputLayer, k: int) -> str:
    """Of the score of this output, as a part of a sentence: that of the answer, of a count its logarithm."""
    name = answer_names(pipeline, output)[k]
    return f"the logarithm of {name}" if isinstance(output, Regression) and output.is_of_counts else name


def first_explained(output: OutputLayer) -> int:
    """Which output of a regression is explained if nothing says otherwise: of quantiles that nearest to 0.5, else the
    first."""
    loss = output.loss_function
    return loss.middle if isinstance(loss, PinballLoss) else 0
