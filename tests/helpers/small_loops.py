"""Small training loops: a network that learns three blobs, with chance in it."""

from __future__ import annotations

import numpy as np

import pellucid as pl
from pellucid.data.samples import Samples
from pellucid.executors.base import Rules
from pellucid.mathematics.schedules import schedule
from pellucid.training.loop import TrainingLoop
from pellucid.training.plan import Plan

RNG = np.random.default_rng(3)
Y = RNG.integers(0, 3, 60)
X = (RNG.normal(size=(60, 4)) + Y[:, None]).astype(np.float32)
LAYERS = (pl.Dense(8, "tanh"), pl.BatchNormalization(), pl.Dropout(0.2))


def loop_of(*, validation=0, tell=None, layers=LAYERS, seed=1, **options):
    """A loop over the blobs in batches of 7, of which the last ``validation`` samples are held out."""
    network = pl.Network([pl.Input(4), *layers, pl.Classification(3)], seed=seed)
    rows = np.arange(60)
    training = Samples(X, Y, rows[: 60 - validation])
    aside = Samples(X, Y, rows[60 - validation :]) if validation else None
    rules = Rules(options.pop("optimizer", pl.Adam(0.01)), options.pop("regularizer", None))
    plan = Plan(rules, schedule(options.pop("schedule", "constant")), options.pop("epochs", 4), 7, **options)
    return TrainingLoop(network, network.training_state, training, aside, plan, tell)
