"""Evaluation: mean loss and metric of a network on samples."""

from __future__ import annotations

import numpy as np

from pellucid.core.shapes import Array
from pellucid.data.samples import Samples
from pellucid.evaluation.metrics import r2
from pellucid.executors.logits import block_size, finite_logits
from pellucid.mathematics.means import WeightedMeans, weighted_mean
from pellucid.nn.stack import Stack


def evaluate(stack: Stack, samples: Samples) -> dict[str, float]:
    """Mean loss (without penalties) and metric over the samples, weighted if they have weights; for regression, also r2."""
    arrays, output = stack.arrays(), stack.output
    means = WeightedMeans()
    seen: list[tuple[Array, Array]] = []
    for batch in samples.in_order(block_size(stack)):
        logits = finite_logits(stack, batch.x, arrays)
        targets = output.targets(batch.y, stack.dtype)
        with np.errstate(over="ignore"):
            loss, _ = output.loss_function(logits, targets, batch.weights)
            score = weighted_mean(output.score(logits, targets), batch.weights)
        means.add({"loss": loss, output.metric: score}, batch.weight, len(batch.x))
        if output.metric == "mae":
            seen.append((targets, logits))
    figures = means.means()
    if seen:
        targets, predicted = (np.concatenate(arrays) for arrays in zip(*seen, strict=True))
        weights = None if samples.weights is None else samples.weights[samples.rows]
        figures["r2"] = r2(targets, predicted, weights)
    return figures
