"""Steps after the first ask for no more memory: neither of Python's nor of the compiled kernels."""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from twins import QUIET

import pellucid as pl
from pellucid.training.events import EpochFinished, Patient

INPUTS, BATCH, STEPS_AN_EPOCH = 784, 64, 100
BATCH_BYTES = 4 * INPUTS * BATCH


class Peaks(Patient):
    """The most memory of Python's that was in use during each epoch after the first, beyond what was in use before it."""

    def __init__(self):
        self.found = []

    def __call__(self, event):
        if isinstance(event, EpochFinished):
            if event.epoch > 1:
                self.found.append(tracemalloc.get_traced_memory()[1] - self.before)
            tracemalloc.reset_peak()
            self.before = tracemalloc.get_traced_memory()[0]


def test_a_hundred_steps_take_no_more_than_the_copies_to_go_back_to():
    """Those are three of parameters and moments at most; a copy of each batch would be ten times as much."""
    network = pl.Network(
        [pl.Input(INPUTS), pl.Dense(32, "relu"), pl.Dropout(0.2), pl.Dense(32, "relu"), pl.Classification(10)]
    )
    x = np.zeros((BATCH * STEPS_AN_EPOCH, INPUTS), np.uint8)
    peaks = Peaks()
    tracemalloc.start()
    try:
        network.fit(x, np.arange(len(x)) % 10, epochs=4, batch_size=BATCH, callbacks=[peaks], **QUIET)
    finally:
        tracemalloc.stop()
    copy = 3 * network.parameters.vector.nbytes
    allowed = 3 * copy + 300_000
    assert len(peaks.found) == 3
    assert max(peaks.found) < allowed < 0.2 * STEPS_AN_EPOCH * BATCH_BYTES


SCRIPT = """
import resource, sys
import numpy as np
import pellucid as pl
from pellucid.training.events import EpochFinished, Patient

kind = sys.argv[1]
shape, hidden = {
    "columns": ((200,), [pl.Dense(300, "gelu"), pl.BatchNormalization(), pl.Dropout(0.2)]),
    "rows": ((200,), [pl.Dense(30, "gelu")]),
    "images": ((10, 10, 2), [pl.Conv2D(4, 3, "relu"), pl.BatchNormalization(), pl.MaxPooling2D()]),
}[kind]
network = pl.Network([pl.Input(*shape), *hidden, pl.Classification(10)])
x = np.random.default_rng(0).normal(size=(256 * 50, *shape)).astype(np.float32)
most = []

class Watch(Patient):
    def __call__(self, event):
        if isinstance(event, EpochFinished):
            most.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)

options = {"epochs": 8, "batch_size": 256, "threads": 2, "callbacks": [Watch()], "progress": "none"}
network.fit(x, np.arange(len(x)) % 10, clipping=pl.ClipByGlobalNorm(0.1), **options)
for _ in range(300):
    network.predict(x[:500])
most.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
kilobytes = 1024 if sys.platform != "darwin" else 1
print((most[-1] - most[2]) * kilobytes)
"""


@pytest.mark.parametrize("kind", ["columns", "rows", "images"])
def test_the_process_does_not_grow(kind):
    """Over 250 steps and 300 predictions by less than 8 MiB, which 250 leaks of a batch (200 KiB) would be six times."""
    env = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", SCRIPT, kind], env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 8 * 2**20


@pytest.mark.parametrize("hidden", [[pl.Flatten()], [pl.AveragePooling2D(8)]], ids=["dense", "images"])
def test_augmented_inputs_do_not_pile_up(hidden, monkeypatch):
    """Steps can be made again from a copy of the parameters, so inputs that were made since then are kept: three batches,
    twice, with this bound, and not all of the sixty."""
    batch = 32
    made = batch * 32 * 32 * 3 * 4  # bytes of a batch, as float32
    monkeypatch.setattr("pellucid.executors.native.replay.BYTES_BETWEEN_COPIES", int(2.5 * made))
    network = pl.Network([pl.Input(32, 32, 3), *hidden, pl.Classification(2)])
    x = np.zeros((batch, 32, 32, 3), np.uint8)

    def augment(images, key):
        return images.astype(np.float32) / 255

    tracemalloc.start()
    try:
        network.fit(x, np.arange(batch) % 2, epochs=60, batch_size=batch, augment=augment, threads=1, **QUIET)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 12 * made
