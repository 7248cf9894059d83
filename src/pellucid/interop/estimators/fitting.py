"""One training of an estimator's network by the training loop, with scikit-learn's rules of when to end."""

from __future__ import annotations

import warnings

import numpy as np

from pellucid.core.errors import DivergenceError
from pellucid.core.shapes import AnyArray
from pellucid.data.samples import Samples
from pellucid.data.weights import check_sample_weights
from pellucid.executors.base import OptimizerState, Rules
from pellucid.interop.estimators.convergence import Convergence, Progress
from pellucid.interop.estimators.parameters import NetworkParameters
from pellucid.interop.estimators.rates import inverse_scaling
from pellucid.interop.estimators.threads import limit_threads
from pellucid.interop.estimators.units import Units
from pellucid.mathematics.schedules import ConstantRate, Schedule, schedule
from pellucid.models.network import Network
from pellucid.nn.layers.batch_normalization import BatchNormalization
from pellucid.training.loop import TrainingLoop
from pellucid.training.plan import Plan
from pellucid.training.progress import progress_display
from pellucid.training.trainer import Trainer

AUTO_BATCH = 200
MOST_MERGED = 1000  # rows: more are hardly ever one batch


def samples_of(x: AnyArray, y: AnyArray, weights: AnyArray | None) -> Samples:
    """All rows with their targets and weights."""
    return Samples(x, y, np.arange(len(x)), check_sample_weights(weights, len(x)))


def fit_stochastic(
    network: Network,
    parameters: NetworkParameters,
    progress: Progress,
    training: Samples,
    held_out: Samples | None,
    *,
    total_weight: float,
    epochs: int,
    begins: bool,
) -> Convergence:
    """Train for at most so many epochs; a training that ``begins`` has a new optimizer. Gives how it ended.

    ``total_weight`` is the sum of the weights of the training samples: their number, if they have none.

    Raises `ValueError` where numbers are no longer finite, as scikit-learn does.
    """
    if begins:
        network.training_state.optimizer_state, progress.rate = OptimizerState(), None
    count = len(training)
    batch_size = _batch_size(parameters, count)
    is_whole = batch_size == count
    if is_whole:
        training = merged(network, training)
    units = Units.of(parameters, network.output)
    plan = Plan(
        rules=Rules(units.optimizer(parameters), units.regularizer(parameters, total_weight * batch_size / count)),
        schedule=_schedule(parameters, count, progress.seen, begins),
        epochs=epochs,
        batch_size=batch_size,
        shuffle=parameters.shuffle and not is_whole,
        threads=limit_threads(network, batch_size, parameters.threads),
    )
    loop = TrainingLoop(network, network.training_state, training, held_out, plan)
    loop.learning_rate = progress.rate or loop.learning_rate
    convergence = Convergence(parameters, progress, loop, units, count)
    listeners = [*(parameters.callbacks or ()), *progress_display(parameters.progress)]
    trainer = Trainer(loop, [convergence, *listeners])
    loop.tells_steps = bool(listeners)
    try:
        trainer.run()
    except DivergenceError as error:
        raise ValueError(f"Solver produced non-finite parameter weights: {error}") from error
    except KeyboardInterrupt:
        warnings.warn("Training interrupted by user.", stacklevel=4)
        convergence.converged = True
    finally:
        network.history.extend(trainer.history)
        progress.rate = loop.learning_rate
    if parameters.early_stopping and progress.best is not None:
        network.parameters.vector[...], network.state.vector[...] = progress.best
    return convergence


def merged(network: Network, training: Samples) -> Samples:
    """The training samples with equal ones as one, of their weights together, and without those of weight 0.

    In a batch of all samples this changes nothing but the order of the sums, which no longer depends on how the samples
    came: a weight of 2 and a sample that comes twice then give the same bits. Batch normalization counts rows, not weights.
    """
    x, y = training.x[training.rows], training.y[training.rows]
    if len(x) > MOST_MERGED or any(isinstance(layer, BatchNormalization) for layer in network.layers):
        return training
    weights = np.ones(len(x)) if training.weights is None else training.weights[training.rows]
    seen = weights > 0
    rows = np.column_stack([x[seen].reshape(seen.sum(), -1).astype(np.float64), y[seen]])
    _, first, place = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    together = np.bincount(place.reshape(-1), weights[seen])
    return samples_of(x[seen][first], y[seen][first], None if (together == together[0]).all() else together)


def _batch_size(parameters: NetworkParameters, count: int) -> int:
    asked = AUTO_BATCH if parameters.batch_size == "auto" else int(parameters.batch_size)
    if asked > count and parameters.batch_size != "auto":
        warnings.warn(f"batch_size={asked} is larger than the number of samples, {count}: it is clipped.", stacklevel=5)
    return min(asked, count)


def _schedule(parameters: NetworkParameters, samples: int, seen: int, begins: bool) -> Schedule:
    if parameters.schedule is not None:
        return schedule(parameters.schedule)
    if parameters.solver == "sgd" and parameters.learning_rate == "invscaling":
        return inverse_scaling(parameters.power_t, samples, seen, begins=begins)
    return ConstantRate()
