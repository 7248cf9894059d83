"""Everything that an explanation says of one answer, as numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.core.shapes import Array, Label
from pellucid.inspection.attribution.result import Attribution
from pellucid.inspection.trace.neuron import NeuronTrace
from pellucid.inspection.trace.trace import Trace


@dataclass(frozen=True)
class Score:
    """A row of the table of scores; for a regression, a value alone.

    If the model has a temperature T, ``scaled`` is z / T, from where the steps of the softmax or sigmoid up to
    ``probability`` start; ``untempered`` is the probability that the network itself gives, with T = 1. Else both are None.
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
        """The probability that the network itself gives, whose loss training descends."""
        own = self.probability if self.untempered is None else self.untempered
        assert own is not None
        return own


@dataclass(frozen=True)
class Change:
    """What would have changed the answer: the runner-up wins if ``margin`` between the scores is made up.

    ``reasons``: what each input of the output layer gives to that margin, x_d (w_d,first - w_d,second), largest first by
    size, as (d, x_d, difference of the weights, product); ``bias`` is the difference of the biases, ``others`` what the
    other inputs give.
    """

    runner_up: Label
    margin: float
    reasons: tuple[tuple[int, float, float, float], ...]
    others: float
    bias: float


@dataclass(frozen=True)
class Cover:
    """Where the margin falls most if that part of the picture is covered by 0: the pixel, the windows that are moved over
    it, and by how much it falls, the mean over all windows with this pixel."""

    place: tuple[int, int]
    window: tuple[int, int]
    fall: float


@dataclass(frozen=True)
class LayerExplanation:
    """One layer: its name and shape, how many outputs are not 0, their range, and its strongest neurons."""

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
    doubt                None, or why this may be nothing that the network knows: the probability is a low one then, not
                         that in ``scores``
    seen                 what the network saw, uint8 (H, W) or (H, W, 3), or None for an array
    layers, scores       the road; ``total`` is the sum of the exponentials of a softmax
    change, cover        None for a regression, and for what is no picture
    attribution          what each input gives to the answer, for the first against the second
    trace                all numbers, backward too: to ``backward_from``, the label whose loss is followed
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
    trace: Trace
    backward_from: Label | None

    @property
    def kind(self) -> str:
        """ "softmax", "sigmoid" or "identity"."""
        return self.trace.answer.kind

    @property
    def answered(self) -> Score:
        """The score of the answer."""
        return next(score for score in self.scores if score.label == self.label)

    @property
    def given(self) -> Array:
        """The sample as it was given to the network, without the batch."""
        return self.trace.layers[0].input[0]

    def to_data(self) -> dict[str, Any]:
        """All of it as plain data: the digits that every other form rounds."""
        layers = [
            {
                "name": layer.name,
                "kind": layer.kind,
                "shape": list(layer.shape),
                "active": layer.active,
                "smallest": layer.smallest,
                "largest": layer.largest,
                "neurons": [neuron.to_data() for neuron in layer.neurons],
            }
            for layer in self.layers
        ]
        scores = [{key: value for key, value in vars(score).items() if value is not None} for score in self.scores]
        return {
            "source": self.source,
            "kind": self.kind,
            "label": self.label,
            "probability": self.probability,
            "doubt": self.doubt,
            "input": self.given.tolist(),
            "layers": layers,
            "scores": scores,
            "total": self.total,
            "temperature": self.temperature,
            "change": None if self.change is None else _change_data(self.change),
            "cover": None if self.cover is None else {name: _listed(value) for name, value in vars(self.cover).items()},
            "attribution": self.attribution.to_data(),
        }


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _change_data(change: Change) -> dict[str, Any]:
    reasons = [dict(zip(("input", "value", "weight", "product"), reason, strict=True)) for reason in change.reasons]
    return {**vars(change), "reasons": reasons}
