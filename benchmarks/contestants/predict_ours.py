"""Pellucid's ``predict_proba``, on the rows of one file with the parameters of another."""

from __future__ import annotations

import numpy as np

import pellucid as pl
from contestants.protocol import prediction, serve


def main() -> None:
    arrays, x, calls = prediction()
    sizes = (len(arrays["w1"]), len(arrays["b1"]), len(arrays["b2"]))
    network = pl.Network([pl.Input(sizes[0]), pl.Dense(sizes[1], "relu"), pl.Classification(sizes[2])])
    for name, key in (("dense_1.weight", "w1"), ("dense_1.bias", "b1"), ("output.weight", "w2"), ("output.bias", "b2")):
        network.parameters[name] = arrays[key]

    def work() -> None:
        predict = network.predict_proba
        for _ in range(calls):
            predict(x)

    about = {"pellucid": pl.__version__, "numpy": np.__version__}
    serve(work, about, answer=lambda: network.predict_proba(x)[:100].tolist())


if __name__ == "__main__":
    main()
