"""The peer of the NumPy executor: a training loop for 784-128-10 with Adam, written by hand for this network alone.

It is what a careful person writes who needs nothing else: float32, no classes, Adam as in the paper. It checks nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


def train(x: NDArray[np.uint8], y: NDArray[np.int64], batch_size: int, seed: int = 0) -> Iterator[float]:
    """Train for ever, giving the loss of each step."""
    rng = np.random.default_rng(seed)
    x = x.reshape(len(x), -1)
    parameters = [
        (rng.standard_normal((784, 128)) * np.sqrt(2 / 784)).astype(np.float32),
        np.zeros(128, np.float32),
        (rng.standard_normal((128, 10)) * np.sqrt(2 / 138)).astype(np.float32),
        np.zeros(10, np.float32),
    ]
    m = [np.zeros_like(p) for p in parameters]
    v = [np.zeros_like(p) for p in parameters]
    rate, beta1, beta2, epsilon = 1e-3, 0.9, 0.999, 1e-8
    t = 0
    while True:
        order = rng.permutation(len(x))
        for start in range(0, len(x), batch_size):
            rows = order[start : start + batch_size]
            inputs = x[rows].astype(np.float32) / 255
            w1, b1, w2, b2 = parameters
            z1 = inputs @ w1 + b1
            a1 = np.maximum(z1, 0)
            z2 = a1 @ w2 + b2
            shifted = z2 - z2.max(axis=1, keepdims=True)
            exponentials = np.exp(shifted)
            probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
            picked = probabilities[np.arange(len(rows)), y[rows]]
            loss = float(-np.log(picked + 1e-12).mean())
            dz2 = probabilities
            dz2[np.arange(len(rows)), y[rows]] -= 1
            dz2 /= len(rows)
            dz1 = (dz2 @ w2.T) * (z1 > 0)
            gradients = [inputs.T @ dz1, dz1.sum(axis=0), a1.T @ dz2, dz2.sum(axis=0)]
            t += 1
            for p, g, mi, vi in zip(parameters, gradients, m, v, strict=True):
                mi *= beta1
                mi += (1 - beta1) * g
                vi *= beta2
                vi += (1 - beta2) * g * g
                p -= rate * (mi / (1 - beta1**t)) / (np.sqrt(vi / (1 - beta2**t)) + epsilon)
            yield loss
