"""The data of a command: a set or a table known by name, or a folder of pictures."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pellucid.core.errors import ArgumentError
from pellucid.core.shapes import AnyArray, Label
from pellucid.data import datasets

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
NAMED_TABLES = {"penguins": datasets.penguins}
METAVAR = "|".join((*NAMED_DATA, "FOLDER", "TABLE"))


def check_is_there(data: str) -> None:
    """Raise `ArgumentError` for a name that is neither a known data set nor a path that exists."""
    if data not in (*NAMED_DATA, *NAMED_TABLES) and not os.path.exists(data):
        known = ", ".join((*NAMED_DATA, *NAMED_TABLES))
        raise ArgumentError(f"there is no folder or CSV file {data!r}; the data known by name are {known}.")
