"""Evaluation: mean loss and metrics of a network on samples."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from pellucid.core.shapes import AnyArray, Array
from pellucid.data.samples import Samples
from pellucid.evaluation.metrics import OVERALL_METRICS
from pellucid.executors.logits import logit_blocks
from pellucid.mathematics.means import WeightedMeans, weighted_mean
from pellucid.nn.layers.outputs.output import OutputLayer
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
        loss, score = _loss_and_metric(output, logits, samples.y[rows], weights)
        weight = float(len(rows)) if weights is None else float(weights.sum(dtype=np.float64))
        means.add({"loss": loss, output.metric: score}, weight, len(rows))
        if output.overall_metrics:
            seen.append((output.targets(samples.y[rows], logits.dtype), output.values(logits)))
    metrics = means.means()
    if seen:
        targets, predicted = (np.concatenate(arrays) for arrays in zip(*seen, strict=True))
        weights = None if samples.weights is None else samples.weights[samples.rows]
        metrics |= {name: OVERALL_METRICS[name](targets, predicted, weights) for name in output.overall_metrics}
    return metrics


def _loss_and_metric(output: OutputLayer, logits: Array, y: AnyArray, weights: Array | None) -> tuple[float, float]:
    """Mean loss and metric of a batch; in float64 where the loss is too large for float32."""
    targets = output.targets(y, logits.dtype)
    with np.errstate(all="ignore"):
        loss, _ = output.loss_function(logits, targets, weights)
        metric = weighted_mean(output.score(logits, targets), weights)
    if math.isfinite(loss) or logits.dtype == np.float64:
        return loss, metric
    return _loss_and_metric(output, logits.astype(np.float64), y, weights)
