"""Prediction by the native kernels: the numbers of the layers, and for each sample the same bits in whatever company."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from rounding import SAFETY, UNIT
from twins import ISAS, fitted, spread, twin

import pellucid as pl
from pellucid.executors.native.inference import native_inference

RNG = np.random.default_rng(31)
EVERY_ISA = pytest.mark.parametrize("isa", ISAS)
STACKS = {
    "no hidden layer": [pl.Input(11), pl.Classification(3)],
    "one unit": [pl.Input(1), pl.Dense(1, "tanh"), pl.BinaryClassification()],
    "odd widths": [
        pl.Input(33),
        pl.Dense(65, "gelu"),
        pl.Dropout(0.5),
        pl.Dense(17, "elu", use_bias=False),
        pl.Regression(3),
    ],
    "normalized": [
        *(pl.Input(5, 7), pl.Flatten(), pl.BatchNormalization(), pl.Dense(130, "selu"), pl.BatchNormalization()),
        *(pl.BatchNormalization(epsilon=0.1), pl.Dense(9, "softplus"), pl.Classification(1000)),
    ],
    "deep": [pl.Input(600), pl.Dense(515, "silu"), pl.Dense(4, "sigmoid"), pl.BinaryClassification(use_bias=False)],
}
stacks = pytest.mark.parametrize("name", STACKS)


def network_of(name):
    return spread(pl.Network(STACKS[name], seed=5), 5)


def inputs(network, count, dtype=np.float32):
    shape = (count, *network.input.shape)
    if dtype == np.uint8:
        return np.random.default_rng(count).integers(0, 256, shape, dtype=np.uint8)
    return np.random.default_rng(count).normal(size=shape).astype(dtype)


def by_numpy(network, dtype):
    other = twin(network, dtype)
    other.engine_choice = "numpy"
    assert native_inference(other) is None
    return other


def bound(network):
    """How far rounding may take a logit of size 1: one walk through all layers; see rounding.py."""
    return SAFETY * UNIT * np.sqrt(sum(np.prod(node.input_shape, initial=1) + 16 for node in network.nodes))


@EVERY_ISA
@stacks
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_the_numbers_are_those_of_the_layers(isa, name, dtype, monkeypatch):
    monkeypatch.setenv("PELLUCID_ISA", isa)
    network = network_of(name)
    truth = by_numpy(network, "float64")
    for count in (1, 11, 12, 97, 400):
        x = inputs(network, count, dtype)
        logits, true = network.forward(x), truth.propagate(x).logits
        np.testing.assert_allclose(logits, true, rtol=0, atol=2 * bound(network) * np.abs(true).max())
        native = native_inference(network).run(np.ascontiguousarray(x, np.uint8 if dtype == np.uint8 else np.float32))
        assert np.abs(native - true).max() <= bound(network) * np.abs(true).max()
        if network.output.metric == "accuracy":
            found, expected = network.predict_proba(x), truth.predict_proba(x)
            assert found.shape == expected.shape
            # a change d of the logits changes a probability by at most d / 2 of itself, or of 1
            np.testing.assert_allclose(found, expected, rtol=0, atol=bound(network) * max(1.0, np.abs(true).max()))
            np.testing.assert_allclose(found.sum(axis=1), 1, rtol=0, atol=UNIT * found.shape[1])
            assert (network.predict(x) == truth.predict(x)).all()
        else:
            assert (network.predict(x) == native).all()


@stacks
def test_evaluation(name):
    network = network_of(name)
    x = inputs(network, 300)
    y = RNG.integers(0, 2, 300) if network.output.metric == "accuracy" else RNG.normal(size=(300, 3))
    weights = RNG.integers(0, 3, 300)
    for options in ({}, {"sample_weight": weights}):
        found = network.evaluate(x, y, **options)
        truth = by_numpy(network, "float64").evaluate(x, y, **options)
        assert found.keys() == truth.keys()
        for figure, value in truth.items():
            assert abs(found[figure] - value) <= 4 * bound(network) * max(1, abs(value)), figure


@EVERY_ISA
@stacks
def test_a_sample_has_the_same_bits_alone_and_in_any_batch(isa, name, monkeypatch):
    monkeypatch.setenv("PELLUCID_ISA", isa)
    network = network_of(name)
    x = inputs(network, 1000)
    answer = network.predict_proba if network.output.metric == "accuracy" else network.predict
    together = answer(x)
    for i in range(0, 1000, 61):
        assert answer(x[i : i + 1]).tobytes() == together[i : i + 1].tobytes()
        assert answer(x[i : i + 7]).tobytes() == together[i : i + 7].tobytes()
    assert answer(x[3:197]).tobytes() == together[3:197].tobytes()


@EVERY_ISA
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_the_number_of_threads_changes_no_bit(isa, dtype, monkeypatch):
    """Enough work that threads are indeed woken: five million multiply-adds and more than one block of rows."""
    monkeypatch.setenv("PELLUCID_ISA", isa)
    network = network_of("normalized")
    x = inputs(network, 1000, dtype)
    native = native_inference(network)
    assert len(x) * network.parameters.layout.size > 5e6
    answers = []
    for threads in (1, 2, 3, 5, 16):
        native.threads = threads
        answers.append(network.predict_proba(x).tobytes())
    assert len(set(answers)) == 1


@stacks
def test_the_way_in_changes_no_bit(name):
    """float64, lists, and arrays with gaps or in another order are the same samples."""
    network = network_of(name)
    x = inputs(network, 40)
    expected = network.predict(x).tobytes()
    gaps = np.repeat(x, 2, axis=0)[::2]
    turned = np.ascontiguousarray(x[::-1])[::-1]
    read_only = x.copy()
    read_only.flags.writeable = False
    for same in (x.astype(np.float64), x.tolist(), gaps, turned, np.asfortranarray(x), read_only, x.astype(">f4")):
        assert network.predict(same).tobytes() == expected


def test_many_samples_go_in_blocks(monkeypatch):
    monkeypatch.setattr("pellucid.executors.native.inference.WORK_AT_ONCE", 50_000)
    blocks = network_of("odd widths")
    x = inputs(blocks, 333)
    assert native_inference(blocks).rows_at_once < 100
    whole = copy.deepcopy(blocks)
    monkeypatch.undo()
    assert native_inference(whole).rows_at_once > 333
    assert blocks.predict(x).tobytes() == whole.predict(x).tobytes()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("row", [0, 5, 299])
def test_a_number_that_is_not_finite_is_refused_with_its_place(bad, row):
    for name in ("no hidden layer", "odd widths", "normalized"):
        network = network_of(name)
        x = inputs(network, 300)
        x.reshape(300, -1)[row, -1] = bad
        texts = []
        for other in (network, by_numpy(network, "float32")):
            with pytest.raises(pl.ShapeError, match=rf"x\[{row}\] holds NaN or infinity") as caught:
                other.predict(x)
            texts.append(str(caught.value))
        assert texts[0] == texts[1]


def test_an_output_that_overflows_is_an_error():
    network = pl.Network([pl.Input(4), pl.Dense(3), pl.Classification(3)])
    network.parameters.vector[...] = 1e30
    x = np.full((20, 4), 1e9, np.float32)
    texts = []
    for other in (network, by_numpy(network, "float32")):
        for verb in (other.predict, other.predict_proba, lambda x, other=other: other.evaluate(x, np.zeros(20, int))):
            with pytest.raises(pl.DivergenceError, match="not finite") as caught:
                verb(x)
            texts.append(str(caught.value))
    assert len(set(texts)) == 1


def test_predictions_follow_every_change_of_the_parameters():
    network = network_of("odd widths")
    x = inputs(network, 20)
    before = network.predict(x)
    network.parameters["output.bias"] = network.parameters["output.bias"] + 1
    np.testing.assert_allclose(network.predict(x), before + 1, rtol=0, atol=1e-6)
    network.parameters["dense_1.weight"][...] = 0
    assert np.ptp(network.predict(x), axis=0).max() == 0
    trained = fitted(network_of("odd widths"), x, RNG.normal(size=(20, 3)))
    again = pl.Network(trained.layers, arrays={**trained.parameters, **trained.state})
    assert trained.predict(x).tobytes() == again.predict(x).tobytes() != before.tobytes()
