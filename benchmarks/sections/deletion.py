"""Do attributions find the pixels that matter? Areas under deletion curves.

A network learns the digits for a few epochs. Then the pixels of 500 test digits are set to black one after another, in the
order that a method says, and the area under the probability of the class first answered is taken: low is good. Chance has
two forms: any pixel, and, much harder to beat, the pixels that have ink first.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

import pellucid as pl

DIGITS, EPOCHS, ORDERS = 500, 5, 5
BENDS = ("relu", "gelu")  # exact attributions for the first, integrated gradients for the second


def main() -> None:
    (x, y), (x_test, y_test) = pl.datasets.digits()
    figures: dict[str, Any] = {"digits": DIGITS, "epochs": EPOCHS}
    for bend in BENDS:
        network = pl.Network([pl.Input(28, 28), pl.Dense(128, bend), pl.Dense(64, bend), pl.Classification(10)], seed=0)
        network.fit(x, y, epochs=EPOCHS, batch_size=128, progress="none")
        accuracy = network.evaluate(x_test, y_test)["accuracy"]
        figures[bend] = {"accuracy": accuracy, **areas(network, x_test[:DIGITS])}
    json.dump(figures, sys.stdout, indent=2)


def areas(network: pl.Network, x: NDArray[np.uint8]) -> dict[str, Any]:
    """The ``method`` of `attribute`, and order of deletion -> area under the curve, the mean over all digits."""
    found = pl.attribute(network, x)
    rng = np.random.default_rng(0)
    chances = rng.random((ORDERS, *x.shape))
    importance = {
        found.method: found.contributions,
        "occlusion": pl.occlusion(network, x, stride=2),
        "gradient": np.abs(pl.gradient_map(network, x)),
        "brightest first": x.astype(np.float64),
    }
    measured = {name: area(network, x, given) for name, given in importance.items()}
    measured["random among ink"] = float(np.mean([area(network, x, chance + (x > 0)) for chance in chances]))
    measured["random"] = float(np.mean([area(network, x, chance) for chance in chances]))
    return {"method": found.method, "areas": measured}


def area(network: pl.Network, x: NDArray[np.uint8], importance: Any) -> float:
    return float(pl.deletion_curve(network, x, importance).mean())


if __name__ == "__main__":
    main()
