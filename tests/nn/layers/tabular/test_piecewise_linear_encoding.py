"""PiecewiseLinearEncoding: by hand, against NumPy's interpolation, and edges of every kind."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import pellucid as pl

F64 = np.dtype(np.float64)
RNG = np.random.default_rng(21)
PREDICTION = pl.Context(dtype=F64)


def encode(layer, x):
    return layer.forward({}, np.asarray(x, np.float64), PREDICTION)[0]


def test_by_hand():
    """Two columns: one with the bins 0 to 2 and 2 to 3, one without. The first bin ends at -2, where it is -1; the last one
    at 4, where it is 2."""
    layer = pl.PiecewiseLinearEncoding(((0.0, 2.0, 3.0), ()), 10.0)
    x = np.array([[1.0, 7.0], [2.5, 8.0], [-1.0, 9.0], [-99.0, 0.0], [3.5, 0.0], [99.0, 0.0]])
    y, cache = layer.forward({}, x, PREDICTION)
    np.testing.assert_array_equal(y[:, :2], x)
    np.testing.assert_array_equal(y[:, 2:], [[5, 0], [10, 5], [-5, 0], [-10, 0], [10, 15], [10, 20]])
    dx, gradients = layer.backward({}, cache, np.tile([1.0, 2.0, 3.0, 4.0], (6, 1)))
    # dy of the column, and in a bin 10 dy / its width: 3 * 10 / 2 in the first, 4 * 10 / 1 in the second
    np.testing.assert_array_equal(dx, [[16, 2], [41, 2], [16, 2], [1, 2], [41, 2], [1, 2]])
    assert gradients == {}
    assert layer.output_shape((2,)) == (4,)


@pytest.mark.parametrize("bins", [1, 2, 3, 48])
@pytest.mark.parametrize("gain", [0.5, 3.0])
def test_it_is_the_interpolation_of_numpy(bins, gain):
    """Each bin from 0 at its lower edge to 1 at its upper one; the outer ones begin at -1 and end at 2, a width further."""
    edges = np.sort(RNG.normal(size=bins + 1))
    x = RNG.normal(scale=3, size=(500, 2))
    y = encode(pl.PiecewiseLinearEncoding(((), tuple(edges.tolist())), gain), x)
    for t, (low, high) in enumerate(itertools.pairwise(edges)):
        places, values = [low, high], [0.0, 1.0]
        if t == 0:
            places, values = [low - (high - low), *places], [-1.0, *values]
        if t == bins - 1:
            places, values = [*places, high + (high - low)], [*values, 2.0]
        np.testing.assert_allclose(y[:, 2 + t], gain * np.interp(x[:, 1], places, values), atol=1e-12 * gain)


def test_a_linear_layer_behind_it_is_any_function_that_is_linear_within_each_bin():
    """With the differences of the values at the edges as weights: NumPy's interpolation of those values."""
    edges, values = np.array([-2.0, -0.5, 0.0, 1.0, 4.0]), np.array([3.0, -1.0, 5.0, 5.0, 2.0])
    x = RNG.uniform(-2, 4, (300, 1))
    y = encode(pl.PiecewiseLinearEncoding((tuple(edges.tolist()),), 1.0), x)
    np.testing.assert_allclose(y[:, 1:] @ np.diff(values) + values[0], np.interp(x[:, 0], edges, values), atol=1e-12)


def test_gradcheck_inside_on_the_flanks_and_beyond():
    layer = pl.PiecewiseLinearEncoding(((-1.0, 0.0, 0.25), (), (0.0, 2.0)), 0.7)
    x = np.array([[-0.4, 3.0, 0.3], [-1.9, 0.0, -1.5], [-7.0, 1.0, -9.0], [0.45, 1.0, 3.5], [8.0, 1.0, 8.0]])
    report = pl.gradcheck(layer, x, tolerance=1e-7)
    assert {row.verdict for row in report.rows} == {"right"}


class TestFit:
    def test_edges_are_quantiles_and_bins_hold_equal_counts(self):
        x = RNG.exponential(size=(4801, 3))
        layer = pl.PiecewiseLinearEncoding.fit(x, bins=48)
        assert [len(edges) for edges in layer.edges] == [49] * 3
        for column, edges in zip(x.T, layer.edges, strict=True):
            np.testing.assert_allclose(edges, np.sort(column)[::100], rtol=1e-7)  # of 4,801 numbers each hundredth
            counts, _ = np.histogram(column.astype(np.float32), np.float32(edges))
            np.testing.assert_allclose(counts, 100, atol=1)

    def test_edges_that_coincide_become_one(self):
        for zeros in (60, 61):
            counts = np.array([0.0] * zeros + [1.0] * 30 + [2.0] * 10)[:, None]
            for bins in (3, 10, 48):
                assert pl.PiecewiseLinearEncoding.fit(counts, bins).edges == ((0.0, 1.0, 2.0),)
        nearly = np.repeat([1.0, 1.0 + 1e-12, 3.0, 5.0], 25)[:, None]
        assert pl.PiecewiseLinearEncoding.fit(nearly, bins=12).edges == ((1.0, 3.0, 5.0),)

    def test_columns_of_one_or_two_values_have_no_bins(self):
        x = np.column_stack([np.full(9, 4.0), np.arange(9) % 2, np.arange(9.0), np.linspace(0, 1e-33, 9)])
        layer = pl.PiecewiseLinearEncoding.fit(x, bins=2, gain=2.0)
        assert layer == pl.PiecewiseLinearEncoding(((), (), (0.0, 4.0, 8.0), ()), 2.0)
        assert layer.output_shape((4,)) == (6,)

    def test_pixels_are_measured_as_the_network_sees_them(self):
        x = np.arange(0, 256, 5, dtype=np.uint8)[:, None]
        np.testing.assert_allclose(pl.PiecewiseLinearEncoding.fit(x, 3).edges, [[0, 1 / 3, 2 / 3, 1]], rtol=1e-7)

    @pytest.mark.parametrize(
        ("x", "words"),
        [
            (np.zeros(5), r"float64 \(5,\)"),
            (np.zeros((0, 4)), r"\(0, 4\)"),
            (np.zeros((4, 0)), r"\(4, 0\)"),
            (np.zeros((2, 3, 4)), r"\(2, 3, 4\)"),
            (np.array([["a", "b"]]), "numbers"),
            (np.array([[1.0, np.nan]]), "finite"),
            (np.array([[1.0, np.inf], [0.0, 1.0]]), "finite"),
        ],
    )
    def test_what_is_no_table_of_numbers_is_refused(self, x, words):
        with pytest.raises(pl.ShapeError, match=words):
            pl.PiecewiseLinearEncoding.fit(x)

    @pytest.mark.parametrize("bins", [0, -1, 1.5, True, None])
    def test_bins_are_a_positive_number(self, bins):
        with pytest.raises(pl.ArgumentError, match="bins"):
            pl.PiecewiseLinearEncoding.fit(np.zeros((3, 1)), bins)


BAD = [
    *((), None, 3, "01", [(0.0, 1.0)], (0.0, 1.0), ((0.0,),), ([0.0, 1.0],), (None,), ("01",), ((0.0, "1"),)),
    *(((0.0, 0.0),), ((1.0, 0.0),), ((0.0, 2.0, 1.0),), ((0.0, np.nan),), ((-np.inf, 0.0),), ((0.0, 1e31),)),
    *(((0.0, 1e-31),), ((True, 2.0),), ((0.0, 1.0), (1.0, 1.0))),
]


@pytest.mark.parametrize("bad", BAD, ids=str)
def test_edges_that_cannot_work_are_refused(bad):
    with pytest.raises(pl.ArgumentError, match=r"PiecewiseLinearEncoding\(edges\)"):
        pl.PiecewiseLinearEncoding(bad)


def test_the_column_of_a_bad_edge_is_named():
    with pytest.raises(pl.ArgumentError, match=r"column 2 of .* 0.5 follows 1.0"):
        pl.PiecewiseLinearEncoding(((), (0.0, 1.0), (0.0, 1.0, 0.5)))


@pytest.mark.parametrize("gain", [0, -1.0, np.nan, np.inf, 1e7, "1", None, True])
def test_a_gain_that_cannot_work_is_refused(gain):
    with pytest.raises(pl.ArgumentError, match=r"PiecewiseLinearEncoding\(gain\)"):
        pl.PiecewiseLinearEncoding(((0.0, 1.0),), gain)


@pytest.mark.parametrize("shape", [(3,), (1,), (2, 1), (2, 2)])
def test_it_takes_rows_of_its_columns(shape):
    encoding = pl.PiecewiseLinearEncoding(((0.0, 1.0), ()))
    with pytest.raises(pl.ShapeError, match=r"piecewise_linear_encoding_1: .*edges for 2 columns"):
        pl.Network([pl.Input(*shape), encoding, pl.Regression()])


def test_the_narrowest_and_the_widest_bins_give_finite_numbers_in_float32():
    layer = pl.PiecewiseLinearEncoding(((0.0, 1e-30), (-1e30, 1e30)), 1e6)
    x = np.array([[0.0, 0.0], [5e-31, 3e38], [3e38, -3e38], [-3e38, 1e30]], np.float32)
    y, cache = layer.forward({}, x, pl.Context())
    assert y.dtype == cache.slopes.dtype == np.float32
    np.testing.assert_allclose(y[:, 2:], np.float32([[0, 0.5e6], [0.5e6, 2e6], [2e6, -1e6], [-1e6, 1e6]]), rtol=1e-6)
    assert np.isfinite(cache.slopes).all()


def test_it_is_saved_with_the_network_to_the_last_bit(tmp_path):
    layer = pl.PiecewiseLinearEncoding.fit(RNG.normal(size=(90, 3)), 7)
    pl.Network([pl.Input(3), layer, pl.Regression()]).save(tmp_path / "model.safetensors")
    assert pl.load(tmp_path / "model.safetensors").network.layers[1] == layer


def test_a_number_on_an_edge_has_the_slope_of_the_bin_above():
    """Edges are numbers of the column, so whole numbers lie on them: without a slope, they would count for nothing."""
    layer = pl.PiecewiseLinearEncoding(((0.0, 1.0, 3.0),), gain=1.0)
    _, cache = layer.forward({}, np.array([[0.0], [1.0], [3.0]]), pl.Context())
    dx, _ = layer.backward({}, cache, np.array([[0.0, 1.0, 10.0]] * 3))
    np.testing.assert_allclose(dx[:, 0], [1.0, 10 / 2, 10 / 2])  # the last bin goes on above its edge


def test_a_number_that_comes_very_often_takes_one_bin():
    """As the gains of people, of whom nine in ten have none: the bins lie among those that have some."""
    rng = np.random.default_rng(0)
    gains = np.where(rng.random(10_000) < 0.9, 0.0, rng.uniform(1, 100, 10_000))
    (edges,) = pl.PiecewiseLinearEncoding.fit(gains[:, None], bins=20).edges
    above = gains[gains > 0]
    counts, _ = np.histogram(above, [0.0, *edges[2:]])
    assert edges[0] == 0
    assert len(edges) >= 10  # a fifth of the room of 20 bins is taken by 500 zeros, the rest by the 1,000 others
    assert counts.max() < len(above) / 5


def test_few_different_numbers_are_all_edges():
    column = np.repeat([1.0, 2.0, 5.0, 7.0], [1, 1000, 3, 50])
    assert pl.PiecewiseLinearEncoding.fit(column[:, None], bins=8).edges == ((1.0, 2.0, 5.0, 7.0),)
