"""One number of each kind of layer: what it is made of, against the numbers of the trace and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from looking import RNG, model

import pellucid as pl
from pellucid.inspection.arithmetic.elements import element, index_of, sources
from pellucid.inspection.trace.layer_trace import in_order


@pytest.fixture(scope="module")
def convolutions():
    return model("conv").network


def test_every_number_is_what_its_inputs_give(convolutions):
    """For each kind of layer: the products and what is constant make the number; inputs are outputs of the sources."""
    x = RNG.integers(0, 256, (12, 12)).astype(np.uint8)
    trace = convolutions.trace(x[None])
    constant = {
        "rescale": lambda layer, c: layer.layer.offset,
        "batch_normalization": lambda layer, c: (
            layer.parameters["beta"][c]
            - layer.parameters["gamma"][c] * layer.numbers["mean"][c] * layer.numbers["inverse_std"][c]
        ),
        "layer_normalization": lambda layer, c: (
            layer.parameters["beta"][c]
            - layer.parameters["gamma"][c] * layer.input[0].mean() * layer.numbers["inverse_std"][0, 0]
        ),
    }
    kinds = set()
    for layer in in_order(trace.layers[1:]):
        kinds.add(layer.kind)
        index = tuple(size // 2 for size in layer.output.shape[1:])
        found = element(trace, layer.name, index)
        expected = (layer.output if layer.sums is None else layer.sums)[(0, *index)]
        rest = constant.get(layer.kind, lambda layer, c: layer.parameters.get("bias", np.zeros(999))[c])
        if layer.kind in ("residual", "dropout", "flatten") or "pooling" in layer.kind:
            rest = lambda layer, c: 0.0  # noqa: E731
        assert found.products.sum() + rest(layer, index[-1]) == pytest.approx(expected, rel=1e-9, abs=1e-12), layer.name
        for d, position in enumerate(found.positions):
            source = trace.layer(found.sources[found.origin[d]]).output[0]
            if (position >= 0).all() and (position < source.shape).all():
                assert source[tuple(position)] == found.inputs[d]
            else:
                assert found.inputs[d] == 0  # a margin
    assert kinds == {
        *("rescale", "conv2d", "batch_normalization", "residual", "average_pooling2d", "max_pooling2d"),
        *("global_average_pooling2d", "dropout", "dense", "layer_normalization", "classification"),
    }


@pytest.mark.parametrize("pooling", [pl.MaxPooling2D, pl.AveragePooling2D])
def test_windows_over_the_margin(pooling):
    """Of 7 x 6 pixels, in windows of 3 x 4, every second one: some rows and columns of them lie outside."""
    network = pl.Network([pl.Input(7, 6, 2), pooling((3, 4), 2, padding="same"), pl.Classification(2)], dtype="float64")
    trace = network.trace(RNG.normal(size=(1, 7, 6, 2)), training=False)
    layer = trace.layers[1]
    for index in np.ndindex(*layer.output.shape[1:]):
        found = element(trace, layer.name, index)
        assert found.products.sum() == pytest.approx(layer.output[(0, *index)], rel=1e-12), index
        assert found.inputs.tolist() == [layer.input[(0, *position)] for position in found.positions.tolist()]
    corner = element(trace, layer.name, (0, 0, 1))
    assert {tuple(position[:2]) for position in corner.positions.tolist()} == {(i, j) for i in (0, 1) for j in (0, 1, 2)}


def test_lines_of_layers_without_weights():
    layers = [pl.Input(2, 4), pl.MaxPooling2D(2), pl.AveragePooling2D((1, 2)), pl.Flatten(), pl.Classification(2)]
    image = np.array([[[1, -2, 3, 0.5], [0, 4, -1, 2]]], np.float32)
    trace = pl.Network(layers).trace(image)
    assert element(trace, "input", (0, 1)).line == "x = -2"
    assert element(trace, "max_pooling2d_1", (0, 0, 0)).line == "y = max(1, -2, 0, 4) = 4"
    assert element(trace, "max_pooling2d_1", (0, 0, 0)).weights.tolist() == [0, 0, 0, 1]
    assert element(trace, "average_pooling2d_1", (0, 0, 0)).line == "y = (4 + 3) / 2 = 3.5"
    assert element(trace, "flatten_1", (0,)).line == "y = x = 3.5"
    pixels = pl.Network([pl.Input(2, 2), pl.Classification(2)]).trace(np.array([[[0, 51], [102, 255]]], np.uint8))
    assert element(pixels, "input", (0, 1)).line == "x = 51 / 255 = 0.2"


def test_bins():
    """Of two columns; the first bin goes on below, the last one above, and one between is held."""
    encoding = pl.PiecewiseLinearEncoding(((), (0.0, 2.0, 2.5, 3.0)), 0.5)
    trace = pl.Network([pl.Input(2), encoding, pl.Regression()]).trace(np.array([[7.0, 2.75]], np.float32))
    found = {number: element(trace, "piecewise_linear_encoding_1", (number,)) for number in range(5)}
    assert [found[number].positions.tolist() for number in found] == [[[0]], [[1]], [[1]], [[1]], [[1]]]
    assert [found[number].inputs.tolist() for number in found] == [[7], [2.75], [2.75], [2.75], [2.75]]
    assert [found[number].weights.tolist() for number in found] == [[1], [1], [0], [0], [1]]
    assert found[1].line == "y = x = 2.75"
    assert found[3].line == "y = 0.5 * 1 = 0.5; (2.75 - 2) / 0.5 = 1.5 is held at 1"
    assert found[4].line == "y = 0.5 * (2.75 - 2.5) / 0.5 = 0.25"
    outside = pl.Network([pl.Input(2), encoding, pl.Regression()]).trace(np.array([[7.0, -1.0], [7.0, 3.25]], np.float32))
    layer = outside.layers[1]
    np.testing.assert_array_equal(layer.output[:, 2:], [[-0.25, 0, 0], [0.5, 0.5, 0.75]])
    assert element(outside, layer.name, (2,)).line == "y = 0.5 * (-1 + 0) / 2 = -0.25"


def test_vectors_of_categories():
    network = pl.Network([pl.Input(3), pl.Embedding(((1, 2, 2),)), pl.Regression()], dtype="float64")
    network.parameters["embedding_1.vectors_1"] = np.array([[0.25, 0.5], [1.0, -2.0], [4.0, 8.0]])
    trace = network.trace(np.array([[7.0, 1.0, -3.0]]))
    found = [element(trace, "embedding_1", (number,)) for number in range(4)]
    assert [one.positions.tolist() for one in found] == [[[0]], [[2]], [[1]], [[1]]]
    assert [one.products.tolist() for one in found] == [[7], [-3], [1], [-2]]
    assert found[1].line == "y = x = -3"
    assert found[3].line == "y = -2 (number 1 of the vector of category 1 in column 1)"
    unseen = network.trace(np.array([[7.0, -1.0, -3.0]]))
    assert element(unseen, "embedding_1", (3,)).line == "y = 8 (number 1 of the vector of what is no category in column 1)"


def test_waves():
    network = pl.Network([pl.Input(2), pl.PeriodicEmbedding(2, (1,)), pl.Regression()], dtype="float64")
    network.parameters["periodic_embedding_1.frequency"] = np.array([[0.25, 0.5]])
    network.parameters["periodic_embedding_1.phase"] = np.array([[0.25, 0.125]])
    trace = network.trace(np.array([[7.0, 2.0]]))
    found = [element(trace, "periodic_embedding_1", (number,)) for number in range(4)]
    assert [one.positions.tolist() for one in found] == [[[0]], [[1]], [[1]], [[1]]]
    assert [one.inputs.tolist() for one in found] == [[7], [2], [2], [2]]
    # 0.75 of a turn, where the sine is -1; an eighth of a turn further than a whole one
    slopes = [1, 1, 2 * np.pi * 0.25, -2 * np.pi * np.sqrt(0.5) * 0.5]
    np.testing.assert_allclose([one.weights[0] for one in found], slopes, rtol=1e-12)
    assert found[1].line == "y = x = 2"
    assert found[3].line == "y = cos(6.2832 * (0.5 * 2 + 0.125)) = 0.7071"


def test_factors_of_features():
    network = pl.Network([pl.Input(2), pl.ScaleFeatures(4.0), pl.Regression()], dtype="float64")
    network.parameters["scale_features_1.change"] = np.array([0.5, -0.125])
    trace = network.trace(np.array([[7.0, -3.0]]))
    found = [element(trace, "scale_features_1", (number,)) for number in (0, 1)]
    assert [one.line for one in found] == ["y = (1 + 4 * 0.5) * 7 = 21", "y = (1 + 4 * (-0.125)) * (-3) = -1.5"]
    assert [one.positions.tolist() for one in found] == [[[0]], [[1]]]
    assert [one.weights.tolist() for one in found] == [[3], [0.5]]


def test_sources(convolutions):
    found = sources(convolutions.trace(np.zeros((1, 12, 12), np.uint8)).layers)
    assert found["input"] == ()
    assert found["residual_1"] == ("residual_1.batch_normalization_2", "batch_normalization_1")
    assert found["residual_1.conv2d_1"] == ("batch_normalization_1",)
    assert found["residual_2.shortcut_conv2d_1"] == found["residual_2.conv2d_1"] == ("residual_1",)
    assert found["average_pooling2d_1"] == ("residual_2",)


def test_an_image_has_one_channel_or_several():
    trace = pl.Network([pl.Input(3, 4), pl.Conv2D(2), pl.Classification(2)]).trace(np.zeros((1, 3, 4), np.uint8))
    assert index_of(trace.layer("input"), 0, (2, 3)) == (2, 3)
    assert index_of(trace.layer("conv2d_1"), 1, (2, 3)) == (2, 3, 1)
