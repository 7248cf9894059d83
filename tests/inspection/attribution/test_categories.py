"""Attribution of categories that become vectors: by hand, by one-hot numbers, and with sums that hold."""

from __future__ import annotations

import numpy as np
import pytest
from attributed_networks import scores, shaken

import pellucid as pl

LAYERS = {
    "exact": (pl.Embedding(((2, 5, 3), (0, 4, 2))), pl.ScaleFeatures(2.0), pl.Dense(9, "relu"), pl.Classification(3)),
    "bins": (
        *(pl.Embedding(((2, 5, 3), (0, 4, 2))), pl.PiecewiseLinearEncoding((*[(-1.0, 0.0, 2.0)] * 3, *[()] * 4))),
        *(pl.BatchNormalization(), pl.Dense(9, "leaky_relu"), pl.Regression()),
    ),
    "integrated_gradients": (pl.Embedding(((2, 5, 3), (0, 4, 2))), pl.Dense(9, "gelu"), pl.BinaryClassification()),
}


def network_of(name):
    return shaken(pl.Input(4), *LAYERS[name])


def samples(count=7):
    rng = np.random.default_rng(count)
    x = rng.normal(size=(count, 4))
    x[:, 0], x[:, 2] = rng.integers(-1, 5, count), rng.integers(-1, 6, count)
    return x


def filled(vectors, weights):
    """score = weights . (x0, v[x1])."""
    network = pl.Network([pl.Input(2), pl.Embedding(((1, 2, 2),)), pl.Regression(use_bias=False)], dtype="float64")
    network.parameters["embedding_1.vectors_1"] = np.array(vectors)
    network.parameters["output.weight"] = np.array(weights)[:, None]
    return network


def test_by_hand():
    """A category gives what its vector gives, beside that of what is no category: 10 (3 - 1) + 100 (4 - 2) = 220."""
    network = filled([[3.0, 4.0], [5.0, 6.0], [1.0, 2.0]], [7.0, 10.0, 100.0])
    found = pl.attribute(network, np.array([[0.5, 0.0], [0.5, 1.0], [0.5, -1.0]]), columns=["size", "kind"])
    np.testing.assert_array_equal(found.baseline, [0, -1])
    np.testing.assert_array_equal(found.contributions, [[3.5, 220], [3.5, 440], [3.5, 0]])
    np.testing.assert_array_equal(found.bias_parts["baseline"], [210, 210, 210])
    np.testing.assert_array_equal(found.score, [433.5, 653.5, 213.5])
    assert found.gap.tolist() == [0, 0, 0]
    np.testing.assert_array_equal(found.slopes, [[7, np.nan]] * 3)
    assert any(line.split() == ["kind", "=", "0", "+220.0000", "from", "-1"] for line in str(found).splitlines())


def test_from_another_category():
    network = filled([[3.0, 4.0], [5.0, 6.0], [1.0, 2.0]], [7.0, 10.0, 100.0])
    found = pl.attribute(network, np.array([[0.5, 0.0]]), baseline=[2.0, 1.0])
    np.testing.assert_array_equal(found.contributions, [[7 * (0.5 - 2), 10 * (3 - 5) + 100 * (4 - 6)]])
    np.testing.assert_array_equal(found.bias_parts["baseline"], [14 + 50 + 600])


@pytest.mark.parametrize("name", LAYERS)
def test_the_sum_is_the_score(name):
    network, x = network_of(name), samples()
    found = pl.attribute(network, x, tolerance=1e-9)
    assert found.method == ("exact" if name != "integrated_gradients" else name)
    assert found.contributions.shape == found.slopes.shape == x.shape
    assert found.relative_gap.max() < (1e-13 if found.method == "exact" else 1e-8)
    np.testing.assert_allclose(found.score, scores(network, x, found.target), rtol=1e-12)
    assert np.isnan(found.slopes[:, [0, 2]]).all()
    assert np.isfinite(found.slopes[:, [1, 3]]).all()
    assert (found.contributions[x == -1] == 0).all()


@pytest.mark.parametrize("name", ["exact", "integrated_gradients"])
def test_it_is_that_of_one_hot_numbers(name):
    """The same function of one-hot numbers, without an embedding: the contributions of a block add up to its column's. The
    baseline is the one-hot number of what is no category."""
    network, x = network_of(name), samples()
    sizes, vectors = {2: 6, 0: 5}, {c: network.parameters[f"embedding_1.vectors_{c}"] for c in (2, 0)}
    weight = np.zeros((2 + 6 + 5, 2 + 3 + 2))
    weight[:2, :2], weight[2:8, 2:5], weight[8:, 5:] = np.eye(2), vectors[2], vectors[0]
    plain = pl.Network([pl.Input(13), pl.Dense(7, use_bias=False), *LAYERS[name][1:]], dtype="float64")
    for parameter in plain.parameters:
        if parameter != "dense_1.weight":
            number = parameter.replace("dense_2", "dense_1")
            plain.parameters[parameter] = network.parameters[number]
    plain.parameters["dense_1.weight"] = weight

    def one_hot(rows):
        known = {c: np.where((rows[:, c] >= 0) & (rows[:, c] < k - 1), rows[:, c], k - 1) for c, k in sizes.items()}
        return np.hstack([rows[:, [1, 3]], *(np.eye(k)[known[c].astype(int)] for c, k in sizes.items())])

    target = None if name == "exact" else np.ones(len(x), int)
    ours = pl.attribute(network, x, target, tolerance=1e-9)
    theirs = pl.attribute(plain, one_hot(x), target, baseline=one_hot(np.array([[-1.0, 0, -1, 0]]))[0], tolerance=1e-9)
    blocks = [theirs.contributions[:, part].sum(axis=1) for part in (slice(8, 13), [0], slice(2, 8), [1])]
    np.testing.assert_allclose(ours.contributions, np.column_stack(blocks), rtol=1e-6, atol=1e-9)


def test_an_embedding_elsewhere_is_left_to_integrated_gradients():
    layers = [pl.Input(4), pl.Rescale(1.0), *LAYERS["exact"]]
    network = shaken(*layers)
    with pytest.raises(pl.ArgumentError, match="embedding_1 is an Embedding"):
        pl.attribute(network, samples(), method="exact")
