"""A recipe of ``pellucid train digits``: test accuracy, seconds of training, peak memory, and how it reads other pictures.

The argument is its name: default, best or conv. The model is left in the working directory as NAME.safetensors.
"""

from __future__ import annotations

import json
import resource
import sys
import time

from jobs.pictures import read_variants

import pellucid as pl
from pellucid.training.recipes.named import DIGITS


def main(name: str) -> None:
    (x, y), (x_test, y_test) = pl.datasets.digits()
    recipe = DIGITS[name]
    network = pl.Network(recipe.network_layers(x.shape[1:], 10), seed=0)
    start = time.perf_counter()
    network.fit(x, y, progress="lines", **recipe.fit_options())
    seconds = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
    figures = network.evaluate(x_test, y_test)
    network.save(f"{name}.safetensors")
    variants = read_variants(pl.load(f"{name}.safetensors"), x_test, y_test)
    result = {
        "network": recipe.layers or "-".join(str(unit) for unit in (784, *recipe.hidden, 10)),
        "accuracy": figures["accuracy"],
        "seconds": seconds,
        "peak_memory_mb": memory,
        "pictures": variants,
    }
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
