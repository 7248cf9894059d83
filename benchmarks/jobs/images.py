"""The convolutional networks that contestants train on the digits, and how fast Pellucid is asked to be beside PyTorch.

A network is a list of words, read by each contestant in its own vocabulary:

    conv F K P A   F filters of KxK, padding P (same or valid); A: relu, or "norm" for batch normalization and then relu
    pool           the largest number of each 2x2
    average        the mean of each channel
    dense U        U units, relu
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

Word = tuple[str | int, ...]

BATCH, ROWS = 128, 128 * 40


@dataclass(frozen=True)
class ImageJob:
    """Training with Adam in float32, in shuffled batches of 128; an epoch of 40 steps is a round."""

    name: str
    words: tuple[Word, ...]
    asked: Mapping[str, float] = field(default_factory=dict, hash=False)

    @property
    def steps(self) -> int:
        return ROWS // BATCH

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> ImageJob:
        fields = json.loads(text)
        return cls(**{**fields, "words": tuple(tuple(word) for word in fields["words"])})


def pair(filters: int) -> tuple[Word, Word]:
    return ("conv", filters, 3, "same", "norm"), ("conv", filters, 3, "same", "norm")


IMAGE_JOBS = (
    ImageJob(
        "LeNet-5",
        (
            ("conv", 6, 5, "same", "relu"),
            ("pool",),
            ("conv", 16, 5, "valid", "relu"),
            ("pool",),
            ("dense", 120),
            ("dense", 84),
        ),
        {"torch": 0.5},
    ),
    ImageJob(
        "six 3x3 convolutions, batch normalization",
        (*pair(16), ("pool",), *pair(32), ("pool",), *pair(48), ("average",)),
        {"torch": 0.85},
    ),
)
