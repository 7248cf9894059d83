"""What the tests of the native executor share: the same training on three executors.

The truth is the NumPy executor in float64. Two kinds of comparison with it: exactness.py, where float32 rounds nothing, and
rounding.py, which says how far rounding may go.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import pellucid as pl
from pellucid._native import instruction_sets
from pellucid.schedules import Position, Schedule

QUIET = {"progress": "none"}
ISAS = instruction_sets()


def numbers(network):
    """All that training changes: parameters, state and optimizer slots, by name."""
    vectors = {"parameters": network.parameters.vector, "state": network.state.vector}
    return {name: vector.copy() for name, vector in (vectors | network.training_state.optimizer_state.slots).items()}


def assert_same_bits(ours, theirs):
    """Bit by bit, of the results of `numbers`; a zero may have either sign only if both are the same."""
    assert ours.keys() == theirs.keys()
    for name, vector in ours.items():
        assert vector.tobytes() == theirs[name].tobytes(), name


def twin(network, dtype="float32"):
    """A network with the same layers, seed, parameters and state, and the same number of steps behind it."""
    arrays = {**network.parameters, **network.state}
    other = pl.Network(network.layers, network.seed, dtype, arrays={name: a.copy() for name, a in arrays.items()})
    other.training_state.step = network.training_state.step
    return other


def fitted(network, x, y, *, engine="native", dtype="float32", **options):
    """A twin of ``network`` after training; one step in the order of the samples unless ``options`` say otherwise."""
    trained = twin(network, dtype)
    defaults = {"batch_size": len(x), "epochs": 1, "shuffle": False, "optimizer": pl.GradientDescent(0.25, 0.5), **QUIET}
    trained.fit(x, y, engine=engine, **{**defaults, **options})
    assert trained.engine == engine
    return trained


def spread(network, seed, scale=1.0):
    """Move biases, scales, shifts and averages off their first values, so that each of them matters."""
    rng = np.random.default_rng(seed)
    for holder in (network.parameters, network.state):
        for name in holder:
            if not name.endswith("weight"):
                holder[name] = holder[name] + scale * rng.uniform(0.1, 0.5, holder[name].shape)
    return network


def gradients(trained):
    """Name -> gradient of the only step that ``trained`` made with `GradientDescent` and momentum: its velocity."""
    velocity = trained.training_state.optimizer_state.slots["velocity"]
    return {name: trained.parameters.layout.view(velocity, name) for name in trained.parameters}


def distances(ours, truth):
    """Name -> the largest difference of two mappings from name to array."""
    assert ours.keys() == truth.keys()
    return {name: np.abs(np.float64(ours[name]) - truth[name]).max(initial=0.0) for name in ours}


@dataclass(frozen=True)
class OneHugeRate(Schedule):
    """The factor 1, but ``size`` for step number ``at`` (1, 2, ...)."""

    at: int
    size: float

    def factor(self, position: Position) -> float:
        return self.size if position.step + 1 == self.at else 1.0
