"""Schedules: values worked by hand at the start, the middle and the end; and what holds for all of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pellucid as pl
from pellucid.mathematics.schedules import SCHEDULES, Position, schedule
from pellucid.nn.catalogue import SCHEDULES as CLASSES
from pellucid.training.events import StepFinished


def factors(schedule, steps, steps_per_epoch=1, losses=()):
    return [schedule.factor(Position(step, steps, steps_per_epoch, losses)) for step in range(steps)]


def at(schedule, step, total=101, steps_per_epoch=10, losses=()):
    return schedule.factor(Position(step, total, steps_per_epoch, losses))


HALF = math.sqrt(0.5)  # cos(pi / 4)


@pytest.mark.parametrize(
    ("schedule", "step", "expected"),
    [
        (pl.ConstantRate(), 0, 1),
        (pl.ConstantRate(), 100, 1),
        (pl.StepDecay(3, 0.1), 0, 1),
        (pl.StepDecay(3, 0.1), 29, 1),  # the last step of the third epoch
        (pl.StepDecay(3, 0.1), 30, 0.1),
        (pl.StepDecay(3, 0.1), 59, 0.1),
        (pl.StepDecay(3, 0.1), 100, 0.1**3),
        (pl.ExponentialDecay(0.81), 0, 1),
        (pl.ExponentialDecay(0.81), 5, 0.9),  # half an epoch
        (pl.ExponentialDecay(0.81), 20, 0.81**2),
        (pl.Cosine(), 0, 1),
        (pl.Warmup(4), 0, 0.25),
        (pl.Warmup(4), 3, 1),
        (pl.Warmup(4), 4, 1),
        (pl.Warmup(1, pl.Cosine()), 0, 1),
        (pl.Warmup(1, pl.Cosine()), 1, 1),  # the rest has 100 steps, 0 .. 99, and this is its first
        (pl.Warmup(1, pl.Cosine()), 51, 0.5),
        (pl.Warmup(1, pl.Cosine()), 76, (1 - HALF) / 2),
        (pl.Warmup(51, pl.Cosine(0.1)), 50, 1),
        (pl.Warmup(51, pl.Cosine(0.1)), 76, 0.55),
        (pl.Warmup(10, pl.StepDecay(2, 0.5)), 29, 1),  # epochs of the rest: two of them are steps 10 .. 29
        (pl.Warmup(10, pl.StepDecay(2, 0.5)), 30, 0.5),
        (pl.Warmup(1000), 100, 0.101),
        (pl.CosineLog(1), 50, (1 - math.cos(2 * math.pi * math.log2(1.5))) / 2),  # in the middle of 101 steps
        (pl.CosineLog(2), 33, 1e-4),  # 34 / 102 = 1 / 3: log2(1 + 3 / 3) = 1, the end of the first hump
        (pl.OneCycle(0.3, 0.04, 0.01), 0, 0.04),
        (pl.OneCycle(0.3, 0.04, 0.01), 15, 0.52),  # half of the way up: (0.04 + 1) / 2
        (pl.OneCycle(0.3, 0.04, 0.01), 30, 1),
        (pl.OneCycle(0.3, 0.04, 0.01), 65, 0.505),  # half of the way down: (1 + 0.01) / 2
        (pl.OneCycle(0.3, 0.04, 0.01), 100, 0.01),
        (pl.OneCycle(), 0, 1 / 25),
        (pl.OneCycle(), 100, 1 / 25 / 1e4),
    ],
)
def test_by_hand(schedule, step, expected):
    """101 steps (0 .. 100), ten an epoch."""
    assert at(schedule, step) == pytest.approx(expected, rel=1e-12, abs=1e-16)


@pytest.mark.parametrize(
    ("schedule", "step", "expected"),
    [
        (pl.Cosine(), 25, (1 + HALF) / 2),
        (pl.Cosine(), 50, 0.5),
        (pl.Cosine(), 75, (1 - HALF) / 2),
        (pl.Cosine(), 100, 0),
        (pl.Cosine(0.2), 50, 0.6),
        (pl.Cosine(0.2), 100, 0.2),
    ],
)
def test_a_cosine_by_hand(schedule, step, expected):
    """100 steps (0 .. 99): ``final`` would be the factor of the step after the last."""
    assert at(schedule, step, total=100) == pytest.approx(expected, rel=1e-12, abs=1e-16)


@pytest.mark.parametrize("name", ["cosine", "warmup", "one_cycle"])
@pytest.mark.parametrize("total", [1, 2, 10, 1000])
def test_no_step_is_made_with_the_rate_0(name, total):
    assert min(factors(schedule(name), total)) > 0


@pytest.mark.parametrize(("rise", "steps"), [(0.3, 101), (0.3, 1001), (0.1, 1000), (0.5, 57), (0.9, 20)])
def test_one_cycle_has_its_peak_at_the_right_step_and_only_one(rise, steps):
    values = factors(pl.OneCycle(rise), steps)
    peak = int(np.argmax(values))
    assert abs(peak - rise * (steps - 1)) <= 0.5
    assert (np.diff(values[: peak + 1]) > 0).all()
    assert (np.diff(values[peak:]) < 0).all()


@pytest.mark.parametrize("total", range(1, 30))
@pytest.mark.parametrize("rise", [0.1, 0.3, 0.9])
def test_one_cycle_comes_near_its_peak_in_any_training(rise, total):
    """In one or two steps it never rose: the largest factor was ``start``."""
    values = factors(pl.OneCycle(rise), total)
    assert max(values) > 0.5
    if rise * (total - 1) < 1:
        assert values[0] == 1
        assert total == 1 or values[-1] == pytest.approx(4e-6)


@pytest.mark.parametrize("total", [1, 2, 50, 200, 999, 1000, 5000])
def test_a_warmup_by_its_name_leaves_room_for_the_rest(total):
    """Its 200 steps were all of a training of 50: the rate never rose to more than a quarter."""
    values = factors(schedule("warmup"), total)
    peak = int(np.argmax(values))
    assert values[peak] == 1
    assert peak + 1 == min(200, max(total // 5, 1))
    assert (np.diff(values[: peak + 1]) > 0).all()
    assert total < 3 or values[-1] < 0.1


def test_a_warmup_that_is_longer_than_the_training_is_warned_of():
    network = pl.Network([pl.Input(2), pl.Regression()])
    options = {"epochs": 2, "batch_size": 4, "progress": "none"}
    with pytest.warns(UserWarning, match="the warm-up takes 7 steps, but only 6 are left"):
        network.fit(np.ones((10, 2)), np.ones(10), schedule=pl.Warmup(7), **options)
    with pytest.warns(UserWarning, match="the warm-up takes 5 steps, but only 4 are left"):
        network.fit(np.ones((10, 2)), np.ones(10), schedule=pl.Warmup(2, pl.Warmup(5)), **options)
    for whole in (pl.Warmup(6), pl.Warmup(2, pl.Warmup(4)), pl.Warmup(6, pl.Warmup(7)), "warmup"):
        network.fit(np.ones((10, 2)), np.ones(10), schedule=whole, **options)  # warnings are errors here


class TestReduceOnPlateau:
    """drop 1/2 after 2 epochs in a row without a fall by more than 1 % of the best."""

    rule = pl.ReduceOnPlateau(0.5, 2, 0.01, 0.1)

    @pytest.mark.parametrize(
        ("losses", "expected"),
        [
            ((), 1),
            ((1.0,), 1),
            ((1.0, 0.9, 0.8), 1),
            ((1.0, 1.0), 1),
            ((1.0, 1.0, 1.0), 0.5),
            ((1.0, 0.995, 0.991), 0.5),  # each too small a fall from the best, 1.0
            ((1.0, 0.995, 0.989), 1),  # 0.989 < 0.99 is a fall
            ((1.0, 1.1, 0.9, 1.0), 1),  # the fall starts the count anew
            ((1.0, 1.1, 0.9, 1.0, 1.0), 0.5),
            ((1.0, 1.0, 1.0, 1.0), 0.5),  # after a plateau the count starts anew
            ((1.0, 1.0, 1.0, 1.0, 1.0), 0.25),
            ((1.0, 1.0, 1.0, 0.5, 0.4), 0.5),  # the factor never rises again
            ((1.0,) * 9, 0.1),  # 1/16 is below the minimum
        ],
    )
    def test_by_hand(self, losses, expected):
        assert self.rule.factor(Position(50, 100, 1, losses)) == expected

    def test_in_training_it_watches_the_validation_loss(self):
        """Labels of chance: the first validation loss is soon the best; rates must follow the rule from the history."""
        rng = np.random.default_rng(0)
        x, y = rng.normal(size=(60, 4)), rng.integers(0, 2, 60)
        rates = []
        network = pl.Network([pl.Input(4), pl.Dense(16, "relu"), pl.BinaryClassification()])
        history = network.fit(
            x[:30],
            y[:30],
            validation=(x[30:], y[30:]),
            epochs=15,
            batch_size=15,
            optimizer=pl.Adam(0.05),
            schedule=pl.ReduceOnPlateau(0.5, 2),
            progress="none",
            callbacks=[lambda e: rates.append(e.learning_rate) if isinstance(e, StepFinished) else None],
        )
        best, waited, factor, expected = math.inf, 0, 1.0, []
        for loss in history["validation_loss"]:
            expected += [0.05 * factor] * 2
            waited = 0 if loss < best * (1 - 1e-4) else waited + 1
            best = loss if waited == 0 else best
            if waited == 2:
                factor, waited = factor / 2, 0
        assert rates == pytest.approx(expected, rel=1e-12)
        assert expected[-1] < 0.02


def test_training_uses_the_optimizers_rate_times_the_factor_and_counts_from_each_call():
    rates = []
    network = pl.Network([pl.Input(2), pl.Regression()])
    for _ in range(2):
        network.fit(
            np.ones((10, 2)),
            np.ones(10),
            epochs=2,
            batch_size=4,
            optimizer=pl.GradientDescent(0.2),
            schedule=pl.Warmup(2, pl.Cosine(0.5)),
            progress="none",
            callbacks=[lambda e: rates.append(e.learning_rate) if isinstance(e, StepFinished) else None],
        )
    # 3 steps an epoch, 6 in all: 1/2, 1, then cosine over 4 steps at the fractions 0, 1/4, 2/4, 3/4
    once = [0.1, 0.2, 0.2, 0.2 * (0.5 + 0.25 * (1 + HALF)), 0.2 * 0.75, 0.2 * (0.5 + 0.25 * (1 - HALF))]
    assert rates == pytest.approx(once * 2, rel=1e-12)


fractions = st.floats(0.01, 1.0)
below_one = st.floats(0.01, 0.99)
simple = st.one_of(
    st.just(pl.ConstantRate()),
    st.builds(pl.StepDecay, st.integers(1, 20), fractions),
    st.builds(pl.ExponentialDecay, fractions),
    st.builds(pl.Cosine, fractions),
    st.builds(pl.OneCycle, below_one, fractions, fractions),
    st.builds(pl.CosineLog, st.integers(1, 30)),
    st.builds(pl.ReduceOnPlateau, below_one, st.integers(1, 5), st.floats(0, 0.5), fractions),
)
any_schedule = st.one_of(
    simple, st.builds(pl.Warmup, st.integers(1, 200), simple), st.sampled_from(list(SCHEDULES.values()))
)


@given(any_schedule, st.integers(1, 2000), st.integers(20, 50), st.data())
def test_a_factor_is_above_0_and_at_most_1(rule, total, steps_per_epoch, data):
    step = data.draw(st.integers(0, total - 1))
    losses = tuple(data.draw(st.lists(st.floats(0, 1e6), max_size=20)))
    factor = rule.factor(Position(step, total, steps_per_epoch, losses))
    assert isinstance(factor, float)
    assert 0 < factor <= 1


@given(any_schedule, st.integers(1, 300))
def test_a_schedule_is_a_pure_function_of_the_position(rule, total):
    forward = factors(rule, total, 7)
    backward = [rule.factor(Position(step, total, 7)) for step in reversed(range(total))]
    assert forward == backward[::-1]


def test_names():
    for name, rule in SCHEDULES.items():
        assert schedule(name) is rule
    assert {type(rule) for rule in SCHEDULES.values()} == set(CLASSES)
    with pytest.raises(pl.ArgumentError, match="Did you mean 'cosine'"):
        schedule("cosin")


@pytest.mark.parametrize(
    "make",
    [
        lambda: pl.StepDecay(0),
        lambda: pl.StepDecay(2, 0.0),
        lambda: pl.StepDecay(2, 1.1),
        lambda: pl.ExponentialDecay(0.0),
        lambda: pl.Cosine(1.5),
        lambda: pl.Warmup(0),
        lambda: pl.Warmup(5, "cosine"),
        lambda: pl.Warmup(5, at_most=0.0),
        lambda: pl.Warmup(5, at_most=1.5),
        lambda: pl.CosineLog(0),
        lambda: pl.CosineLog(2.5),
        lambda: pl.CosineLog(31),
        lambda: pl.OneCycle(0.0),
        lambda: pl.OneCycle(1.0),
        lambda: pl.OneCycle(start=0.0),
        lambda: pl.OneCycle(final=0.0),
        lambda: pl.ReduceOnPlateau(1.0),
        lambda: pl.ReduceOnPlateau(patience=0),
        lambda: pl.ReduceOnPlateau(threshold=math.nan),
    ],
)
def test_what_cannot_work_is_refused(make):
    with pytest.raises(pl.ArgumentError):
        make()
