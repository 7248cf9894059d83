"""Layers of images: the same bits for any number of threads, run after run, whoever listens, and after a divergence."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from twins import (
    ISAS,
    QUIET,
    OneHugeRate,
    Quiet,
    assert_calls_add_up,
    assert_listeners_do_not_matter,
    assert_looking_does_not_matter,
    assert_same_bits,
    assert_threads_do_not_matter,
    fitted,
    numbers,
    spread,
)

import pellucid as pl
from pellucid.training.events import StepFinished

RNG = np.random.default_rng(4)
X = RNG.normal(size=(90, 8, 9, 3)).astype(np.float32)
Y = RNG.integers(0, 3, 90)
PIXELS = RNG.integers(0, 256, X.shape, dtype=np.uint8)
WEIGHTS = RNG.uniform(0, 2, 90) * (np.arange(90) % 5 > 0)

BLOCK = pl.Residual(
    [pl.Conv2D(12, 3, use_bias=False), pl.BatchNormalization(activation="relu"), pl.Dropout(0.2), pl.Conv2D(12, 3)],
    [pl.Conv2D(12, 1)],
    "relu",
)
# name -> (layers, options); 90 samples leave a smaller last batch.
TRAININGS = {
    "convolutions": (
        [
            pl.Conv2D(17, 3, "relu"),
            pl.MaxPooling2D(),
            pl.Conv2D(70, 3, "gelu", stride=2),
            pl.Flatten(),
            pl.Dense(65, "tanh"),
        ],
        {"batch_size": 32, "optimizer": pl.Adam(0.01)},
    ),
    "normalized": (
        [
            *(pl.Rescale(0.5, 0.1), pl.Conv2D(8, 3, use_bias=False), pl.BatchNormalization(activation="silu")),
            *(pl.Dropout2D(0.2), BLOCK, pl.AveragePooling2D(3, 2, "same"), pl.LayerNormalization(), BLOCK),
            *(pl.GlobalAveragePooling2D(), pl.Dropout(0.1)),
        ],
        {
            "batch_size": 37,
            "optimizer": pl.AdamW(0.01),
            "clipping": pl.ClipByGlobalNorm(0.3),
            "regularizer": pl.L1(1e-3),
            "sample_weight": WEIGHTS,
        },
    ),
    "depthwise": (
        [
            pl.Conv2D(16, 1),
            pl.Conv2D(16, 3, "relu", stride=2, groups=16),
            pl.Conv2D(6, 2, groups=2),
            pl.BatchNormalization(),
        ],
        {"batch_size": 70, "optimizer": pl.RMSProp(0.003), "clipping": pl.ClipByValue(0.01)},
    ),
    "one sample at a time": (
        [pl.Conv2D(5, 3, "relu"), pl.BatchNormalization(), pl.MaxPooling2D(3, 2)],
        {"batch_size": 1, "optimizer": pl.GradientDescent(0.01, 0.9)},
    ),
}
trainings = pytest.mark.parametrize("name", TRAININGS)


def network_of(name, seed=7):
    return spread(pl.Network([pl.Input(8, 9, 3), *TRAININGS[name][0], pl.Classification(3, 0.1)], seed=seed), 2)


def train(name, x=X, **more):
    options = TRAININGS[name][1]
    epochs = -(-12 // -(-90 // options["batch_size"]))
    return fitted(network_of(name), x, Y, **{"epochs": epochs, "shuffle": True, **options, **more})


@pytest.mark.parametrize("isa", ISAS)
@trainings
def test_any_number_of_threads_gives_the_same_bits_after_twelve_steps(isa, name, monkeypatch):
    monkeypatch.setenv("PELLUCID_ISA", isa)
    assert_threads_do_not_matter(partial(train, name), (2, 3, 5) if isa == ISAS[-1] else (3,), steps=12)


@trainings
def test_run_after_run_and_with_the_threads_that_are_chosen_by_default(name):
    first = numbers(train(name, x=PIXELS))
    assert_same_bits(numbers(train(name, x=PIXELS)), first)
    assert_same_bits(numbers(train(name, x=PIXELS, threads=2)), first)


@trainings
def test_the_seed_matters(name):
    """The comparison is of numbers that chance decides: another seed gives other ones."""
    options = {**TRAININGS[name][1], "epochs": 1}
    vectors = [fitted(network_of(name, seed), X, Y, **options).parameters.vector for seed in (1, 2)]
    assert (vectors[0] != vectors[1]).mean() > 0.5


@trainings
def test_steps_one_by_one_or_several_at_once(name):
    assert_listeners_do_not_matter(partial(train, name))


@trainings
def test_looking_and_predicting_between_steps_changes_nothing(name):
    options = {**TRAININGS[name][1], "epochs": 2}
    assert_looking_does_not_matter(network_of(name), X, Y, partial(train, name, epochs=2), **options)


@trainings
def test_one_call_of_three_epochs_equals_three_calls(name):
    assert_calls_add_up(partial(train, name), X, Y, (1, 2, 3), **TRAININGS[name][1])


@trainings
def test_a_saved_network_goes_on_as_if_nothing_had_happened(name, tmp_path):
    options = {"shuffle": True, **TRAININGS[name][1], **QUIET}
    first = train(name, epochs=1)
    first.save(tmp_path / "model.safetensors", optimizer_state=True)
    again = pl.load(tmp_path / "model.safetensors").network
    again.fit(X, Y, epochs=1, **options)
    assert_same_bits(numbers(again), numbers(train(name, epochs=2)))


# Weights of 1e28 twice in a row are too many; where a normalization takes the first ones back, the block comes next.
OVERFLOWS = {"convolutions": "conv2d_2", "normalized": "residual_1", "depthwise": "conv2d_2"}


@pytest.mark.usefixtures("every_isa")
@pytest.mark.parametrize("name", OVERFLOWS)
@pytest.mark.parametrize("step", [2, 4, 20])
@pytest.mark.parametrize(("size", "back"), [(1e45, 1), (1e30, 2)], ids=["update", "loss"])
def test_divergence_brings_back_the_last_good_numbers(name, step, size, back):
    """A rate so large that the update of a step, or the loss of the next one, is not finite: NumPy names the same step and
    layer, and every bit is that of a training which was stopped where all was well."""
    at = step if back == 1 else step - 1
    options = {"epochs": 30, "schedule": OneHugeRate(at, size), "optimizer": pl.GradientDescent(0.01)}

    def stop(event):
        if isinstance(event, StepFinished) and event.step == step - back:
            raise pl.StopTraining

    good = network_of(name) if step == back else train(name, threads=1, callbacks=[stop], **options)
    texts = []
    for engine, callbacks in (("numpy", []), ("native", []), ("native", [Quiet()]), ("native", [lambda event: None])):
        network = network_of(name)
        with pytest.raises(pl.DivergenceError, match=f"diverged at step {step}:") as caught:
            network.fit(X, Y, **{**TRAININGS[name][1], **QUIET, **options}, engine=engine, callbacks=callbacks)
        texts.append(str(caught.value).replace("the loss is inf;", "the loss is nan;"))
        if engine == "native":
            for ours, theirs in ((network.parameters, good.parameters), (network.state, good.state)):
                assert ours.vector.tobytes() == theirs.vector.tobytes()
    assert len(set(texts)) == 1
    assert ("conv2d_1.weight" if back == 1 else OVERFLOWS[name]) in texts[0]


def test_not_a_number_in_a_weight_is_found_at_its_layer():
    network = network_of("normalized")
    network.parameters["residual_1.conv2d_2.weight"][1, 1, 3, 4] = np.nan
    with pytest.raises(pl.DivergenceError, match=r"step 1: .*residual_1"):
        network.fit(X, Y, engine="native", **QUIET)
