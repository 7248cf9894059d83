"""Prediction with 784-128-10 beside onnxruntime: one row, as an answer on the screen needs it, and 10,000 at once."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from contestants.contest import Contestant, hold, median, median_ratio
from jobs.dense import THREADS
from numpy.typing import NDArray

ROUNDS = 15


def measure(peers_python: str, folder: Path) -> dict[str, Any]:
    """Rows -> microseconds a call, and the ratio to onnxruntime with the number of threads that suits it best."""
    parameters, test = trained(folder)
    dense = np.random.default_rng(0).random(test.shape, np.float32)
    jobs = {
        "one digit": (test[:1], 20_000),
        "one dense random row": (dense[:1], 20_000),
        "10,000 digits": (test, 20),
        "10,000 dense random rows": (dense, 20),
    }
    return {name: contest_of(parameters, rows, calls, peers_python, folder) for name, (rows, calls) in jobs.items()}


def trained(folder: Path) -> tuple[Path, NDArray[np.float32]]:
    """A file with the parameters of a network that knows the digits, and the digits of the test as floats."""
    import pellucid as pl

    (x, y), (x_test, _) = pl.datasets.digits()
    network = pl.Network([pl.Input(28, 28), pl.Dense(128, "relu"), pl.Classification(10)])
    network.fit(x, y, epochs=1, batch_size=128, progress="none")
    names = {"w1": "dense_1.weight", "b1": "dense_1.bias", "w2": "output.weight", "b2": "output.bias"}
    arrays: dict[str, Any] = {key: np.array(network.parameters[name]) for key, name in names.items()}
    np.savez(folder / "parameters.npz", **arrays)
    return folder / "parameters.npz", np.multiply(x_test.reshape(-1, 784), 1 / 255, dtype=np.float32)


def contest_of(parameters: Path, x: NDArray[np.float32], calls: int, peers_python: str, folder: Path) -> dict[str, Any]:
    rows = folder / "rows.npy"
    np.save(rows, x)
    arguments = (str(parameters), str(rows), str(calls))
    with ExitStack() as stack:
        contestants = {"pellucid": stack.enter_context(Contestant("predict_ours", *arguments))}
        for threads in range(1, THREADS + 1):
            peer = Contestant("predict_onnx", *arguments, str(threads), python=peers_python)
            contestants[f"onnxruntime, threads: {threads}"] = stack.enter_context(peer)
        rounds = hold(contestants, ROUNDS)
        answers = {name: np.array(contestant.ask("answer")) for name, contestant in contestants.items()}
    fastest = min((name for name in contestants if name != "pellucid"), key=lambda name: median(rounds, name))
    return {
        "us": {name: median(rounds, name) / calls * 1e6 for name in contestants},
        "peer": fastest,
        "ratio": median_ratio(rounds, "pellucid", fastest),
        "difference": float(np.abs(answers["pellucid"] - answers[fastest]).max()),
    }
