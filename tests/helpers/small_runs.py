"""Runs to be tested, and what `fit` makes of the same experiment."""

from __future__ import annotations

import numpy as np

from pellucid.apps.studio.runs.material import network_of
from pellucid.apps.studio.runs.runs import Runs

SMALL = {"data": "moons", "samples": 80, "hidden": [6, 5], "batch_size": 16, "epochs": 6, "learning_rate": 0.02}


def new(changes=(), **more):
    return Runs().create(SMALL | dict(changes) | more)


def finished(run):
    run.resume()
    run.wait()
    assert run.message is None
    return run


def fitted(run, **options):
    """A network of its own, trained on the same samples by ``fit``."""
    network = network_of(run.experiment, run.material)
    fit(network, run, **options)
    return network


def fit(network, run, **options):
    parts = (run.material.training, run.material.validation)
    (x, y), aside = (None if part is None else (part.x[part.rows], part.y[part.rows]) for part in parts)
    network.fit(x, y, progress="none", **made_for_fit(run) | {"validation": aside} | options)


def made_for_fit(run):
    return run.experiment.recipe.fit_options()


def numbers(network):
    memory = network.training_state.optimizer_state
    return [network.parameters.vector, network.state.vector, *memory.slots.values(), np.array(memory.updates)]


def are_equal(one, other):
    pairs = list(zip(numbers(one), numbers(other), strict=True))
    return all(np.array_equal(a, b) for a, b in pairs) and one.training_state.step == other.training_state.step
