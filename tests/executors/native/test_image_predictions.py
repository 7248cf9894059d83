"""Prediction of pictures by the native kernels: the numbers of the layers, and the same bits in whatever company."""

from __future__ import annotations

import numpy as np
import pytest
from rounding import SAFETY, UNIT, roundings
from twins import fitted, spread, twin

import pellucid as pl
from pellucid.executors.native.inference import native_inference

BLOCK = pl.Residual(
    [pl.Conv2D(12, 3), pl.BatchNormalization(activation="relu"), pl.Dropout(0.5), pl.Conv2D(12, 3)],
    [pl.Conv2D(12, 1)],
    "gelu",
)
STACKS = {
    "odd widths": [pl.Conv2D(17, 3, "gelu"), pl.Conv2D(70, (3, 2), "elu", stride=2), pl.Conv2D(5, 3, dilation=2)],
    "pooled": [
        pl.Conv2D(9, 3, "relu"),
        pl.MaxPooling2D(3, 2, "same"),
        pl.AveragePooling2D(3, 1, "same"),
        pl.Dense(33, "tanh"),
    ],
    "normalized": [
        *(
            pl.Rescale((0.5, 2.0, 1.0), 0.1),
            pl.BatchNormalization(),
            pl.Conv2D(8, 3),
            pl.BatchNormalization(activation="silu"),
        ),
        *(pl.LayerNormalization(), pl.Flatten(), pl.BatchNormalization(activation="tanh"), pl.LayerNormalization()),
    ],
    "residual": [pl.Dropout2D(0.5), BLOCK, BLOCK, pl.GlobalAveragePooling2D(), pl.Dropout(0.3)],
    "depthwise": [pl.Conv2D(16, 1), pl.Conv2D(16, 3, groups=16, stride=2), pl.Conv2D(20, 3, "silu", groups=4)],
    "nothing learned": [pl.MaxPooling2D(), pl.Dropout(0.5), pl.AveragePooling2D(2, 1)],
}
SHAPES = {"odd widths": (7, 9), "pooled": (8, 7, 1)}
stacks = pytest.mark.parametrize("name", STACKS)


def network_of(name, output=None):
    layers = [pl.Input(*SHAPES.get(name, (7, 8, 3))), *STACKS[name], output or pl.Classification(5)]
    return spread(pl.Network(layers, seed=5), 5)


def inputs(network, count, dtype=np.float32):
    shape, rng = (count, *network.input.shape), np.random.default_rng(count)
    return rng.integers(0, 256, shape, dtype=np.uint8) if dtype == np.uint8 else rng.normal(size=shape).astype(dtype)


def by_numpy(network, dtype):
    other = twin(network, dtype)
    other.engine_choice = "numpy"
    return other


def bound(network):
    """How far rounding may take a logit of size 1: one walk through all layers; see rounding.py."""
    return SAFETY * UNIT * np.sqrt(roundings(network, 1))


@pytest.mark.usefixtures("every_isa")
@stacks
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_the_numbers_are_those_of_the_layers(name, dtype):
    network = network_of(name)
    truth = by_numpy(network, "float64")
    for count in (1, 3, 40):
        x = inputs(network, count, dtype)
        true = truth.forward(x)
        allowed = bound(network) * np.abs(true).max()
        native = native_inference(network).run(np.ascontiguousarray(x, np.uint8 if dtype == np.uint8 else np.float32))
        assert np.abs(native - true).max() <= allowed
        np.testing.assert_allclose(
            network.predict_proba(x), truth.predict_proba(x), rtol=0, atol=max(allowed, bound(network))
        )
        assert (network.predict(x) == truth.predict(x)).all()


def test_the_bound_is_far_below_the_effect_of_a_fault():
    """One weight of the smallest tap left out."""
    for name in ("odd widths", "normalized", "residual", "depthwise"):
        network = network_of(name, pl.Regression(5))
        x = inputs(network, 40)
        true = by_numpy(network, "float64").predict(x)
        weight = next(name for name in network.parameters if name.endswith("weight"))
        network.parameters[weight][0, 0, 0, 0] = 0
        assert np.abs(network.predict(x) - true).max() > 100 * bound(network) * np.abs(true).max()


@stacks
def test_evaluation(name):
    network = network_of(name)
    x, y = inputs(network, 50), np.arange(50) % 5
    for options in ({}, {"sample_weight": np.arange(50) % 3}):
        found = network.evaluate(x, y, **options)
        truth = by_numpy(network, "float64").evaluate(x, y, **options)
        assert found.keys() == truth.keys()
        for figure, value in truth.items():
            assert abs(found[figure] - value) <= 8 * bound(network) * max(1, abs(value)), figure


@pytest.mark.usefixtures("every_isa")
@stacks
def test_a_sample_has_the_same_bits_alone_and_in_any_batch(name):
    """In groups of 31 and 70, narrow pictures are taken pixel by pixel; alone, row by row."""
    network = network_of(name)
    x = inputs(network, 150)
    together = network.predict_proba(x)
    for start, stop in ((0, 1), (149, 150), (3, 10), (5, 36), (20, 90), (1, 150)):
        assert network.predict_proba(x[start:stop]).tobytes() == together[start:stop].tobytes()


@pytest.mark.usefixtures("every_isa")
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@stacks
def test_the_number_of_threads_changes_no_bit(name, dtype):
    network = network_of(name)
    x = inputs(network, 150, dtype)
    native, answers = native_inference(network), set()
    for threads in (1, 2, 3, 5):
        native.threads = threads
        answers.add(network.predict_proba(x).tobytes())
    assert len(answers) == 1


@stacks
def test_the_way_in_changes_no_bit(name):
    """float64, lists, and arrays with gaps or in another order are the same samples."""
    network = network_of(name, pl.Regression(5))
    x = inputs(network, 20)
    expected = network.predict(x).tobytes()
    gaps, turned = np.repeat(x, 2, axis=0)[::2], np.ascontiguousarray(x[::-1])[::-1]
    for same in (x.astype(np.float64), x.tolist(), gaps, turned, np.asfortranarray(x), x.astype(">f4")):
        assert network.predict(same).tobytes() == expected


def test_many_samples_go_in_blocks(monkeypatch):
    whole = network_of("residual")
    x = inputs(whole, 150)
    expected, rows = whole.predict_proba(x), native_inference(whole).rows_at_once
    monkeypatch.setattr("pellucid.executors.native.inference.WORK_AT_ONCE", 50_000)
    blocks = network_of("residual")
    assert native_inference(blocks).rows_at_once < min(rows, 100)
    assert blocks.predict_proba(x).tobytes() == expected.tobytes()


@stacks
def test_a_number_that_is_not_finite_is_refused_with_its_place(name):
    network = network_of(name)
    x = inputs(network, 60)
    x.reshape(60, -1)[33, -1] = np.nan
    with pytest.raises(pl.ShapeError, match=r"x\[33\] holds NaN or infinity"):
        network.predict(x)


def test_an_output_that_overflows_is_an_error():
    network = network_of("odd widths")
    network.parameters.vector[...] = 1e30
    texts = set()
    for other in (network, by_numpy(network, "float32")):
        with pytest.raises(pl.DivergenceError, match="not finite") as caught:
            other.predict_proba(np.full((5, 7, 9), 1e9, np.float32))
        texts.add(str(caught.value))
    assert len(texts) == 1


def test_predictions_follow_every_change_of_the_parameters_and_the_state():
    network = network_of("residual", pl.Regression(5))
    x, before = inputs(network, 20), None
    for holder in (network.parameters, network.state):
        for name in holder:
            holder[name] = holder[name] + 0.3
            now = network.predict(x)
            true = by_numpy(network, "float64").predict(x)
            assert np.abs(now - true).max() <= bound(network) * np.abs(true).max(), name
            assert before is None or (now != before).any(), name
            before = now
    trained = fitted(network, x, np.zeros((20, 5)), optimizer=pl.GradientDescent(1e-3))
    again = pl.Network(trained.layers, arrays={**trained.parameters, **trained.state})
    assert trained.predict(x).tobytes() == again.predict(x).tobytes() != before.tobytes()


def test_a_rescale_of_one_number_in_a_tuple_stands_for_all_channels():
    x = np.random.default_rng(0).normal(size=(3, 4, 5, 3)).astype(np.float32)
    layers = [pl.Conv2D(4), pl.GlobalAveragePooling2D(), pl.Classification(2)]
    one, all_alike = (
        pl.Network([pl.Input(4, 5, 3), pl.Rescale(*values), *layers]) for values in (((2.0,), (0.5,)), (2.0, 0.5))
    )
    np.testing.assert_array_equal(one.predict_proba(x), all_alike.predict_proba(x))
    np.testing.assert_allclose(one.predict_proba(x), one.output.probabilities(one.forward(x)), rtol=1e-5)
