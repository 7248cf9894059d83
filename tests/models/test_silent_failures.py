"""What would fail in silence: unscaled inputs, answers that are not numbers, displays that nobody reads, odd hooks."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest

import pellucid as pl
from pellucid.data.digits.recognise import pipeline_for
from pellucid.data.samples import Samples

QUIET = {"progress": "none"}


def table(*between, output=None):
    return pl.Network([pl.Input(4), *between, output or pl.Classification(3)])


@pytest.fixture
def rows():
    chance = np.random.default_rng(0)
    return chance.normal(size=(30, 4)), np.arange(30) % 3


def test_numbers_that_are_not_scaled_are_warned_of(rows):
    x, y = rows
    with pytest.warns(UserWarning, match="as large as 50000;.*standardise each column"):
        table().fit(np.concatenate([x, [[5e4, 0, 0, 0]]]), [*y, 0], epochs=1, **QUIET)
    pixels = np.zeros((2, 8, 8))
    pixels[0] = 255.0
    with pytest.warns(UserWarning, match="as large as 255.*pixels as uint8"):
        pl.Network([pl.Input(8, 8), pl.Classification(2)]).fit(pixels, [0, 1], epochs=1, **QUIET)


@pytest.mark.parametrize(
    "first",
    [
        pl.Rescale.fit,
        lambda x: pl.Rescale(1e-3),
        lambda x: pl.BatchNormalization(),
        lambda x: pl.LayerNormalization(),
    ],
)
def test_a_network_that_scales_its_inputs_itself_is_not_warned_of_them(rows, first):
    """Warnings are errors in the tests."""
    x, y = 1e4 + 1e3 * rows[0], rows[1]
    table(first(x), pl.Dense(4, "relu")).fit(x, y, epochs=1, **QUIET)
    table(pl.Dropout(0.1), first(x), pl.Dense(4, "relu")).fit(x, y, epochs=1, **QUIET)
    images = np.tile(x[:, :, None], (1, 1, 3))
    pl.Network([pl.Input(4, 3), pl.Flatten(), first(x.repeat(3, axis=1)), pl.Classification(3)]).fit(
        images, y, epochs=1, **QUIET
    )
    with pytest.warns(UserWarning, match="standardise each column, as Rescale.fit"):
        table(pl.Dense(4), pl.BatchNormalization()).fit(x, y, epochs=1, **QUIET)


def test_bytes_that_are_hardly_pixels_are_warned_of():
    one_hot = np.eye(4, dtype=np.uint8)
    with pytest.warns(UserWarning, match=r"divided by 255, but its largest value is 1\b.*astype\('float32'\)"):
        table().fit(one_hot, [0, 1, 2, 0], epochs=1, **QUIET)


@pytest.mark.parametrize(("scale", "shift"), [(1e5, 2e5), (1.0, 30.0), (0.001, 0.0), (200.0, 0.0)])
def test_a_target_that_is_not_scaled_is_warned_of_with_the_cure(scale, shift):
    """What the warning says to do is done: the same training then explains what it failed to explain."""
    chance = np.random.default_rng(0)
    x = chance.normal(size=(600, 4))
    y = x @ [0.5, -0.5, 0.5, 0.5] * scale + shift
    layers = [pl.Input(4), pl.Dense(16, "relu"), pl.Regression()]
    how = {"epochs": 40, **QUIET}
    plain, scaled = pl.Network(layers, seed=1), pl.Network(layers, seed=1)
    what = re.escape(f"y has the mean {y.mean():.4g} and the standard deviation {y.std():.4g}")
    cure = r"\(y - mean\) / std, .*y\.mean\(axis=0\).*y\.std\(axis=0\), .*: answers \* std \+ mean"
    with pytest.warns(UserWarning, match=f"^{what};.*{cure}") as warned:
        plain.fit(x, y, **how)
    assert warned[0].filename == __file__, "it points at the call of fit"
    mean, std = y.mean(axis=0), y.std(axis=0)
    scaled.fit(x, (y - mean) / std, **how)
    answers = scaled.predict(x) * std + mean
    explained = 1 - np.square(y - answers).sum() / np.square(y - mean).sum()
    assert explained > 0.9 > plain.evaluate(x, y)["r2"]


def test_of_several_targets_the_one_is_named_that_is_not_scaled(rows):
    x, _ = rows
    y = np.stack([x[:, 0], 500 + x[:, 1]], axis=1)
    with pytest.warns(UserWarning, match=r"^value 2 of y has the mean 500"):
        table(output=pl.Regression(2)).fit(x, y, epochs=1, **QUIET)


@pytest.mark.parametrize("y", [np.linspace(-3, 3, 30), np.full(30, 500.0), np.linspace(10, 40, 30), np.arange(30) % 2])
def test_a_target_of_usual_size_or_without_variation_is_not_warned_of(rows, y):
    table(output=pl.Regression()).fit(rows[0], y, epochs=1, **QUIET)


def test_an_answer_that_is_no_number_is_an_error(rows):
    x, _ = rows
    network = table(pl.Dense(5))
    huge = np.full((2, 4), 3e38)
    for ask in (network.predict, network.predict_proba, lambda x: network.evaluate(x, [0, 1])):
        with pytest.raises(pl.DivergenceError, match="output of the network is not finite"):
            ask(huge)
    network.parameters.vector.fill(np.nan)
    with pytest.raises(pl.DivergenceError, match="parameters are not finite"):
        network.predict(x)


@pytest.mark.parametrize(
    ("gives", "words"),
    [
        (lambda x, key: None, "NoneType"),
        (lambda x, key: x[:-1], r"\(9, 4\)"),
        (lambda x, key: x.astype(np.int64), "int64"),
        (lambda x, key: x.reshape(-1, 2, 2), r"\(10, 2, 2\)"),
    ],
)
def test_an_augmentation_must_give_a_batch_of_the_same_form(rows, gives, words):
    with pytest.raises(pl.ArgumentError, match=rf"augment gave .*{words}"):
        table().fit(*rows, batch_size=10, augment=gives, **QUIET)


@pytest.mark.parametrize("factor", [-1.0, None, float("nan"), float("inf"), "1"])
def test_a_schedule_must_give_a_factor(rows, factor):
    class Odd(pl.Schedule):
        def factor(self, position):
            return factor

    network = table()
    before = network.parameters.vector.copy()
    with pytest.raises(pl.ArgumentError, match="factor that Odd gave"):
        network.fit(*rows, schedule=Odd(), **QUIET)
    np.testing.assert_array_equal(network.parameters.vector, before)


def test_a_layer_must_give_all_its_gradients(rows):
    class Forgetful(pl.Layer):
        def output_shape(self, input_shape):
            return input_shape

        def parameter_specs(self, input_shape):
            return (pl.ParameterSpec("scale", input_shape, pl.Constant(1.0)),)

        def forward(self, parameters, x, context):
            return x * parameters["scale"], None

        def backward(self, parameters, cache, dy):
            return dy * parameters["scale"], {}

    with pytest.raises(pl.ArgumentError, match=r"forgetful_1 gave gradients for \[\]; its parameters are \['scale'\]"):
        table(Forgetful()).fit(*rows, **QUIET)


def test_a_display_that_cannot_write_falls_silent_and_training_goes_on(rows, monkeypatch):
    class Closed:
        def write(self, text):
            raise BrokenPipeError(32, "Broken pipe")

        def flush(self):
            raise BrokenPipeError(32, "Broken pipe")

        def isatty(self):
            return False

    monkeypatch.setattr(sys, "stderr", Closed())
    history = table().fit(*rows, epochs=3, progress="lines")
    assert len(history.epochs) == 3


def test_a_callback_cannot_spoil_the_history(rows):
    def clear(event):
        if isinstance(event, pl.events.EpochFinished):
            event.metrics.clear()

    assert len(table().fit(*rows, epochs=2, callbacks=[clear], **QUIET)["loss"]) == 2


def test_small_things_are_refused(rows):
    x, y = rows
    with pytest.raises(pl.ArgumentError, match="shuffle"):
        table().fit(x, y, shuffle="no", **QUIET)
    with pytest.raises(pl.ArgumentError, match="optimizer"):
        table().fit(x, y, optimizer="", **QUIET)
    with pytest.raises(pl.ShapeError, match="masked"):
        table().fit(np.ma.masked_greater(x, 1.0), y, **QUIET)
    with pytest.raises(pl.ShapeError, match="finite sum"):
        table().fit(x, y, sample_weight=np.full(30, 1e308), **QUIET)
    prediction = pl.Prediction(1, 0.6, np.array([0.4, 0.6]), (0, 1))
    with pytest.raises(pl.ArgumentError, match="count"):
        prediction.top(-1)
    assert prediction.top(2) == [(1, 0.6), (0, 0.4)]


def test_the_gradients_of_a_batch_are_those_of_its_loss(rows):
    """Logistic regression by hand: dW = x^T (p - t) / B, db = mean(p - t)."""
    x, y = rows
    network = pl.Network([pl.Input(4), pl.Classification(3)], dtype="float64")
    error = network.predict_proba(x) - np.eye(3)[y]
    gradients = network.gradients(x, y)
    np.testing.assert_allclose(gradients["output.weight"], x.T @ error / 30, atol=1e-14)
    np.testing.assert_allclose(gradients["output.bias"], error.mean(axis=0), atol=1e-14)
    w = network.parameters["output.weight"]
    penalized = network.gradients(x, y, regularizer=pl.L2(0.5))
    np.testing.assert_allclose(penalized["output.weight"] - gradients["output.weight"], w, atol=1e-14)


def test_an_augmentation_gets_the_key_of_its_step():
    samples = Samples(np.arange(20.0).reshape(10, 2), np.arange(10), np.arange(10))
    options = {"seed": 1, "epoch": 0, "first_step": 7, "shuffle": True}
    plain = [one.batch().x for one in samples.epoch(4, augment=None, **options)]
    changed = [one.batch().x for one in samples.epoch(4, augment=lambda x, key: x + key % 97, **options)]
    keys = [pl.random.key(1, pl.random.Purpose.AUGMENT, 7 + step) for step in range(3)]
    for before, after, key in zip(plain, changed, keys, strict=True):
        np.testing.assert_array_equal(after, before + key % 97)


def test_a_column_of_outputs_is_not_compared_with_a_row_of_targets():
    """NumPy would make (5, 5) of (5, 1) and (5,), and a loss of nonsense."""
    with pytest.raises(pl.ShapeError, match=r"\(5, 1\), \(5,\)"):
        pl.MeanSquaredError()(np.zeros((5, 1)), np.zeros(5))
    with pytest.raises(pl.ShapeError, match=r"weights \(4,\)"):
        pl.MeanSquaredError()(np.zeros((5, 1)), np.zeros((5, 1)), np.ones(4))


def test_a_callback_sees_the_best_parameters_at_the_end(rows):
    seen = {}

    def keep(event):
        if isinstance(event, pl.events.TrainingFinished):
            seen["at the end"] = network.parameters.vector.copy()

    network = table(pl.Dense(16, "relu"))
    network.fit(*rows, validation=0.3, early_stopping=2, epochs=40, optimizer=pl.Adam(0.1), callbacks=[keep], **QUIET)
    np.testing.assert_array_equal(seen["at the end"], network.parameters.vector)
    assert network.history.reason == "stopped early"


def test_a_prediction_can_be_kept_layer_by_layer(rows):
    x, _ = rows
    network = table(pl.Dense(5, "relu"), pl.Dropout(0.5))
    kept = network.propagate(x, keep=True)
    assert [output.shape for output in kept.outputs] == [(30, 4), (30, 5), (30, 5), (30, 3)]
    np.testing.assert_array_equal(kept.outputs[1], kept.outputs[2])
    np.testing.assert_array_equal(kept.logits, network.forward(x))


def test_a_pipeline_must_make_what_the_network_takes(tmp_path):
    network = pl.Network([pl.Input(32, 32), pl.Classification(2)])
    with pytest.raises(pl.ArgumentError, match=r"28x28; the network takes \(32, 32\)"):
        pl.Model(network, pl.DigitPipeline())
    with pytest.raises(pl.ArgumentError, match="28x28"):
        network.save(tmp_path / "m.safetensors", pipeline=pl.DigitPipeline())
    assert not list(tmp_path.iterdir())


def test_only_frozen_dataclasses_are_registered():
    from dataclasses import dataclass

    @dataclass
    class Loose:
        size: int = 1

    @dataclass(frozen=True)
    class Typed:
        type: str = "x"

    for cls, words in ((Loose, "frozen dataclass"), (Typed, "field called type")):
        with pytest.raises(pl.ArgumentError, match=words):
            pl.register(cls)


def test_a_name_with_a_digit_stays_whole():
    class Conv2D(pl.Flatten):
        pass

    assert (Conv2D().kind, pl.BatchNormalization().kind) == ("conv2d", "batch_normalization")


def test_glorot_counts_the_window_of_a_kernel_on_both_sides():
    """For (3, 3, 32, 64): variance 2 / (9 * 32 + 9 * 64) = 1 / 432, as in Keras and PyTorch."""
    w = pl.VarianceScaling(1.0, "fan_average", "normal").draw((3, 3, 32, 64), pl.random.key(0))
    assert w.var() == pytest.approx(1 / 432, rel=0.05)


def test_memory_holds_no_float_copy_of_the_pixels():
    """47 MB of bytes would be 188 MB as float32; a step needs its batch and a few vectors of parameters."""
    import tracemalloc

    (x, y), _ = pl.datasets.digits()
    network = pl.Network([pl.Input(28, 28), pl.Classification(10)])
    tracemalloc.start()
    try:
        network.fit(x, y, epochs=1, batch_size=1000, **QUIET)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 60e6


class TestChoiceOfPipeline:
    """Only a network trained on bright, centred figures on clean black may read pictures through that pipeline."""

    def test_digits_have_one(self):
        (x, _), _ = pl.datasets.digits()
        pipeline = pipeline_for(x[:3000])
        assert pipeline is not None
        assert (pipeline.size, pipeline.box) == (28, 20)

    @pytest.mark.parametrize(
        "change",
        [
            lambda x: 255 - x,
            lambda x: np.roll(x, 4, axis=2),
            lambda x: x[:, 4:24, 4:24],
            lambda x: x / 255.0,
            lambda x: x.reshape(-1, 784),
            lambda x: x[:, :, :20],
            lambda x: np.random.default_rng(0).integers(0, 256, (200, 28, 28)).astype(np.uint8),
            lambda x: np.zeros((200, 28, 28), np.uint8),
        ],
        ids=["inverted", "off centre", "tight", "floats", "flat", "not square", "noise", "empty"],
    )
    def test_others_have_none(self, change):
        (x, _), _ = pl.datasets.digits()
        assert pipeline_for(change(x[:200])) is None
