"""The strongest paths through a network, against sums by hand and against the trace."""

from __future__ import annotations

import numpy as np
import pytest
from looking import RNG, model

import pellucid as pl
from pellucid.inspection.arithmetic.elements import element
from pellucid.inspection.arithmetic.paths import strongest_paths


@pytest.fixture(scope="module")
def convolutions():
    return model("conv").network


HAND = {
    "dense_1.weight": np.array([[1.0, -1.0, 0.0], [2.0, 1.0, 1.0]]),
    "dense_1.bias": np.array([0.5, 0.0, 0.0]),
    "output.weight": np.array([[1.0, -2.0], [3.0, 1.0], [1.0, 2.0]]),
    "output.bias": np.array([0.0, 0.0]),
}


def by_hand():
    """x = (2, 1): hidden sums (4.5, -1, 1) -> relu (4.5, 0, 1); scores (4.5 + 1, -9 + 2)."""
    layers = [pl.Input(2), pl.Dense(3, "relu"), pl.Classification(2)]
    return pl.Network(layers, dtype="float64", arrays=HAND).trace(np.array([[2.0, 1.0]]))


class TestPaths:
    def edges(self, *asked):
        found = strongest_paths(by_hand(), *asked)
        return {(edge.source, edge.start, edge.layer, edge.end): (edge.value, round(edge.share, 12)) for edge in found}

    def test_down_from_an_output(self):
        assert self.edges("output", (1,), 2) == {
            ("dense_1", (0,), "output", (1,)): (-9, round(9 / 11, 12)),  # 4.5 * -2 of |-9| + |2|
            ("dense_1", (2,), "output", (1,)): (2, round(2 / 11, 12)),  # 1 * 2; the unit that is off gives nothing
            ("input", (0,), "dense_1", (0,)): (2, round(9 / 11 / 2, 12)),  # 2 * 1 of |2| + |2|
            ("input", (1,), "dense_1", (0,)): (2, round(9 / 11 / 2, 12)),
            ("input", (1,), "dense_1", (2,)): (1, round(2 / 11, 12)),
        }

    def test_through_the_bins_of_a_column(self):
        """x = (2, 1), the bins of the second from 0 to 2 and 2 to 4: they give 1/4 and 0, and the second is held."""
        layers = [pl.Input(2), pl.PiecewiseLinearEncoding(((), (0.0, 2.0, 4.0))), pl.Regression()]
        weights = {"output.weight": np.array([[1.0], [3.0], [4.0], [7.0]]), "output.bias": np.array([0.0])}
        trace = pl.Network(layers, dtype="float64", arrays=weights).trace(np.array([[2.0, 1.0]]))
        edges = strongest_paths(trace, "input", (1,), 5)
        found = {(edge.layer, edge.start, edge.end): (edge.value, round(edge.share, 12)) for edge in edges}
        assert found == {
            ("piecewise_linear_encoding_1", (1,), (1,)): (1, round(1 / 1.25, 12)),
            ("piecewise_linear_encoding_1", (1,), (2,)): (0.25, round(0.25 / 1.25, 12)),
            ("output", (1,), (0,)): (3, round(1 / 1.25, 12)),  # 3 * 1
            ("output", (2,), (0,)): (1, round(0.25 / 1.25, 12)),  # 4 * 1/4
        }
        down = {(edge.layer, edge.start, edge.end) for edge in strongest_paths(trace, "output", (0,), 5)}
        assert down == {
            *(("output", (number,), (0,)) for number in (0, 1, 2)),
            *(("piecewise_linear_encoding_1", (column,), (number,)) for column, number in ((0, 0), (1, 1), (1, 2))),
        }

    def test_through_the_vector_of_a_category(self):
        """x = (2, category 1), v = (3, -5): the vector's numbers come from the category, and its gradient ends there."""
        layers = [pl.Input(2), pl.Embedding(((1, 2, 2),)), pl.Regression()]
        weights = {
            "embedding_1.vectors_1": np.array([[9.0, 9.0], [3.0, -5.0], [9.0, 9.0]]),
            "output.weight": np.array([[1.0], [2.0], [4.0]]),
            "output.bias": np.array([0.0]),
        }
        network = pl.Network(layers, dtype="float64", arrays=weights)
        trace = network.trace(np.array([[2.0, 1.0]]), np.array([0.0]))
        up = {(edge.layer, edge.start, edge.end): edge.value for edge in strongest_paths(trace, "input", (1,), 5)}
        assert up == {
            ("embedding_1", (1,), (1,)): 3,
            ("embedding_1", (1,), (2,)): -5,
            ("output", (1,), (0,)): 6,
            ("output", (2,), (0,)): -20,
        }
        down = {(edge.layer, edge.start, edge.end) for edge in strongest_paths(trace, "output", (0,), 5)}
        assert down == {("output", (number,), (0,)) for number in range(3)} | {
            *(("embedding_1", (column,), (number,)) for column, number in ((0, 0), (1, 1), (1, 2))),
        }
        back = strongest_paths(trace, "output", (0,), 5, backward=True)
        assert {(edge.start, edge.end) for edge in back if edge.layer == "embedding_1"} == {((0,), (0,))}

    def test_through_the_waves_of_a_column(self):
        """x = (7, 2): of the second column a wave with 1/4 of a turn a unit and the phase 1/4, whose slope is pi / 2."""
        layers = [pl.Input(2), pl.PeriodicEmbedding(1, (1,)), pl.Regression()]
        weights = {
            "periodic_embedding_1.frequency": np.array([[0.25]]),
            "periodic_embedding_1.phase": np.array([[0.25]]),
            "output.weight": np.array([[1.0], [2.0], [4.0]]),
            "output.bias": np.array([0.0]),
        }
        trace = pl.Network(layers, dtype="float64", arrays=weights).trace(np.array([[7.0, 2.0]]))
        up = {(edge.layer, edge.start, edge.end): edge.value for edge in strongest_paths(trace, "input", (1,), 5)}
        assert up["periodic_embedding_1", (1,), (1,)] == 2
        assert up["periodic_embedding_1", (1,), (2,)] == pytest.approx(2 * np.pi / 2)
        of_the_first = strongest_paths(trace, "input", (0,), 5)
        assert {edge.end for edge in of_the_first if edge.layer == "periodic_embedding_1"} == {(0,)}

    def test_only_the_strongest(self):
        assert [edge.start for edge in strongest_paths(by_hand(), "output", (0,), 1)] == [(0,), (0,)]

    def test_up_from_a_neuron(self):
        assert self.edges("dense_1", (2,), 1) == {
            ("dense_1", (2,), "output", (1,)): (2, round(2 / 3, 12)),  # 1 * 2 of |1| + |2|
            ("input", (1,), "dense_1", (2,)): (1, 1.0),
        }

    def test_backward_each_number_hands_its_gradient_down(self):
        """p of class 0 is 1 / (1 + e^-12.5), scores 5.5 and -7: with the target 1, dz of class 1 is -p."""
        network = pl.Network([pl.Input(2), pl.Dense(3, "relu"), pl.Classification(2)], arrays=HAND, dtype="float64")
        trace = network.trace(np.array([[2.0, 1.0]]), [1], training=False)
        p = 1 / (1 + np.exp(-12.5))
        edges = strongest_paths(trace, "output", (1,), 3, backward=True)
        found = {(edge.source, edge.start, edge.end): edge.value for edge in edges}
        assert found["dense_1", (0,), (1,)] == pytest.approx(2 * p)  # -p * -2
        assert found["dense_1", (1,), (1,)] == pytest.approx(-p)
        assert found["dense_1", (2,), (1,)] == pytest.approx(-2 * p)
        assert found["input", (0,), (0,)] == pytest.approx(3 * p)  # dL/da of unit 0: p * 1 - p * -2; times 1
        assert found["input", (1,), (0,)] == pytest.approx(6 * p)  # times 2
        assert found["input", (1,), (2,)] == pytest.approx(-p)  # unit 2: p * 1 - p * 2; times 1
        assert len(found) == 6  # the unit that is off hands nothing down

    def test_backward_parts_add_up_to_the_gradient_of_the_input(self, convolutions):
        """All of them from all numbers of a convolution, with margins: the trace's own dinput."""
        x = RNG.integers(0, 256, (12, 12)).astype(np.uint8)
        trace = convolutions.trace(x[None], [1], training=False)
        total = np.zeros((12, 12, 1))
        for index in np.ndindex(*trace.layer("conv2d_1").output.shape[1:]):
            edges = strongest_paths(trace, "conv2d_1", index, 9, backward=True)
            for edge in edges:
                if edge.layer == "conv2d_1":
                    total[(*edge.start, 0)] += edge.value
        np.testing.assert_allclose(total[..., 0], trace.layer("conv2d_1").dinput[0], rtol=1e-9, atol=1e-15)

    def test_nothing_comes_from_a_neuron_that_is_off(self):
        assert all(edge.layer == "dense_1" for edge in strongest_paths(by_hand(), "dense_1", (1,), 3))

    def test_edges_up_are_products_of_the_numbers_they_lead_to(self, convolutions):
        x = RNG.integers(0, 256, (12, 12)).astype(np.uint8)
        trace = convolutions.trace(x[None])
        edges = strongest_paths(trace, "input", (5, 6), 6)
        assert {edge.layer for edge in edges} >= {"residual_1", "residual_2", "max_pooling2d_1", "output"}
        assert {(edge.source, edge.layer) for edge in edges} >= {("batch_normalization_1", "residual_1")}
        for edge in edges:
            found = element(trace, edge.layer, edge.end)
            products = dict(
                zip(
                    (
                        (found.sources[origin], *position)
                        for origin, position in zip(found.origin, found.positions.tolist(), strict=True)
                    ),
                    found.products,
                    strict=True,
                )
            )
            assert products[edge.source, *edge.start] == pytest.approx(edge.value, rel=1e-12)
