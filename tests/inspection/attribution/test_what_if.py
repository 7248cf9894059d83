"""What-if curves: by hand, and one prediction at a time."""

from __future__ import annotations

import numpy as np
import pytest
from attributed_networks import BENT, PIECEWISE_LINEAR, samples_of, shaken

import pellucid as pl

NAMES = ["age", "weight", "height", "dose", "day"]


def test_a_linear_regression_has_straight_curves():
    network = shaken(pl.Input(5), pl.Regression())
    weight = network.parameters["output.weight"][3, 0]
    x = samples_of(network)
    found = pl.what_if(network, x, "dose", [0, 1, 10], columns=NAMES)
    assert found.column == "dose"
    np.testing.assert_array_equal(found.values, [0.0, 1.0, 10.0])
    expected = network.predict(x)[:, None] + weight * (np.array([0, 1, 10]) - x[:, 3:4])
    np.testing.assert_allclose(found.answers[:, :, 0], expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found.partial_dependence[:, 0], expected.mean(axis=0), rtol=1e-12)


@pytest.mark.parametrize("name", ["dense", "yes or no", "tanh", "no hidden layer"])
def test_each_answer_is_that_of_a_sample_with_one_number_changed(name):
    network = shaken(*(PIECEWISE_LINEAR | BENT)[name])
    x = samples_of(network, 4)
    before = x.copy()
    found = pl.what_if(network, x, 2, np.linspace(-2, 2, 5))
    probabilities = hasattr(network, "predict_proba") and not isinstance(network.output, pl.Regression)
    for b in range(4):
        for s, value in enumerate(found.values):
            row = x[b : b + 1].copy()
            row[0, 2] = value
            expected = network.predict_proba(row) if probabilities else network.predict(row)
            np.testing.assert_allclose(found.answers[b, s], expected[0], rtol=1e-10)
    np.testing.assert_array_equal(x, before)


def test_it_does_not_matter_how_many_are_answered_at_once(monkeypatch):
    network = shaken(*PIECEWISE_LINEAR["dense"])
    x = samples_of(network)
    whole = pl.what_if(network, x, 0, [1.0, 2.0]).answers
    monkeypatch.setattr("pellucid.inspection.attribution.what_if.ROWS", 4)
    np.testing.assert_allclose(pl.what_if(network, x, 0, [1.0, 2.0]).answers, whole, rtol=1e-13)


def test_whole_numbers_and_bytes_may_be_varied_by_fractions():
    network = shaken(pl.Input(2), pl.Regression())
    w = network.parameters["output.weight"][:, 0]
    x = np.array([[10, 200]])
    numbers, pixels = (pl.what_if(network, x.astype(kind), 0, [0.5]).answers[0, 0, 0] for kind in (np.int64, np.uint8))
    bias = network.parameters["output.bias"][0]
    assert numbers == pytest.approx(0.5 * w[0] + 200 * w[1] + bias, rel=1e-12)
    assert pixels == pytest.approx((0.5 * w[0] + 200 * w[1]) / 255 + bias, rel=1e-12)


def test_the_text_has_a_line_for_each_value():
    network = shaken(pl.Input(2), pl.Regression(use_bias=False))
    network.parameters["output.weight"] = np.array([[2.0], [1.0]])
    text = str(pl.what_if(network, np.array([[0.0, 1.0], [0.0, 3.0]]), 0, [-1, 10]))
    assert text == "0, mean answer of 2 samples\n-1  0.0000\n10  22.0000"


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("dose", [1]), {}, "the columns have no names"),
        (("dosis", [1]), {"columns": NAMES}, "no column 'dosis'; the columns are age, weight"),
        ((5, [1]), {}, "number from 0 to 4, not 5"),
        ((-1, [1]), {}, "number from 0 to 4, not -1"),
        ((True, [1]), {}, "number from 0 to 4, not True"),
        ((0, []), {}, r"values has the shape \(0,\)"),
        ((0, 3.0), {}, r"values has the shape \(\)"),
        ((0, [np.nan]), {}, "NaN or infinity"),
        ((0, ["much"]), {}, "numbers are expected"),
        ((0, [1]), {"columns": NAMES[:4]}, "4 different names; the network takes 5"),
        ((0, [1]), {"columns": ["a"] * 5}, "1 different names; the network takes 5"),
        ((0, [1]), {"columns": "abcde"}, "a list of names"),
    ],
)
def test_what_cannot_be_asked(arguments, options, message):
    network = shaken(*PIECEWISE_LINEAR["dense"])
    with pytest.raises(pl.ArgumentError, match=message):
        pl.what_if(network, samples_of(network), *arguments, **options)


def test_pictures_have_no_columns():
    network = shaken(*PIECEWISE_LINEAR["grey images"])
    with pytest.raises(pl.ShapeError, match="takes tables"):
        pl.what_if(network, samples_of(network), 0, [1])
    with pytest.raises(pl.ArgumentError, match="a network is expected, not list"):
        pl.what_if([network], np.ones((1, 5)), 0, [1])
