"""ScaleFeatures natively: before, between and behind the other layers, against NumPy, on any number of threads."""

from __future__ import annotations

import numpy as np
import pytest
from rounding import case, check, classes
from twins import (
    ISAS,
    assert_answers_as_numpy,
    assert_step_as_numpy,
    assert_threads_do_not_matter_to,
    fitted,
    numbers,
    spread,
)

import pellucid as pl
from pellucid._native import has_bf16
from pellucid.executors.native import executor

EVERY_ISA = pytest.mark.parametrize("isa", ISAS)
RNG = np.random.default_rng(14)
S = pl.ScaleFeatures
BINS = tuple(tuple(np.linspace(-2, 2, 4 + column % 3).tolist()) for column in range(7))

# name -> (inputs, hidden layers); the first three are dealt out by rows in batches of 230, the others by columns
NETWORKS = {
    "first": (7, [S(6.0), pl.Dense(19, "tanh")]),
    "everywhere": (7, [S(2.0), S(0.5), pl.Dense(19, "tanh"), S(6.0), pl.Dropout(0.2), pl.Dense(5, "gelu"), S()]),
    "behind bins": (7, [pl.PiecewiseLinearEncoding(BINS), S(6.0), pl.Dense(19, "tanh")]),
    "large": (90, [S(6.0), pl.Dropout(0.1), pl.Dense(150, "silu"), S(3.0), pl.Dense(190, "tanh"), pl.Dropout(0.3), S()]),
    "normalized": (7, [S(2.0), pl.BatchNormalization(), S(3.0), pl.Dense(40, "silu"), pl.BatchNormalization(), S()]),
    "none but it": (7, [S(2.0)]),
}
every_network = pytest.mark.parametrize("name", NETWORKS)


def network_of(name, output=None, seed=3):
    inputs, hidden = NETWORKS[name]
    return spread(pl.Network([pl.Input(inputs), *hidden, output or pl.Classification(3)], seed=seed), seed)


def samples(name, count):
    rng = np.random.default_rng(count)
    return rng.normal(size=(count, NETWORKS[name][0])).astype(np.float32), rng.integers(0, 3, count)


@EVERY_ISA
@every_network
@pytest.mark.parametrize("batch", [7, 230])
def test_a_step_is_the_true_one_but_for_rounding(isa, name, batch, monkeypatch):
    monkeypatch.setenv("PELLUCID_ISA", isa)
    inputs, hidden = NETWORKS[name]
    network, x, y = case([pl.Input(inputs), *hidden, pl.Classification(3)], batch, classes(3))
    check(network, x, y, threads=2)


@EVERY_ISA
@every_network
def test_the_number_of_threads_changes_no_bit(isa, name, monkeypatch):
    monkeypatch.setenv("PELLUCID_ISA", isa)
    x, y = samples(name, 301)
    assert_threads_do_not_matter_to(network_of(name), x, y, pl.Adam(0.01))


@EVERY_ISA
@every_network
def test_it_answers_as_numpy_does(isa, name, monkeypatch):
    monkeypatch.setenv("PELLUCID_ISA", isa)
    assert_answers_as_numpy(network_of(name, pl.Regression(5)), lambda count: samples(name, count)[0])


@EVERY_ISA
def test_a_factor_alone_has_the_bits_of_numpy(isa, monkeypatch):
    """Behind it only a sum of one term: y = 1 (s x), which rounds nothing more."""
    monkeypatch.setenv("PELLUCID_ISA", isa)
    network = pl.Network([pl.Input(1), S(6.0), pl.Regression(use_bias=False)])
    network.parameters["output.weight"] = np.ones((1, 1))
    x = RNG.normal(size=(300, 1)).astype(np.float32)
    for change in RNG.normal(size=5).astype(np.float32):
        network.parameters["scale_features_1.change"] = np.array([change])
        assert network.predict(x).tobytes() == (x * (1 + np.float32(6) * change)).ravel().tobytes()


@pytest.mark.parametrize("clipping", [pl.ClipByGlobalNorm(0.1), pl.ClipByValue(0.01)])
@pytest.mark.parametrize("batch", [20, 230])
@every_network
def test_clipping_sees_its_gradient(clipping, batch, name):
    """Against the NumPy executor in float64: a norm that left the factors out would scale everything differently."""
    x, y = samples(name, batch)
    options = {"clipping": clipping, "optimizer": pl.GradientDescent(0.5)}
    assert_step_as_numpy(network_of(name), x, y, **options)


@pytest.mark.parametrize("name", ["first", "behind bins", "large"])
def test_leaving_zeros_out_changes_no_bit(name, monkeypatch):
    x, y = samples(name, 150)
    x[RNG.random(x.shape) < 0.7] = 0
    results = []
    for answer in (True, False):
        monkeypatch.setattr(executor, "_has_many_zeros", lambda x, answer=answer: answer)
        trained = fitted(network_of(name), x, y, batch_size=31, epochs=2)
        results.append({key: vector.tobytes() for key, vector in numbers(trained).items()})
    assert results[0] == results[1]


@pytest.mark.skipif(not has_bf16(), reason="this processor has no bfloat16")
def test_bf16_rounds_what_it_gives():
    """Near the training in float32, but not the same."""
    x, y = samples("large", 200)
    options = {"batch_size": 50, "epochs": 2, "optimizer": pl.GradientDescent(0.05), "threads": 2}
    rounded, exact = (fitted(network_of("large"), x, y, precision=p, **options) for p in ("bf16", "float32"))
    assert "bf16 products" in rounded.engine_note
    distance = np.abs(rounded.parameters.vector - exact.parameters.vector)
    assert 0 < distance.max() < 0.02


def test_behind_images_it_is_native_and_among_them_it_is_not():
    convolution = pl.Conv2D(3, 3, "relu")
    behind = pl.Network([pl.Input(5, 5, 2), convolution, pl.Flatten(), S(2.0), pl.Dense(4, "tanh"), pl.Classification(3)])
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 5, 5, 2)).astype(np.float32), rng.integers(0, 3, 40)
    behind = spread(behind, 1)
    check(behind, x, y, threads=2)
    for hidden in ([S(), convolution], [pl.Residual([convolution, S()], [pl.Conv2D(3, 1)])]):
        among = pl.Network([pl.Input(5, 5, 2), *hidden, pl.Classification(3)])
        assert among.engine == "numpy"
        assert "scale_features_1" in among.engine_note
