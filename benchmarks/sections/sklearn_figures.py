"""What the figures of `sections.sklearn_door` say; it stands apart, since a report needs no scikit-learn."""

from __future__ import annotations

import statistics
from typing import Any


def times_faster(found: dict[str, Any]) -> float:
    """How many times as fast we are on a set: the median of the ratios of the rounds."""
    pairs = zip(found["scikit-learn"]["seconds"], found["pellucid"]["seconds"], strict=True)
    return statistics.median(theirs / ours for theirs, ours in pairs)
