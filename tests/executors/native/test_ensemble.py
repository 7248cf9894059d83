"""An ensemble inside one network on the native executor: the numbers of the layers, for every size, order and thread."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from exactness import assert_exact, halves, power_of_two_weights
from rounding import SAFETY, UNIT, case, check, classes, values
from twins import (
    ISAS,
    assert_calls_add_up,
    assert_listeners_do_not_matter,
    assert_same_bits,
    assert_threads_do_not_matter,
    fitted,
    numbers,
    spread,
    twin,
)

import pellucid as pl
from pellucid.executors.native import executor
from pellucid.executors.native.inference import native_inference

EVERY_ISA = pytest.mark.parametrize("isa", ISAS)

# (members, inputs, hidden units ..., outputs): around the widths of vectors and panels, across the blocks of 512 in depth
# and of 240 rows.
SIZES = [
    (2, 1, 1, 1),
    (2, 3, 33, 2),
    (4, 17, 16, 65, 1),
    (8, 33, 64, 17, 4),
    (16, 5, 31, 33, 2),
    (8, 530, 9, 4),
    (4, 6, 520, 3, 8),
    (256, 4, 5, 2),
    (4, 7, 20, 64),
]
BATCHES = (1, 2, 13, 31, 97, 300)


def example(sizes, batch, seed, *, loss="mae", between=(), use_bias=True):
    """(network, x, y, weights) with numbers of few bits: the scales are powers of two, with both signs."""
    rng = np.random.default_rng(seed)
    members, inputs, *hidden, outputs = sizes
    layers = [pl.Input(inputs)]
    for units in hidden:
        layers += [pl.EnsembleDense(units, members, "relu", use_bias=use_bias), *between]
    network = pl.Network([*layers, pl.Regression(outputs, loss, use_bias=use_bias, members=members)], seed=seed)
    for name, array in network.parameters.items():
        if name.endswith("scales"):
            network.parameters[name] = rng.choice([-2.0, -1.0, 0.5, 1.0], array.shape)
        else:
            few = rng.random(array.shape) < min(1.0, 12 / array.shape[-2])  # terms a sum, so that it keeps few bits
            network.parameters[name] = np.where(few, halves(rng, array.shape), 0.0)
    x = rng.integers(-1, 2, (batch, inputs)).astype(np.float32)
    return network, x, halves(rng, (batch, outputs), 9), power_of_two_weights(rng, batch)


@EVERY_ISA
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_every_size_with_every_batch(isa, sizes, monkeypatch):
    monkeypatch.setenv("PELLUCID_ISA", isa)
    for batch in BATCHES if sizes[0] < 100 else BATCHES[:3]:
        network, x, y, weights = example(sizes, batch, seed=batch + sum(sizes))
        assert_exact(network, x, y, sample_weight=weights, threads=1 + batch % 3)


@EVERY_ISA
@pytest.mark.parametrize("batch", [1, 16, 97])
def test_each_member_has_masks_of_its_own(isa, batch, monkeypatch):
    monkeypatch.setenv("PELLUCID_ISA", isa)
    for seed, sizes in enumerate([(4, 9, 17, 65, 2), (2, 5, 130, 3, 1)]):
        network, x, y, weights = example(sizes, batch, seed, between=[pl.Dropout(0.5)])
        network.training_state.step = 2**33 + 5
        assert_exact(network, x, y, sample_weight=weights, threads=3)


@EVERY_ISA
@pytest.mark.parametrize(("first", "rest"), [(31, 5), (97, 1), (60, 59)], ids=str)
def test_the_smaller_last_batch(isa, first, rest, monkeypatch):
    """The first batch has the weight zero: it must change nothing, so that the second one starts from few bits."""
    monkeypatch.setenv("PELLUCID_ISA", isa)
    network, x, y, _ = example((8, 17, 65, 2), first + rest, seed=rest, between=[pl.Dropout(0.5)])
    weights = np.concatenate([np.zeros(first), power_of_two_weights(np.random.default_rng(rest), rest)])
    native = assert_exact(network, x, y, sample_weight=weights, batch_size=first, threads=2)
    assert native.training_state.step == 2


@EVERY_ISA
@pytest.mark.parametrize("batch", [31, 300])
@pytest.mark.parametrize(
    "options",
    [
        {"loss": pl.Huber(0.5)},
        {"use_bias": False},
        {"regularizer": pl.L1(0.25)},
        {"regularizer": pl.L1(0.25) + pl.L2(0.125)},
        {"clipping": pl.ClipByValue(2.0**-6)},
        {"clipping": pl.ClipByGlobalNorm(1e30)},
        {"clipping": pl.ClipByGlobalNorm(1e30), "regularizer": pl.L1(0.25)},
        {"optimizer": pl.GradientDescent(0.5, 0.5, True)},
    ],
    ids=str,
)
def test_every_rule_that_rounds_nothing(isa, batch, options, monkeypatch):
    monkeypatch.setenv("PELLUCID_ISA", isa)
    making = {name: options[name] for name in options if name in ("loss", "use_bias")}
    rules = {name: options[name] for name in options if name not in making}
    sizes = (2, 6, 5, 1) if "loss" in making else (4, 17, 33, 9, 2)
    network, x, y, weights = example(sizes, batch, seed=3, **making)
    assert_exact(network, x, y, sample_weight=weights, threads=2, **rules)


@pytest.mark.parametrize("threads", [1, 2, 5, 16])
def test_every_number_of_threads(threads):
    network, x, y, weights = example((8, 65, 130, 33, 4), 97, seed=8)
    assert_exact(network, x, y, sample_weight=weights, threads=threads)


@EVERY_ISA
@pytest.mark.parametrize("members", [3, 5, 8])
@pytest.mark.parametrize("batch", [7, 120])
def test_a_step_is_the_true_one_but_for_rounding(isa, members, batch, monkeypatch):
    """Members that are no power of two, activations that bend, a layer before the members, and the encoding of a table."""
    monkeypatch.setenv("PELLUCID_ISA", isa)
    encoding = pl.PiecewiseLinearEncoding(((-1.5, -0.25, 0.0, 1.0), (), (-1.0, 1.0)))
    stacks = [
        ([pl.Input(3), encoding, pl.EnsembleDense(21, members, "tanh")], pl.Classification(3, members=members), classes(3)),
        (
            [pl.Input(6), pl.Dense(18, "silu"), pl.EnsembleDense(33, members, "gelu"), pl.EnsembleDense(9, members, "elu")],
            pl.BinaryClassification(0.1, members=members),
            classes(2),
        ),
        ([pl.Input(9), pl.EnsembleDense(40, members, "softplus")], pl.Regression(2, members=members), values(2)),
    ]
    for layers, output, target in stacks:
        network, x, y = case([*layers, output], batch, target)
        check(network, x, y, threads=2)


FRONTS = {
    "factors": [pl.ScaleFeatures()],
    "bins and factors": [pl.PiecewiseLinearEncoding(((-1.0, 0.0, 1.0), (), (), (-0.5, 0.5))), pl.ScaleFeatures()],
    "categories": [pl.Embedding(((1, 3, 2),)), pl.ScaleFeatures()],
    "waves": [pl.PeriodicEmbedding(3, (0, 2), 0.5)],
}


@EVERY_ISA
@pytest.mark.parametrize("name", FRONTS)
def test_layers_of_a_table_learn_from_all_members(isa, name, monkeypatch):
    """Their gradient is the sum over the members, also where each sample has a row for each of them."""
    monkeypatch.setenv("PELLUCID_ISA", isa)
    x = np.random.default_rng(1).normal(size=(50, 4)).astype(np.float32)
    x[:, 1] = np.arange(50) % 3
    layers = [pl.Input(4), *FRONTS[name], pl.EnsembleDense(33, 5, "tanh"), pl.Dropout(0.3), pl.Classification(3, members=5)]
    network, y = spread(pl.Network(layers, seed=3), 3), np.arange(50) % 3
    native = fitted(network, x, y, threads=2)
    truth = numbers(fitted(network, x, y, engine="numpy", dtype="float64"))
    assert_same_bits(numbers(native), numbers(fitted(network, x, y, threads=1)))
    for vector, array in numbers(native).items():
        np.testing.assert_allclose(array, truth[vector], rtol=0, atol=1e-6)
    moved = {full for full in network.parameters if not np.array_equal(native.parameters[full], network.parameters[full])}
    assert moved == set(network.parameters)


HIDDEN = [pl.EnsembleDense(131, 5, "silu"), pl.Dropout(0.5), pl.EnsembleDense(33, 5, "elu"), pl.Dropout(0.1)]
RNG = np.random.default_rng(4)
X = RNG.normal(size=(310, 20)).astype(np.float32)
Y = RNG.integers(0, 3, 310)
OPTIONS = {"batch_size": 97, "shuffle": True, "optimizer": pl.Adam(0.01), "clipping": pl.ClipByGlobalNorm(0.5)}


def train(**options):
    network = spread(pl.Network([pl.Input(20), *HIDDEN, pl.Classification(3, 0.1, members=5)], seed=7), 2)
    return fitted(network, X, Y, **{"epochs": 5, **OPTIONS, **options})


@EVERY_ISA
@pytest.mark.parametrize("clipping", [None, pl.ClipByGlobalNorm(0.5)])
def test_any_number_of_threads_gives_the_same_bits(isa, clipping, monkeypatch):
    monkeypatch.setenv("PELLUCID_ISA", isa)
    assert_threads_do_not_matter(partial(train, clipping=clipping), (2, 3, 8), steps=20)


def test_steps_one_by_one_or_several_at_once():
    assert_listeners_do_not_matter(partial(train, epochs=3))


def test_one_call_of_three_epochs_equals_three_calls():
    assert_calls_add_up(train, X, Y, (1, 2, 3), **OPTIONS)


@EVERY_ISA
def test_leaving_zeros_out_changes_no_bit(isa, monkeypatch):
    monkeypatch.setenv("PELLUCID_ISA", isa)
    x, results = np.where(RNG.random(X.shape) < 0.7, 0, X).astype(np.float32), []
    network = spread(pl.Network([pl.Input(20), *HIDDEN, pl.Classification(3, members=5)], seed=7), 2)
    for answer in (True, False):
        monkeypatch.setattr(executor, "_has_many_zeros", lambda x, answer=answer: answer)
        results.append(numbers(fitted(network, x, Y, batch_size=31, epochs=2)))
    assert_same_bits(*results)


STACKS = {
    "classes": [
        pl.Input(11),
        pl.EnsembleDense(65, 3, "gelu"),
        pl.EnsembleDense(17, 3, "elu"),
        pl.Classification(33, members=3),
    ],
    "yes or no": [pl.Input(20), pl.Dense(7, "relu"), pl.EnsembleDense(130, 8), pl.BinaryClassification(members=8)],
    "numbers": [
        pl.Input(5, 3),
        pl.Flatten(),
        pl.EnsembleDense(515, 4, "silu"),
        pl.Regression(2, use_bias=False, members=4),
    ],
    "bins": [
        *(pl.Input(2), pl.PiecewiseLinearEncoding(((0.0, 0.5, 1.0), ())), pl.EnsembleDense(9, 300, "tanh")),
        pl.Regression(members=300),
    ],
}
stacks = pytest.mark.parametrize("name", STACKS)


@EVERY_ISA
@stacks
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_answers_are_those_of_the_layers(isa, name, dtype, monkeypatch):
    monkeypatch.setenv("PELLUCID_ISA", isa)
    network = spread(pl.Network(STACKS[name], seed=5), 5)
    truth = twin(network, "float64")
    truth.engine_choice = "numpy"
    terms = sum(np.prod(node.input_shape, initial=1) + 16 for node in network.nodes)
    for count in (1, 2, 23, 24, 25, 200):
        x = np.random.default_rng(count).integers(0, 256, (count, *network.input.shape), dtype=np.uint8)
        x = x if dtype == np.uint8 else (x / 99 - 1).astype(np.float32)
        found, true = native_inference(network).run(x), truth.forward(x)
        assert np.abs(found - true).max() <= SAFETY * UNIT * np.sqrt(terms) * np.abs(true).max()
        if network.output.metric == "accuracy":
            np.testing.assert_allclose(network.predict_proba(x), truth.predict_proba(x), rtol=0, atol=1e-5)


@EVERY_ISA
@stacks
def test_a_sample_has_the_same_bits_alone_in_any_batch_and_on_any_thread(isa, name, monkeypatch):
    monkeypatch.setenv("PELLUCID_ISA", isa)
    network = spread(pl.Network(STACKS[name], seed=5), 5)
    x = np.random.default_rng(0).normal(size=(600, *network.input.shape)).astype(np.float32)
    native = native_inference(network)
    together = native.run(x)
    for threads in (1, 2, 5):
        native.threads = threads
        assert native.run(x).tobytes() == together.tobytes()
    for i in range(0, 600, 61):
        assert native.run(x[i : i + 1]).tobytes() == together[i : i + 1].tobytes()
        assert native.run(x[i : i + 7]).tobytes() == together[i : i + 7].tobytes()


@pytest.mark.parametrize(
    ("hidden", "output", "why"),
    [
        ([pl.Dropout(0.1), pl.EnsembleDense(3, 2)], pl.Regression(members=2), "dropout_1 stands before the members"),
        (
            [pl.BatchNormalization(), pl.EnsembleDense(3, 2)],
            pl.Regression(members=2),
            "batch_normalization_1 stands before",
        ),
        ([pl.EnsembleDense(3, 2), pl.BatchNormalization()], pl.Regression(members=2), "other layers work on images"),
        ([pl.EnsembleDense(3, 2), pl.Flatten()], pl.Regression(), "output has no members, and ensemble_dense_1 has"),
        ([pl.EnsembleDense(3, 2), pl.Dense(4)], pl.Regression(), "output has no members"),
        ([pl.Rescale(2.0), pl.EnsembleDense(3, 2)], pl.Regression(members=2), "other layers work on images"),
    ],
)
def test_what_runs_in_numpy_says_why(hidden, output, why):
    network = pl.Network([pl.Input(4), *hidden, output])
    x = RNG.normal(size=(20, 4))
    network.fit(x, x[:, 0], epochs=1, progress="none")
    assert network.engine == "numpy"
    assert why in network.engine_note
    with pytest.raises(pl.ArgumentError, match="cannot run this"):
        network.fit(x, x[:, 0], epochs=1, progress="none", engine="native")
    assert native_inference(network) is None


def test_inputs_of_their_own_run_in_numpy():
    network = pl.Network([pl.Input(2, 4), pl.EnsembleDense(3, 2), pl.Regression(members=2)])
    x = RNG.normal(size=(20, 2, 4))
    network.fit(x, x[:, 0, 0], epochs=1, progress="none")
    assert "see different inputs" in network.engine_note


def test_no_layer_between_inputs_and_heads_runs_in_numpy():
    network = pl.Network([pl.Input(2, 4), pl.Regression(members=2)])
    x = RNG.normal(size=(20, 2, 4))
    network.fit(x, x[:, 0, 0], epochs=1, progress="none")
    assert "share no layer" in network.engine_note
