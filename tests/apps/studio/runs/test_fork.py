"""A fork goes on from a checkpoint of another run, and takes along what fits."""

from __future__ import annotations

import numpy as np
import pytest
from small_runs import SMALL, are_equal, finished

import pellucid as pl
from pellucid.apps.studio.runs.runs import Runs


def test_a_fork_without_changes_does_what_its_run_does():
    runs = Runs()
    run = finished(runs.create(SMALL | {"dropout": 0.2}))
    step = run.summary()["kept"][3]
    fork = runs.fork("run-1", step, {})
    assert fork.summary()["parent"] == {"run": "run-1", "step": step}
    assert fork.loop.step == step
    assert are_equal(finished(fork).network, run.network)


def test_a_fork_from_now_takes_the_learning_rate_along():
    runs = Runs()
    run = runs.create(SMALL)
    run.make_step()
    run.set_learning_rate(0.125)
    fork = runs.fork("run-1", None, {"l2": 0.5})
    assert (fork.loop.step, fork.experiment.recipe.learning_rate) == (1, 0.125)
    assert np.array_equal(fork.network.parameters.vector, run.network.parameters.vector)
    assert np.array_equal(*(one.network.training_state.optimizer_state.slots["m"] for one in (run, fork)))
    other = runs.fork("run-1", None, {"optimizer": "momentum"})
    assert other.experiment.recipe.learning_rate == pl.GradientDescent(momentum=0.9).learning_rate


def test_a_fork_to_momentum_begins_to_remember():
    """Gradient descent with and without momentum is one class, with other slots."""
    runs = Runs()
    run = finished(runs.create(SMALL | {"optimizer": "gradient_descent"}))
    fork = runs.fork("run-1", None, {"optimizer": "momentum"})
    slots = fork.network.training_state.optimizer_state.slots
    assert [name for name, slot in slots.items() if np.any(slot)] == []
    assert slots.keys() - run.network.training_state.optimizer_state.slots.keys()
    finished(fork)


@pytest.mark.parametrize(
    ("changes", "kept", "keeps_memory"),
    [
        ({"dropout": 0.5}, {"dense_1", "dense_2", "output"}, True),
        ({"l2": 0.1, "learning_rate": 0.1}, {"dense_1", "dense_2", "output"}, True),
        ({"optimizer": "rmsprop"}, {"dense_1", "dense_2", "output"}, False),
        ({"batch_norm": True}, {"dense_1", "dense_2", "output"}, False),
        ({"hidden": [6, 5, 4]}, {"dense_1", "dense_2"}, False),
        ({"hidden": [6, 7]}, {"dense_1"}, False),
        ({"batch_size": 5}, {"dense_1", "dense_2", "output"}, True),
    ],
)
def test_a_fork_takes_along_what_fits(changes, kept, keeps_memory):
    runs = Runs()
    run = finished(runs.create(SMALL))
    step = run.summary()["kept"][2]
    old = run.checkpoint(step)
    fork = runs.fork("run-1", step, changes)
    layout = run.network.parameters.layout
    weights = {name: array for name, array in fork.network.parameters.items() if name.endswith(".weight")}
    for name, array in weights.items():
        is_same = name in layout.slots and np.array_equal(array, layout.view(old.parameters, name))
        assert is_same == (name.split(".")[0] in kept), name
    memory = fork.network.training_state.optimizer_state
    assert memory.updates == (step if keeps_memory else 0)
    assert fork.loop.step // fork.loop.steps_per_epoch == 2
    assert finished(fork).loop.step == 6 * fork.loop.steps_per_epoch
