"""Layers of images whose steps round: every activation, normalization and rule against the truth, within rounding.

See rounding.py. That the bound is far below the effect of a fault is tested too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from rounding import case, check, classes, down, gradient_bounds, values
from twins import distances, fitted, gradients, numbers, spread, twin

import pellucid as pl
from pellucid.executors.native.compile import ACTIVATIONS

SHAPE = (5, 6, 3)


def network_of(*hidden, shape=SHAPE, output=None):
    return [pl.Input(*shape), *hidden, output or pl.Classification(3)]


@pytest.mark.usefixtures("every_isa")
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("batch", [2, 9])
def test_every_activation_of_every_layer_that_has_one(activation, batch):
    block = pl.Residual([pl.BatchNormalization(activation=activation), pl.Conv2D(21, 1)], activation=activation)
    layers = network_of(pl.Conv2D(21, 3, activation), block, pl.Conv2D(6, 2, activation, groups=3, stride=2))
    check(*case(layers, batch, classes(3)), threads=2)
    for shape in (SHAPE, SHAPE[:2]):
        first = [pl.BatchNormalization(activation=activation), pl.Flatten(), pl.Dense(5, activation)]
        check(*case(network_of(*first, shape=shape), batch + 1, classes(3)), threads=2)


NORMALIZED = {
    "on the input": [pl.BatchNormalization(), pl.Conv2D(9, 3)],
    "behind a convolution": [pl.Conv2D(9, 3, use_bias=False), pl.BatchNormalization(0.5, 0.1, "silu")],
    "twice in a row": [pl.Conv2D(17, 2), pl.BatchNormalization(activation="tanh"), pl.BatchNormalization(0.0)],
    "behind flatten": [pl.Conv2D(2, 3), pl.Flatten(), pl.BatchNormalization(activation="elu")],
    "behind dense": [pl.Dense(19, "tanh"), pl.BatchNormalization(activation="softplus"), pl.Dense(7, "gelu")],
    "with dropout": [pl.Dropout(0.3), pl.Conv2D(9, 3, "tanh"), pl.Dropout2D(0.4), pl.BatchNormalization(), pl.Dropout(0.1)],
    "depthwise": [pl.Conv2D(3, 3, groups=3), pl.BatchNormalization(activation="gelu"), pl.Conv2D(20, 1)],
    "before pooling": [pl.Conv2D(9, 3), pl.BatchNormalization(activation="relu"), pl.MaxPooling2D(3, 2, "same")],
    "averages": [pl.Conv2D(9, 3), pl.BatchNormalization(), pl.AveragePooling2D(3, 2, "same"), pl.GlobalAveragePooling2D()],
    "layer, on the input": [pl.LayerNormalization(0.1), pl.Conv2D(9, 3)],
    "layer, behind a convolution": [pl.Conv2D(33, 3, "tanh"), pl.LayerNormalization(), pl.Conv2D(9, 3)],
    "layer, behind flatten": [pl.Conv2D(2, 3), pl.Flatten(), pl.LayerNormalization()],
    "layer, twice": [pl.Conv2D(16, 1), pl.LayerNormalization(), pl.LayerNormalization(0.1), pl.GlobalAveragePooling2D()],
    "layer, behind dense": [pl.Dense(19, "tanh"), pl.LayerNormalization(), pl.Dense(7, "gelu"), pl.LayerNormalization()],
    "rescaled": [pl.Rescale((0.3, 2.0, -1.0), (0.1, 0.2, 0.7)), pl.Conv2D(9, 3, "gelu"), pl.Rescale(0.7, 0.3)],
}


@pytest.mark.usefixtures("every_isa")
@pytest.mark.parametrize("name", NORMALIZED)
@pytest.mark.parametrize("batch", [3, 31])
def test_normalization_everywhere(name, batch):
    network, x, y = case(network_of(*NORMALIZED[name]), batch, classes(3), seed=batch)
    network.training_state.step = 77
    check(network, x, y, threads=3)


@pytest.mark.usefixtures("every_isa")
@pytest.mark.parametrize(
    "hidden",
    [
        [pl.BatchNormalization(activation="gelu"), pl.Dense(9, "tanh")],
        [pl.BatchNormalization(), pl.LayerNormalization(), pl.Flatten(), pl.Dense(9, "tanh")],
        [pl.LayerNormalization(), pl.BatchNormalization(activation="tanh")],
        [pl.Rescale((1.0, 2.0, 0.5, 0.1, 0.3), 0.5), pl.BatchNormalization()],
        [pl.Residual([pl.Dropout(0.3), pl.BatchNormalization()])],
        [pl.Conv2D(7, 3, "gelu"), pl.BatchNormalization()],
        [pl.Rescale(0.5, 0.1), pl.Conv2D(7, 3), pl.AveragePooling2D(3, 2)],
    ],
    ids=str,
)
def test_pictures_without_channels(hidden):
    """Normalization reads rows of W channels; windows read pixels of one."""
    check(*case(network_of(*hidden, shape=(6, 5)), 11, classes(3)), threads=2)


@pytest.mark.usefixtures("every_isa")
@pytest.mark.parametrize("hidden", [[pl.LayerNormalization()], [pl.BatchNormalization(activation="tanh")]], ids=str)
def test_tables(hidden):
    check(*case(network_of(*hidden, pl.Dense(9, "tanh"), shape=(17,)), 30, classes(3)), threads=2)
    check(*case(network_of(pl.Dense(33, "tanh"), *hidden, *hidden, shape=(7,)), 130, classes(3)), threads=2)


BLOCKS = {
    "basic": [
        pl.Conv2D(6, 3, use_bias=False),
        pl.BatchNormalization(activation="silu"),
        pl.Conv2D(6, 3, use_bias=False),
        pl.BatchNormalization(),
    ],
    "first": [pl.BatchNormalization(activation="tanh"), pl.Conv2D(6, 3), pl.Dropout2D(0.3), pl.LayerNormalization(0.1)],
    "nested": [pl.Residual([pl.BatchNormalization(), pl.Residual([pl.Conv2D(6, 3, "gelu")], activation="tanh")])],
    "dropout": [pl.Dropout(0.4), pl.Conv2D(6, 3, "tanh"), pl.Dropout(0.2)],
}


@pytest.mark.usefixtures("every_isa")
@pytest.mark.parametrize("name", BLOCKS)
@pytest.mark.parametrize("shortcut", [(), (pl.Conv2D(6, 1), pl.BatchNormalization(0.7))], ids=["same", "shortcut"])
def test_residual_blocks(name, shortcut):
    block = pl.Residual(BLOCKS[name], shortcut, "softplus")
    check(*case(network_of(block, shape=(5, 4, 6)), 7, classes(3)), threads=2)
    layers = network_of(pl.Conv2D(6, 3, "tanh"), block, pl.BatchNormalization(), block, pl.GlobalAveragePooling2D())
    network, x, y = case(layers, 12, classes(3))
    network.training_state.step = 2**33 + 5
    check(network, x, y, threads=3)


@pytest.mark.usefixtures("every_isa")
def test_residual_blocks_of_dense_layers():
    block = pl.Residual([pl.LayerNormalization(), pl.Dense(40, "gelu"), pl.Dropout(0.2), pl.Dense(20)])
    layers = network_of(pl.Dense(20, "tanh"), block, block, pl.BatchNormalization(), shape=(9,))
    check(*case(layers, 31, classes(3)), threads=2)


@pytest.mark.usefixtures("every_isa")
@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 3), (4, 4, 16)], ids=str)
@pytest.mark.parametrize("scale", [[], [pl.Rescale(3.0, -1.5)]], ids=str)
def test_bytes(shape, scale):
    rng = np.random.default_rng(5)
    network = spread(pl.Network(network_of(*scale, pl.Conv2D(9, 3, "softplus"), pl.Conv2D(5, 3, "tanh"), shape=shape)), 1)
    for batch in (1, 19):
        x = rng.integers(0, 256, (batch, *shape), dtype=np.uint8)
        check(network, x, rng.integers(0, 3, batch), threads=2)


LOSSES = [
    (pl.Classification(17, 0.1), classes(17)),
    (pl.Classification(5), lambda rng, batch: rng.dirichlet(np.ones(5), batch)),
    (pl.BinaryClassification(0.2), classes(2)),
    (pl.Regression(3, "mse"), values(3)),
    (pl.Regression(2, pl.Huber(0.3)), values(2)),
]


@pytest.mark.usefixtures("every_isa")
@pytest.mark.parametrize(("output", "target"), LOSSES, ids=[repr(output) for output, _ in LOSSES])
def test_losses_and_weights(output, target):
    """Straight above the images, and above a dense layer."""
    for hidden in ([], [pl.Flatten(), pl.Dense(9, "tanh")]):
        layers = network_of(pl.Conv2D(9, 3, "tanh"), pl.BatchNormalization(), *hidden, output=output)
        network, x, y = case(layers, 15, target)
        check(network, x, y, threads=2, sample_weight=np.random.default_rng(1).uniform(0, 2, 15) * (np.arange(15) % 4 != 1))


def test_class_weights():
    network, x, y = case(network_of(pl.Conv2D(5, 3, "tanh"), output=pl.Classification(4)), 40, classes(4))
    chosen = {0: 2.0, 1: 0.0, 2: 0.3, 3: 1.0}
    truth = gradients(fitted(network, x, y, engine="numpy", dtype="float64", class_weight=chosen))
    plain, weighted = (gradients(fitted(network, x, y, **options)) for options in ({}, {"class_weight": chosen}))
    for name, bound in gradient_bounds(twin(network, "float64"), x, y, np.array([chosen[label] for label in y])).items():
        assert distances(weighted, truth)[name] <= bound
        assert distances(plain, truth)[name] > 100 * bound


RULES = {
    "adam": {"optimizer": pl.Adam(0.01)},
    "adamw": {"optimizer": pl.AdamW(0.01)},
    "rmsprop": {"optimizer": pl.RMSProp(0.01)},
    "adagrad": {"optimizer": pl.Adagrad(0.01)},
    "nesterov": {"optimizer": pl.GradientDescent(0.1, 0.9, True)},
    "common penalties": {"regularizer": pl.L1(0.01) + pl.L2(0.02)},
    "by value": {"clipping": pl.ClipByValue(0.01)},
    "by norm": {"clipping": pl.ClipByGlobalNorm(0.1)},
    "all": {"optimizer": pl.AdamW(0.01), "regularizer": pl.L2(0.02), "clipping": pl.ClipByGlobalNorm(0.1)},
}


@pytest.mark.usefixtures("every_isa")
@pytest.mark.parametrize("name", RULES)
def test_rules_over_some_steps(name):
    """Native is as near to the truth as NumPy in float32 is; a rule that is left out is far beyond that."""
    inner = [pl.Conv2D(5, 3, "tanh", regularizer=pl.L1(0.05)), pl.BatchNormalization(), pl.Conv2D(5, 1, groups=5)]
    layers = network_of(pl.Conv2D(5, 3, "tanh"), pl.Residual(inner, [pl.Conv2D(5, 1)]), pl.LayerNormalization(0.1))
    network, x, y = case(layers, 24, classes(3))
    network = spread(network, 8)
    options = {"epochs": 2, "batch_size": 10, "shuffle": True, "optimizer": pl.GradientDescent(0.1, 0.5), **RULES[name]}
    truth = numbers(fitted(network, x, y, engine="numpy", dtype="float64", **options))
    native, other = (numbers(fitted(network, x, y, engine=engine, **options)) for engine in ("native", "numpy"))
    plain = numbers(fitted(network, x, y, epochs=2, batch_size=10, shuffle=True, optimizer=pl.GradientDescent(0.1, 0.5)))
    for vector in ("parameters", "state"):
        allowed = 8 * np.abs(other[vector] - truth[vector]).max() + 1e-6
        assert np.abs(native[vector] - truth[vector]).max() <= allowed, vector
        assert np.abs(plain[vector] - truth[vector]).max() > 10 * allowed, vector


def test_a_price_of_one_layer_in_a_block():
    """It replaces the common one for that layer, and no other. By hand: L1 adds s sign(W), and L2 adds 2 s W."""

    def penalized(own, common):
        inner = [pl.Conv2D(3, 3, regularizer=own), pl.Conv2D(3, 1)]
        network, x, y = case(network_of(pl.Residual(inner)), 6, classes(3))
        return gradients(fitted(network, x, y, regularizer=common)), network.parameters

    plain, weights = penalized(None, None)
    found, _ = penalized(pl.L1(0.25), pl.L2(0.5))
    for name, penalty in (("conv2d_1", lambda w: 0.25 * np.sign(w)), ("conv2d_2", lambda w: w)):
        weight = f"residual_1.{name}.weight"
        np.testing.assert_allclose(found[weight] - plain[weight], penalty(weights[weight]), rtol=0, atol=1e-6)


@pytest.mark.parametrize("batch", [1, 2])
def test_moving_averages_of_pixels(batch):
    """By hand: moving <- momentum moving + (1 - momentum) of all pixels of the batch; never of one single value."""
    x = np.random.default_rng(3).normal(size=(batch, 4, 5, 2)).astype(np.float32) + 3
    trained = fitted(pl.Network(network_of(pl.BatchNormalization(0.75), shape=(4, 5, 2))), x, np.arange(batch))
    rows, state = x.reshape(-1, 2).astype(np.float64), trained.state
    np.testing.assert_allclose(state["batch_normalization_1.moving_mean"], 0.25 * rows.mean(axis=0), rtol=2e-6)
    np.testing.assert_allclose(state["batch_normalization_1.moving_variance"], 0.75 + 0.25 * rows.var(axis=0), rtol=2e-6)
    single = pl.Network(network_of(pl.BatchNormalization(0.75), shape=(1, 1, 2)))
    assert (fitted(single, x[:1, :1, :1], [0]).state.vector == single.state.vector).all()


@dataclass(frozen=True)
class EdgeMargins(pl.Layer):
    """Margins of one pixel that repeat the edge, where zeros should be."""

    def output_shape(self, input_shape):
        return input_shape[0] + 2, input_shape[1] + 2, input_shape[2]

    def forward(self, parameters, x, context):
        return np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge"), None

    def backward(self, parameters, cache, dy):
        return dy[:, 1:-1, 1:-1], {}


class TestTheBound:
    """It is no wider than rounding needs, and far below the effect of a fault."""

    LAYERS = (
        *(pl.Input(6, 7, 3), pl.Conv2D(8, 3, use_bias=False), pl.BatchNormalization(activation="tanh")),
        *(pl.Conv2D(6, 3, "gelu", stride=2), pl.MaxPooling2D(2, 1)),
        *(pl.Residual([pl.LayerNormalization(), pl.Conv2D(6, 2, "tanh")]), pl.Classification(3)),
    )

    @pytest.mark.parametrize("batch", [2, 9, 31])
    def test_a_fault_of_one_part_in_a_thousand_is_beyond_it(self, batch):
        network, x, y = case(self.LAYERS, batch, classes(3))
        bounds = gradient_bounds(twin(network, "float64"), x, y)
        truth = gradients(fitted(network, x, y, engine="numpy", dtype="float64"))
        for name, gradient in truth.items():
            assert 1e-3 * np.abs(gradient).max() > bounds[name], name

    @pytest.mark.parametrize("fault", ["one tap", "one pixel", "one margin"])
    def test_the_smallest_faults_are_beyond_it(self, fault):
        """A weight of one tap left out, one pixel of one sample, a row of the margin that is not zero but the edge."""
        network, x, y = case(self.LAYERS, 9, classes(3))
        bounds = gradient_bounds(twin(network, "float64"), x, y)
        truth = gradients(fitted(network, x, y, engine="numpy", dtype="float64"))
        faulty = twin(network, "float64")
        if fault == "one tap":
            faulty.parameters["conv2d_2.weight"][2, 0, 3, 1] = 0
        elif fault == "one pixel":
            x = x.copy()
            x[4, 3, 3, 1] = 0
        else:
            layers = [*self.LAYERS[:1], EdgeMargins(), pl.Conv2D(8, 3, use_bias=False, padding="valid"), *self.LAYERS[2:]]
            faulty = pl.Network(layers, network.seed, "float64", {**network.parameters, **network.state})
        found = list(gradients(fitted(faulty, x, y, engine="numpy", dtype="float64")).values())
        for (name, expected), gradient in zip(truth.items(), found, strict=True):
            assert np.abs(gradient - expected).max() > 3 * bounds[name], name

    def test_it_is_not_a_hundred_times_what_is_needed(self):
        assert max(check(*case(self.LAYERS, batch, classes(3))) for batch in (2, 9, 31)) > 0.01

    def test_its_walk_gives_the_gradient_of_the_input(self):
        """It walks down the layers as the network does: else it would bound something else."""
        network, x, y = case(self.LAYERS, 5, classes(3))
        true = twin(network, "float64")
        arrays, done = true.arrays(), true.propagate(np.float64(x), training=True, needs_dx=True)
        dlogits = true.output.loss_function(done.logits, true.output.targets(y, true.dtype), None)[1]
        expected = true.backpropagate(
            done, dlogits, arrays, true.gradient_arrays(0 * true.parameters.vector), needs_dx=True
        )
        found = down(true.nodes[1:], arrays[1:], done.caches[1:], dlogits, {})
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)
