"""What an attribution says and shows, and what cannot be attributed."""

from __future__ import annotations

import json

import numpy as np
import pytest
from attributed_networks import BENT, PIECEWISE_LINEAR, samples_of, shaken

import pellucid as pl
from pellucid.core.display.drawing import as_letters, as_terminal_colors, colored


@pytest.fixture
def network():
    """score = 2 relu(x1 + 2 x2 - 1) + 5 relu(-x1 + x2 + 1/2) + 1/4, as in test_exact_attribution."""
    made = shaken(pl.Input(2), pl.Dense(2, "relu"), pl.Regression())
    made.parameters["dense_1.weight"] = np.array([[1.0, -1.0], [2.0, 1.0]])
    made.parameters["dense_1.bias"] = np.array([-1.0, 0.5])
    made.parameters["output.weight"] = np.array([[2.0], [5.0]])
    made.parameters["output.bias"] = np.array([0.25])
    return made


X = np.array([[3.0, 1.0], [-1.0, 2.0]])


class TestText:
    def test_one_sample_is_a_sum(self, network):
        lines = [line.split() for line in str(pl.attribute(network, X[1:])).splitlines()]
        assert lines == [
            ["exact", "attribution"],
            ["score", "of", "value", "0", "21.7500"],
            ["inputs", "+21.0000"],
            ["dense_1.bias", "+0.5000"],
            ["output.bias", "+0.2500"],
            ["gap", "+0.0e+00", "0.0e+00", "relative"],
            ["strongest", "inputs"],
            ["[1]", "+18.0000"],
            ["[0]", "+3.0000"],
        ]

    def test_columns_show_their_value_and_their_slope(self, network):
        text = str(pl.attribute(network, X, columns=["age", "dose"]))
        assert "age = 3   " in text
        assert "from 0, +2 a unit" in text
        assert text.splitlines()[-1] == "and 1 more sample; largest gap of all 0.0e+00 relative"

    def test_steps_and_the_other_class_are_said(self):
        bent = shaken(*BENT["tanh"])
        text = str(pl.attribute(bent, samples_of(bent, 1), 2, against=0))
        assert text.startswith("integrated gradients attribution, 32 steps\nscore of class 2 against 0 ")
        assert "\n  baseline " in text


class TestPictures:
    def test_channels_are_added_up(self):
        images = shaken(*PIECEWISE_LINEAR["images"])
        found = pl.attribute(images, samples_of(images))
        np.testing.assert_allclose(found.map(3), found.contributions[3].sum(axis=-1))
        np.testing.assert_array_equal(found.picture(3), colored(found.map(3)))
        assert found.as_text_map(3) == as_letters(found.map(3))
        assert found.as_text_map(-1, color=True) == as_terminal_colors(found.map(6))
        (place, given), *_ = found.strongest(36, 3)
        row, column = np.unravel_index(np.abs(found.map(3)).argmax(), (6, 6))
        assert place == f"[{row},{column}]"
        assert given == found.map(3)[row, column]

    def test_a_table_has_no_map(self, network):
        with pytest.raises(pl.ArgumentError, match=r"only pictures have a map"):
            pl.attribute(network, X).picture()


def test_strongest_counts_those_against_too(network):
    found = pl.attribute(network, np.array([[4.0, 0.0], [-1.0, 2.0]]), columns=["age", "dose"])
    assert found.strongest(1, sample=1) == [("dose", 18.0)]
    assert found.strongest() == [("age", 8.0), ("dose", 0.0)]
    with pytest.raises(pl.ArgumentError, match="count"):
        found.strongest(0)


def test_plain_data_are_json_and_hold_the_same_digits(network):
    found = pl.attribute(network, X, columns=["age", "dose"])
    data = json.loads(json.dumps(found.to_data(1), allow_nan=False))
    assert data == {
        "method": "exact",
        "steps": 1,
        "target": 0,
        "against": None,
        "score": 21.75,
        "contributions": [3.0, 18.0],
        "bias": {"dense_1.bias": 0.5, "output.bias": 0.25},
        "baseline": [0.0, 0.0],
        "gap": 0.0,
        "columns": ["age", "dose"],
    }


def test_one_sample_can_be_taken_out(network):
    found = pl.attribute(network, X)
    assert len(found) == 2
    assert [float(one.score[0]) for one in found] == [8.25, 21.75]
    assert found[-1].bias_parts["dense_1.bias"].tolist() == [0.5]
    assert str(found[1]) == str(pl.attribute(network, X[1:]))
    with pytest.raises(IndexError, match="no sample 2: the attribution has 2"):
        found[2]
    with pytest.raises(pl.ArgumentError, match="whole number"):
        found["first"]


class TestRefusals:
    @pytest.mark.parametrize(
        ("arguments", "options", "message"),
        [
            ((3,), {}, "target is 3; a whole number from 0 to 2"),
            ((-1,), {}, "target is -1"),
            ((1.0,), {}, "target is 1.0; a whole number"),
            (("cat",), {}, "target is <U3.*a whole number from 0 to 2"),
            (([0, 1],), {}, r"target has the shape \(2,\) for 7 samples"),
            ((1,), {"against": 1}, "both 1"),
            ((1,), {"against": 7}, "against is 7"),
            ((None, "shapley"), {}, "unknown method 'shapley'; the known ones are auto, exact, integrated_gradients"),
            ((), {"baseline": [1, 2]}, r"baseline has the shape \(2,\); one sample of the shape \(5,\)"),
            ((), {"baseline": np.inf}, "baseline holds NaN or infinity"),
            ((), {"baseline": "mean"}, "baseline is <U4"),
            ((), {"columns": ["a", "b"]}, "2 different names; the network takes 5 columns"),
            ((), {"tolerance": 0}, "tolerance"),
            ((), {"max_steps": 0}, "max_steps"),
        ],
    )
    def test_questions_that_cannot_be_asked(self, arguments, options, message):
        classes = shaken(*PIECEWISE_LINEAR["dense"])
        with pytest.raises(pl.ArgumentError, match=message):
            pl.attribute(classes, samples_of(classes), *arguments, **options)

    def test_what_is_no_network(self, network):
        for stranger in (None, pl.Dense(3), pl.Model(network)):
            with pytest.raises(pl.ArgumentError, match=r"of a model, take model\.network"):
                pl.attribute(stranger, X)

    def test_samples_that_do_not_fit(self, network):
        with pytest.raises(pl.ShapeError, match="expects"):
            pl.attribute(network, np.ones((2, 3)))
        with pytest.raises(pl.ShapeError, match="one sample"):
            pl.attribute(network, X[0])

    def test_values_of_which_nobody_said_which(self):
        two = shaken(*PIECEWISE_LINEAR["no hidden layer"])
        with pytest.raises(pl.ArgumentError, match="predicts 2 values; say which one to explain: target=0 to 1"):
            pl.attribute(two, samples_of(two))
        assert pl.attribute(two, samples_of(two), 1).relative_gap.max() < 1e-13

    def test_nothing_to_compare_with(self, network):
        for alone in (network, shaken(*PIECEWISE_LINEAR["yes or no"])):
            with pytest.raises(pl.ArgumentError, match="no two logits to compare"):
                pl.attribute(alone, samples_of(alone), 0, against=1 if alone is network else 0)

    def test_pictures_have_no_columns(self):
        images = shaken(*PIECEWISE_LINEAR["grey images"])
        with pytest.raises(pl.ArgumentError, match="takes samples of the shape"):
            pl.attribute(images, samples_of(images), columns=["a"] * 6)

    @pytest.mark.parametrize("method", ["exact", "integrated_gradients"])
    def test_numbers_that_are_not_finite(self, network, method):
        network.parameters["output.weight"] = np.array([[1e308], [1e308]])
        with pytest.raises(pl.DivergenceError, match="not finite"):
            pl.attribute(network, 1e3 * np.abs(X), method=method)
