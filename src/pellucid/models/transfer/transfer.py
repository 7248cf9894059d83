"""What a model remembers of a training that began from another network."""

from __future__ import annotations

from dataclasses import dataclass

from pellucid.core.checks import number_between, positive_integer
from pellucid.core.errors import ArgumentError
from pellucid.evaluation.learning_curve import LearningPoint


@dataclass(frozen=True)
class Transfer:
    """Where a model began, and what its head was chosen by.

    network, sha256   the name of the network, and the hash of what it computes
    count, views      the pictures that the head has learned from, and the views of each
    strength          of the penalty on the weights of the head (`pellucid.models.transfer.head`)
    losses            (strength, mean log loss) of each that was tried, on pictures that were held out; () if none was
    folds, judged     so many times a part of the pictures was held out, in all so many pictures; 0 if none were
    accuracy          on these; None without
    classes           (right, judged) of each class, among these
    curve             the accuracy by the number of pictures a class
    """

    network: str
    sha256: str
    count: int
    views: int
    strength: float
    losses: tuple[tuple[float, float], ...] = ()
    folds: int = 0
    judged: int = 0
    accuracy: float | None = None
    classes: tuple[tuple[int, int], ...] = ()
    curve: tuple[LearningPoint, ...] = ()

    def __post_init__(self) -> None:
        positive_integer(self.count, "the pictures of a head")
        positive_integer(self.views, "the views of a head")
        number_between(self.strength, "the strength of a head", 0.0)
        if not isinstance(self.network, str) or not isinstance(self.sha256, str):
            raise ArgumentError("a network that was begun from has a name and a hash.")
        if not all(isinstance(point, LearningPoint) for point in self.curve):
            raise ArgumentError("a learning curve has points.")
        for strength, loss in self.losses:
            number_between(strength, "a strength", 0.0)
            number_between(loss, "a log loss", 0.0)
        for right, judged in self.classes:
            if not 0 <= right <= judged:
                raise ArgumentError(f"{right} right answers of {judged} cannot be.")
        if self.accuracy is not None:
            number_between(self.accuracy, "an accuracy", 0.0, 1.0)

    def in_words(self) -> list[str]:
        """What was done, and how well the head does on pictures that it has not seen: sentences."""
        views = "as they are" if self.views == 1 else f"as they are and mirrored, {self.views} views of each"
        said = [f"A new last layer on the features of {self.network}, from {self.count:,} pictures, {views}."]
        if self.losses:
            said.append(
                f"Penalty {self.strength:g}: of {len(self.losses)} tried it had the least loss on held-out pictures."
            )
        if self.accuracy is not None:
            said.append(f"{self.accuracy:.2%} of {self.judged:,} right, each judged by a last layer that has not seen it.")
        return said
