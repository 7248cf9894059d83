"""What the accuracies on training and validation samples mean: whether anything was learned, and whether it was memorized.

Both are compared with always naming the commonest class, and with each other, by 95 % confidence intervals: of few samples
nothing is said that chance alone could explain.
"""

from __future__ import annotations

from typing import NamedTuple

from pellucid.core.display.text import between, counted, percent
from pellucid.evaluation.metrics import difference_interval, wilson_interval

NARROW = 0.05  # a gap that may be this large at most is none to speak of


class Right(NamedTuple):
    """``right`` answers ``of`` so many."""

    right: int
    of: int

    @property
    def share(self) -> float:
        return self.right / self.of

    @property
    def interval(self) -> tuple[float, float]:
        return wilson_interval(self.right, self.of)


def gap_in_words(training: Right, validation: Right, commonest: int) -> str:
    """A sentence or two; ``commonest`` of the validation samples are of their commonest class."""
    both = f"Training {percent(training.share)}, validation {percent(validation.share)}"
    samples = counted(validation.of, "validation sample")
    guess, (low, high) = commonest / validation.of, validation.interval
    if guess == 1:
        return f"{both}: all {samples} are of one class, so nothing shows whether the network tells classes apart."
    if low > guess:
        return f"{both}: {_gap(training, validation, samples)}"
    judgement = "worse" if high < guess else "not clearly better"
    against = f"{judgement} than always naming the commonest class, which is right for {percent(guess)} of the {samples}"
    if difference_interval(training, validation)[0] > 0:
        return f"{both}: {_gap(training, validation, samples)} The validation is {against}."
    bounds = f"With 95% confidence the network is right for {between(low, high)} of such samples"
    return f"{both}: {against}. {bounds}; nothing shows that it has learned anything."


def _gap(training: Right, validation: Right, samples: str) -> str:
    low, high = difference_interval(training, validation)
    reach, known = f"{100 * low:.1f} to {100 * high:.1f}", f"with 95% confidence, from {samples}"
    if low > 0:
        points = round(100 * training.share, 1) - round(100 * validation.share, 1)  # of what is shown
        gap = f"a gap of {points:.1f} percentage points ({reach} {known})"
        return f"{gap}. That much was memorized, and is of no use on new data."
    if high < 0:
        return "it does better on the validation samples than on those it learned from."
    gap = f"(a gap of {reach} percentage points {known})"
    if max(-low, high) <= NARROW:
        return f"it does about as well on the validation samples as on those it learned from {gap}."
    return f"too few validation samples to tell how much of it was memorized {gap}."
