"""What samples that were held out from training say of a model's answers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.models.model import Model
from pellucid.nn.layers.outputs.classification import ClassifyingOutput

FEWEST_TO_CALIBRATE = 50  # fewer samples leave a temperature open by a third and more


def calibrate(model: Model, x: Any, y: Any, rows: NDArray[np.int64]) -> None:
    """Fit temperature and conformal scores on the ``rows`` that were held out, as far as their number goes; a regression
    has no temperature."""
    if len(rows) >= FEWEST_TO_CALIBRATE and isinstance(model.network.output, ClassifyingOutput):
        model.calibrate(x, y, rows=rows)
    if len(rows):
        model.conformal(x, y, rows=rows)
