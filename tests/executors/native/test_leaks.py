"""The native module gives back what it takes: the numbers of bytes allocated before and after are counted, to the byte.

`test_memory.py` watches the process while it works on; here plans and networks come and go. Python's own small objects live
in arenas that are not counted, except under `make sanitize`, where every object is.
"""

from __future__ import annotations

import ctypes
import gc
import itertools
import resource

import numpy as np
import pytest
from twins import QUIET

import pellucid as pl
from pellucid import _native

X = np.random.default_rng(5).normal(size=(200, 40)).astype(np.float32)
Y = np.arange(200) % 3
REPETITIONS, A_LEAK = 60, 40  # bytes lost in each of them; what is smaller is Python's


FIELDS = ("arena", "free", "small", "mappings", "mapped", "most", "small_free", "used", "unused", "top")


class Memory(ctypes.Structure):
    """mallinfo2 of the C library of GNU."""

    _fields_ = tuple((name, ctypes.c_size_t) for name in FIELDS)


def counter():
    """A function that gives the number of bytes that are allocated; where nothing counts them, the most ever resident."""
    library = ctypes.CDLL(None)
    if hasattr(library, "__sanitizer_get_current_allocated_bytes"):
        function = library.__sanitizer_get_current_allocated_bytes
        function.restype = ctypes.c_size_t
        return function
    if not hasattr(library, "mallinfo2"):
        return lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    library.mallinfo2.restype = Memory

    def count():
        info = library.mallinfo2()
        return info.used + info.mapped

    return count


def plan():
    """Made, and thrown away before it has memory for steps, or after."""
    for prepared in (False, True):
        made = _native.Plan(40, 0)
        made.add_affine(70, 1, True, 0.0, 0.0)
        made.add_normalization(0.9, 1e-5)
        made.add_dropout(0.3, 2)
        made.add_affine(3, 0, True, 0.0, 0.0)
        if prepared:
            made.prepare(32, 2)


def refusal():
    """An exception from C++."""
    made = _native.Plan(40, 0)
    with pytest.raises(ValueError):
        made.prepare(32, 2)
    with pytest.raises(TypeError):
        made.load("what")
    with pytest.raises(RuntimeError):
        _native.fail_in_member(2, 1)


def network_of(*hidden):
    return pl.Network([pl.Input(40), *hidden, pl.Classification(3)])


def fit(network, batch):
    options = {"epochs": 2, "batch_size": batch, "optimizer": pl.Adam(), "clipping": pl.ClipByGlobalNorm(1.0)}
    network.fit(X, Y, threads=2, engine="native", **options, **QUIET)
    network.predict(X)
    network.predict_proba(X[:1])


def by_columns():
    fit(network_of(pl.Dense(70, "gelu"), pl.BatchNormalization(), pl.Dropout(0.2)), 32)


def by_rows():
    fit(network_of(pl.Dense(20, "tanh")), 200)


def of_images():
    inner = [pl.Conv2D(5, 3, "gelu"), pl.BatchNormalization(), pl.Dropout(0.2)]
    hidden = [pl.Residual(inner, [pl.Conv2D(5, 1)]), pl.MaxPooling2D(), pl.LayerNormalization()]
    network = pl.Network([pl.Input(5, 4, 2), pl.Rescale(0.5), *hidden, pl.Classification(3)])
    network.fit(X.reshape(-1, 5, 4, 2), Y, epochs=2, batch_size=70, threads=2, engine="native", **QUIET)
    network.predict(X.reshape(-1, 5, 4, 2))


def divergence():
    network = network_of(pl.Dense(20))
    with pytest.raises(pl.DivergenceError):
        network.fit(X, Y, epochs=2, optimizer=pl.GradientDescent(1e30), engine="native", **QUIET)


@pytest.mark.parametrize("job", [plan, refusal, by_columns, by_rows, of_images, divergence], ids=lambda job: job.__name__)
def test_nothing_is_kept(job):
    count = counter()

    def after(repetitions):
        for _ in range(repetitions):
            job()
        gc.collect()
        return count()

    after(5)  # caches fill, threads start
    counts = [after(REPETITIONS) for _ in range(4)]
    growth = min(then - now for now, then in itertools.pairwise(counts))
    assert growth < REPETITIONS * A_LEAK
