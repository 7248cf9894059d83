"""The same bits: for any number of threads, run after run, and whoever listens."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from twins import (
    ISAS,
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

RNG = np.random.default_rng(4)
X = RNG.normal(size=(310, 20)).astype(np.float32)
Y = RNG.integers(0, 3, 310)
PIXELS = RNG.integers(0, 256, (310, 20), dtype=np.uint8)
WEIGHTS = RNG.uniform(0, 2, 310) * (np.arange(310) % 5 > 0)

# name -> (layers, options); 310 samples leave a smaller last batch. Sizes decide whether columns or rows are dealt.
TRAININGS = {
    "columns, odd widths": (
        [pl.Dense(131, "relu"), pl.Dropout(0.5), pl.Dense(65, "gelu"), pl.BatchNormalization(), pl.Dense(33, "elu")],
        {"batch_size": 97, "optimizer": pl.Adam(0.01)},
    ),
    "columns, norm and penalties": (
        [pl.Dense(70, "tanh"), pl.BatchNormalization(), pl.Dropout(0.2), pl.Dense(129, "silu")],
        {
            "batch_size": 60,
            "optimizer": pl.AdamW(0.01),
            "clipping": pl.ClipByGlobalNorm(0.3),
            "regularizer": pl.L1(1e-3),
            "sample_weight": WEIGHTS,
        },
    ),
    "columns, large batch": (
        [pl.BatchNormalization(), pl.Dense(200, "selu"), pl.Dense(70, "softplus")],
        {"batch_size": 290, "optimizer": pl.RMSProp(0.003), "clipping": pl.ClipByValue(0.01)},
    ),
    "rows": (
        [pl.Dense(33, "relu"), pl.Dropout(0.3), pl.Dense(17, "sigmoid")],
        {"batch_size": 200, "optimizer": pl.GradientDescent(0.1, 0.9, True), "regularizer": pl.L1(1e-3) + pl.L2(1e-3)},
    ),
    "rows, norm": (
        [pl.Dropout(0.1), pl.Dense(65, "leaky_relu"), pl.Dense(40, "hard_sigmoid")],
        {"batch_size": 301, "optimizer": pl.Adagrad(0.05), "clipping": pl.ClipByGlobalNorm(0.1), "sample_weight": WEIGHTS},
    ),
    "no hidden layer": ([], {"batch_size": 64, "optimizer": pl.Adam(0.01)}),
}
trainings = pytest.mark.parametrize("name", TRAININGS)


def network_of(name, seed=7):
    return spread(pl.Network([pl.Input(20), *TRAININGS[name][0], pl.Classification(3, 0.1)], seed=seed), 2)


def train(name, x=X, **more):
    options = TRAININGS[name][1]
    epochs = -(-50 // -(-310 // options["batch_size"]))
    return fitted(network_of(name), x, Y, **{"epochs": epochs, "shuffle": True, **options, **more})


@pytest.mark.parametrize("isa", ISAS)
@trainings
def test_any_number_of_threads_gives_the_same_bits_after_fifty_steps(isa, name, monkeypatch):
    monkeypatch.setenv("PELLUCID_ISA", isa)
    assert_threads_do_not_matter(partial(train, name), (2, 3, 4, 8) if isa == ISAS[-1] else (3, 8), steps=50)


@trainings
def test_run_after_run_and_with_the_threads_that_are_chosen_by_default(name):
    first = numbers(train(name, x=PIXELS))
    for _ in range(2):
        assert_same_bits(numbers(train(name, x=PIXELS)), first)
    assert_same_bits(numbers(train(name, x=PIXELS, threads=2)), first)


@trainings
def test_the_seed_matters(name):
    """The comparison is of numbers that chance decides: another seed gives other ones."""
    options = TRAININGS[name][1]
    vectors = [fitted(network_of(name, seed), X, Y, **options).parameters.vector for seed in (1, 2)]
    assert (vectors[0] != vectors[1]).mean() > 0.5


@trainings
def test_steps_one_by_one_or_several_at_once(name):
    assert_listeners_do_not_matter(partial(train, name))


@trainings
def test_looking_and_predicting_between_steps_changes_nothing(name):
    options = {**TRAININGS[name][1], "epochs": 3}
    assert_looking_does_not_matter(network_of(name), X, Y, partial(train, name, epochs=3), **options)


def test_one_call_of_four_epochs_equals_four_calls():
    name = "columns, norm and penalties"
    assert_calls_add_up(partial(train, name), X, Y, (1, 2, 3, 1), **TRAININGS[name][1])


def test_sets_with_fused_multiply_add_agree_nearly():
    """Different sets may round differently, but they train the same network."""
    results = []
    for isa in ISAS:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PELLUCID_ISA", isa)
            results.append(train("rows", epochs=3).parameters.vector.copy())
    for other in results[1:]:
        np.testing.assert_allclose(other, results[0], rtol=0, atol=1e-4)
    assert np.abs(results[0] - train("rows", epochs=4).parameters.vector).max() > 1e-2
