"""Small trainings with chance and memory of every kind, which can be cut off and taken up; also run as a program."""

from __future__ import annotations

import hashlib
import os
import signal
import sys

import numpy as np

import pellucid as pl
from pellucid.data.augmentation.photo_augmentation import PhotoAugmentation

RNG = np.random.default_rng(7)
Y = RNG.integers(0, 3, 60)
X = (RNG.normal(size=(60, 4)) + Y[:, None]).astype(np.float32)
PICTURES = (RNG.integers(0, 256, size=(60, 6, 6, 3)) // (1 + Y[:, None, None, None])).astype(np.uint8)
ROW, LAYERS = pl.Input(4), (pl.Dense(8, "relu"), pl.BatchNormalization(), pl.Dropout(0.3))
IMAGE = (pl.Input(6, 6, 3), pl.Conv2D(4, 3), pl.BatchNormalization(activation="relu"), pl.GlobalAveragePooling2D())
NOISE = (RNG.normal(size=(20, 4)).astype(np.float32), RNG.integers(0, 3, 20))

# name -> (samples, layers, options of fit): five epochs at most, of 9 steps with a validation part of 10 samples, else of 8
CASES = {
    "dense, dropout": (X, (ROW, *LAYERS), {}),
    "NumPy, penalty": (X, (ROW, *LAYERS), {"engine": "numpy", "regularizer": pl.L2(0.01)}),
    "one cycle, clipping": (
        *(X, (ROW, *LAYERS)),
        {"schedule": "one_cycle", "clipping": pl.ClipByGlobalNorm(0.5), "optimizer": pl.GradientDescent(0.1, 0.9)},
    ),
    "plateaus": (X, (ROW, *LAYERS), {"schedule": pl.ReduceOnPlateau(patience=1), "validation": NOISE}),
    "early stopping": (
        *(X, (ROW, *LAYERS)),
        {"early_stopping": pl.EarlyStopping(2), "validation": NOISE, "optimizer": pl.Adam(0.05)},
    ),
    "class weights": (X, (ROW, *LAYERS), {"class_weight": "balanced", "validation": 0.2}),
    "photos, mixup": (
        *(PICTURES, (*IMAGE, pl.Dropout(0.2))),
        {"augment": PhotoAugmentation(mixup=0.4), "schedule": "warmup", "optimizer": "adamw"},
    ),
    "ensemble": (X, (ROW, pl.EnsembleDense(6, 3, "relu"), pl.Dropout(0.2)), {}),
}
EPOCHS = 5


class Cut(Exception):
    """Ends a training without a farewell, as an error in a callback does."""


def train(case, run=None, callbacks=(), **more):
    """A network that is trained by this case from the beginning, or from where its run is."""
    x, layers, options = CASES[case]
    members = next((layer.members for layer in layers if isinstance(layer, pl.EnsembleDense)), 1)
    network = pl.Network([*layers, pl.Classification(3, members=members)], seed=3)
    if run is not None:
        more = {"run": run, "snapshot_every": 0.0} | more
    options = {"epochs": EPOCHS, "batch_size": 7, "progress": "none"} | options | more
    network.fit(x, Y, callbacks=list(callbacks), **options)
    return network


def at_step(step, act):
    """A callback that acts once this step is made."""

    def hear(event):
        if isinstance(event, pl.events.StepFinished) and event.step == step:
            act()

    return hear


def cut():
    raise Cut


def digest(network):
    """The SHA-256 of all parameters, moving averages and slots of the optimizer."""
    slots = network.training_state.optimizer_state.slots
    vectors = [network.parameters.vector, network.state.vector, *(slots[name] for name in sorted(slots))]
    return hashlib.sha256(b"".join(vector.tobytes() for vector in vectors)).hexdigest()


def without_time(history):
    """The metrics of the epochs, but for how long they took."""
    return [{name: value for name, value in epoch.items() if name != "seconds"} for epoch in history.epochs]


if __name__ == "__main__":  # CASE FOLDER [STEP SIGNAL]: trains, gets the signal after a step, and shows the digest
    case, folder, *ending = sys.argv[1:]
    die = [at_step(int(ending[0]), lambda: os.kill(os.getpid(), signal.Signals[ending[1]]))] if ending else []
    print(digest(train(case, folder, die)))
