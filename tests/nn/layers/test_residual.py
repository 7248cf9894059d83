"""Residual blocks: by hand, by autograd, and as a part of a network: names, penalties, state, chance, files."""

from __future__ import annotations

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad

import pellucid as pl
from pellucid.core.random import Purpose, bits, key
from pellucid.nn.layers.residual import LAYER_BITS
from pellucid.nn.objective import penalties, penalty
from pellucid.nn.stack import Stack

F64 = np.dtype(np.float64)
RNG = np.random.default_rng(13)
TRAINING = pl.Context(training=True, seed=3, step=4, layer=5, dtype=F64)
BLOCK = pl.Residual(
    [pl.Conv2D(6, 3, "relu", stride=2, regularizer=pl.L2(0.5)), pl.BatchNormalization(), pl.Conv2D(6)],
    [pl.Conv2D(6, 1, stride=2, regularizer=pl.L1(0.25))],
    "relu",
)


def network_of(*hidden, dtype="float64", shape=(6, 6, 2)):
    return pl.Network([pl.Input(*shape), *hidden, pl.Classification(3)], dtype=dtype)


class TestByHand:
    def test_the_shortcut_is_the_input(self):
        """y = 2 x + 1 + x; a dense layer with one weight 2 and the bias 1. dx = 2 dy + dy."""
        block = pl.Residual([pl.Dense(1)])
        parameters = {"dense_1.weight": np.array([[2.0]]), "dense_1.bias": np.array([1.0])}
        y, cache = block.forward(parameters, np.array([[3.0], [-1.0]]), TRAINING)
        np.testing.assert_array_equal(y, [[10], [-2]])
        dx, gradients = block.backward(parameters, cache, np.array([[1.0], [10.0]]))
        np.testing.assert_array_equal(dx, [[3], [30]])
        np.testing.assert_array_equal(gradients["dense_1.weight"], [[3 - 10]])
        np.testing.assert_array_equal(gradients["dense_1.bias"], [11])

    def test_the_activation_comes_after_the_sum(self):
        """z = 10 and -2 as above; relu passes the first alone, so that the second sends nothing back."""
        block = pl.Residual([pl.Dense(1)], activation="relu")
        parameters = {"dense_1.weight": np.array([[2.0]]), "dense_1.bias": np.array([1.0])}
        y, cache = block.forward(parameters, np.array([[3.0], [-1.0]]), TRAINING)
        np.testing.assert_array_equal(y, [[10], [0]])
        dx, _ = block.backward(parameters, cache, np.array([[1.0], [10.0]]))
        np.testing.assert_array_equal(dx, [[3], [0]])

    def test_a_shortcut_of_layers_takes_the_place_of_the_input(self):
        block = pl.Residual([pl.Dense(2)], [pl.Dense(2, use_bias=False)])
        parameters = {
            "dense_1.weight": np.array([[2.0, 0.0]]),
            "dense_1.bias": np.array([1.0, 1.0]),
            "shortcut_dense_1.weight": np.array([[-1.0, 5.0]]),
        }
        y, cache = block.forward(parameters, np.array([[3.0]]), TRAINING)
        np.testing.assert_array_equal(y, [[6 + 1 - 3, 1 + 15]])
        dx, gradients = block.backward(parameters, cache, np.array([[1.0, 10.0]]))
        np.testing.assert_array_equal(dx, [[2 - 1 + 50]])
        np.testing.assert_array_equal(gradients["shortcut_dense_1.weight"], [[3, 30]])

    def test_layers_that_answer_zero_leave_the_input_and_its_gradient_alone(self):
        block = pl.Residual([pl.Dense(5, "tanh"), pl.Dense(4, initializer="zeros")])
        x, dy = RNG.normal(size=(3, 4)), RNG.normal(size=(3, 4))
        parameters = {spec.name: np.zeros(spec.shape) for spec in block.parameter_specs((4,))}
        y, cache = block.forward(parameters, x, TRAINING)
        np.testing.assert_array_equal(y, x)
        np.testing.assert_array_equal(block.backward(parameters, cache, dy)[0], dy)


@pytest.mark.parametrize("nested", [False, True])
def test_gradients_equal_autograd(nested):
    """a = tanh(x + tanh(x V) W); with ``nested``, the block is the layer of another: tanh(x + a)."""
    block = pl.Residual([pl.Dense(5, "tanh", use_bias=False), pl.Dense(4, use_bias=False)], activation="tanh")
    x, v, w, r = (RNG.normal(size=shape) for shape in [(3, 4), (4, 5), (5, 4), (3, 4)])
    outer, stem = (pl.Residual([block], activation="tanh"), "residual_1.") if nested else (block, "")
    parameters = {f"{stem}dense_1.weight": v, f"{stem}dense_2.weight": w}

    def value(x, v, w):
        a = anp.tanh(x + anp.tanh(x @ v) @ w)
        return anp.sum(r * (anp.tanh(x + a) if nested else a))

    y, cache = outer.forward(parameters, x, TRAINING)
    assert (y * r).sum() == pytest.approx(value(x, v, w), rel=1e-13)
    dx, gradients = outer.backward(parameters, cache, r)
    for actual, argument in ((dx, 0), (gradients[f"{stem}dense_1.weight"], 1), (gradients[f"{stem}dense_2.weight"], 2)):
        np.testing.assert_allclose(actual, grad(value, argument)(x, v, w), rtol=1e-12, atol=1e-14)


class TestInANetwork:
    def test_names_and_shapes(self):
        network = network_of(BLOCK, pl.Residual([pl.Residual([pl.Conv2D(6, use_bias=False)])]))
        assert {name: array.shape for name, array in network.parameters.items() if "output" not in name} == {
            "residual_1.conv2d_1.weight": (3, 3, 2, 6),
            "residual_1.conv2d_1.bias": (6,),
            "residual_1.batch_normalization_1.gamma": (6,),
            "residual_1.batch_normalization_1.beta": (6,),
            "residual_1.conv2d_2.weight": (3, 3, 6, 6),
            "residual_1.conv2d_2.bias": (6,),
            "residual_1.shortcut_conv2d_1.weight": (1, 1, 2, 6),
            "residual_1.shortcut_conv2d_1.bias": (6,),
            "residual_2.residual_1.conv2d_1.weight": (3, 3, 6, 6),
        }
        assert list(network.state) == [
            "residual_1.batch_normalization_1.moving_mean",
            "residual_1.batch_normalization_1.moving_variance",
        ]

    def test_gradcheck_of_every_parameter_and_of_x(self):
        network = network_of(pl.Conv2D(2), BLOCK, pl.Residual([pl.LayerNormalization(), pl.Conv2D(6, 3, "gelu")]))
        x, y = RNG.normal(size=(5, 6, 6, 2)), np.arange(5) % 3
        pl.gradcheck(network, x, y, regularizer=pl.L2(0.1))

    def test_each_layer_inside_has_its_own_penalty(self):
        """0.5 sum w^2 of the first convolution, 0.25 sum |w| of the shortcut, the common penalty of all other weights."""
        network = network_of(BLOCK)
        p = network.parameters
        first, second, third = (p[f"residual_1.{name}.weight"] for name in ("conv2d_1", "conv2d_2", "shortcut_conv2d_1"))
        own = 0.5 * (first**2).sum() + 0.25 * np.abs(third).sum()
        assert penalty(network, None) == pytest.approx(own, rel=1e-13)
        common = 2 * ((second**2).sum() + (p["output.weight"] ** 2).sum())
        assert penalty(network, pl.L2(2.0)) == pytest.approx(own + common, rel=1e-13)

    def test_penalties_are_part_of_the_gradient_and_of_the_history(self):
        network = network_of(BLOCK)
        x, y = RNG.normal(size=(5, 6, 6, 2)), np.arange(5) % 3
        bare = network_of(
            pl.Residual(
                [pl.Conv2D(6, 3, "relu", stride=2), *BLOCK.layers[1:]], [pl.Conv2D(6, 1, stride=2)], BLOCK.activation
            )
        )
        bare.parameters.vector[...] = network.parameters.vector
        with_penalty, without = network.gradients(x, y), bare.gradients(x, y)
        for name, array in network.parameters.items():
            penalty = array if name == "residual_1.conv2d_1.weight" else 0.0
            penalty = 0.25 * np.sign(array) if name == "residual_1.shortcut_conv2d_1.weight" else penalty
            np.testing.assert_allclose(with_penalty[name] - without[name], penalty, rtol=1e-9, atol=1e-12)
        assert "penalty" in network.fit(x, y, epochs=1, progress="none").epochs[-1]
        assert "penalty" not in bare.fit(x, y, epochs=1, progress="none").epochs[-1]

    def test_only_a_network_with_a_regularizer_pays_a_penalty(self):
        assert penalties(network_of(BLOCK), None)
        assert penalties(network_of(), pl.L2(0.1))
        assert not penalties(network_of(pl.Residual([pl.Conv2D(2)])), None)

    def test_moving_averages_inside_follow_the_batch(self):
        """From 0 and 1, with the momentum m: (1 - m) mean and m + (1 - m) variance of the 5 values of each feature."""
        block = pl.Residual([pl.BatchNormalization()], [pl.BatchNormalization(0.5)])
        network = pl.Network([pl.Input(3), block, pl.Regression()], dtype="float64")
        x = RNG.normal(size=(5, 3)) * 2 + 1
        network.fit(x, np.ones(5), epochs=1, batch_size=5, progress="none")
        for stem, m in (("residual_1.batch_normalization_1", 0.9), ("residual_1.shortcut_batch_normalization_1", 0.5)):
            np.testing.assert_allclose(network.state[f"{stem}.moving_mean"], (1 - m) * x.mean(0), rtol=1e-12)
            np.testing.assert_allclose(network.state[f"{stem}.moving_variance"], m + (1 - m) * x.var(0), rtol=1e-12)

    def test_it_is_saved_and_loaded_with_the_same_bits(self, tmp_path):
        network = network_of(BLOCK, pl.Residual([pl.Residual([pl.Conv2D(6)]), pl.Dropout2D(0.3)]), dtype="float32")
        x, y = RNG.normal(size=(5, 6, 6, 2)).astype(np.float32), np.arange(5) % 3
        network.fit(x, y, epochs=2, progress="none")
        network.save(tmp_path / "model.safetensors")
        loaded = pl.load(tmp_path / "model.safetensors").network
        assert loaded.layers == network.layers
        np.testing.assert_array_equal(loaded.predict_proba(x), network.predict_proba(x))

    def test_no_dx_where_nothing_below_needs_one(self):
        """The lowest layers of both branches are then spared theirs, and every gradient is the same."""
        x = RNG.normal(size=(3, 6, 6, 2))
        stack = Stack([pl.Input(6, 6, 2), BLOCK, pl.Classification(3)], dtype="float64")
        own = stack.arrays()[1]
        results = []
        for needs_dx in (True, False):
            y, cache = BLOCK.forward(own, x, pl.Context(training=True, needs_dx=needs_dx, dtype=F64))
            results.append(BLOCK.backward(own, cache, np.cos(np.arange(y.size)).reshape(y.shape)))
        assert results[0][0].shape == x.shape
        assert results[1][0] is None
        for name, gradient in results[0][1].items():
            np.testing.assert_array_equal(gradient, results[1][1][name])

    def test_a_block_that_overflows_is_named(self):
        """18 products of 1 and 1e38 are beyond float32."""
        network = network_of(pl.Residual([pl.Conv2D(2, padding="same", use_bias=False)]), dtype="float32")
        network.parameters["residual_1.conv2d_1.weight"] = np.full((3, 3, 2, 2), 1e38)
        with pytest.raises(pl.DivergenceError, match="the first layer whose output is not finite is residual_1"):
            network.fit(np.ones((4, 6, 6, 2), np.float32), np.arange(4) % 3, epochs=1, progress="none")


class TestChance:
    def masks(self, block, context=TRAINING, size=400):
        """The factors of every dropout of a block of dropouts, from its gradient by x of each branch."""
        x = np.ones((1, size))
        _, cache = block.forward({}, x, context)
        return [inner.factors[0] > 0 for inner in (*cache.layers, *cache.shortcut)]

    def test_layers_inside_are_numbered_by_the_rule(self):
        """Layer j of block n has the key (seed, DROPOUT, step, (n + 1) 2^12 + j), shortcut layers going on with j."""
        block = pl.Residual([pl.Dropout(0.5), pl.Dropout(0.5)], [pl.Dropout(0.5)])
        assert LAYER_BITS == 12
        for j, mask in enumerate(self.masks(block)):
            expected = bits(key(3, Purpose.DROPOUT, 4, 6 * 4096 + j), 400) >= 2**31
            np.testing.assert_array_equal(mask, expected)

    def test_nested_blocks_follow_the_same_rule(self):
        inner = pl.Residual([pl.Dropout(0.5)])
        block = pl.Residual([pl.Dropout(0.5), inner])
        _, cache = block.forward({}, np.ones((1, 400)), TRAINING)
        inner_mask = cache.layers[1].layers[0].factors[0] > 0
        number = (6 * 4096 + 1 + 1) * 4096
        np.testing.assert_array_equal(inner_mask, bits(key(3, Purpose.DROPOUT, 4, number), 400) >= 2**31)

    def test_no_two_layers_share_their_chance(self):
        block = pl.Residual([pl.Dropout(0.5), pl.Dropout(0.5)], [pl.Dropout(0.5), pl.Dropout(0.5)])
        masks = self.masks(block) + self.masks(block, pl.Context(training=True, seed=3, step=4, layer=6, dtype=F64))
        agreement = np.corrcoef(np.array(masks)) - np.eye(len(masks))
        assert np.abs(agreement).max() < 6 / np.sqrt(400)


def nested(depth):
    """A dropout in so many blocks."""
    layer = pl.Dropout(0.3)
    for _ in range(depth):
        layer = pl.Residual([layer])
    return layer


def test_the_deepest_blocks_train_natively_and_masks_are_those_of_numpy():
    """The number of a layer in a block is its key of chance; in the native executor it has 64 bits."""
    x, y = np.ones((8, 4, 4, 2), np.float32), np.arange(8) % 2
    losses = []
    for engine in ("native", "numpy"):
        network = pl.Network([pl.Input(4, 4, 2), pl.Conv2D(3), nested(4), pl.Flatten(), pl.Classification(2)])
        losses.append(network.fit(x, y, epochs=2, engine=engine, progress="none")["loss"])
    np.testing.assert_allclose(*losses, rtol=1e-5)


class TestErrors:
    @pytest.mark.parametrize(
        ("make", "words"),
        [
            (lambda: pl.Residual([]), "at least one layer"),
            (lambda: pl.Residual(pl.Dense(3)), "layers.* is a list of layers"),
            (lambda: pl.Residual([pl.Dense]), "Add parentheses"),
            (lambda: pl.Residual([pl.Dense(3), 4]), "holds hidden layers; 4 is not one"),
            (lambda: pl.Residual([pl.Input(3)]), "holds hidden layers"),
            (lambda: pl.Residual([pl.Classification(3)]), "holds hidden layers"),
            (lambda: pl.Residual([pl.Dense(3)], [pl.Regression()]), "shortcut.* holds hidden layers"),
            (lambda: pl.Residual([pl.Dense(3)], pl.Dense(3)), "shortcut.* is a list of layers"),
            (lambda: pl.Residual([pl.Dense(3)], activation="rellu"), "Did you mean 'relu'"),
            (lambda: pl.Residual([pl.Flatten()] * 5000), "at most 4096 layers"),
            (lambda: nested(5), "at most 4 deep"),
        ],
    )
    def test_fields_that_cannot_work(self, make, words):
        with pytest.raises(pl.ArgumentError, match=words):
            make()

    @pytest.mark.parametrize(
        ("block", "words"),
        [
            (
                pl.Residual([pl.Conv2D(4, stride=2)]),
                r"residual_1: the layers of Residual give \(3, 3, 4\) and the input, .* gives \(6, 6, 2\).*"
                r"shortcut=\[Conv2D\(4, 1, stride=2\)\]",
            ),
            (pl.Residual([pl.Conv2D(4)]), r"shortcut=\[Conv2D\(4, 1, stride=1\)\]"),
            (pl.Residual([pl.Conv2D(4, stride=(1, 3))]), r"stride=\(1, 3\)"),
            (pl.Residual([pl.Conv2D(4)], [pl.Conv2D(5)]), r"\(6, 6, 4\) and the shortcut gives \(6, 6, 5\)"),
            (pl.Residual([pl.Dense(4)]), "Give it a shortcut, a list of layers"),
            (pl.Residual([pl.Dense(4), pl.Conv2D(4)]), "residual_1: conv2d_1: Conv2D takes images"),
            (pl.Residual([pl.Conv2D(2)], [pl.Flatten(), pl.MaxPooling2D()]), "residual_1: shortcut_max_pooling2d_1"),
        ],
    )
    def test_shapes_that_do_not_agree(self, block, words):
        with pytest.raises(pl.ShapeError, match=words):
            network_of(block)

    @pytest.mark.parametrize("stride", [2, 3, (1, 2), 4])
    def test_the_shortcut_that_an_error_proposes_works(self, stride):
        layers = [pl.Conv2D(4, stride=stride)]
        with pytest.raises(pl.ShapeError) as caught:
            network_of(pl.Residual(layers), shape=(7, 9, 2))
        proposed = str(caught.value).split("shortcut=")[1].split(" has the shape")[0]
        network_of(pl.Residual(layers, eval(proposed, {"Conv2D": pl.Conv2D})), shape=(7, 9, 2))

    def test_a_layer_of_ones_own_that_gives_no_dx_is_named(self):
        class Silent(pl.Flatten):
            def backward(self, parameters, cache, dy):
                return None, {}

        block = pl.Residual([pl.Flatten(), Silent()])
        _, cache = block.forward({}, np.ones((2, 3)), TRAINING)
        with pytest.raises(pl.ArgumentError, match="the layer above flatten_1 gave no dx"):
            block.backward({}, cache, np.ones((2, 3)))

    def test_a_description_cannot_smuggle_in_what_a_block_refuses(self):
        from pellucid.nn.catalogue import from_dict

        for stranger in ({"type": "Input", "shape": [3]}, {"type": "L2", "strength": 1.0}, {"type": "Regression"}, 3, None):
            with pytest.raises(pl.ArgumentError):
                from_dict({"type": "Residual", "layers": [{"type": "Flatten"}, stranger]})
