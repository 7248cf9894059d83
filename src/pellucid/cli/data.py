"""The data sets that commands know by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pellucid import datasets
from pellucid.saving import Label
from pellucid.shapes import AnyArray

Arrays = tuple[tuple[AnyArray, AnyArray], tuple[AnyArray, AnyArray]]


@dataclass(frozen=True)
class NamedData:
    """How to get ((x, y), (x_test, y_test)), and what the classes are called (None: by their numbers)."""

    get: Callable[[], Arrays]
    labels: Sequence[Label] | None = None


NAMED_DATA = {
    "digits": NamedData(datasets.digits),
    "fashion": NamedData(datasets.fashion, datasets.fashion_labels),
}
