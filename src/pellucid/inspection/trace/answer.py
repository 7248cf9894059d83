"""The end of the road, term by term: from the scores to an answer, and from an answer to the loss."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from pellucid.core.shapes import AnyArray, Array
from pellucid.mathematics.activations import softmax, softplus
from pellucid.mathematics.losses import (
    BinaryCrossEntropy,
    CrossEntropy,
    Huber,
    Loss,
    MeanAbsoluteError,
    MeanSquaredError,
    PinballLoss,
    PoissonLoss,
    each_member,
)
from pellucid.nn.layers.outputs.classification import BinaryClassification, Classification, ClassifyingOutput
from pellucid.nn.layers.outputs.output import OutputLayer
from pellucid.nn.layers.outputs.regression import Regression

OF_VALUES = ("identity", "exponential", "ascending")  # the kinds of answers that are no classes


@dataclass(frozen=True)
class AnswerTrace:
    """From the scores z (B, V) of the output layer to the answer.

    logits         (B, V) of an ensemble: the mean of the scores of its members, in place of z; else None
    kind           "softmax" (one of K classes), "sigmoid" (yes or no); of a regression "identity" (the values themselves),
                   "exponential" (e^z, expected counts) or "ascending" (quantiles, put in order)
    predictions    (B,) class numbers; for a regression the values, (B,) or (B, V)
    probabilities  (B, K); None for a regression
    softmax        its steps: ``maximum`` (B,), ``shifted`` z - maximum (B, K), ``exponentials`` e^shifted (B, K), and
                   ``total``, their sum (B,), by which each is divided; empty for the other kinds
    """

    kind: str
    predictions: AnyArray
    probabilities: Array | None = None
    softmax: dict[str, Array] = field(default_factory=dict)
    logits: Array | None = None


@dataclass(frozen=True)
class LossTrace:
    """From the scores and the targets to one number.

    loss     the `Loss`
    targets  (B, V) what the scores are compared with; ``smoothed`` after label smoothing
    terms    (B, V) what each score adds; None for a loss of your own. Of an ensemble in training (B, M, V): each member has
             its loss
    samples  (B,) the loss of each sample: the sum of its terms for the cross-entropy of a softmax, else their mean; of an
             ensemble in training, the mean over its members
    value    the mean over the batch; ``objective`` adds ``penalty``, that of the weights
    """

    loss: Loss
    targets: Array
    smoothed: Array
    terms: Array | None
    samples: Array
    value: float
    penalty: float

    @property
    def smoothing(self) -> float:
        """The label smoothing of the loss."""
        return getattr(self.loss, "label_smoothing", 0.0)

    @property
    def objective(self) -> float:
        """What training descends: loss + penalty."""
        return self.value + self.penalty


def answer_trace(output: OutputLayer, scores: Array) -> AnswerTrace:
    """The road from the scores (B, V), or those of the members (B, M, V), to the answer of this output layer."""
    z = output.answer(scores)
    answer = _from_logits(output, z)
    return answer if output.members == 1 else replace(answer, logits=z)


def _from_logits(output: OutputLayer, z: Array) -> AnswerTrace:
    predictions = output.predict(z)
    if isinstance(output, Classification):
        maximum = z.max(axis=-1)
        shifted = z - maximum[:, None]
        exponentials = np.exp(shifted)
        steps = {"maximum": maximum, "shifted": shifted, "exponentials": exponentials, "total": exponentials.sum(axis=-1)}
        return AnswerTrace("softmax", predictions, softmax(z), steps)
    if isinstance(output, BinaryClassification):
        return AnswerTrace("sigmoid", predictions, output.probabilities(z))
    if isinstance(output, Regression) and (output.is_of_counts or output.levels):
        return AnswerTrace("exponential" if output.is_of_counts else "ascending", predictions)
    probabilities = output.probabilities(z) if isinstance(output, ClassifyingOutput) else None
    return AnswerTrace("identity", predictions, probabilities)


def loss_trace(loss: Loss, z: Array, targets: Array, value: float, penalty: float) -> LossTrace:
    """The loss ``value`` of scores z (B, V), or (B, M, V) of members, against targets (B, V), term by term."""
    smoothed = _smoothed(loss, targets)
    rows, wanted, _ = each_member(z, targets, None)
    samples, _ = loss.terms(rows, wanted)
    terms = _terms(loss, rows, each_member(z, smoothed, None)[1])
    if z.ndim == 3:
        samples = samples.reshape(z.shape[:2]).mean(axis=1)
        terms = None if terms is None else terms.reshape(z.shape)
    return LossTrace(loss, targets, smoothed, terms, samples, value, penalty)


def _smoothed(loss: Loss, targets: Array) -> Array:
    if not isinstance(loss, CrossEntropy | BinaryCrossEntropy) or not loss.label_smoothing:
        return targets
    classes = targets.shape[-1] if isinstance(loss, CrossEntropy) else 2
    return (1 - loss.label_smoothing) * targets + loss.label_smoothing / classes


def _terms(loss: Loss, z: Array, targets: Array) -> Array | None:
    """What each score adds to the loss of its sample. ``targets`` are smoothed already."""
    if isinstance(loss, CrossEntropy):
        shifted = z - z.max(axis=-1, keepdims=True)
        return targets * (np.log(np.exp(shifted).sum(axis=-1, keepdims=True)) - shifted)
    if isinstance(loss, BinaryCrossEntropy):
        return softplus(z) - targets * z
    if isinstance(loss, PinballLoss):
        return loss.of_levels(z, targets)
    if isinstance(loss, MeanSquaredError | MeanAbsoluteError | Huber | PoissonLoss):  # the mean over values
        return np.stack([loss.terms(z[:, v : v + 1], targets[:, v : v + 1])[0] for v in range(z.shape[1])], axis=1)
    return None
