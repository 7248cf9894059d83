"""Evaluation: mean loss and metrics of a network on samples."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from pellucid.core.shapes import Array
from pellucid.data.samples import Samples
from pellucid.evaluation.metrics import OVERALL_METRICS
from pellucid.executors.logits import logit_blocks
from pellucid.mathematics.means import WeightedMeans, weighted_mean
from pellucid.nn.stack import Stack


def evaluate(stack: Stack, samples: Samples, blocks: Iterable[Array] | None = None) -> dict[str, float]:
    """Mean loss (without penalties) and metrics over the samples, weighted if they have weights.

    ``blocks`` are their logits (B, num_outputs), if these are known already.
    """
    output, means, start = stack.output, WeightedMeans(), 0
    seen: list[tuple[Array, Array]] = []
    for logits in logit_blocks(stack, samples) if blocks is None else blocks:
        rows = samples.rows[start : start + len(logits)]
        start += len(logits)
        weights = None if samples.weights is None else samples.weights[rows]
        targets = output.targets(samples.y[rows], logits.dtype)
        with np.errstate(over="ignore"):
            loss, _ = output.loss_function(logits, targets, weights)
            score = weighted_mean(output.score(logits, targets), weights)
        weight = float(len(rows)) if weights is None else float(weights.sum(dtype=np.float64))
        means.add({"loss": loss, output.metric: score}, weight, len(rows))
        if output.overall_metrics:
            seen.append((targets, logits))
    metrics = means.means()
    if seen:
        targets, predicted = (np.concatenate(arrays) for arrays in zip(*seen, strict=True))
        weights = None if samples.weights is None else samples.weights[samples.rows]
        metrics |= {name: OVERALL_METRICS[name](targets, predicted, weights) for name in output.overall_metrics}
    return metrics
