"""Gradient maps against finite differences, occlusion against loops, deletion by hand and on digits."""

from __future__ import annotations

import numpy as np
import pytest
from attributed_networks import BENT, PIECEWISE_LINEAR, samples_of, scores, shaken, target_of

import pellucid as pl

EVERY = PIECEWISE_LINEAR | BENT


@pytest.mark.parametrize("name", EVERY)
def test_the_gradient_map_is_what_small_changes_do(name):
    network = shaken(*EVERY[name])
    x = samples_of(network, 3)
    target = target_of(network, x)
    found = pl.gradient_map(network, x, target)
    assert found.shape == x.shape
    for place in np.ndindex(*x.shape[1:]):
        moved = []
        for h in (1e-6, -1e-6):
            shifted = x.copy()
            shifted[(slice(None), *place)] += h
            moved.append(scores(network, shifted, target))
        np.testing.assert_allclose(found[(slice(None), *place)], (moved[0] - moved[1]) / 2e-6, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(pl.gradient_map(network, x, target, times_input=True), x * found, rtol=1e-14)


def test_of_the_first_logit_of_a_linear_network_it_is_the_first_column_of_the_weights():
    network = pl.Network([pl.Input(3), pl.Classification(2)], seed=1, dtype="float64")
    x = np.random.default_rng(5).normal(size=(6, 3))
    column = network.parameters["output.weight"][:, 0]
    np.testing.assert_array_equal(pl.gradient_map(network, x, 0), np.tile(column, (6, 1)))


def test_pixels_count_as_the_numbers_that_they_become():
    network = shaken(pl.Input(4, 4), pl.Dense(3, "tanh"), pl.Classification(3))
    pixels = np.random.default_rng(1).integers(0, 256, (2, 4, 4), np.uint8)
    of_bytes, of_numbers = (pl.gradient_map(network, x, 1, times_input=True) for x in (pixels, pixels / 255))
    np.testing.assert_allclose(of_bytes, of_numbers, rtol=1e-10)


def test_where_a_network_is_linear_gradient_times_input_is_the_exact_attribution():
    network = shaken(*PIECEWISE_LINEAR["images"])
    x = samples_of(network)
    product = pl.gradient_map(network, x, 1, against=2, times_input=True)
    np.testing.assert_allclose(product, pl.attribute(network, x, 1, against=2).contributions, rtol=1e-10, atol=1e-12)


class TestOcclusion:
    def by_loops(self, network, x, target, window, stride, fill):
        """Every window in turn, and every pixel's mean over those that cover it."""
        maps = np.zeros(x.shape[:3])
        for b in range(len(x)):
            drops = [[[] for _ in range(x.shape[2])] for _ in range(x.shape[1])]
            rows = {*range(0, x.shape[1] - window[0] + 1, stride[0]), x.shape[1] - window[0]}
            columns = {*range(0, x.shape[2] - window[1] + 1, stride[1]), x.shape[2] - window[1]}
            for top in rows:
                for left in columns:
                    covered = x[b : b + 1].copy()
                    covered[0, top : top + window[0], left : left + window[1]] = fill
                    drop = scores(network, x[b : b + 1], target[b : b + 1]) - scores(network, covered, target[b : b + 1])
                    for i in range(top, top + window[0]):
                        for j in range(left, left + window[1]):
                            drops[i][j].append(drop[0])
            maps[b] = [[np.mean(cell) for cell in row] for row in drops]
        return maps

    @pytest.mark.parametrize(
        ("name", "window", "stride", "fill"),
        [
            ("images", 2, 1, 0.0),
            ("blocks", (3, 2), (2, 2), 0.5),
            ("grey images", (4, 3), 3, -1.0),
            ("block", (6, 6), 1, 0.0),
        ],
    )
    def test_it_is_what_loops_find(self, name, window, stride, fill):
        network = shaken(*EVERY[name])
        x = samples_of(network, 3)
        target = np.array([1, 0, 1])
        found = pl.occlusion(network, x, target, window=window, stride=stride, fill=fill)
        pairs = [side if isinstance(side, tuple) else (side, side) for side in (window, stride)]
        np.testing.assert_allclose(found, self.by_loops(network, x, target, *pairs, fill), rtol=1e-9, atol=1e-11)

    def test_bytes_and_the_native_executor(self):
        network = pl.Network([pl.Input(8, 8), pl.Conv2D(4, 3, "relu"), pl.Dense(6, "relu"), pl.Classification(3)])
        pixels = np.random.default_rng(1).integers(0, 256, (2, 8, 8), np.uint8)
        target = np.array([2, 0])
        found = pl.occlusion(network, pixels, target, window=3, stride=2, fill=128)
        expected = self.by_loops(network, pixels, target, (3, 3), (2, 2), 128)
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-6)

    def test_the_pixels_are_those_of_the_caller(self):
        network = shaken(*PIECEWISE_LINEAR["images"])
        x = samples_of(network)
        before = x.copy()
        pl.occlusion(network, x)
        np.testing.assert_array_equal(x, before)

    def test_it_does_not_matter_how_many_are_computed_at_once(self, monkeypatch):
        network = shaken(*PIECEWISE_LINEAR["grey images"])
        x = samples_of(network)
        whole = pl.occlusion(network, x, window=2)
        monkeypatch.setattr("pellucid.inspection.attribution.maps.block_size", lambda stack: 3)
        np.testing.assert_allclose(pl.occlusion(network, x, window=2), whole, rtol=1e-12, atol=1e-14)

    def test_a_linear_network_loses_what_is_covered(self):
        """One pixel at a time, the drop is its weight times its value."""
        network = shaken(pl.Input(3, 4), pl.Regression())
        x = samples_of(network)
        found = pl.occlusion(network, x, window=1)
        np.testing.assert_allclose(found, x * network.parameters["output.weight"].reshape(3, 4), rtol=1e-9, atol=1e-12)


class TestDeletion:
    def test_by_hand(self):
        """Four pixels, z = 2 x1 + x2 - x3 for yes; deleted one by one in this order: 1, 0, 2, 3."""
        network = shaken(pl.Input(2, 2), pl.BinaryClassification(use_bias=False))
        network.parameters["output.weight"] = np.array([[2.0], [1.0], [-1.0], [0.0]])
        x = np.ones((1, 2, 2))
        curve = pl.deletion_curve(network, x, np.array([[[3.0, 4.0], [2.0, 1.0]]]), 1, steps=4)
        np.testing.assert_allclose(curve, 1 / (1 + np.exp(-np.array([[2.0, 1.0, -1.0, 0.0, 0.0]]))), rtol=1e-12)
        no = pl.deletion_curve(network, x, np.array([[[3.0, 4.0], [2.0, 1.0]]]), 0, steps=4)
        np.testing.assert_allclose(no, 1 - curve, rtol=1e-12)
        assert (x == 1).all()

    def test_all_channels_of_a_pixel_go_together(self):
        network = shaken(pl.Input(2, 2, 3), pl.Classification(3))
        x = samples_of(network, 2)
        curve = pl.deletion_curve(network, x, np.tile([[4.0, 3.0], [2.0, 1.0]], (2, 1, 1)), [1, 2], steps=2)
        left = x.copy()
        left[:, 0] = 0
        for step, shown in enumerate((x, left, np.zeros_like(x))):
            np.testing.assert_allclose(curve[:, step], network.predict_proba(shown)[[0, 1], [1, 2]], rtol=1e-12)

    def test_attributions_find_what_matters_on_digits(self):
        """On real digits each order loses the answer far sooner than chance does, even chance among inked pixels."""
        (x, y), (x_test, _) = pl.datasets.digits()
        network = pl.Network([pl.Input(28, 28), pl.Dense(32, "relu"), pl.Classification(10)], seed=1)
        network.fit(x[:4000], y[:4000], epochs=4, progress="none", engine="numpy")
        few = x_test[:40]
        chance = np.random.default_rng(0).random(few.shape)
        orders = {
            "exact": pl.attribute(network, few).contributions,
            "path": pl.attribute(network, few[:10], method="integrated_gradients", tolerance=1e-3).contributions,
            "occlusion": pl.occlusion(network, few, stride=2),
            "among ink": chance + (few > 0),
            "random": chance,
        }
        area = {name: pl.deletion_curve(network, few[: len(o)], o).mean() for name, o in orders.items()}
        for method in ("exact", "path", "occlusion"):
            assert area[method] < 0.75 * area["among ink"] < 0.75 * area["random"]


class TestRefusals:
    @pytest.fixture
    def network(self):
        return shaken(*PIECEWISE_LINEAR["grey images"])

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"window": 7}, "window of 7x7 is larger than the picture, 6x5"),
            ({"window": 0}, "window must be a whole number of at least 1"),
            ({"window": 2, "stride": 3}, "stride .*is larger than the window"),
            ({"stride": 1.5}, "stride must be a whole number"),
            ({"fill": np.nan}, "fill is one finite number"),
            ({"fill": [0, 1]}, "fill is one finite number"),
            ({"fill": "black"}, "one number is expected"),
        ],
    )
    def test_windows_that_cannot_be(self, network, options, message):
        with pytest.raises(pl.ArgumentError, match=message):
            pl.occlusion(network, samples_of(network), **options)

    @pytest.mark.parametrize("fill", [0.5, -1, 256])
    def test_a_fill_that_is_no_byte(self, network, fill):
        with pytest.raises(pl.ArgumentError, match="whole number from 0 to 255"):
            pl.occlusion(network, np.zeros((1, 6, 5), np.uint8), fill=fill)

    def test_samples_that_are_no_pictures(self):
        network = shaken(*PIECEWISE_LINEAR["dense"])
        with pytest.raises(pl.ShapeError, match=r"pictures \(H, W\).*\(5,\)"):
            pl.occlusion(network, samples_of(network))
        with pytest.raises(pl.ShapeError, match=r"pictures \(H, W\).*\(5,\)"):
            pl.deletion_curve(network, samples_of(network), np.zeros((7, 5)))

    def test_an_importance_that_does_not_fit(self, network):
        with pytest.raises(pl.ShapeError, match=r"importance has the shape \(7, 6\); .*\(7, 6, 5\)"):
            pl.deletion_curve(network, samples_of(network), np.zeros((7, 6)))
        with pytest.raises(pl.ShapeError, match="importance holds NaN"):
            pl.deletion_curve(network, samples_of(network), np.full((7, 6, 5), np.nan))
        with pytest.raises(pl.ArgumentError, match="steps"):
            pl.deletion_curve(network, samples_of(network), np.zeros((7, 6, 5)), steps=0)
        with pytest.raises(pl.ArgumentError, match="a regression has none"):
            pl.deletion_curve(shaken(pl.Input(2, 2), pl.Regression()), np.ones((1, 2, 2)), np.ones((1, 2, 2)))

    def test_times_input_is_yes_or_no(self, network):
        with pytest.raises(pl.ArgumentError, match="times_input"):
            pl.gradient_map(network, samples_of(network), times_input=1)
