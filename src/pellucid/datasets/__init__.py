"""Collections to learn from, as arrays: ``(x, y), (x_test, y_test) = pl.datasets.digits()``."""

from pellucid.datasets.digits import digits
from pellucid.datasets.fashion import fashion
from pellucid.datasets.fashion import labels as fashion_labels

__all__ = ["digits", "fashion", "fashion_labels"]
