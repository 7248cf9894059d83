"""The layers of tables in front of an ensemble, where each sample has a row for each member: against NumPy, any threads."""

from __future__ import annotations

import numpy as np
import pytest
from twins import ISAS, assert_answers_as_numpy, assert_step_as_numpy, assert_threads_do_not_matter_to, spread

import pellucid as pl

EVERY_ISA = pytest.mark.parametrize("isa", ISAS)
WORDS = pl.Embedding(((2, 9, 3),))  # two numbers, then three of a vector
BINS = pl.PiecewiseLinearEncoding((*[(-2.0, -0.5, 0.75, 3.0)] * 2, *[()] * 3))
M = 4

NETWORKS = {
    "factors": [pl.ScaleFeatures(6.0), pl.EnsembleDense(19, M, "tanh")],
    "factors behind a layer": [pl.Dense(90, "tanh"), pl.ScaleFeatures(2.0), pl.EnsembleDense(40, M, "gelu")],
    "bins": [BINS, pl.ScaleFeatures(6.0), pl.EnsembleDense(70, M, "tanh"), pl.EnsembleDense(9, M, "tanh")],
    "categories": [WORDS, BINS, pl.ScaleFeatures(6.0), pl.EnsembleDense(70, M, "silu")],
    "waves": [WORDS, pl.ScaleFeatures(2.0), pl.PeriodicEmbedding(5, (1, 0)), pl.EnsembleDense(70, M, "tanh")],
}
INPUTS = {"bins": 5}
every_network = pytest.mark.parametrize("name", NETWORKS)


def network_of(name, output=None):
    layers = [pl.Input(INPUTS.get(name, 3)), *NETWORKS[name], output or pl.Classification(3, members=M)]
    return spread(pl.Network(layers, seed=3), 3, 0.4)


def samples(name, count):
    rng = np.random.default_rng(count)
    x = rng.normal(size=(count, INPUTS.get(name, 3)))
    x[:, 2] = rng.integers(-1, 10, count)
    return x.astype(np.float32), rng.integers(0, 3, count)


@EVERY_ISA
@every_network
@pytest.mark.parametrize("batch", [7, 230])
@pytest.mark.parametrize("clipping", [None, pl.ClipByGlobalNorm(0.1)], ids=str)
def test_a_step_is_that_of_numpy_in_float64(isa, name, batch, clipping, monkeypatch):
    monkeypatch.setenv("PELLUCID_ISA", isa)
    x, y = samples(name, batch)
    options = {"optimizer": pl.GradientDescent(0.5), "regularizer": pl.L2(0.02), "clipping": clipping, "threads": 2}
    network = network_of(name)
    _, truth = assert_step_as_numpy(network, x, y, **options)
    for parameter in truth.parameters:
        assert np.abs(truth.parameters[parameter] - network.parameters[parameter]).max() > 1e-5, parameter


@EVERY_ISA
@every_network
def test_the_number_of_threads_changes_no_bit(isa, name, monkeypatch):
    monkeypatch.setenv("PELLUCID_ISA", isa)
    x, y = samples(name, 301)
    assert_threads_do_not_matter_to(network_of(name), x, y, pl.AdamW(0.01))


@EVERY_ISA
@every_network
def test_it_answers_as_numpy_does_and_alone_as_in_a_batch(isa, name, monkeypatch):
    monkeypatch.setenv("PELLUCID_ISA", isa)
    assert_answers_as_numpy(network_of(name, pl.Regression(5, members=M)), lambda count: samples(name, count)[0])
