"""JAX, as its users write it when they want speed: all epochs of a round are one compiled program, a ``lax.scan`` over
batches that are gathered from resident data; the state is donated, so that it is updated in place."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jobs.data import as_floats
from jobs.dense import Job

from contestants.protocol import serve, training

Arrays = Any  # a tree of arrays
ACTIVATIONS = {"relu": jax.nn.relu, "tanh": jnp.tanh}


def initial(job: Job) -> tuple[list[dict[str, jax.Array]], list[dict[str, jax.Array]]]:
    """Parameters and moving averages of each layer."""
    rng = np.random.default_rng(0)
    parameters, averages = [], []
    for inputs, units in zip(job.sizes, job.sizes[1:], strict=False):
        weight = rng.standard_normal((inputs, units)) * np.sqrt(2 / inputs)
        parameters.append({"w": jnp.asarray(weight, jnp.float32), "b": jnp.zeros(units)})
        averages.append({})
        if job.normalize and len(parameters) < len(job.sizes) - 1:
            parameters[-1] |= {"gamma": jnp.ones(units), "beta": jnp.zeros(units)}
            averages[-1] |= {"mean": jnp.zeros(units), "variance": jnp.ones(units)}
    return parameters, averages


def normalized(layer: Arrays, averages: Arrays, x: jax.Array, training: bool) -> tuple[jax.Array, Arrays]:
    """Batch normalization, and the averages that follow it."""
    if training:
        mean, variance = x.mean(axis=0), x.var(axis=0)
        averages = {
            "mean": 0.9 * averages["mean"] + 0.1 * mean,
            "variance": 0.9 * averages["variance"] + 0.1 * variance * len(x) / (len(x) - 1),
        }
    else:
        mean, variance = averages["mean"], averages["variance"]
    return (x - mean) * (layer["gamma"] * jax.lax.rsqrt(variance + 1e-5)) + layer["beta"], averages


def dropped(x: jax.Array, rate: float, key: jax.Array) -> jax.Array:
    """Dropout by random bytes, four from each number drawn: cheaper than ``jax.random.bernoulli``, which draws a number for
    each element. Threefry is the fastest generator that JAX has on a processor."""
    levels = round(256 * rate)
    numbers = jax.random.bits(key, (len(x), x.shape[1] // 4), jnp.uint32)
    keep = jax.lax.bitcast_convert_type(numbers, jnp.uint8).reshape(x.shape) >= levels
    return jnp.where(keep, x / (1 - levels / 256), 0)


def loss_of(
    parameters: Arrays, averages: Arrays, x: jax.Array, y: jax.Array, key: jax.Array | None, job: Job
) -> tuple[jax.Array, Arrays]:
    """The mean loss and the new moving averages; without a key, as in prediction."""
    following = []
    for number, (layer, moving) in enumerate(zip(parameters[:-1], averages[:-1], strict=True)):
        x = ACTIVATIONS[job.activation](x @ layer["w"] + layer["b"])
        if job.normalize:
            x, moving = normalized(layer, moving, x, key is not None)
        if job.dropout and key is not None:
            x = dropped(x, job.dropout, jax.random.fold_in(key, number))
        following.append(moving)
    outputs, following = x @ parameters[-1]["w"] + parameters[-1]["b"], [*following, averages[-1]]
    if job.regression:
        return ((outputs - y) ** 2).mean(), following
    return -jnp.take_along_axis(jax.nn.log_softmax(outputs), y[:, None], axis=1).mean(), following


def adam(parameters: Arrays, gradients: Arrays, m: Arrays, v: Arrays, t: jax.Array) -> tuple[Arrays, Arrays, Arrays]:
    rate = 1e-3 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, gradients)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, gradients)
    return jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) + 1e-8), parameters, m, v), m, v


@partial(jax.jit, static_argnums=4, donate_argnums=0)
def train(state: Arrays, order: jax.Array, x: jax.Array, y: jax.Array, job: Job) -> Arrays:
    """One step for each row of ``order`` (steps, B)."""
    key = jax.random.key(0)

    def step(state: Arrays, rows: jax.Array) -> tuple[Arrays, None]:
        parameters, averages, m, v, t = state
        t = t + 1
        inputs, targets = x, y
        if job.batch < job.rows:
            inputs, targets = jnp.take(x, rows, axis=0, mode="clip"), jnp.take(y, rows, mode="clip")
        here = jax.random.fold_in(key, t.astype(jnp.uint32))
        gradients, averages = jax.grad(loss_of, has_aux=True)(parameters, averages, inputs, targets, here, job)
        parameters, m, v = adam(parameters, gradients, m, v, t)
        return (parameters, averages, m, v, t), None

    return jax.lax.scan(step, state, order)[0]


class Trainer:
    """Holds the state between rounds."""

    def __init__(self) -> None:
        job, (x, y) = training()
        self.job, self.x, self.y = job, jnp.asarray(as_floats(x)), jnp.asarray(y if job.regression else y.astype(np.int32))
        parameters, averages = initial(job)
        moments = [jax.tree.map(jnp.zeros_like, parameters) for _ in range(2)]
        self.state = (parameters, averages, *moments, jnp.zeros(()))
        self.rng = np.random.default_rng(0)

    def train(self) -> None:
        job = self.job
        shuffled = job.batch < job.rows
        epochs = [self.rng.permutation(job.rows) if shuffled else np.zeros(1) for _ in range(job.epochs)]
        order = np.concatenate(epochs).astype(np.int32).reshape(job.steps, -1)
        self.state = jax.block_until_ready(train(self.state, order, self.x, self.y, job))

    def loss(self) -> float:
        return float(loss_of(self.state[0], self.state[1], self.x[:10_000], self.y[:10_000], None, self.job)[0])


if __name__ == "__main__":
    trainer = Trainer()
    serve(trainer.train, {"jax": jax.__version__}, loss=trainer.loss)
