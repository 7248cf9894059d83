"""Collections to learn from: ``(x, y), (x_test, y_test) = pl.datasets.digits()``, or your own photos by ``folder``."""

from pellucid.datasets.digits import digits
from pellucid.datasets.fashion import fashion
from pellucid.datasets.fashion import labels as fashion_labels
from pellucid.datasets.folder import PhotoFolder, folder
from pellucid.datasets.folder_report import FolderReport, Problem

__all__ = ["FolderReport", "PhotoFolder", "Problem", "digits", "fashion", "fashion_labels", "folder"]
