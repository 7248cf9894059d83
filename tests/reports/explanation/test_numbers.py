"""The numbers of an explanation, by hand and by loops: what each line says is so."""

from __future__ import annotations

import re

import numpy as np
import pytest

import pellucid as pl
from pellucid.core.display.numbers import written

ARITHMETIC = re.compile(r"[zy] = ([\d.e()*/+\- ]+) = (-?[\d.e+\-]+)")


def shaken(*layers, seed=0):
    """A network in float64 whose parameters and averages are all moved off their first values."""
    network = pl.Network(list(layers), dtype="float64", seed=seed)
    rng = np.random.default_rng(seed)
    for holder in (network.parameters, network.state):
        holder.vector[...] += rng.uniform(0.1, 0.9, holder.vector.shape)
    return network


@pytest.mark.parametrize("wanted", [0, 1])
def test_the_margin_of_yes_or_no_is_the_sum_of_its_reasons(wanted):
    """z = 2 x1 - x2 + 3 x3 + 0.5: for yes the margin is z, for no -z."""
    arrays = {"output.weight": np.array([[2.0], [-1.0], [3.0]]), "output.bias": np.array([0.5])}
    network = pl.Network([pl.Input(3), pl.BinaryClassification()], dtype="float64", arrays=arrays)
    sign = 1 if wanted else -1
    change = pl.explain(pl.Model(network), sign * np.array([4.0, 1.0, 2.0]), top=2).change
    assert [(d, product) for d, _, _, product in change.reasons] == [(0, 8.0), (2, 6.0)]
    assert (change.others, change.bias, change.margin) == (-1.0, sign * 0.5, 13.0 + sign * 0.5)


def test_the_pixel_that_matters_most_is_found_and_how_far_the_margin_falls():
    """Only the red of one pixel speaks, for the first class: it is lost under every window that covers it."""
    network = pl.Network([pl.Input(14, 21, 3), pl.Classification(2, use_bias=False)])
    weight = np.zeros((14, 21, 3, 2))
    weight[3, 15, 0, 0] = 5.0
    network.parameters["output.weight"] = weight.reshape(-1, 2)
    model = pl.Model(network, pl.PhotoPipeline(14, 21), ["red", "other"])
    found = pl.explain(model, np.full((14, 21, 3), 255, np.uint8))
    assert found.label == "red"
    assert (found.cover.place, found.cover.window) == ((3, 15), (2, 3))
    assert found.cover.fall == pytest.approx(5.0)


def test_outputs_that_are_not_0_are_counted():
    network = pl.Network([pl.Input(1), pl.Dense(5, "relu"), pl.Regression()])
    network.parameters["dense_1.weight"] = np.array([[1.0, -1.0, 2.0, -2.0, 0.5]])
    _, dense, _ = pl.explain(pl.Model(network), np.array([3.0])).layers
    assert (dense.active, dense.smallest, dense.largest) == (3, 0.0, 6.0)


def test_filters_are_shown_where_they_speak_loudest():
    network = shaken(pl.Input(4, 7, 2), pl.Conv2D(3, 3, "tanh"), pl.Classification(2))
    found = pl.explain(pl.Model(network), np.random.default_rng(1).normal(size=(4, 7, 2)))
    y = np.abs(found.trace.layer("conv2d_1").output[0])
    neurons = found.layers[1].neurons
    assert {neuron.unit for neuron in neurons} == {0, 1, 2}
    for neuron in neurons:
        assert abs(neuron.output) == y[..., neuron.unit].max() == y[*neuron.place, neuron.unit]
    outputs = [abs(neuron.output) for neuron in neurons]
    assert outputs == sorted(outputs, reverse=True)


def test_the_arithmetic_of_every_kind_of_layer_comes_true():
    """What stands left of the last = is computed as it is written, with the four digits of each number."""
    block = pl.Residual([pl.Conv2D(3), pl.BatchNormalization()], [pl.Conv2D(3, 1)], "tanh")
    network = shaken(
        pl.Input(4, 6, 2), pl.BatchNormalization(), block, pl.BatchNormalization(), pl.Flatten(), pl.Classification(3)
    )
    text = str(pl.explain(pl.Model(network), np.random.default_rng(1).normal(size=(4, 6, 2))))
    found = {line.split("[")[0].strip(): ARITHMETIC.search(line) for line in text.splitlines() if ARITHMETIC.search(line)}
    for name in ("batch_normalization_1", "residual_1", "residual_1.batch_normalization_1", "batch_normalization_2"):
        written, result = found[name].groups()
        assert eval(written) == pytest.approx(float(result), rel=3e-3)
        assert float(result) != 0


def test_the_probability_is_the_one_with_the_temperature_of_the_model():
    network = pl.Network([pl.Input(2), pl.Classification(3)], seed=4)
    model = pl.Model(network)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2000, 2)).astype(np.float32)
    p = network.predict_proba(x)
    y = (p.cumsum(axis=1) < rng.random((2000, 1))).sum(axis=1).clip(0, 2)
    network.parameters["output.weight"] *= 3
    model.calibrate(x, y)
    assert model.temperature.value > 2
    found = pl.explain(model, x[0])
    assert found.probability == pytest.approx(float(model.predict_proba(x[:1]).max()), rel=1e-5)
    assert abs(found.probability - network.predict_proba(x[:1]).max()) > 0.01


def test_the_loss_of_smoothed_labels_is_no_logarithm_of_one_probability():
    for smoothing in (0.0, 0.1):
        network = shaken(pl.Input(2), pl.Classification(3, label_smoothing=smoothing))
        found = pl.explain(pl.Model(network), np.array([0.5, -1]), label=2)
        (line,) = next(section for section in found.steps() if "The loss" in section.title).blocks[1].lines
        p, value = written(found.scores[2].probability), written(found.trace.loss.value)
        assert line == (f"loss = {value} (with label smoothing 0.1)" if smoothing else f"loss = -log({p}) = {value}")


def test_a_gap_that_the_steps_leave_is_written_and_said(monkeypatch):
    """Corners, and a bend, and too few steps to close in upon them. The gap is computed once more, from logits."""
    monkeypatch.setattr("pellucid.reports.explanation.explain.MOST_STEPS", 32)
    bent = [pl.Dense(100, "relu"), pl.Dense(100, "selu")]
    network = pl.Network([pl.Input(6), *bent, pl.Classification(3)], seed=1, dtype="float64")
    rng = np.random.default_rng(0)
    network.parameters.vector[...] += rng.normal(size=network.parameters.vector.shape)  # biases make corners
    x = rng.normal(size=(1, 6))
    found = pl.explain(pl.Model(network), x)
    first, second = np.argsort(-network.forward(x)[0])[:2]
    gained = np.diff([network.forward(at)[0, [second, first]] @ [-1, 1] for at in (0 * x, x)])[0]
    gap = found.attribution.gap[0]
    assert gap == pytest.approx(gained - found.attribution.contributions.sum(), abs=1e-12)
    assert found.attribution.relative_gap[0] > 1e-5
    assert f"{found.attribution.steps[0]} steps; completeness gap {gap:.1e}" in str(found)
    assert "More steps make it smaller" in str(found)
    smooth = pl.Network([pl.Input(6), pl.Dense(40, "tanh"), pl.Classification(3)], seed=1)
    assert "More steps" not in str(pl.explain(pl.Model(smooth), x))
