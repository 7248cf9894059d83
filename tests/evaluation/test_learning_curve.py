"""The forecast is the power law: exact where the points lie on one, and bounded where they do not."""

from __future__ import annotations

import pytest

import pellucid as pl
from pellucid.evaluation.learning_curve import LearningPoint, expected_accuracy, exponent, forecast


def points(*pairs, judged=10_000):
    return tuple(LearningPoint(count, accuracy, 0.0, 10, judged) for count, accuracy in pairs)


def on_the_law(a, b, counts=(5, 10, 25, 50)):
    return points(*((n, 1 - a * n**-b) for n in counts))


@pytest.mark.parametrize("b", [0.25, 0.5, 1.0])
def test_points_on_a_power_law_give_its_exponent(b):
    curve = on_the_law(0.5, b)
    assert exponent(curve) == pytest.approx(b)
    assert expected_accuracy(curve, 2.0) == pytest.approx(1 - 0.5 * 100**-b)


def test_only_the_last_points_count():
    assert exponent(points((1, 0.5), (2, 0.5)) + on_the_law(0.4, 0.5)) == pytest.approx(0.5)


def test_the_sentence_by_hand():
    """error = 0.4 / n: 8 % from 5, 4 % from 10, 2 % from 20, 1 % from 40."""
    assert forecast(points((5, 0.92), (10, 0.96), (20, 0.98))) == (
        "With twice as many photos expect about 99.0% right, after 98.0% now."
    )


def test_more_pictures_never_promise_less_and_no_more_than_the_law():
    falling = points((5, 0.9), (10, 0.8), (25, 0.7))
    assert exponent(falling) == 0.0
    assert expected_accuracy(falling, 2.0) == pytest.approx(0.7)
    assert exponent(points((1, 0.1), (2, 0.9), (4, 0.9999))) == 1.0


def test_a_flat_curve_promises_nothing():
    assert forecast(points((5, 0.99), (10, 0.99), (20, 0.99))) == (
        "With twice as many photos expect hardly more right answers than now, 99.0%."
    )


def test_two_points_tell_nothing_and_no_mistake_is_no_law():
    assert exponent(points((1, 0.5), (2, 0.6))) is None
    assert forecast(points((1, 0.5), (2, 0.6))) is None
    assert forecast(points((5, 0.9), (10, 1.0), (25, 1.0), judged=20)).startswith("None of the answers was wrong")


@pytest.mark.parametrize("field", [{"count": 0}, {"accuracy": 1.5}, {"spread": -0.1}, {"draws": 0}, {"judged": 0}])
def test_a_point_that_cannot_be(field):
    with pytest.raises(pl.ArgumentError, match="of a point of a learning curve"):
        LearningPoint(**{"count": 5, "accuracy": 0.5, "spread": 0.0, "draws": 1, "judged": 5} | field)
