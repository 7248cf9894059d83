"""The class activation map divides the score among the places, exactly; and by loops, term by term."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid as pl

END = [pl.GlobalAveragePooling2D(), pl.Classification(3)]
NETWORKS = {
    "plain": [pl.Input(6, 5, 3), pl.Conv2D(4, 3, "relu"), *END],
    "bent": [pl.Input(6, 5, 3), pl.Conv2D(4, 3, "tanh"), pl.MaxPooling2D(), pl.Conv2D(5, 3, "gelu"), *END],
    "dropout": [pl.Input(6, 5, 3), pl.Conv2D(4, 3, "relu"), *END[:1], pl.Dropout(0.5), *END[1:]],
    "without a bias": [pl.Input(6, 5, 3), pl.Conv2D(4, 3, "relu"), END[0], pl.Classification(3, use_bias=False)],
    "values": [pl.Input(6, 5, 3), pl.Conv2D(4, 3, "relu"), END[0], pl.Regression(3)],
}
X = np.random.default_rng(0).normal(size=(4, 6, 5, 3))


@pytest.mark.parametrize("name", NETWORKS)
def test_the_map_and_the_bias_are_the_score(name):
    network = pl.Network(NETWORKS[name], seed=2, dtype="float64")
    rng = np.random.default_rng(1)
    if "output.bias" in network.parameters:
        network.parameters["output.bias"] = rng.normal(size=3)
    bias = network.parameters.get("output.bias", np.zeros(3))
    found = pl.class_activation_map(network, X, 1)
    scores = network.forward(X)
    np.testing.assert_allclose(found.sum(axis=(1, 2)) + bias[1], scores[:, 1], rtol=0, atol=1e-12)
    if name != "values":
        margins = pl.class_activation_map(network, X, 1, against=2).sum(axis=(1, 2)) + bias[1] - bias[2]
        np.testing.assert_allclose(margins, scores[:, 1] - scores[:, 2], rtol=0, atol=1e-12)


def test_term_by_term():
    network = pl.Network(NETWORKS["plain"], seed=3, dtype="float64")
    activations = network.propagate(X, keep=True).outputs[1]
    weight = network.parameters["output.weight"]
    targets = np.array([0, 2, 1, 0])
    found = pl.class_activation_map(network, X, targets)
    assert found.shape == (4, 6, 5)
    for b, i, j in [(0, 0, 0), (1, 5, 4), (2, 3, 2), (3, 1, 4)]:
        by_hand = sum(activations[b, i, j, c] * weight[c, targets[b]] for c in range(4)) / 30
        assert found[b, i, j] == pytest.approx(by_hand, abs=1e-14)


def test_the_chosen_class_is_the_default():
    network = pl.Network(NETWORKS["plain"], seed=3)
    np.testing.assert_array_equal(
        pl.class_activation_map(network, X), pl.class_activation_map(network, X, network.predict(X))
    )


@pytest.mark.parametrize(
    "layers",
    [
        [pl.Input(6, 5, 3), pl.Conv2D(4, 3), pl.Classification(3)],
        [pl.Input(6, 5, 3), pl.GlobalAveragePooling2D(), pl.Dense(4, "relu"), pl.Classification(3)],
        [pl.Input(6), pl.Classification(3)],
    ],
)
def test_a_network_that_ends_otherwise_is_refused(layers):
    network = pl.Network(layers)
    with pytest.raises(pl.ArgumentError, match="whose last hidden layer is GlobalAveragePooling2D"):
        pl.class_activation_map(network, np.zeros((1, *network.input.shape)))
