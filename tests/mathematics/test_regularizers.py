"""The penalty on weights: values by hand, gradients, who pays, and that training descends loss plus penalty."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import pellucid as pl
from pellucid.data.samples import Batch
from pellucid.executors.base import OptimizerState, Rules
from pellucid.executors.numpy import NumpyExecutor
from pellucid.nn.objective import penalty

W = np.array([[1.0, -2.0], [0.5, 0.0]])


@pytest.mark.parametrize(
    ("regularizer", "penalty", "gradient"),
    [
        (pl.L1(0.1), 0.35, [[0.1, -0.1], [0.1, 0]]),
        (pl.L2(0.1), 0.525, [[0.2, -0.4], [0.1, 0]]),
        (pl.L1(0.1) + pl.L2(0.1), 0.875, [[0.3, -0.5], [0.2, 0]]),
        (pl.L1(1.0) + pl.L1(2.0) + pl.L2(0.5), 3 * 3.5 + 2.625, [[4, -5], [3.5, 0]]),
        (pl.L2(0.0), 0, [[0, 0], [0, 0]]),
    ],
)
def test_by_hand(regularizer, penalty, gradient):
    assert regularizer.penalty(W) == pytest.approx(penalty, rel=1e-15)
    np.testing.assert_allclose(regularizer.gradient(W), gradient, rtol=1e-15)
    assert isinstance(regularizer.penalty(W.astype(np.float32)), float)
    assert regularizer.gradient(W.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize("regularizer", [pl.L1(0.3), pl.L2(0.3), pl.L1(0.1) + pl.L2(0.2)])
@given(w=arrays(np.float64, (3, 4), elements=st.floats(-5, 5).filter(lambda v: abs(v) > 1e-3)))
def test_gradcheck(regularizer, w):
    assert pl.gradcheck(regularizer, w).passed


def make(first=None, second=None, output=None):
    """Every array away from zero, so that one that pays by mistake shows."""
    layers = [
        pl.Input(3),
        pl.Dense(4, "tanh", regularizer=first),
        pl.BatchNormalization(),
        pl.Dense(2, "tanh", regularizer=second),
        pl.Classification(3, regularizer=output),
    ]
    network = pl.Network(layers, seed=4, dtype="float64")
    network.parameters.vector[...] += 0.3
    return network


def penalties(network):
    p = network.parameters
    return [p[f"{name}.weight"] for name in ("dense_1", "dense_2", "output")]


def test_all_weights_pay_and_nothing_else_does():
    network = make()
    weights = np.concatenate([w.ravel() for w in penalties(network)])
    assert penalty(network, pl.L1(0.1) + pl.L2(0.2)) == pytest.approx(
        0.1 * np.abs(weights).sum() + 0.2 * (weights**2).sum(), rel=1e-14
    )
    assert penalty(network, None) == 0


def test_a_layers_own_price_takes_the_place_of_the_common_one():
    network = make(first=pl.L1(0.5), output=pl.L2(0.0))
    w1, w2, _ = penalties(network)
    assert penalty(network, pl.L2(0.2)) == pytest.approx(0.5 * np.abs(w1).sum() + 0.2 * (w2**2).sum(), rel=1e-14)
    assert penalty(network, None) == pytest.approx(0.5 * np.abs(w1).sum(), rel=1e-14)


def test_penalty_can_be_asked_for_other_parameters():
    network = make()
    assert penalty(network, pl.L2(0.2), np.zeros_like(network.parameters.vector)) == 0


RNG = np.random.default_rng(2)
BATCH = Batch(RNG.normal(size=(7, 3)), RNG.integers(0, 3, 7))


def step(network, regularizer):
    before = network.parameters.vector.copy()
    executor = NumpyExecutor(network, Rules(pl.GradientDescent(), regularizer), OptimizerState())
    figures = executor.train_step(BATCH, 0, 0.1)
    return {
        name: network.parameters[name] - network.parameters.layout.view(before, name) for name in network.parameters
    }, figures


def test_a_step_of_the_network_adds_the_gradient_of_the_price_to_weights_alone():
    plain, loss = step(make(), None)
    penalized, loss_with_penalty = step(make(second=pl.L1(0.7)), pl.L2(0.2))
    start = make().parameters
    assert loss == loss_with_penalty  # the reported loss is without the penalty
    for name in start:
        expected = np.zeros_like(start[name])
        if name in ("dense_1.weight", "output.weight"):
            expected = -0.1 * 2 * 0.2 * start[name]
        elif name == "dense_2.weight":
            expected = -0.1 * 0.7 * np.sign(start[name])
        np.testing.assert_allclose(penalized[name] - plain[name], expected, atol=1e-15)


def test_gradcheck_of_a_network_covers_the_price():
    network = make(first=pl.L1(0.5))
    pl.gradcheck(network, BATCH.x, BATCH.y, regularizer=pl.L2(0.3), allow_zero=("dense_1.bias",))


def test_history_reports_the_price_at_the_end_of_the_epoch_and_the_loss_without_it():
    network = make()
    history = network.fit(BATCH.x, BATCH.y, epochs=2, regularizer=pl.L2(0.2), progress="none")
    assert history["penalty"][-1] == pytest.approx(sum(0.2 * (w**2).sum() for w in penalties(network)), rel=1e-13)
    assert "penalty" not in make().fit(BATCH.x, BATCH.y, epochs=1, progress="none")


def test_l1_drives_the_weights_of_useless_inputs_to_zero_and_keeps_the_useful_one():
    """Lasso: 8 inputs, the target is the first one; the minimum is w = (1 - strength / 2, 0, ...) for orthogonal inputs."""
    x = np.linalg.qr(RNG.normal(size=(64, 8)))[0] * 8  # mean of x_i x_j over the 64 samples is 1 or 0
    network = pl.Network([pl.Input(8), pl.Regression(use_bias=False)], dtype="float64")
    network.fit(
        x,
        x[:, 0],
        epochs=600,
        batch_size=64,
        regularizer=pl.L1(0.2),
        optimizer=pl.GradientDescent(0.02),
        schedule=pl.Cosine(1e-4),
        progress="none",
    )
    w = network.parameters["output.weight"][:, 0]
    assert w[0] == pytest.approx(0.9, abs=1e-3)
    assert np.abs(w[1:]).max() < 5e-3


@pytest.mark.parametrize(
    "build",
    [
        lambda: pl.L1(-1.0),
        lambda: pl.L2(float("inf")),
        lambda: pl.L2("0.1"),
        lambda: pl.Dense(3, regularizer=0.1),
        lambda: pl.Classification(3, regularizer="l3"),
    ],
)
def test_what_cannot_work_is_refused(build):
    with pytest.raises(pl.ArgumentError):
        build()
    with pytest.raises(TypeError):
        pl.L1(0.1) + 0.2
