"""PeriodicEmbedding natively: its sines and cosines, and steps with it, against NumPy and float64."""

from __future__ import annotations

import numpy as np
import pytest
from rounding import check
from twins import (
    ISAS,
    assert_answers_as_numpy,
    assert_step_as_numpy,
    assert_threads_do_not_matter_to,
    fitted,
    gradients,
    spread,
)

import pellucid as pl
from pellucid._native import has_bf16
from pellucid.executors.native.inference import native_inference

EVERY_ISA = pytest.mark.parametrize("isa", ISAS)
P = pl.PeriodicEmbedding
WORDS = pl.Embedding(((1, 9, 3),))
BINS = pl.PiecewiseLinearEncoding((*[(-2.0, -0.5, 0.75, 3.0)] * 3, *[()] * 12))

# name -> hidden layers on four columns, of which the second holds categories
NETWORKS = {
    "by rows": [P(5, (0, 2)), pl.Dense(19, "tanh")],
    "by columns": [P(17, (3, 0, 2)), pl.Dense(170, "gelu"), pl.BatchNormalization(), pl.Dense(133, "tanh")],
    "one each": [P(1), pl.Dense(9, "tanh")],
    "whole vectors": [P(16, (0, 2), 1.0), pl.ScaleFeatures(6.0), pl.Dense(170, "tanh"), pl.Dropout(0.2)],
    "with categories": [WORDS, P(3, (0, 1, 2)), BINS, pl.ScaleFeatures(6.0), pl.Dense(170, "tanh"), pl.Dense(100, "tanh")],
    "with factors below": [WORDS, pl.ScaleFeatures(2.0), P(3, (5, 1, 2)), pl.Dense(19, "tanh")],
    "waves of waves": [P(2, (0, 3)), P(3, (4, 0)), pl.Dense(19, "tanh")],
    "alone": [P(33)],
}
every_network = pytest.mark.parametrize("name", NETWORKS)


def network_of(name, output=None, seed=3):
    return spread(pl.Network([pl.Input(4), *NETWORKS[name], output or pl.Classification(3)], seed=seed), seed, 0.4)


def samples(count):
    rng = np.random.default_rng(count)
    x = rng.normal(size=(count, 4))
    x[:, 1] = rng.integers(-1, 10, count)
    return x.astype(np.float32), rng.integers(0, 3, count)


@EVERY_ISA
@every_network
@pytest.mark.parametrize("batch", [7, 230])
def test_a_step_is_the_true_one_but_for_rounding(isa, name, batch, monkeypatch):
    monkeypatch.setenv("PELLUCID_ISA", isa)
    x, y = samples(batch)
    check(network_of(name), x, y, threads=2)


@EVERY_ISA
@every_network
def test_the_number_of_threads_changes_no_bit(isa, name, monkeypatch):
    monkeypatch.setenv("PELLUCID_ISA", isa)
    x, y = samples(301)
    assert_threads_do_not_matter_to(network_of(name), x, y, pl.Adam(0.01))


@EVERY_ISA
@every_network
def test_it_answers_as_numpy_does_and_alone_as_in_a_batch(isa, name, monkeypatch):
    monkeypatch.setenv("PELLUCID_ISA", isa)
    assert_answers_as_numpy(network_of(name, pl.Regression(5)), lambda count: samples(count)[0])


def sweep():
    """Where in a turn: everywhere in the first ones, far out, and around each quarter of a turn."""
    rng = np.random.default_rng(0)
    quarters = np.arange(-40, 41, dtype=np.float32) / 4
    near = [np.nextafter(quarters, np.float32(side)) for side in (-99, 99)]
    far = [rng.uniform(-size, size, 400) for size in (1, 30, 1e3, 1e5, 2.0**22, 2.0**23, 2.0**24, 1e9, 1e20, 3e38)]
    tiny = rng.uniform(-1, 1, 200) * 10.0 ** rng.uniform(-38, 0, 200)
    return np.concatenate([quarters, *near, *far, tiny]).astype(np.float32)


@EVERY_ISA
def test_a_cosine_is_right_everywhere(isa, monkeypatch):
    monkeypatch.setenv("PELLUCID_ISA", isa)
    network = pl.Network([pl.Input(1), P(1), pl.Regression(use_bias=False)])
    network.parameters["periodic_embedding_1.frequency"] = np.ones((1, 1))
    network.parameters["periodic_embedding_1.phase"] = np.zeros((1, 1))
    network.parameters["output.weight"] = np.array([[0.0], [1.0]])
    t = sweep()
    exact = np.float64(t) - np.rint(np.float64(t))
    assert native_inference(network) is not None
    error = np.abs(network.predict(t[:, None]).ravel() - np.cos(2 * np.pi * exact))
    assert error.max() < 2.5e-7


@EVERY_ISA
def test_a_sine_is_right_everywhere(isa, monkeypatch):
    """One step on one sample 0: the gradient of each phase t is -2 pi sin(2 pi t) times that of its wave, which is 1."""
    monkeypatch.setenv("PELLUCID_ISA", isa)
    t = sweep()
    network = pl.Network([pl.Input(1), P(len(t)), pl.Regression(use_bias=False)])
    network.parameters["periodic_embedding_1.frequency"] = np.ones((1, len(t)))
    network.parameters["periodic_embedding_1.phase"] = t[None]
    network.parameters["output.weight"] = np.ones((1 + len(t), 1))
    x = np.zeros((1, 1), np.float32)
    y = network.predict(x) - np.float32(0.5)  # the loss is the square of the difference
    dy = 2 * (np.float64(network.predict(x)) - np.float64(y))[0]
    found = gradients(fitted(network, x, y))["periodic_embedding_1.phase"][0]
    exact = np.float64(t) - np.rint(np.float64(t))
    error = np.abs(found / dy / (-2 * np.pi) - np.sin(2 * np.pi * exact))
    assert error.max() < 4e-7  # with the rounding of the two products


@pytest.mark.parametrize("clipping", [pl.ClipByGlobalNorm(0.1), pl.ClipByValue(0.01)], ids=str)
@pytest.mark.parametrize("batch", [20, 230])
@every_network
def test_clipping_sees_its_gradient(name, clipping, batch):
    x, y = samples(batch)
    options = {"clipping": clipping, "optimizer": pl.GradientDescent(0.5), "regularizer": pl.L2(0.05)}
    assert_step_as_numpy(network_of(name), x, y, **options)


@pytest.mark.skipif(not has_bf16(), reason="this processor has no bfloat16")
def test_bf16_rounds_what_it_gives():
    x, y = samples(201)
    options = {"batch_size": 50, "epochs": 2, "optimizer": pl.GradientDescent(0.05), "threads": 2}
    rounded, exact = (fitted(network_of("by columns"), x, y, precision=p, **options) for p in ("bf16", "float32"))
    assert "bf16 products" in rounded.engine_note
    assert 0 < np.abs(rounded.parameters.vector - exact.parameters.vector).max() < 0.05


def test_frequencies_that_are_not_finite_end_a_training():
    network = network_of("by columns")
    x, y = samples(60)
    with pytest.raises(pl.DivergenceError):
        network.fit(x, y, epochs=20, batch_size=20, optimizer=pl.GradientDescent(1e30), progress="none")
