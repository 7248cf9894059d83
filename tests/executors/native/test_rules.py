"""Thirty steps by every optimizer with every penalty, bound and schedule, against NumPy.

The truth is the trajectory in float64. The native one may leave it `FACTOR` times as far as that of NumPy in float32 does,
whose rounding is of the same kind but falls otherwise; that a wrong constant leaves it farther is tested too.
"""

from __future__ import annotations

from dataclasses import fields, replace
from functools import cache

import numpy as np
import pytest
from rounding import UNIT
from twins import ISAS, fitted, numbers, spread

import pellucid as pl

FACTOR = 10
OPTIMIZERS = [
    pl.GradientDescent(0.1),
    pl.GradientDescent(0.05, 0.9),
    pl.GradientDescent(0.05, 0.8, nesterov=True),
    pl.Adam(0.01, 0.8, 0.95, 1e-3),
    pl.AdamW(0.01, 0.5, 0.8, 0.95, 1e-3),
    pl.RMSProp(0.01, 0.8, 1e-2),
    pl.Adagrad(0.05, 1e-2),
]
REGULARIZERS = [None, pl.L1(0.003), pl.L2(0.02), pl.L1(0.002) + pl.L2(0.01)]
CLIPPINGS = [
    None,
    pl.ClipByValue(0.01),  # most elements are beyond
    pl.ClipByValue(100.0),
    pl.ClipByGlobalNorm(0.05),
    pl.ClipByGlobalNorm(1e4),
]
SCHEDULES = [
    "constant",
    "cosine",
    pl.Warmup(10, pl.Cosine(0.1)),
    pl.OneCycle(),
    pl.CosineLog(),
    pl.StepDecay(2, 0.5),
    pl.ExponentialDecay(0.5),
]
OWN = [None, pl.L1(0.01), pl.L2(0.05)]  # the penalty of the second layer itself, in place of the common one

RNG = np.random.default_rng(12)
X = RNG.normal(size=(230, 7)).astype(np.float32)
Y = RNG.integers(0, 4, 230)


def rules(number):
    """The combinations, so that each pair of optimizer, penalty and bound comes up, and everything else in turn."""
    optimizer, rest = OPTIMIZERS[number % 7], number // 7
    options = {
        "optimizer": optimizer,
        "regularizer": REGULARIZERS[rest % 4],
        "clipping": CLIPPINGS[rest // 4],
        "schedule": SCHEDULES[(number + rest) % 6],
    }
    own = OWN[(number + rest // 2) % 3]
    batch_size = [40, 200][(number // 2) % 2]  # by columns, and by rows
    return options | {"batch_size": batch_size, "epochs": 30 // -(-230 // batch_size), "shuffle": True}, own


def start(own):
    layers = [pl.Input(7), pl.Dense(33, "tanh"), pl.Dense(9, "tanh", regularizer=own), pl.Classification(4, 0.1)]
    return spread(pl.Network(layers, seed=3), 1)


@cache
def reference(number):
    """(true numbers, how far NumPy in float32 is from them, by name) after the combination of that number."""
    options, own = rules(number)
    truth, near = (
        numbers(fitted(start(own), X, Y, engine="numpy", dtype=dtype, **options)) for dtype in ("float64", "float32")
    )
    return truth, {name: np.abs(near[name] - vector).max(initial=0) for name, vector in truth.items()}


def excess(ours, number):
    """The largest distance from the truth, in units of what is allowed."""
    truth, noise = reference(number)
    assert ours.keys() == truth.keys()
    return max(
        np.abs(ours[name] - vector).max() / (FACTOR * max(noise[name], UNIT * np.abs(vector).max()))
        for name, vector in truth.items()
        if vector.size
    )


@pytest.mark.parametrize("number", range(7 * 4 * 5))
def test_a_trajectory(number, monkeypatch):
    monkeypatch.setenv("PELLUCID_ISA", ISAS[number % len(ISAS)])
    options, own = rules(number)
    native = fitted(start(own), X, Y, threads=1 + number % 3, **options)
    assert native.training_state.optimizer_state.updates == native.training_state.step >= 29
    assert excess(numbers(native), number) <= 1


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_a_constant_that_is_wrong_by_one_part_in_a_hundred_is_seen(optimizer):
    number = next(number for number in range(7 * 20) if OPTIMIZERS[number % 7] is optimizer)
    options, own = rules(number)
    for field in fields(optimizer):
        value = getattr(optimizer, field.name)
        if isinstance(value, bool) or not value:
            continue
        wrong = replace(optimizer, **{field.name: value * 1.01 if value < 0.5 else value * 0.99})
        native = fitted(start(own), X, Y, **{**options, "optimizer": wrong})
        assert excess(numbers(native), number) > 1, field.name


@pytest.mark.parametrize("name", ["regularizer", "clipping", "schedule"])
def test_a_rule_left_out_is_seen(name):
    for number in range(7 * 20):
        options, own = rules(number)
        bites = options[name] not in (None, "constant", CLIPPINGS[2], CLIPPINGS[4]) and (name, number % 7) != (
            "clipping",
            3,
        )
        if bites and number % 3 == 0:
            left_out = {key: value for key, value in options.items() if key != name}
            assert excess(numbers(fitted(start(own), X, Y, **left_out)), number) > 1, number


def test_the_memory_of_an_optimizer_goes_on_across_calls():
    """Two calls and one give the same bits, and what one engine began the other one continues."""
    whole = fitted(start(None), X, Y, optimizer=pl.Adam(0.01), epochs=4, batch_size=40)
    parts = fitted(start(None), X, Y, optimizer=pl.Adam(0.01), epochs=1, batch_size=40)
    for threads in (1, 3, 2):
        parts.fit(X, Y, epochs=1, batch_size=40, shuffle=False, progress="none", threads=threads)
    for name, vector in numbers(whole).items():
        assert vector.tobytes() == numbers(parts)[name].tobytes(), name
    mixed = fitted(start(None), X, Y, optimizer=pl.Adam(0.01), epochs=2, batch_size=40, engine="numpy")
    mixed.fit(X, Y, epochs=2, batch_size=40, shuffle=False, progress="none", engine="native")
    for name, vector in numbers(whole).items():
        np.testing.assert_allclose(
            numbers(mixed)[name], vector, rtol=0, atol=2e-5 * np.abs(vector).max(initial=0), err_msg=name
        )
