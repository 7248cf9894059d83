"""All numbers of the explanation of one answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.core.shapes import Array, Label
from pellucid.inspection.attribution.result import Attribution
from pellucid.inspection.trace.answer import OF_VALUES
from pellucid.inspection.trace.neuron import NeuronTrace
from pellucid.inspection.trace.trace import Trace

if TYPE_CHECKING:
    from pellucid.reports.explanation.photo import Activation, Resembled
    from pellucid.reports.explanation.table_row import ExplainedRow


@dataclass(frozen=True)
class Score:
    """A row of the table of scores; for a regression, a value alone.

    If the model has a temperature T, ``scaled`` is z / T, the input of the softmax or sigmoid, and ``untempered`` is the
    probability with T = 1. Else both are None.
    """

    label: Label
    score: float
    scaled: float | None = None
    shifted: float | None = None
    exponential: float | None = None
    probability: float | None = None
    untempered: float | None = None

    @property
    def own(self) -> float:
        """The probability with T = 1, as in the training loss."""
        own = self.probability if self.untempered is None else self.untempered
        assert own is not None
        return own


@dataclass(frozen=True)
class Change:
    """What would have changed the answer: the runner-up wins if it gains the ``margin`` between the two scores.

    ``reasons``: the largest contributions of inputs of the output layer to the margin, x_d (w_d,first - w_d,second), as
    (d, x_d, difference of the weights, product); ``bias`` is the difference of the biases, ``others`` the contribution of
    the other inputs.
    """

    runner_up: Label
    margin: float
    reasons: tuple[tuple[int, float, float, float], ...]
    others: float
    bias: float


@dataclass(frozen=True)
class Cover:
    """Where covering a part of the picture with 0 lowers the margin most: the pixel, the size of the window, and the mean
    fall over all windows that contain the pixel."""

    place: tuple[int, int]
    window: tuple[int, int]
    fall: float


@dataclass(frozen=True)
class LayerExplanation:
    """One layer: its name and shape, how many outputs are not 0, their range, and the strongest neurons."""

    name: str
    kind: str
    shape: tuple[int, ...]
    active: int
    smallest: float
    largest: float
    neurons: tuple[NeuronTrace, ...]


@dataclass(frozen=True, eq=False)
class Findings:
    """The numbers of an explanation.

    label, probability   the answer, as `Model.predict` gives it; the probability is None for a regression, whose label is
                         its value
    doubt                None, or why the picture may show nothing that the network knows; this lowers ``probability``, but
                         not those in ``scores``
    seen                 the picture as the network's input, uint8 (H, W) or (H, W, 3), or None for an array
    layers, scores       the forward pass; ``total`` is the sum of the exponentials of a softmax
    change, cover        None for a regression; ``cover`` also if there is no picture
    attribution          the contribution of each input to the answer, compared with the runner-up
    row                  None, or the cells of a row of a table, and what each column contributes
    activation           None, or what each place of a picture contributes to the margin
    resembled            the photos to learn from that are nearest to the picture, if there are some to compare with
    trace                all numbers of the forward pass, and of the backward pass for the label ``backward_from``
    """

    source: str
    label: Label | float | list[float]
    probability: float | None
    doubt: str | None
    seen: NDArray[np.uint8] | None
    layers: tuple[LayerExplanation, ...]
    scores: tuple[Score, ...]
    total: float | None
    temperature: float | None
    change: Change | None
    cover: Cover | None
    attribution: Attribution
    row: ExplainedRow | None
    trace: Trace
    backward_from: Label | None
    activation: Activation | None = None
    resembled: tuple[Resembled, ...] = ()

    @property
    def kind(self) -> str:
        """ "softmax" or "sigmoid"; of a regression "identity", "exponential" or "ascending"."""
        return self.trace.answer.kind

    @property
    def is_of_values(self) -> bool:
        """Whether the answer is one of a regression."""
        return self.kind in OF_VALUES

    @property
    def answered(self) -> Score:
        """The score of the answer."""
        return next(score for score in self.scores if score.label == self.label)

    @property
    def given(self) -> Array:
        """The sample as it was given to the network, without the batch axis."""
        return self.trace.layers[0].input[0]

    def to_data(self) -> dict[str, Any]:
        """Everything as plain data, not rounded."""
        layers = [
            {**vars(layer), "shape": list(layer.shape), "neurons": [neuron.to_data() for neuron in layer.neurons]}
            for layer in self.layers
        ]
        scores = [{key: value for key, value in vars(score).items() if value is not None} for score in self.scores]
        change, cover, row = self.change, self.cover, self.row
        return {
            "source": self.source,
            "kind": self.kind,
            "label": self.label,
            "probability": self.probability,
            "doubt": self.doubt,
            "input": self.given.tolist(),
            **({} if row is None else {"cells": _cells_data(row)}),
            **({} if row is None else {"other_cells": [one.to_data() for one in row.other_cells]}),
            "layers": layers,
            "scores": scores,
            "total": self.total,
            "temperature": self.temperature,
            "change": change and _change_data(change),
            "cover": cover and {**vars(cover), "place": list(cover.place), "window": list(cover.window)},
            "attribution": self.attribution.to_data(),
            **_photo_data(self.activation, self.resembled),
        }


def _cells_data(row: ExplainedRow) -> list[dict[str, Any]]:
    return [
        {**vars(cell), "contribution": contribution}
        for cell, contribution in zip(row.cells, row.contributions, strict=True)
    ]


def _photo_data(activation: Activation | None, resembled: tuple[Resembled, ...]) -> dict[str, Any]:
    alike = [{"file": each.file, "label": each.label, "similarity": each.similarity} for each in resembled]
    places = {} if activation is None else {"places": activation.places.tolist(), "bias": activation.bias}
    return ({"activation": places} if places else {}) | ({"resembled": alike} if alike else {})


def _change_data(change: Change) -> dict[str, Any]:
    reasons = [dict(zip(("input", "value", "weight", "product"), reason, strict=True)) for reason in change.reasons]
    return {**vars(change), "reasons": reasons}
