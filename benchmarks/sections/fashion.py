"""How well networks learn clothes: the recipes of Fashion-MNIST."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import pellucid as pl
from pellucid.training.recipes.named import FASHION


def measure() -> dict[str, Any]:
    """Recipe -> test accuracy and seconds of training."""
    (x, y), (x_test, y_test) = pl.datasets.fashion()
    figures = {}
    for name in ("default", "conv"):
        recipe = FASHION[name]
        network = pl.Network(recipe.network_layers(x.shape[1:], 10), seed=0)
        start = time.perf_counter()
        network.fit(x, y, progress="lines", **recipe.fit_options())
        seconds = time.perf_counter() - start
        words = recipe.layers or "-".join(str(unit) for unit in (784, *recipe.hidden, 10))
        figures[name] = {"network": words, "seconds": seconds, "accuracy": network.evaluate(x_test, y_test)["accuracy"]}
    return figures


if __name__ == "__main__":
    json.dump(measure(), sys.stdout)
