"""Ten steps of whole networks, number by number, against an implementation of its own on HIPS autograd.

The reference below shares no line with the package: its forward pass is written for autograd, which derives the gradient,
and its optimizers are those of the papers. Only the initial parameters and the data are handed over.
"""

from __future__ import annotations

import autograd.numpy as anp
import numpy as np
from autograd import grad
from autograd.misc.flatten import flatten
from autograd.scipy.special import logsumexp

import pellucid as pl
from pellucid.training.events import StepFinished


def running_means(losses, sizes):
    """What StepFinished reports: the mean over all samples of the epoch so far."""
    return np.cumsum(np.multiply(losses, sizes)) / np.cumsum(sizes)


def fit(network, x, y, **options):
    """One epoch of ten steps in the order of the data; gives the reported losses."""
    seen = []
    network.fit(
        x,
        y,
        epochs=1,
        shuffle=False,
        progress="none",
        callbacks=[lambda e: seen.append(e.metrics["loss"]) if isinstance(e, StepFinished) else None],
        **options,
    )
    assert len(seen) == 10
    return seen


def test_dense_batch_normalization_adam_and_l2():
    rng = np.random.default_rng(123)
    x, y = rng.normal(size=(77, 5)), rng.integers(0, 3, 77)  # nine batches of 8, one of 5
    layers = [
        pl.Input(5),
        pl.Dense(7, "tanh"),
        pl.BatchNormalization(momentum=0.9, epsilon=1e-3),
        pl.Dense(6, "silu"),
        pl.Classification(3, label_smoothing=0.1),
    ]
    network = pl.Network(layers, seed=9, dtype="float64")
    names = {
        "w1": "dense_1.weight",
        "b1": "dense_1.bias",
        "gamma": "batch_normalization_1.gamma",
        "beta": "batch_normalization_1.beta",
        "w2": "dense_2.weight",
        "b2": "dense_2.bias",
        "w3": "output.weight",
        "b3": "output.bias",
    }
    p = {short: network.parameters[name].copy() for short, name in names.items()}
    start, unflatten = flatten(p)

    def hidden(p, x):
        return anp.tanh(anp.dot(x, p["w1"]) + p["b1"])

    def loss(p, x, t):
        h = hidden(p, x)
        mean = anp.mean(h, axis=0)
        h = (h - mean) / anp.sqrt(anp.mean((h - mean) ** 2, axis=0) + 1e-3)
        z = anp.dot(p["gamma"] * h + p["beta"], p["w2"]) + p["b2"]
        logits = anp.dot(z / (1 + anp.exp(-z)), p["w3"]) + p["b3"]
        return anp.mean(logsumexp(logits, axis=1) - anp.sum((0.9 * t + 0.1 / 3) * logits, axis=1))

    def objective(p, x, t):
        return loss(p, x, t) + 0.01 * sum(anp.sum(p[name] ** 2) for name in ("w1", "w2", "w3"))

    vector, m, v = start.copy(), 0.0, 0.0
    losses, sizes, moving_mean, moving_variance = [], [], np.zeros(7), np.ones(7)
    for t in range(1, 11):
        rows = slice(8 * (t - 1), min(8 * t, 77))
        p, targets = unflatten(vector), np.eye(3)[y[rows]]
        losses.append(loss(p, x[rows], targets))
        sizes.append(len(targets))
        h = hidden(p, x[rows])
        moving_mean = 0.9 * moving_mean + 0.1 * h.mean(axis=0)
        moving_variance = 0.9 * moving_variance + 0.1 * h.var(axis=0)
        g = flatten(grad(objective)(p, x[rows], targets))[0]
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        vector = vector - 0.01 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)

    reported = fit(network, x, y, batch_size=8, optimizer=pl.Adam(0.01), regularizer=pl.L2(0.01))
    np.testing.assert_allclose(reported, running_means(losses, sizes), rtol=1e-12)
    for short, after in unflatten(vector).items():
        # Adam divides by the gradient's size: the bias before the normalization, whose true gradient is 0, takes a
        # step made of rounding alone, and the output does not depend on it
        if short != "b1":
            np.testing.assert_allclose(network.parameters[names[short]], after, rtol=1e-9, atol=1e-11)
    assert np.abs(vector - start).max() > 0.05  # ten steps of about 0.01: the parameters have moved
    np.testing.assert_allclose(network.state["batch_normalization_1.moving_variance"], moving_variance, rtol=1e-9)
    drift = network.parameters["dense_1.bias"] - unflatten(vector)["b1"]
    np.testing.assert_allclose(
        network.state["batch_normalization_1.moving_mean"], moving_mean, atol=np.abs(drift).max() + 1e-10
    )


def test_momentum_on_the_pixels_of_mnist():
    (x, y), _ = pl.datasets.digits()
    x, y = x[:320], y[:320]
    network = pl.Network(
        [pl.Input(28, 28), pl.Dense(20, "relu"), pl.Dense(15, "tanh"), pl.Classification(10)], dtype="float64"
    )
    p = [network.parameters[name].copy() for name in network.parameters]
    initial = [array.copy() for array in p]

    def loss(p, x, t):
        w1, b1, w2, b2, w3, b3 = p
        h = anp.maximum(anp.dot(x, w1) + b1, 0)
        logits = anp.dot(anp.tanh(anp.dot(h, w2) + b2), w3) + b3
        return -anp.mean(anp.sum(t * (logits - logsumexp(logits, axis=1, keepdims=True)), axis=1))

    losses, velocity = [], [0.0] * 6
    for step in range(10):
        rows = slice(32 * step, 32 * (step + 1))
        pixels, targets = x[rows].reshape(32, 784) / 255.0, np.eye(10)[y[rows]]
        losses.append(loss(p, pixels, targets))
        gradients = grad(loss)(p, pixels, targets)
        velocity = [0.9 * v + g for v, g in zip(velocity, gradients, strict=True)]
        p = [a - 0.1 * v for a, v in zip(p, velocity, strict=True)]

    reported = fit(network, x, y, batch_size=32, optimizer=pl.GradientDescent(0.1, momentum=0.9))
    np.testing.assert_allclose(reported, running_means(losses, [32] * 10), rtol=1e-12)
    for name, before, after in zip(network.parameters, initial, p, strict=True):
        np.testing.assert_allclose(network.parameters[name], after, rtol=1e-10, atol=1e-12)
        assert np.abs(after - before).max() > 1e-2
    assert losses[-1] < 0.8 * losses[0]


def test_the_same_trajectory_in_float32_stays_near():
    """The same run in float32: ten steps of sums of 784 numbers may differ by some hundred roundings of 6e-8."""
    (x, y), _ = pl.datasets.digits()
    runs = []
    for dtype in ("float32", "float64"):
        layers = [pl.Input(28, 28), pl.Dense(20, "relu"), pl.Dense(15, "tanh"), pl.Classification(10)]
        network = pl.Network(layers, dtype=dtype)
        runs.append(fit(network, x[:320], y[:320], batch_size=32, optimizer=pl.GradientDescent(0.1, momentum=0.9)))
    np.testing.assert_allclose(runs[0], runs[1], rtol=784 * np.finfo(np.float32).eps)
