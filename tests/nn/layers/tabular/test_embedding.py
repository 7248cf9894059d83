"""Embedding: by hand, against one-hot numbers and a dense layer, by autograd, and with numbers that are no category."""

from __future__ import annotations

import warnings

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad

import pellucid as pl

F64 = np.dtype(np.float64)
RNG = np.random.default_rng(41)
PREDICTION = pl.Context(dtype=F64)


def arrays_of(layer, inputs):
    return {spec.name: RNG.normal(size=spec.shape) for spec in layer.parameter_specs((inputs,))}


def categories(count, *sizes):
    return np.column_stack([RNG.integers(0, size, count) for size in sizes]).astype(float)


def test_by_hand():
    """Three categories of column 1 become two numbers each; the fourth vector is that of all else."""
    layer, vectors = pl.Embedding(((1, 3, 2),)), np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]])
    x = np.array([[0.5, 2.0, -1.0], [0.25, 0.0, 9.0], [0.0, 2.0, 0.0], [8.0, -1.0, 8.0]])
    y, cache = layer.forward({"vectors_1": vectors}, x, PREDICTION)
    np.testing.assert_array_equal(y, [[0.5, -1, 5, 6], [0.25, 9, 1, 2], [0, 0, 5, 6], [8, 8, 7, 8]])
    dy = np.arange(16.0).reshape(4, 4)
    dx, gradients = layer.backward({"vectors_1": vectors}, cache, dy)
    np.testing.assert_array_equal(dx, [[0, 0, 1], [4, 0, 5], [8, 0, 9], [12, 0, 13]])
    # category 0 has come to sample 1, category 2 to samples 0 and 2, no category to sample 3
    np.testing.assert_array_equal(gradients["vectors_1"], [[6, 7], [0, 0], [2 + 10, 3 + 11], [14, 15]])
    assert layer.output_shape((3,)) == (4,)


def test_it_is_one_hot_numbers_and_a_dense_layer():
    """Two columns, each with a one-hot block of its own; v is the weight of the block. In the order of ``columns``."""
    layer = pl.Embedding(((3, 7, 4), (0, 5, 2)))
    x = np.column_stack([categories(90, 5), RNG.normal(size=(90, 2)), categories(90, 7)])
    own, dy = arrays_of(layer, 4), RNG.normal(size=(90, 2 + 4 + 2))
    y, cache = layer.forward(own, x, PREDICTION)
    _, gradients = layer.backward(own, cache, dy)
    np.testing.assert_array_equal(y[:, :2], x[:, 1:3])
    for column, place in ((3, slice(2, 6)), (0, slice(6, 8))):
        name = f"vectors_{column}"
        one_hot = np.eye(len(own[name]))[x[:, column].astype(int)]
        dense, parameters = pl.Dense(own[name].shape[1], use_bias=False), {"weight": own[name]}
        z, kept = dense.forward(parameters, one_hot, PREDICTION)
        np.testing.assert_allclose(y[:, place], z, rtol=1e-15)
        expected = dense.backward(parameters, kept, dy[:, place])[1]["weight"]
        np.testing.assert_allclose(gradients[name], expected, rtol=1e-12, atol=1e-14)


def test_the_derivative_is_that_of_autograd():
    layer = pl.Embedding(((1, 6, 3),))
    x = np.column_stack([RNG.normal(size=40), RNG.integers(-1, 7, 40)])
    own, dy = arrays_of(layer, 2), RNG.normal(size=(40, 4))
    rows = np.where((x[:, 1] >= 0) & (x[:, 1] < 6), x[:, 1], 6).astype(int)

    def value(number, vectors):
        return anp.sum(dy[:, :1] * number[:, None]) + anp.sum(dy[:, 1:] * vectors[rows])

    _, cache = layer.forward(own, x, PREDICTION)
    dx, gradients = layer.backward(own, cache, dy)
    np.testing.assert_allclose(dx[:, 0], grad(value, 0)(x[:, 0], own["vectors_1"]), rtol=1e-14)
    np.testing.assert_allclose(gradients["vectors_1"], grad(value, 1)(x[:, 0], own["vectors_1"]), rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_no_category_has_a_vector_of_its_own(dtype):
    """The nearest whole number counts; below -1/2, from K - 1/2 on, and where there is no number, it is none."""
    layer = pl.Embedding(((0, 3, 1),))
    own = {"vectors_0": np.array([[0.0], [1.0], [2.0], [9.0]], dtype)}
    near = [(-0.49, 0), (0.0, 0), (0.49, 0), (0.51, 1), (1.0, 1), (2.4, 2), (2.49, 2)]
    none = [(x, 9) for x in (-0.51, -1.0, 2.5, 3.0, 1e30, -1e30, np.inf, -np.inf, np.nan)]
    for x, expected in near + none:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            y, _ = layer.forward(own, np.array([[x]], dtype), pl.Context(dtype=np.dtype(dtype)))
        assert y.tolist() == [[expected]], x


def test_gradcheck_at_categories():
    """A category has no slope on either side, so finite differences give 0; its neighbours have theirs."""
    x = np.column_stack([RNG.normal(size=20), RNG.integers(-1, 5, 20), RNG.integers(0, 2, 20)])
    report = pl.gradcheck(pl.Embedding(((1, 4, 3), (2, 2, 2))), x, tolerance=1e-7)
    assert {row.name: row.verdict for row in report.rows} == dict.fromkeys(("x", "vectors_1", "vectors_2"), "right")


def test_vectors_begin_about_as_long_as_one_hot_ones_and_the_last_at_0():
    network = pl.Network([pl.Input(2), pl.Embedding(((0, 4000, 8), (1, 3000, 2))), pl.Regression()], seed=1)
    for column, width in ((0, 8), (1, 2)):
        vectors = network.parameters[f"embedding_1.vectors_{column}"]
        assert not vectors[-1].any()
        np.testing.assert_allclose(vectors[:-1].mean(axis=0), 0, atol=5 / np.sqrt(3000 * width))
        np.testing.assert_allclose((vectors[:-1] ** 2).sum(axis=1).mean(), 1, rtol=0.1)
    again = pl.Network(network.layers, seed=1)
    np.testing.assert_array_equal(again.parameters.vector, network.parameters.vector)


@pytest.mark.parametrize("engine", ["numpy", "native"])
def test_categories_are_learned_and_so_is_what_is_missing(engine):
    """Each of 300 categories has a value of its own, and missing ones have 3: 301 numbers to find, from eight rows each."""
    x = np.tile(np.arange(-1, 300), 8)[:, None].astype(np.float32)
    value = np.random.default_rng(0).normal(size=301)
    value[-1] = 3.0
    network = pl.Network([pl.Input(1), pl.Embedding(((0, 300, 4),)), pl.Dense(16, "relu"), pl.Regression()])
    y = value[x[:, 0].astype(int)]
    network.fit(x, y, epochs=60, batch_size=128, optimizer=pl.Adam(0.02), progress="none", engine=engine)
    answers = network.predict(x)
    assert np.abs(answers - y).mean() < 0.05
    assert abs(float(network.predict(np.array([[np.float32(12345)]]))[0]) - 3) < 0.1


def test_large_numbers_of_categories_are_not_numbers_that_should_be_scaled():
    x = np.column_stack([np.arange(40.0) * 100, RNG.normal(size=40)])
    network = pl.Network([pl.Input(2), pl.Embedding(((0, 4000, 2),)), pl.Regression()])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        network.fit(x, RNG.normal(size=40), epochs=1, progress="none")
    x[:, 1] *= 1000
    with pytest.warns(UserWarning, match="holds numbers as large as"):
        network.fit(x, RNG.normal(size=40), epochs=1, progress="none")


BAD = [
    *((), None, 3, "012", [(0, 3, 2)], (0, 3, 2), ((0, 3),), ((0, 3, 2, 1),), ([0, 3, 2],), (None,), ("032",)),
    *(((-1, 3, 2),), ((0, 0, 2),), ((0, 3, 0),), ((0, 3.0, 2),), ((True, 3, 2),), ((0, 1 << 30, 2),), ((0, 3, 1 << 20),)),
    ((0, 3, 2), (1, 3, 2), (0, 4, 1)),
]


@pytest.mark.parametrize("bad", BAD, ids=str)
def test_columns_that_cannot_work_are_refused(bad):
    with pytest.raises(pl.ArgumentError, match=r"Embedding\(columns\)"):
        pl.Embedding(bad)


@pytest.mark.parametrize("shape", [(3,), (1,), (4, 4), (4, 1)])
def test_it_takes_rows_that_have_its_columns(shape):
    with pytest.raises(pl.ShapeError, match=r"embedding_1: Embedding has the column 3 of a row"):
        pl.Network([pl.Input(*shape), pl.Embedding(((0, 2, 1), (3, 5, 2))), pl.Regression()])
