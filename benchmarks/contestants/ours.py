"""Pellucid: a round is one call of ``Network.fit``, with everything that it does around its steps."""

from __future__ import annotations

from typing import Any

import numpy as np
from jobs.dense import THREADS, Job

import pellucid as pl
from contestants.protocol import serve, training


def build(job: Job) -> pl.Network:
    layers: list[pl.Layer] = [pl.Input(job.sizes[0])]
    for units in job.sizes[1:-1]:
        layers.append(pl.Dense(units, job.activation))
        layers += [pl.BatchNormalization()] if job.normalize else []
        layers += [pl.Dropout(job.dropout)] if job.dropout else []
    output = pl.Regression(job.sizes[-1]) if job.regression else pl.Classification(job.sizes[-1])
    return pl.Network([*layers, output])


def main() -> None:
    job, (x, y) = training()
    network = build(job)
    options: dict[str, Any] = {
        "epochs": job.epochs,
        "batch_size": job.batch,
        "shuffle": job.batch < job.rows,  # the order of one batch does not matter, to anyone
        "optimizer": pl.Adam(1e-3),
        "progress": "none",
        "threads": THREADS,
    }
    serve(
        lambda: network.fit(x, y, **options),
        {"pellucid": pl.__version__, "numpy": np.__version__, "engine": network.engine_note},
        loss=lambda: float(network.evaluate(x[:10_000], y[:10_000])["loss"]),
    )


if __name__ == "__main__":
    main()
