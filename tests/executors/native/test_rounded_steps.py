"""Steps in which float32 rounds: every activation, loss and normalization against the truth, within what rounding allows.

See rounding.py for the bound. That it is far below the effect of a fault is tested too.
"""

from __future__ import annotations

import numpy as np
import pytest
from rounding import case, check, classes, gradient_bounds, values
from twins import ISAS, distances, fitted, gradients, numbers, spread, twin

import pellucid as pl
from pellucid.executors.native.compile import ACTIVATIONS
from pellucid.training.events import StepFinished

EVERY_ISA = pytest.mark.parametrize("isa", ISAS)


@pytest.fixture
def on(monkeypatch):
    """``on("avx2")`` runs what follows with that instruction set."""
    return lambda isa: monkeypatch.setenv("PELLUCID_ISA", isa)


@EVERY_ISA
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("batch", [3, 31, 250])
def test_every_activation(isa, activation, batch, on):
    on(isa)
    network, x, y = case([pl.Input(9), pl.Dense(21, activation), pl.Classification(3)], batch, classes(3))
    check(network, x, y, threads=2)


LOSSES = [
    (pl.Classification(2), classes(2)),
    (pl.Classification(17, 0.1), classes(17)),
    (pl.Classification(1000), classes(1000)),
    (pl.Classification(5), lambda rng, batch: rng.dirichlet(np.ones(5), batch)),
    (pl.Classification(33, 0.2), lambda rng, batch: rng.dirichlet(np.ones(33) / 5, batch)),
    (pl.BinaryClassification(), classes(2)),
    (pl.BinaryClassification(0.2, use_bias=False), classes(2)),
    (pl.Regression(), values(1)),
    (pl.Regression(3), values(3)),
    (pl.Regression(65, "mse"), values(65)),
    (pl.Regression(7, "mae", use_bias=False), values(7)),
    (pl.Regression(7, pl.Huber(0.3)), values(7)),
    (pl.Regression(1, pl.Huber(2.5)), values(1)),
    (pl.Regression(1100, "huber"), values(1100)),
    (pl.Regression(1, "poisson"), lambda rng, batch: rng.poisson(2.0, batch)),
    (pl.Regression(33, "poisson", use_bias=False), lambda rng, batch: rng.poisson(2.0, (batch, 33))),
    (pl.Regression(loss="pinball:0.1,0.5,0.8"), values(1)),
    (pl.Regression(loss=pl.PinballLoss(tuple((np.arange(99) + 0.5) / 99))), values(1)),
]


@EVERY_ISA
@pytest.mark.parametrize(("output", "target"), LOSSES, ids=[repr(output) for output, _ in LOSSES])
@pytest.mark.parametrize("batch", [1, 31, 200])
def test_every_loss_with_and_without_weights(isa, output, target, batch, on):
    on(isa)
    network, x, y = case([pl.Input(6), pl.Dense(19, "tanh"), output], batch, target, seed=batch)
    check(network, x, y, threads=2)
    weights = np.random.default_rng(batch).uniform(0, 2, batch) * (np.arange(batch) % 4 != 1)
    check(network, x, y, threads=2, sample_weight=weights)


def test_class_weights():
    network, x, y = case([pl.Input(6), pl.Dense(9, "silu"), pl.Classification(4)], 97, classes(4))
    chosen = {0: 2.0, 1: 0.0, 2: 0.3, 3: 1.0}
    weights = np.array([chosen[label] for label in y])
    plain, weighted = (fitted(network, x, y, **options) for options in ({}, {"class_weight": chosen}))
    bounds = gradient_bounds(twin(network, "float64"), x, y, weights)
    truth = gradients(fitted(network, x, y, engine="numpy", dtype="float64", class_weight=chosen))
    for name, bound in bounds.items():
        assert distances(gradients(weighted), truth)[name] <= bound
        assert distances(gradients(plain), truth)[name] > 100 * bound


@pytest.mark.parametrize("sizes", [(9, 5), (700, 3)], ids=str)
@pytest.mark.parametrize("batch", [31, 250])
def test_a_batch_whose_weights_are_all_zero_has_no_gradient_and_no_loss(sizes, batch):
    seen = []

    def stop(event):
        seen.append(event)
        if isinstance(event, StepFinished):
            raise pl.StopTraining

    layers = [pl.Input(sizes[0]), pl.BatchNormalization(), pl.Dense(sizes[1], "gelu"), pl.Classification(3)]
    network, x, y = case(layers, batch + 1, classes(3))
    weights = np.append(np.zeros(batch), 1.0)
    trained = fitted(network, x, y, sample_weight=weights, batch_size=batch, callbacks=[stop])
    assert not trained.training_state.optimizer_state.slots["velocity"].any()
    assert (trained.parameters.vector == network.parameters.vector).all()
    assert [event.metrics for event in seen if isinstance(event, StepFinished)] == [{"loss": 0.0, "accuracy": 0.0}]
    assert (trained.state.vector != network.state.vector).all(), "the moving averages see every sample"


NORMALIZED = [
    [pl.BatchNormalization()],
    [pl.BatchNormalization(0.5, 0.1), pl.Dropout(0.3)],
    [pl.Dropout(0.3), pl.BatchNormalization(0.0), pl.BatchNormalization(0.99, 1e-3)],
    [pl.Dropout(0.9), pl.Dropout(0.1)],
]


@EVERY_ISA
@pytest.mark.parametrize("between", NORMALIZED, ids=str)
@pytest.mark.parametrize("batch", [2, 31, 130, 300])
def test_normalization_and_dropout_in_every_order(isa, between, batch, on):
    """On the inputs, behind a layer of odd width, and before the output."""
    on(isa)
    if batch == 2:  # with two samples h is +-1, or anything where they are nearly equal: take an epsilon that forgives
        between = [pl.BatchNormalization(0.7, 0.1) if isinstance(b, pl.BatchNormalization) else b for b in between]
    hidden = [pl.Dense(37, "tanh"), *between, pl.Dense(9, "elu", use_bias=False), *between]
    network, x, y = case([pl.Input(11), *between, *hidden, pl.Classification(3)], batch, classes(3))
    network.training_state.step = 77
    check(network, x, y, threads=3)


@pytest.mark.parametrize("momentum", [0.0, 0.9, 0.999, 0.9999])
def test_moving_averages_follow_their_momentum(momentum):
    """By hand: moving <- momentum moving + (1 - momentum) batch, from 0 and 1, in float64."""
    x = np.random.default_rng(3).normal(size=(40, 5)).astype(np.float32) + 3
    network = pl.Network([pl.Input(5), pl.BatchNormalization(momentum), pl.Classification(3)])
    trained = fitted(network, x, np.arange(40) % 3)
    mean, variance = x.mean(axis=0, dtype=np.float64), x.var(axis=0, dtype=np.float64)
    state = trained.state
    np.testing.assert_allclose(state["batch_normalization_1.moving_mean"], (1 - momentum) * mean, rtol=2e-6)
    expected = momentum + (1 - momentum) * variance
    np.testing.assert_allclose(state["batch_normalization_1.moving_variance"], expected, rtol=2e-6)


def test_one_sample_leaves_the_moving_averages_alone():
    network, x, y = case([pl.Input(5), pl.BatchNormalization(), pl.Classification(3)], 1, classes(3))
    trained = fitted(network, x, y)
    assert (trained.state.vector == network.state.vector).all()
    assert not gradients(trained)["batch_normalization_1.gamma"].any(), "h is 0"


@EVERY_ISA
def test_pixels(isa, on):
    on(isa)
    rng = np.random.default_rng(5)
    for batch in (1, 31, 250):
        x = rng.integers(0, 256, (batch, 5, 7), dtype=np.uint8)
        network = spread(pl.Network([pl.Input(5, 7), pl.Dense(33, "softplus"), pl.Classification(10)]), 1)
        check(network, x, rng.integers(0, 10, batch), threads=2)


@EVERY_ISA
def test_deep_sums(isa, on):
    """Blocks in depth: more than 512 inputs, hidden units and outputs."""
    on(isa)
    layers = [pl.Input(1100), pl.Dense(530, "tanh"), pl.Dense(523, "sigmoid"), pl.Classification(600)]
    network, x, y = case(layers, 70, classes(600))
    check(network, x, y, threads=2)


class TestTheBound:
    """It is no wider than rounding needs, and far below the effect of a fault."""

    LAYERS = (pl.Input(20), pl.Dense(33, "tanh"), pl.BatchNormalization(), pl.Dense(17, "gelu"), pl.Classification(5))

    def test_a_fault_of_one_part_in_ten_thousand_is_beyond_it(self):
        for batch in (7, 31, 250):
            network, x, y = case(self.LAYERS, batch, classes(5))
            bounds = gradient_bounds(twin(network, "float64"), x, y)
            truth = gradients(fitted(network, x, y, engine="numpy", dtype="float64"))
            for name, gradient in truth.items():
                if name != "dense_1.bias":  # in truth 0: the normalization takes every shift away
                    assert 1e-4 * np.abs(gradient).max() > bounds[name], name

    def test_it_is_not_a_hundred_times_what_is_needed(self):
        needed = []
        for batch in (7, 31, 250):
            network, x, y = case(self.LAYERS, batch, classes(5))
            needed.append(check(network, x, y))
        assert max(needed) > 0.01


def test_several_steps_stay_near():
    """Ten steps of each executor in float32, from one start: native is as near to the truth as NumPy is."""
    layers = [pl.Input(20), pl.Dense(33, "tanh"), pl.BatchNormalization(), pl.Dropout(0.2), pl.Classification(5)]
    network, x, y = case(layers, 90, classes(5))
    options = {"epochs": 4, "batch_size": 40, "shuffle": True}
    truth = numbers(fitted(network, x, y, engine="numpy", dtype="float64", **options))
    native, other = (numbers(fitted(network, x, y, engine=engine, **options)) for engine in ("native", "numpy"))
    for name, vector in truth.items():
        allowed = 8 * np.abs(other[name] - vector).max()
        assert np.abs(native[name] - vector).max() <= allowed < 1e-4 * np.abs(vector).max(), name
