"""Pellucid, from nothing to 98 % of the test digits. ``--constant``: without a schedule, as the peers."""

from __future__ import annotations

import sys

import pellucid as pl

seed, constant = int(sys.argv[2]), "--constant" in sys.argv
(x, y), test = pl.datasets.digits()
network = pl.Network([pl.Input(28, 28), pl.Dense(256, "relu"), pl.Classification(10)], seed=seed)


class Report(pl.events.Patient):
    """Prints the accuracy of each epoch, and ends the training at 98 %."""

    def __call__(self, event: pl.events.Event) -> None:
        if isinstance(event, pl.events.EpochFinished):
            print(event.metrics["validation_accuracy"])
            if event.metrics["validation_accuracy"] >= 0.98:
                raise pl.StopTraining


network.fit(
    x,
    y,
    validation=test,
    optimizer=pl.Adam(1.5e-3 if constant else 5e-3),
    schedule="constant" if constant else pl.OneCycle(rise=0.15),
    epochs=30 if constant else 4,
    batch_size=128,
    callbacks=[Report()],
    progress="none",
    threads=2,
)
