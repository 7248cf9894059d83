"""JAX, from nothing to 98 % of the test digits: an epoch is one compiled ``lax.scan``. ``--schedule``: with the
rising and falling rate that Pellucid uses."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

SEED, SCHEDULE = int(sys.argv[2]), "--schedule" in sys.argv
BATCH, RATE, EPOCHS = (128, 5e-3, 4) if SCHEDULE else (128, 1.5e-3, 30)


def loss(parameters: Any, x: jax.Array, y: jax.Array) -> jax.Array:
    log_probabilities = jax.nn.log_softmax(forward(parameters, x))
    return -jnp.take_along_axis(log_probabilities, y[:, None], axis=1).mean()


def forward(parameters: Any, x: jax.Array) -> jax.Array:
    (w1, b1), (w2, b2) = parameters
    return jax.nn.relu(x @ w1 + b1) @ w2 + b2


@partial(jax.jit, donate_argnums=0)
def train(state: Any, order: jax.Array, rates: jax.Array, x: jax.Array, y: jax.Array) -> Any:
    """One epoch of Adam; a row of ``order`` is a batch."""

    def step(state: Any, batch: tuple[jax.Array, jax.Array]) -> tuple[Any, None]:
        (parameters, m, v, t), (rows, rate) = state, batch
        t = t + 1
        g = jax.grad(loss)(parameters, jnp.take(x, rows, axis=0, mode="clip"), jnp.take(y, rows, mode="clip"))
        rate = rate * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        parameters = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) + 1e-8), parameters, m, v)
        return (parameters, m, v, t), None

    return jax.lax.scan(step, state, (order, rates))[0]


@jax.jit
def right(parameters: Any, x: jax.Array, y: jax.Array) -> jax.Array:
    return (forward(parameters, x).argmax(axis=1) == y).sum()


def one_cycle(steps: int) -> NDArray[np.float64]:
    """Up to 1 over 15 % of the steps, then down to almost 0, both along a cosine."""
    done = np.arange(steps) / steps
    rise, fall = done / 0.15, (done - 0.15) / 0.85
    return np.where(rise < 1, 0.04 + 0.96 * (1 - np.cos(np.pi * rise)) / 2, (1 + np.cos(np.pi * fall)) / 2)


def main() -> None:
    with np.load(Path(sys.argv[1]) / "digits.npz") as digits:
        x, x_test = (np.multiply(digits[name].reshape(-1, 784), 1 / 255, dtype=np.float32) for name in ("x", "x_test"))
        y, y_test = (digits[name].astype(np.int32) for name in ("y", "y_test"))
    x, y, x_test, y_test = map(jnp.asarray, (x, y, x_test, y_test))
    rng = np.random.default_rng(SEED)
    parameters = [  # from NumPy: each kind of array that JAX itself makes is one more program to compile
        ((rng.standard_normal((d, u)) * np.sqrt(2 / d)).astype(np.float32), np.zeros(u, np.float32))
        for d, u in ((784, 256), (256, 10))
    ]
    m, v = jax.tree.map(np.zeros_like, parameters), jax.tree.map(np.zeros_like, parameters)
    state = (parameters, m, v, np.zeros((), np.float32))
    steps = len(x) // BATCH
    rates = one_cycle(EPOCHS * steps) if SCHEDULE else np.ones(EPOCHS * steps)
    for epoch in (RATE * rates).astype(np.float32).reshape(EPOCHS, steps):
        order = rng.permutation(len(x))[: steps * BATCH].reshape(steps, BATCH).astype(np.int32)
        state = train(state, order, epoch, x, y)
        accuracy = int(right(state[0], x_test, y_test)) / len(y_test)
        print(accuracy)
        if accuracy >= 0.98:
            break


if __name__ == "__main__":
    main()
