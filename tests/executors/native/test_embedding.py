"""Embedding natively, and what may stand behind it: against NumPy, with the same bits on any number of threads."""

from __future__ import annotations

import numpy as np
import pytest
from rounding import check
from twins import (
    ISAS,
    assert_answers_as_numpy,
    assert_step_as_numpy,
    assert_threads_do_not_matter_to,
    assert_threads_do_not_matter_to_answers,
    fitted,
    numbers,
    spread,
)

import pellucid as pl
from pellucid._native import has_bf16
from pellucid.executors.native import executor
from pellucid.executors.native.inference import native_inference

EVERY_ISA = pytest.mark.parametrize("isa", ISAS)
SIZES = {0: 3, 2: 41, 5: 90}  # column -> its categories, of six columns
E = pl.Embedding(((2, 41, 5), (0, 3, 1), (5, 90, 19)))  # 3 numbers, then 25 of vectors
BINS = tuple(tuple(np.linspace(-2, 2, 4 + column % 3).tolist()) if column % 4 else () for column in range(28))
PLE = pl.PiecewiseLinearEncoding(BINS)
SMALL = pl.Embedding(((2, 41, 2), (0, 3, 1), (5, 90, 3)))

# name -> hidden layers; "by rows" has few parameters and is dealt out so in batches of 230, the others by columns
NETWORKS = {
    "by rows": [SMALL, pl.Dense(19, "tanh")],
    "alone": [E],
    "by columns": [E, pl.Dense(70, "gelu"), pl.BatchNormalization(), pl.Dense(33, "tanh")],
    "bins and factors": [E, PLE, pl.ScaleFeatures(6.0), pl.Dense(70, "tanh"), pl.Dropout(0.2)],
    "factors below bins": [E, pl.ScaleFeatures(3.0), PLE, pl.ScaleFeatures(6.0), pl.Dense(70, "tanh")],
    "factors below bins by rows": [SMALL, pl.ScaleFeatures(3.0), pl.PiecewiseLinearEncoding(BINS[:9]), pl.Dense(9, "tanh")],
    "normalized at once": [E, pl.BatchNormalization(), pl.Dense(40, "silu")],
    "bins of numbers first": [pl.PiecewiseLinearEncoding(((), *BINS[1:2], (), *BINS[2:4], ())), E, pl.Dense(70, "tanh")],
    "twice": [pl.Embedding(((2, 41, 3),)), pl.Embedding(((0, 3, 2), (4, 90, 4))), pl.Dense(70, "tanh")],
}
every_network = pytest.mark.parametrize("name", NETWORKS)


def network_of(name, output=None, seed=3):
    return spread(pl.Network([pl.Input(6), *NETWORKS[name], output or pl.Classification(3)], seed=seed), seed)


def samples(count, seed=0):
    """Numbers that lie off the edges of the bins, and categories, of which some are none."""
    rng = np.random.default_rng(count + seed)
    x = rng.normal(size=(count, 6))
    for column, size in SIZES.items():
        x[:, column] = rng.integers(-1, size + 1, count)
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
    assert_threads_do_not_matter_to(network_of(name), x, y, pl.AdamW(0.01))
    assert_threads_do_not_matter_to_answers(network_of(name), samples(3000)[0])


@EVERY_ISA
@every_network
def test_it_answers_as_numpy_does_and_alone_as_in_a_batch(isa, name, monkeypatch):
    monkeypatch.setenv("PELLUCID_ISA", isa)
    assert_answers_as_numpy(network_of(name, pl.Regression(5)), lambda count: samples(count)[0])


@EVERY_ISA
def test_what_is_no_category_is_none_here_too(isa, monkeypatch):
    """On and beside the bounds between categories: bit by bit the vectors that NumPy takes."""
    monkeypatch.setenv("PELLUCID_ISA", isa)
    network = pl.Network([pl.Input(1), pl.Embedding(((0, 5, 1),)), pl.Regression(use_bias=False)])
    network.parameters["embedding_1.vectors_0"] = np.arange(1.0, 7)[:, None]
    network.parameters["output.weight"] = np.ones((1, 1))
    bounds = np.float32([-1, -0.5, 0, 0.5, 1.5, 2.5, 3.5, 4, 4.5, 5, 1e9, -1e9, 3e38, -3e38])
    x = np.concatenate([bounds, np.nextafter(bounds, np.float32(9)), np.nextafter(bounds, np.float32(-9))])[:, None]
    assert native_inference(network) is not None
    ours = network.predict(x)
    expected, _ = network.layers[1].forward(network.arrays()[1], x, pl.Context())
    np.testing.assert_array_equal(ours, expected[:, 0])


@EVERY_ISA
def test_a_category_that_has_not_come_keeps_its_vector(isa, monkeypatch):
    """Gradient descent moves only what has a gradient, also in a table of many pieces."""
    monkeypatch.setenv("PELLUCID_ISA", isa)
    layer = pl.Embedding(((0, 5000, 3),))
    network = pl.Network([pl.Input(1), layer, pl.Dense(4, "tanh"), pl.Regression()])
    x = np.float32([7, 4999, 2500, 7, 1365, -1])[:, None]
    trained = fitted(network, x, np.arange(6.0), epochs=5)
    moved = (trained.parameters["embedding_1.vectors_0"] != network.parameters["embedding_1.vectors_0"]).any(axis=1)
    assert np.flatnonzero(moved).tolist() == [7, 1365, 2500, 4999, 5000]


@pytest.mark.parametrize("batch", [20, 230])
@pytest.mark.parametrize("clipping", [None, pl.ClipByGlobalNorm(0.1), pl.ClipByValue(0.01)], ids=str)
@every_network
def test_penalties_and_clipping_act_on_vectors(name, clipping, batch):
    x, y = samples(batch)
    options = {"clipping": clipping, "optimizer": pl.GradientDescent(0.5), "regularizer": pl.L1(0.01) + pl.L2(0.05)}
    assert_step_as_numpy(network_of(name), x, y, **options)


@every_network
def test_one_call_or_many_steps_by_themselves(name):
    """A call of many steps gathers rows while others are still learning: it must see what they have learned."""
    x, y = samples(300)
    options = {"batch_size": 60, "shuffle": False, "optimizer": pl.GradientDescent(0.1)}
    whole, parts = fitted(network_of(name), x, y, threads=2, **options), network_of(name)
    for start in range(0, 300, 60):
        rows = slice(start, start + 60)
        parts.fit(x[rows], y[rows], epochs=1, progress="none", threads=1, **options)
    np.testing.assert_array_equal(whole.parameters.vector, parts.parameters.vector)


@pytest.mark.parametrize("name", ["by rows", "bins and factors"])
def test_leaving_zeros_out_changes_no_bit(name, monkeypatch):
    x, y = samples(150)
    results = []
    for answer in (True, False):
        monkeypatch.setattr(executor, "_has_many_zeros", lambda x, answer=answer: answer)
        trained = fitted(network_of(name), x, y, batch_size=31, epochs=2)
        results.append({key: vector.tobytes() for key, vector in numbers(trained).items()})
    assert results[0] == results[1]


@pytest.mark.skipif(not has_bf16(), reason="this processor has no bfloat16")
@pytest.mark.parametrize("name", ["by columns", "bins and factors"])
def test_bf16_rounds_what_it_gives(name):
    x, y = samples(201)
    options = {"batch_size": 50, "epochs": 2, "optimizer": pl.GradientDescent(0.05), "threads": 2}
    rounded, exact = (fitted(network_of(name), x, y, precision=p, **options) for p in ("bf16", "float32"))
    assert "bf16 products" in rounded.engine_note
    assert 0 < np.abs(rounded.parameters.vector - exact.parameters.vector).max() < 0.05
