"""The sums of an ensemble, one by one: those of its members, and the mean that is the answer."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid as pl
from pellucid.inspection.arithmetic.elements import element
from pellucid.inspection.arithmetic.loss_along import loss_along
from pellucid.inspection.arithmetic.number import number_in_full
from pellucid.inspection.arithmetic.paths import strongest_paths
from pellucid.inspection.trace.address import read_address

RNG = np.random.default_rng(6)
MEMBERS, X = 3, RNG.normal(size=(2, 5))


@pytest.fixture(scope="module")
def network():
    hidden = [
        pl.Dense(6, "relu"),
        pl.EnsembleDense(7, MEMBERS, "tanh"),
        pl.EnsembleDense(4, MEMBERS, "relu", use_bias=False),
    ]
    made = pl.Network([pl.Input(5), *hidden, pl.Classification(3, members=MEMBERS)], dtype="float64")
    made.parameters.vector[...] = RNG.normal(size=made.parameters.vector.shape)
    return made


@pytest.mark.parametrize("sample", [0, 1])
@pytest.mark.parametrize("name", ["ensemble_dense_1", "ensemble_dense_2", "output"])
def test_each_sum_is_that_of_its_products(network, name, sample):
    trace = network.trace(X, [0, 2], training=False)
    layer = trace.layer(name)
    for member in range(MEMBERS):
        for unit in range(layer.output.shape[2]):
            neuron = trace.neuron(name, unit, sample=sample, place=(member,))
            assert neuron.sum == layer.sums[sample, member, unit]
            assert neuron.products.sum() + (neuron.bias or 0) == pytest.approx(neuron.sum, rel=1e-12, abs=1e-13)
            assert neuron.output == layer.output[sample, member, unit]
            for position, x in zip(neuron.positions, neuron.inputs, strict=True):
                assert layer.input[(sample, *position)] == x
            assert read_address(neuron.name) == (name, unit, (member,))


def test_what_the_units_of_a_member_send_down_adds_up_to_the_gradient_of_their_inputs(network):
    trace = network.trace(X, [0, 2], training=False)
    for name, units in (("ensemble_dense_2", 4), ("output", 3)):
        for member in range(MEMBERS):
            sent = sum(trace.neuron(name, unit, place=(member,)).dinputs for unit in range(units))
            np.testing.assert_allclose(sent, trace.layer(name).dinput[0, member], rtol=1e-11, atol=1e-14)
    seen_by_all = sum(
        trace.neuron("ensemble_dense_1", unit, place=(member,)).dinputs for unit in range(7) for member in range(MEMBERS)
    )
    np.testing.assert_allclose(seen_by_all, trace.layer("ensemble_dense_1").dinput[0], rtol=1e-11, atol=1e-14)


def test_the_answer_is_one_sum_over_all_members(network):
    """Without a place: the logit, as a sum over the outputs of all members; its gradient is p - t."""
    trace, x = network.trace(X, [0, 2], training=False), network.forward(X)
    p = network.predict_proba(X)
    for k in range(3):
        neuron = trace.neuron("output", k, sample=1)
        assert neuron.products.sum() + neuron.bias == pytest.approx(x[1, k], rel=1e-12)
        assert neuron.sum == pytest.approx(x[1, k], rel=1e-14)
        assert neuron.dsum == pytest.approx((p[1, k] - (k == 2)) / 2, rel=1e-12)
        assert neuron.positions.tolist() == [[m, d] for m in range(MEMBERS) for d in range(4)]
    np.testing.assert_allclose(trace.logits, x, rtol=1e-14)
    assert network.trace(X, [0, 2]).neuron("output", 1).dsum is None  # in training each member has a loss of its own


@pytest.mark.parametrize(
    ("name", "unit", "place", "said"),
    [
        ("ensemble_dense_1", 2, None, r"say whose: ensemble_dense_1\[2\]@0"),
        ("ensemble_dense_1", 7, (0,), "it are|7 units"),
        ("ensemble_dense_1", 2, (3,), "3 members"),
        ("output", 0, (0, 0), "say which"),
        ("dense_1", 0, (1,), "no convolution"),
    ],
)
def test_who_is_not_there_is_named(network, name, unit, place, said):
    with pytest.raises(pl.ArgumentError, match=said):
        network.trace(X).neuron(name, unit, place=place)


def test_numbers_and_paths_of_the_studio(network):
    """Each number is made of its products, and edges lead from the output to the input and are those products."""
    trace = network.trace(X[:1], [1], pl.Adam(), training=False)
    for name, index in (("ensemble_dense_1", (2, 3)), ("ensemble_dense_2", (1, 0)), ("output", (0, 2))):
        found, layer = element(trace, name, index), trace.layer(name)
        bias = layer.parameters["bias"][index] if "bias" in layer.parameters else 0.0
        assert found.products.sum() + bias == pytest.approx(layer.sums[(0, *index)], rel=1e-11)
        assert found.address == f"{name}[{index[1]}]@{index[0]}"
        data, arrays = number_in_full(trace, name, index)
        assert data["sum"] == layer.sums[(0, *index)]
        assert len(arrays["gradients"]) == len(arrays["new"]) == len(found.inputs)
    edges = strongest_paths(trace, "ensemble_dense_1", (2, 3), 4)
    assert {edge.layer for edge in edges} >= {"output", "ensemble_dense_2", "ensemble_dense_1", "dense_1"}
    for edge in edges:
        found = element(trace, edge.layer, edge.end)
        at = found.positions.tolist().index(list(edge.start))
        assert edge.value == pytest.approx(found.products[at], rel=1e-12)
        if edge.layer in ("ensemble_dense_2", "output"):
            assert edge.start[0] == edge.end[0] == 2  # from then on within one member
    assert strongest_paths(trace, "output", (0, 1), 3, backward=True)


def test_the_loss_along_a_weight_of_all_members_is_refused(network):
    with pytest.raises(pl.ArgumentError, match="3 members at once"):
        loss_along(network, X[0], 1, "ensemble_dense_1", 0, 0)
