"""How many threads an estimator may use beside others that run at the same time."""

from __future__ import annotations

import os

from joblib.parallel import get_active_backend
from sklearn.utils._openmp_helpers import _openmp_effective_n_threads

from pellucid.executors.choose import MOST_THREADS
from pellucid.executors.native.crew import default_threads
from pellucid.executors.native.inference import native_inference
from pellucid.nn.stack import Stack


def allowed_threads(asked: int | None = None) -> int:
    """``asked``, or as many as OpenMP would use, by OMP_NUM_THREADS (which joblib sets in its processes), by threadpoolctl,
    and by the cores. Within a worker of joblib for whom nobody has divided the cores, one."""
    if asked is not None:
        return min(asked, MOST_THREADS)
    backend, _ = get_active_backend()
    if backend.nesting_level and "OMP_NUM_THREADS" not in os.environ:
        return 1
    return min(_openmp_effective_n_threads(only_physical_cores=False), MOST_THREADS)


def limit_threads(stack: Stack, batch_size: int, asked: int | None) -> int:
    """How many threads the training steps of this stack may use; its answers get as many as are allowed."""
    allowed = limit_answers(stack, asked)
    return min(allowed, default_threads(stack, batch_size))


def limit_answers(stack: Stack, asked: int | None) -> int:
    """Let the stack answer with as many threads as are allowed, and give their number."""
    allowed = allowed_threads(asked)
    native = native_inference(stack)
    if native is not None:
        native.threads = allowed
    return allowed
