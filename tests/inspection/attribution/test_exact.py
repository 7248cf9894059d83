"""Exact attributions: by hand, by finite differences, and complete for every layer that is linear between its corners."""

from __future__ import annotations

import numpy as np
import pytest
from attributed_networks import BENT, PIECEWISE_LINEAR, samples_of, scores, shaken, target_of

import pellucid as pl
from pellucid.nn import catalogue

linear = pytest.mark.parametrize("name", PIECEWISE_LINEAR)


def filled(*layers, **arrays):
    """A network in float64 with these arrays; dots in names are written as two underscores."""
    network = pl.Network(list(layers), dtype="float64")
    for name, values in arrays.items():
        full = name.replace("__", ".")
        (network.parameters if full in network.parameters else network.state)[full] = np.array(values, np.float64)
    return network


class TestByHand:
    def test_two_neurons(self):
        """h1 = x1 + 2 x2 - 1, h2 = -x1 + x2 + 1/2, score = 2 relu(h1) + 5 relu(h2) + 1/4.

        At (3, 1): h = (4, -3/2), so h2 is silent: score 8.25 = 3 (2) + 1 (4) + 2 (-1) + 1/4.
        At (-1, 2): h = (2, 7/2): score 21.75 = -1 (2 - 5) + 2 (4 + 5) + (2 (-1) + 5/2) + 1/4.
        """
        network = filled(
            *(pl.Input(2), pl.Dense(2, "relu"), pl.Regression()),
            dense_1__weight=[[1, -1], [2, 1]],
            dense_1__bias=[-1, 0.5],
            output__weight=[[2], [5]],
            output__bias=[0.25],
        )
        found = pl.attribute(network, np.array([[3.0, 1.0], [-1.0, 2.0]]))
        assert found.method == "exact"
        np.testing.assert_array_equal(found.score, [8.25, 21.75])
        np.testing.assert_array_equal(found.contributions, [[6, 4], [3, 18]])
        np.testing.assert_array_equal(found.slopes, [[2, 4], [-3, 9]])
        assert {name: part.tolist() for name, part in found.bias_parts.items()} == {
            "dense_1.bias": [-2, 0.5],
            "output.bias": [0.25, 0.25],
        }
        np.testing.assert_array_equal(found.bias, [-1.75, 0.75])
        np.testing.assert_array_equal(found.gap, [0, 0])

    def test_a_convolution_and_the_largest_of_its_windows(self):
        """A 3x3 filter of twos, bias -1, over 4x4 pixels; the windows see 1, 0, 0 and 5, so z = 1, -1, -1, 9; 9 goes
        on: score = 3 * 9 + 1/2, of which the pixel 5 gives 5 * 2 * 3, the filter's bias -3."""
        network = filled(
            *(pl.Input(4, 4), pl.Conv2D(1, 3, "relu", padding="valid"), pl.MaxPooling2D(), pl.Regression()),
            conv2d_1__weight=np.full((3, 3, 1, 1), 2.0),
            conv2d_1__bias=[-1],
            output__weight=[[3]],
            output__bias=[0.5],
        )
        x = np.zeros((1, 4, 4))
        x[0, 0, 0], x[0, 3, 3] = 1, 5
        found = pl.attribute(network, x)
        assert found.score == 27.5
        assert np.argwhere(found.contributions).tolist() == [[0, 3, 3]]
        assert found.contributions[0, 3, 3] == 30
        assert found.slopes[0].tolist() == [[0] * 4, *[[0, 6, 6, 6]] * 3]
        assert found.bias_parts == {"conv2d_1.bias": [-3], "output.bias": [0.5]}

    def test_the_filter_of_a_picture_with_margins(self):
        """Without a bend every window counts: a pixel gives its value times the sum of the weights of the windows that see
        it. The mean of 3x3 windows with margins: a corner is seen by 4, an edge by 6, the centre by 9."""
        network = filled(
            *(pl.Input(3, 3), pl.Conv2D(1, 3), pl.GlobalAveragePooling2D(), pl.Regression(use_bias=False)),
            conv2d_1__weight=np.ones((3, 3, 1, 1)),
            conv2d_1__bias=[2],
            output__weight=[[9]],
        )
        found = pl.attribute(network, np.ones((1, 3, 3)))
        np.testing.assert_allclose(found.contributions[0], [[4, 6, 4], [6, 9, 6], [4, 6, 4]], rtol=1e-14)
        np.testing.assert_allclose(found.bias, [18], rtol=1e-14)

    def test_batch_normalization(self):
        """Mean 3, variance 3 + epsilon 1, so std 2; at 7: h = 2, z = 2 h + 1 = 5, score 50 = 7 (10) - 3 (10) + 10."""
        network = filled(
            *(pl.Input(1), pl.BatchNormalization(epsilon=1.0, activation="relu"), pl.Regression(use_bias=False)),
            batch_normalization_1__gamma=[2],
            batch_normalization_1__beta=[1],
            batch_normalization_1__moving_mean=[3],
            batch_normalization_1__moving_variance=[3],
            output__weight=[[10]],
        )
        found = pl.attribute(network, np.array([[7.0], [-7.0]]))
        np.testing.assert_array_equal(found.score, [50, 0])
        np.testing.assert_array_equal(found.contributions, [[70], [0]])
        assert {name: part.tolist() for name, part in found.bias_parts.items()} == {
            "batch_normalization_1.moving_mean": [-30, 0],
            "batch_normalization_1.beta": [10, 0],
        }

    def test_the_constant_of_hard_sigmoid(self):
        """z/6 + 1/2 between -3 and 3, then 1: at 1.5 the score 4 * 0.75 is 1 from the input and 2 from the 1/2; at 5 all 4
        are the constant 1; at -5 there is nothing."""
        network = filled(
            *(pl.Input(1), pl.Dense(1, "hard_sigmoid", use_bias=False), pl.Regression(use_bias=False)),
            dense_1__weight=[[1]],
            output__weight=[[4]],
        )
        found = pl.attribute(network, np.array([[1.5], [5.0], [-5.0]]))
        np.testing.assert_allclose(found.contributions, [[1], [0], [0]], rtol=1e-14)
        np.testing.assert_allclose(found.bias_parts["dense_1.activation"], [2, 4, 0], rtol=1e-14)

    def test_the_top_of_relu6(self):
        """z between 0 and 6, then 6: at 2 the score 4 * 2 is all from the input; at 7 all 24 are the constant 6."""
        network = filled(
            *(pl.Input(1), pl.Dense(1, "relu6", use_bias=False), pl.Regression(use_bias=False)),
            dense_1__weight=[[1]],
            output__weight=[[4]],
        )
        found = pl.attribute(network, np.array([[2.0], [7.0], [-1.0]]))
        np.testing.assert_array_equal(found.contributions, [[8], [0], [0]])
        np.testing.assert_array_equal(found.bias_parts["dense_1.activation"], [0, 24, 0])

    def test_the_edges_of_bins(self):
        """x has the weight 1, its bins from 0 to 2 and from 2 to 3 have the gain 1/2 and the weights 8, 4. At 1 the score
        is 1 + 8/4, all from the input. At 2.5 the first bin is full: 8/2 from the edges; the second gives 4 (2.5 - 2) / 2,
        5 from the input and -4 from its edge. At -9 and 9 both are held, at -1/2 and 0, and at 1/2 and 1."""
        network = filled(
            *(pl.Input(1), pl.PiecewiseLinearEncoding(((0.0, 2.0, 3.0),)), pl.Regression(use_bias=False)),
            output__weight=[[1], [8], [4]],
        )
        found = pl.attribute(network, np.array([[1.0], [2.5], [-9.0], [9.0]]))
        np.testing.assert_allclose(found.score, [3, 2.5 + 4 + 1, -9 - 4, 9 + 4 + 4], rtol=1e-14)
        np.testing.assert_allclose(found.contributions, [[3], [2.5 + 5], [-9], [9]], rtol=1e-14)
        edges = found.bias_parts["piecewise_linear_encoding_1.edges"]
        np.testing.assert_allclose(edges, [0, 4 - 4, -4, 4 + 4], atol=1e-14)

    def test_a_block_adds_the_share_of_its_shortcut(self):
        """relu(2 x + 1 + x): at 3 it is 10 = 3 (2 + 1) + 1; at -1 it is silent."""
        network = filled(
            *(pl.Input(1), pl.Residual([pl.Dense(1)], activation="relu"), pl.Regression(use_bias=False)),
            residual_1__dense_1__weight=[[2]],
            residual_1__dense_1__bias=[1],
            output__weight=[[1]],
        )
        found = pl.attribute(network, np.array([[3.0], [-1.0]]))
        np.testing.assert_array_equal(found.contributions, [[9], [0]])
        np.testing.assert_array_equal(found.bias_parts["residual_1.dense_1.bias"], [1, 0])

    def test_a_unit_of_nothing_is_silent(self):
        """At z = 0 exactly, relu has the derivative 0: no share, and the sum is right all the same."""
        network = filled(
            *(pl.Input(1), pl.Dense(1, "relu"), pl.Regression()),
            dense_1__weight=[[1]],
            dense_1__bias=[-2],
            output__weight=[[1]],
            output__bias=[5],
        )
        found = pl.attribute(network, np.array([[2.0]]))
        assert (found.contributions == 0).all()
        assert found.bias_parts["dense_1.bias"] == 0
        assert found.gap == 0


def test_a_linear_regression_gives_each_column_its_weight_times_its_value():
    network = shaken(pl.Input(5), pl.Regression())
    x = samples_of(network)
    found = pl.attribute(network, x)
    np.testing.assert_allclose(found.contributions, x * network.parameters["output.weight"][:, 0], rtol=1e-14)
    np.testing.assert_allclose(found.bias_parts["output.bias"], network.parameters["output.bias"][0], rtol=0)


def test_inputs_that_are_alike_get_the_same():
    network = shaken(pl.Input(4), pl.Dense(6, "relu"), pl.Classification(3))
    weight = network.parameters["dense_1.weight"].copy()
    weight[2] = weight[1]
    network.parameters["dense_1.weight"] = weight
    x = samples_of(network)
    x[:, 2] = x[:, 1]
    found = pl.attribute(network, x).contributions
    np.testing.assert_array_equal(found[:, 1], found[:, 2])


@linear
def test_the_sum_is_complete(name):
    network = shaken(*PIECEWISE_LINEAR[name])
    x = samples_of(network, 40)
    target = target_of(network, x)
    found = pl.attribute(network, x, target)
    assert found.method == "exact"
    assert (found.steps == 1).all()
    np.testing.assert_allclose(found.score, scores(network, x, target), rtol=1e-12, atol=1e-12)
    assert found.relative_gap.max() < 1e-13
    total = found.contributions.reshape(40, -1).sum(axis=1) + sum(found.bias_parts.values(), np.zeros(40))
    np.testing.assert_allclose(total, found.score, rtol=1e-12, atol=1e-12)


@linear
def test_each_part_of_the_bias_is_what_its_own_parameter_gives(name):
    """Independent of the walk: the score as all of one array of biases is made 1e-6 larger, and smaller."""
    network = shaken(*PIECEWISE_LINEAR[name])
    x = samples_of(network, 12)
    target = target_of(network, x)
    parts = pl.attribute(network, x, target).bias_parts
    constants = [n for n in (*network.parameters, *network.state) if n.endswith(("bias", "beta", "moving_mean"))]
    assert set(constants) <= set(parts)
    assert {n.split(".")[-1] for n in set(parts) - set(constants)} <= {"offset", "edges", "activation", "baseline"}
    for constant in constants:
        holder = network.parameters if constant in network.parameters else network.state
        before = holder[constant].copy()
        moved = []
        for factor in (1 + 1e-6, 1 - 1e-6):
            holder[constant] = factor * before
            moved.append(scores(network, x, target))
        holder[constant] = before
        np.testing.assert_allclose(parts[constant], (moved[0] - moved[1]) / 2e-6, rtol=1e-6, atol=1e-7)


def test_every_layer_of_the_catalogue_is_attributed_by_some_test():
    def kinds(layers):
        for layer in layers:
            yield type(layer)
            if isinstance(layer, pl.Residual):
                yield from kinds((*layer.layers, *layer.shortcut))

    exact = {kind for layers in PIECEWISE_LINEAR.values() for kind in kinds(layers)} | {pl.Embedding}  # test_categories.py
    bent = {kind for layers in BENT.values() for kind in kinds(layers)}
    assert exact | bent == {*catalogue.LAYERS, *catalogue.OUTPUTS}
    assert exact == {*catalogue.LAYERS, *catalogue.OUTPUTS} - {pl.LayerNormalization, pl.PeriodicEmbedding}


class TestBaseline:
    def test_contributions_are_counted_from_it(self):
        network = shaken(*PIECEWISE_LINEAR["dense"])
        x, origin = samples_of(network), np.arange(5.0)
        found, plain = pl.attribute(network, x, 1, baseline=origin), pl.attribute(network, x, 1)
        np.testing.assert_allclose(found.contributions, plain.slopes * (x - origin), rtol=1e-13)
        np.testing.assert_allclose(found.bias_parts["baseline"], plain.slopes @ origin, rtol=1e-12)
        np.testing.assert_array_equal(found.baseline, origin)
        assert found.relative_gap.max() < 1e-13
        np.testing.assert_array_equal(pl.attribute(network, x, 1, baseline=2).baseline, np.full(5, 2.0))

    def test_a_table_is_counted_from_the_means_that_were_measured(self):
        """In units of its own: score = 3 (x1 - 50) / 10 - 2 (x2 - 0.2) / 0.1 + 7; the means then give nothing."""
        network = filled(
            *(pl.Input(2), pl.Rescale((0.1, 10.0), (-5.0, -2.0)), pl.Regression()),
            output__weight=[[3], [-2]],
            output__bias=[7],
        )
        found = pl.attribute(network, np.array([[70.0, 0.15]]), columns=["age", "dose"])
        np.testing.assert_allclose(found.baseline, [50, 0.2], rtol=1e-13)
        np.testing.assert_allclose(found.contributions, [[6, 1]], rtol=1e-12)
        np.testing.assert_allclose(found.slopes, [[0.3, -20]], rtol=1e-13)
        np.testing.assert_allclose(found.bias, [7], rtol=1e-12)
        lines = str(found).splitlines()
        assert any(line.split() == ["age", "=", "70", "+6.0000", "from", "50,", "+0.3", "a", "unit"] for line in lines)

    def test_a_column_that_never_changed_does_no_harm(self):
        rows = np.column_stack([np.full(8, 3.0), np.arange(8.0)])
        network = shaken(pl.Input(2), pl.Rescale.fit(rows), pl.Regression())
        np.testing.assert_allclose(pl.attribute(network, rows).baseline, [3, 3.5], rtol=1e-12)
        network = shaken(pl.Input(2), pl.Rescale((0.0, 1.0), 1.0), pl.Regression())
        np.testing.assert_array_equal(pl.attribute(network, rows).baseline, [0, -1])


class TestTargets:
    def test_the_class_that_was_chosen_is_explained_unless_another_is_asked_for(self):
        network = shaken(*PIECEWISE_LINEAR["dense"])
        x = samples_of(network)
        np.testing.assert_array_equal(pl.attribute(network, x).target, network.predict(x))
        np.testing.assert_allclose(pl.attribute(network, x, 2).score, network.forward(x)[:, 2], rtol=1e-13)

    def test_no_is_the_opposite_of_yes(self):
        network = shaken(*PIECEWISE_LINEAR["yes or no"])
        x = samples_of(network)
        no, yes = pl.attribute(network, x, 0), pl.attribute(network, x, 1)
        np.testing.assert_array_equal(no.contributions, -yes.contributions)
        np.testing.assert_allclose(yes.score, network.forward(x)[:, 0], rtol=1e-13)
        assert (pl.attribute(network, x).score > 0).all()

    def test_one_class_against_another_is_the_difference_of_both(self):
        network = shaken(*PIECEWISE_LINEAR["images"])
        x = samples_of(network)
        found = pl.attribute(network, x, 2, against=0)
        two, zero = pl.attribute(network, x, 2), pl.attribute(network, x, 0)
        np.testing.assert_allclose(found.contributions, two.contributions - zero.contributions, atol=1e-12)
        np.testing.assert_allclose(found.score, two.score - zero.score, atol=1e-12)
        assert found.relative_gap.max() < 1e-12
        each = pl.attribute(network, x, 2, against=np.arange(7) % 2)
        np.testing.assert_allclose(each.contributions[0], found.contributions[0], atol=1e-13)


def test_pixels_are_counted_in_pixels():
    """The same picture as bytes and as numbers gives the same contributions; a slope is for one unit of either."""
    network = shaken(pl.Input(4, 4), pl.Conv2D(2, 3, "relu"), pl.Classification(3))
    pixels = np.random.default_rng(1).integers(0, 256, (5, 4, 4), np.uint8)
    of_bytes, of_numbers = pl.attribute(network, pixels, 1), pl.attribute(network, pixels * (1 / 255), 1)
    np.testing.assert_allclose(of_bytes.contributions, of_numbers.contributions, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(of_bytes.slopes * 255, of_numbers.slopes, rtol=1e-12)
    grey = pl.attribute(network, pixels, 1, baseline=51)
    np.testing.assert_allclose(grey.contributions, of_bytes.slopes * (pixels - 51.0), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(grey.baseline, np.full((4, 4), 51.0), rtol=1e-13)


def test_a_sample_has_the_same_attribution_alone_and_in_any_batch(monkeypatch):
    network = shaken(*PIECEWISE_LINEAR["blocks"])
    x = samples_of(network, 9)
    whole = pl.attribute(network, x, 1)
    monkeypatch.setattr("pellucid.inspection.attribution.case.block_size", lambda stack: 2)
    parts = pl.attribute(network, x, 1)
    np.testing.assert_allclose(parts.contributions, whole.contributions, rtol=1e-12, atol=1e-14)
    for name, part in whole.bias_parts.items():
        np.testing.assert_allclose(parts.bias_parts[name], part, rtol=1e-12, atol=1e-14)


def test_a_trained_network_in_float32_is_complete_in_float64_and_untouched():
    x = np.random.default_rng(2).normal(size=(60, 5))
    network = pl.Network([pl.Input(5), pl.Dense(16, "relu"), pl.BatchNormalization(), pl.Classification(3)])
    network.fit(x, np.arange(60) % 3, epochs=3, progress="none")
    before = network.parameters.vector.copy(), network.state.vector.copy()
    found = pl.attribute(network, x)
    assert found.contributions.dtype == np.float64
    assert found.relative_gap.max() < 1e-13
    np.testing.assert_allclose(found.score, network.forward(x).max(axis=1), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(network.parameters.vector, before[0])
    np.testing.assert_array_equal(network.state.vector, before[1])


class TestWhatIsNotLinear:
    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("tanh", "dense_1 has the activation 'tanh'"),
            ("mixed", "dense_2 has the activation 'gelu'"),
            ("layer normalization", "layer_normalization_1 is a LayerNormalization"),
            ("block", "residual_1 has the activation 'elu'"),
        ],
    )
    def test_it_is_refused_by_name(self, name, reason):
        network = shaken(*BENT[name])
        with pytest.raises(pl.ArgumentError, match=reason):
            pl.attribute(network, samples_of(network), 0, "exact")

    def test_the_layer_may_be_inside_of_a_block(self):
        inner = pl.Residual((pl.Dense(5, "relu"), pl.Residual((pl.Dense(5),), (pl.Dense(5, "tanh"),))))
        network = shaken(pl.Input(5), inner, pl.Regression())
        with pytest.raises(pl.ArgumentError, match=r"residual_1.residual_1.shortcut_dense_1 has the activation 'tanh'"):
            pl.attribute(network, samples_of(network), method="exact")

    def test_a_layer_of_ones_own_is_not_taken_for_linear(self):
        class Louder(pl.Dropout):
            """Looks like dropout, and squares."""

            def forward(self, parameters, x, context):
                return x * x, x

            def backward(self, parameters, cache, dy):
                return 2 * cache * dy, {}

        network = shaken(pl.Input(3), Louder(0.0), pl.Regression())
        x = samples_of(network)
        found = pl.attribute(network, x)
        assert found.method == "integrated_gradients"
        np.testing.assert_allclose(found.contributions, x * x * network.parameters["output.weight"][:, 0], rtol=1e-12)

    def test_a_block_of_ones_own_is_not_taken_for_linear_either(self):
        class Squared(pl.Residual):
            """Looks like a block, and squares what comes in."""

            def forward(self, parameters, x, context):
                y, cache = super().forward(parameters, x * x, context)
                return y, (x, cache)

            def backward(self, parameters, cache, dy):
                x, inner = cache
                dx, gradients = super().backward(parameters, inner, dy)
                return 2 * x * dx, gradients

        network = shaken(pl.Input(3), Squared((pl.Dense(3),)), pl.Regression())
        found = pl.attribute(network, samples_of(network))
        assert found.method == "integrated_gradients"
        assert found.relative_gap.max() < 1e-3
        with pytest.raises(pl.ArgumentError, match="squared_1 is a Squared"):
            pl.attribute(network, samples_of(network), method="exact")
