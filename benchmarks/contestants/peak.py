"""The machine itself: what it can do at most, in matrix products and in copying memory, with two threads.

A round answers with the best of several tries, "gflops" (the better of NumPy and PyTorch) and "gbytes" a second, read and
written together.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
import torch
from jobs.dense import THREADS

from contestants.protocol import serve

SIDE, FLOATS, TRIES = 2048, 1 << 26, 4


def best_seconds(work: Callable[[], object]) -> float:
    times = []
    for _ in range(TRIES):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def copy(source: np.ndarray, target: np.ndarray) -> None:
    """Each thread copies its part: one core alone does not fill the way to the memory."""
    parts = zip(np.split(source, THREADS), np.split(target, THREADS), strict=True)
    threads = [threading.Thread(target=np.copyto, args=(to, here)) for here, to in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main() -> None:
    torch.set_num_threads(THREADS)
    a = np.random.default_rng(0).random((SIDE, SIDE), np.float32)
    out = np.empty_like(a)
    a_torch, out_torch = torch.from_numpy(a), torch.from_numpy(out)
    source, target = np.ones(FLOATS, np.float32), np.zeros(FLOATS, np.float32)

    def gflops() -> float:
        products = (lambda: np.matmul(a, a, out=out), lambda: torch.mm(a_torch, a_torch, out=out_torch))
        return 2 * SIDE**3 / min(map(best_seconds, products)) / 1e9

    def gbytes() -> float:
        return 2 * source.nbytes / best_seconds(lambda: copy(source, target)) / 1e9

    serve(lambda: None, {"numpy": np.__version__, "torch": torch.__version__}, gflops=gflops, gbytes=gbytes)


if __name__ == "__main__":
    main()
