"""EnsembleDense and outputs with members: by hand, and against as many networks of the ordinary kind."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid as pl
from pellucid.core import random

F64 = np.dtype(np.float64)
RNG = np.random.default_rng(9)
MEMBERS = 5
OUTPUTS = {
    "classes": (pl.Classification(3, 0.1, members=MEMBERS), np.arange(23) % 3),
    "yes or no": (pl.BinaryClassification(members=MEMBERS), np.arange(23) % 2),
    "numbers": (pl.Regression(2, pl.Huber(0.5), members=MEMBERS), RNG.normal(size=(23, 2))),
    "without bias": (pl.Regression(use_bias=False, members=MEMBERS), RNG.normal(size=23)),
}
outputs = pytest.mark.parametrize(("output", "y"), OUTPUTS.values(), ids=OUTPUTS.keys())
X = RNG.normal(size=(23, 4))


def ensemble(output, use_bias=True):
    """A network of members whose every number is its own."""
    hidden = [pl.EnsembleDense(7, MEMBERS, "tanh", use_bias=use_bias), pl.EnsembleDense(6, MEMBERS, "gelu")]
    network = pl.Network([pl.Input(4), *hidden, output], seed=2, dtype="float64")
    for name in network.parameters:
        network.parameters[name] = np.random.default_rng(len(name)).normal(size=network.parameters[name].shape)
    return network


def alone(network, member):
    """One member as a network of the ordinary kind: its scales are multiplied into the weights."""
    layers, arrays = [network.input], {}
    for node in network.nodes[1:-1]:
        layer, name = node.layer, node.name
        layers.append(pl.Dense(layer.units, layer.activation, use_bias=layer.use_bias))
        r, w, s = (network.parameters[f"{name}.{own}"] for own in ("input_scales", "weight", "output_scales"))
        arrays[f"dense_{len(layers) - 1}.weight"] = r[member][:, None] * w * s[member]
        if layer.use_bias:
            arrays[f"dense_{len(layers) - 1}.bias"] = network.parameters[f"{name}.bias"][member]
    arrays |= {f"output.{own}": network.parameters[f"output.{own}"][member] for own in ("weight", "bias")
               if f"output.{own}" in network.parameters}  # fmt: skip
    fields = {name: getattr(network.output, name) for name in network.output.__dataclass_fields__ if name != "members"}
    return pl.Network([*layers, type(network.output)(**fields)], dtype="float64", arrays=arrays)


def test_by_hand():
    """Two members that see one sample (1, 2): scaled to (1, 2) and (-1, 4), times W, times s, plus b, and relu."""
    layer = pl.EnsembleDense(2, 2, "relu")
    arrays = {
        "input_scales": np.array([[1.0, 1.0], [-1.0, 2.0]]),
        "weight": np.array([[1.0, 0.0], [1.0, -1.0]]),
        "output_scales": np.array([[1.0, -1.0], [2.0, 1.0]]),
        "bias": np.array([[0.5, 1.0], [-7.0, 0.0]]),
    }
    a, cache = layer.forward(arrays, np.array([[1.0, 2.0]]), pl.Context(dtype=F64))
    np.testing.assert_array_equal(cache.scaled, [[[1, 2], [-1, 4]]])
    np.testing.assert_array_equal(cache.product, [[[3, -2], [3, -4]]])
    np.testing.assert_array_equal(cache.z, [[[3.5, 3], [-1, -4]]])
    np.testing.assert_array_equal(a, [[[3.5, 3], [0, 0]]])
    dx, gradients = layer.backward(arrays, cache, np.array([[[1.0, 2.0], [4.0, 8.0]]]))
    # relu stops the second member. dz = (1, 2), times s: dp = (1, -2); du = dp W^T = (1, 3); r is 1
    np.testing.assert_array_equal(dx, [[1, 3]])
    np.testing.assert_array_equal(gradients["bias"], [[1, 2], [0, 0]])
    np.testing.assert_array_equal(gradients["output_scales"], [[3, -4], [0, 0]])
    np.testing.assert_array_equal(gradients["weight"], [[1, -2], [2, -4]])
    np.testing.assert_array_equal(gradients["input_scales"], [[1, 6], [0, 0]])


@outputs
@pytest.mark.parametrize("use_bias", [True, False])
def test_each_member_is_a_network_of_the_ordinary_kind_and_the_answer_their_mean(output, y, use_bias):
    network = ensemble(output, use_bias)
    members = [alone(network, m) for m in range(MEMBERS)]
    scores = network.propagate(X, training=True).logits
    for m, member in enumerate(members):
        np.testing.assert_allclose(scores[:, m], member.forward(X), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(network.forward(X), np.mean([m.forward(X) for m in members], axis=0), rtol=1e-12, atol=1e-13)
    assert np.ptp(scores, axis=1).min() > 1e-3  # the members differ


@outputs
def test_the_loss_is_the_mean_of_theirs_and_that_of_the_answer_is_lower(output, y):
    """Cross-entropy, squares and Huber's loss are convex: the loss of a mean is at most the mean of the losses (Jensen)."""
    network = ensemble(output)
    members = [alone(network, m) for m in range(MEMBERS)]
    losses = [member.trace(X, y).loss.value for member in members]
    trained = network.trace(X, y, training=True).loss.value
    np.testing.assert_allclose(trained, np.mean(losses), rtol=1e-12)
    network.engine_choice = "numpy"
    assert network.evaluate(X, y)["loss"] < trained - 1e-4


@outputs
@pytest.mark.parametrize("weighted", [False, True])
def test_gradients_follow_from_those_of_the_members(output, y, weighted):
    """With W_m = r_m W s_m: dW = sum_m r_m dW_m s_m, dr_md = sum_u dW_m,du W_du s_mu and ds_mu = sum_d dW_m,du W_du r_md,
    where dW_m is a member's own gradient, divided by their number."""
    network = ensemble(output)
    weights = np.linspace(0, 2, len(X)) if weighted else None
    targets = output.targets(output.check_targets(y, len(X)), F64)
    found = _gradients(network, targets, weights)
    expected = {name: np.zeros_like(array) for name, array in network.parameters.items()}
    for m in range(MEMBERS):
        member = alone(network, m)
        own = {name: gradient / MEMBERS for name, gradient in _gradients(member, targets, weights).items()}
        for i in (1, 2):
            name, dw = f"ensemble_dense_{i}", own[f"dense_{i}.weight"]
            r, w, s = (network.parameters[f"{name}.{part}"] for part in ("input_scales", "weight", "output_scales"))
            expected[f"{name}.weight"] += r[m][:, None] * dw * s[m]
            expected[f"{name}.input_scales"][m] = (dw * w * s[m]).sum(axis=1)
            expected[f"{name}.output_scales"][m] = (dw * w * r[m][:, None]).sum(axis=0)
            expected[f"{name}.bias"][m] = own[f"dense_{i}.bias"]
        for part in ("weight", "bias"):
            if f"output.{part}" in own:
                expected[f"output.{part}"][m] = own[f"output.{part}"]
    for name, gradient in expected.items():
        np.testing.assert_allclose(found[name], gradient, rtol=1e-11, atol=1e-14, err_msg=name)


def _gradients(network, targets, weights):
    from pellucid.nn.objective import Objective

    objective = Objective(network)
    objective.descend(X, targets, weights)
    return {name: network.parameters.layout.view(objective.gradient, name).copy() for name in network.parameters}


@outputs
def test_the_whole_network_passes_gradcheck(output, y):
    network = ensemble(output)
    assert pl.gradcheck(network, X, y, tolerance=1e-6).passed


def test_what_makes_the_members_differ_at_first():
    """Random signs before the first layer, and heads drawn one by one; all other scales are 1, all biases 0."""
    network = pl.Network([pl.Input(40), pl.EnsembleDense(30, 4), pl.EnsembleDense(20, 4), pl.Classification(50, members=4)])
    numbers = dict(network.parameters)
    signs = numbers.pop("ensemble_dense_1.input_scales")
    assert set(np.unique(signs)) == {-1.0, 1.0}
    assert np.abs(signs @ signs.T / 40 - np.eye(4)).max() < 6 / np.sqrt(40)  # of independent members
    heads = numbers.pop("output.weight")
    bound = np.sqrt(6 / (20 + 50))  # glorot_uniform of one head, not of all together
    assert 0.97 * bound < np.abs(heads).max() <= bound
    assert np.abs(np.corrcoef(heads.reshape(4, -1)) - np.eye(4)).max() < 6 / np.sqrt(1000)
    for name, array in numbers.items():
        if name.endswith("scales"):
            assert (array == 1).all()
        elif name.endswith("bias"):
            assert (array == 0).all()


def test_the_first_scales_are_drawn_as_asked_for_each_input():
    layers = [pl.Input(3), pl.EnsembleDense(5, 400, scales=pl.Normal(1.0, 0.5)), pl.Regression(members=400)]
    drawn = pl.Network(layers).parameters["ensemble_dense_1.input_scales"]
    assert abs(drawn.mean() - 1) < 6 * 0.5 / np.sqrt(drawn.size)
    assert abs(drawn.std() / 0.5 - 1) < 6 / np.sqrt(2 * drawn.size)
    assert np.abs(np.corrcoef(drawn.T) - np.eye(3)).max() < 6 / np.sqrt(400)


def test_heads_are_drawn_with_keys_of_their_own():
    network = pl.Network([pl.Input(6), pl.EnsembleDense(5, 3), pl.Regression(2, members=3)], seed=8)
    index = list(network.parameters).index("output.weight")
    key = random.key(8, random.Purpose.INITIALIZE, index)
    for m in range(3):
        drawn = pl.VarianceScaling(1.0, "fan_average", "uniform").draw((5, 2), random.key(key, m))
        np.testing.assert_array_equal(network.parameters["output.weight"][m], drawn.astype(np.float32))


def test_members_may_see_inputs_of_their_own():
    layer = pl.EnsembleDense(3, 2, "tanh")
    arrays = {spec.name: RNG.normal(size=spec.shape) for spec in layer.parameter_specs((2, 4))}
    assert layer.parameter_specs((2, 4))[0].initializer == pl.Constant(1.0)
    x = RNG.normal(size=(6, 2, 4))
    a, _ = layer.forward(arrays, x, pl.Context(dtype=F64))
    for m in range(2):
        weight = arrays["input_scales"][m][:, None] * arrays["weight"] * arrays["output_scales"][m]
        np.testing.assert_allclose(a[:, m], np.tanh(x[:, m] @ weight + arrays["bias"][m]), rtol=1e-12)


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        (
            [pl.Input(3, 4), pl.EnsembleDense(5, 2), pl.Regression(members=2)],
            r"ensemble_dense_1: .* \(2, D\), a row for each",
        ),
        ([pl.Input(4), pl.EnsembleDense(5, 2), pl.EnsembleDense(5, 3)], r"ensemble_dense_2: EnsembleDense with 3 members"),
        ([pl.Input(4), pl.EnsembleDense(5, 2), pl.Regression(members=3)], r"output: .* as EnsembleDense\(units, 3\) gives"),
        ([pl.Input(4), pl.Dense(5), pl.Classification(3, members=2)], r"samples of the shape \(5,\) came"),
    ],
)
def test_layers_that_do_not_fit_are_refused(layers, said):
    output = [] if isinstance(layers[-1], pl.Regression | pl.Classification) else [pl.Regression()]
    with pytest.raises(pl.ShapeError, match=said):
        pl.Network([*layers, *output])


@pytest.mark.parametrize("members", [0, 1, -2, 1.5, 5000, "8", True])
def test_a_wrong_number_of_members_is_refused(members):
    with pytest.raises(pl.ArgumentError, match="members"):
        pl.EnsembleDense(4, members)
    if members != 1 or members is True:
        with pytest.raises(pl.ArgumentError, match="members"):
            pl.Classification(3, members=members)


def test_an_output_without_members_reads_all_of_them_as_one_row():
    """An ordinary layer behind members: M D inputs, as of an image."""
    network = pl.Network([pl.Input(4), pl.EnsembleDense(5, 3, "tanh"), pl.Dense(2), pl.Regression()])
    assert network.parameters["dense_1.weight"].shape == (15, 2)
    network.fit(X, X[:, 0], epochs=1, progress="none")
    assert network.engine == "numpy"
    assert network.predict(X).shape == (23,)
