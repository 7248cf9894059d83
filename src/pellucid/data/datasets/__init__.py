"""Data sets to learn from: ``(x, y), (x_test, y_test) = pl.datasets.digits()``, or your own photos by ``folder``."""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING

from pellucid.data.datasets.fashion import fashion
from pellucid.data.datasets.fashion import labels as fashion_labels
from pellucid.data.datasets.mnist import digits
from pellucid.data.datasets.penguins import penguins
from pellucid.data.photos.folder import PhotoFolder, folder
from pellucid.data.photos.folder_report import FolderReport, Problem

if TYPE_CHECKING:
    from pellucid.data.datasets.imagenet import labels as imagenet_labels
    from pellucid.data.tables.table import Table, table

__all__ = [
    "FolderReport",
    "PhotoFolder",
    "Problem",
    "Table",
    "digits",
    "fashion",
    "fashion_labels",
    "folder",
    "imagenet_labels",
    "penguins",
    "table",
]

mnist = digits  # as others call them


def __getattr__(name: str) -> object:
    if name in ("Table", "table"):  # when they are first used
        return getattr(_import_module("pellucid.data.tables.table"), name)
    if name == "imagenet_labels":
        return _import_module("pellucid.data.datasets.imagenet").labels
    from pellucid.core.vocabulary import unknown_attribute

    raise unknown_attribute(name, [*__all__, "mnist"], "pellucid.datasets")
