"""The answer for one picture."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pellucid.core.checks import positive_integer
from pellucid.core.display.markup import element
from pellucid.core.display.notebook import bars, framed
from pellucid.core.display.pictures import is_picture, picture
from pellucid.core.display.text import printable
from pellucid.core.shapes import Array, Label

CONFIDENCE_IN_DOUBT = 0.1
MOST_BARS = 5  # in a notebook


@dataclass(frozen=True)
class Prediction:
    """The answer for one picture.

    ``label`` is the most probable class, ``probability`` its probability, ``probabilities`` (K,) those of all ``labels``.
    ``doubt`` is None, or says why the picture may show nothing of the kind that the network knows (no digit at all, or one
    empty colour); the probabilities are then low. ``seen`` is what the network saw, uint8 (H, W) or (H, W, 3).

    ``set`` is None, or the labels among which the true one is with ``confidence``, most probable first, when that was asked
    for: ``model.predict(picture, confidence=0.9)``. It always holds ``label``. With all labels in it, or none because the
    picture is in doubt, it says "not sure".
    """

    label: Label
    probability: float
    probabilities: Array = field(compare=False)
    labels: tuple[Label, ...] = field(repr=False)
    doubt: str | None = None
    seen: NDArray[np.uint8] | None = field(default=None, repr=False, compare=False)
    confidence: float | None = None
    set: tuple[Label, ...] | None = None

    @property
    def is_sure(self) -> bool:
        """Whether the set was asked for and names something: at least one label, but not all."""
        return self.set is not None and 0 < len(self.set) < len(self.labels)

    def top(self, count: int = 3) -> list[tuple[Label, float]]:
        """The ``count`` most probable labels with their probabilities, best first."""
        order = np.argsort(-self.probabilities, kind="stable")[: positive_integer(count, "count")]
        return [(self.labels[k], float(self.probabilities[k])) for k in order]

    def set_in_words(self) -> str:
        """``3 or 8, with 90% confidence``, or "not sure ..."; nothing if no set was asked for."""
        if self.set is None:
            return ""
        confidence = f"with {100 * (self.confidence or 0):.6g}%"
        if not self.is_sure:
            why = "every label is possible" if self.set else "the picture is in doubt"
            return f"not sure: {why} ({confidence} confidence)"
        return printable(f"{' or '.join(map(str, self.set))}, {confidence} confidence")

    def __str__(self) -> str:
        """On one line, and unable to command a terminal, whatever the label holds."""
        return printable(f"{self.label} ({self.probability:.1%})" + (f", but {self.doubt}" if self.doubt else ""))

    def _repr_html_(self) -> str:
        """The picture that the network saw, and a bar for each of the most probable labels."""
        shown = [] if self.seen is None or not is_picture(self.seen.shape) else [picture(self.seen, "what the network saw")]
        said = [element("p", f"but {self.doubt}", class_="doubt")] if self.doubt else []
        sets = [element("p", self.set_in_words())] if self.set is not None else []
        answer = bars("The most probable labels", self.top(MOST_BARS))
        return framed(element("div", *shown, element("div", answer, *said, *sets), class_="beside"))


def in_doubt(p: Array) -> Array:
    """The probabilities (K,) of a picture in doubt: no confident answer, but most of the way to "cannot tell"."""
    return CONFIDENCE_IN_DOUBT * p + (1 - CONFIDENCE_IN_DOUBT) / len(p)
