"""The encoding of a table, natively: bit by bit what NumPy gives in training, and but for rounding in prediction.

The oracle of training is a network without the encoding, on rows that NumPy has encoded: it must be trained with the same
bits. That holds the encoding itself to NumPy, and shows that nothing else has changed. Predictions add up sums of weights
in place of single bins (native/kernels/encoding.cpp); their oracle is NumPy in float64.
"""

from __future__ import annotations

import numpy as np
import pytest
from rounding import SAFETY, UNIT, case, check, classes
from twins import (
    ISAS,
    assert_same_bits,
    assert_threads_do_not_matter,
    assert_threads_do_not_matter_to_answers,
    fitted,
    numbers,
    spread,
    twin,
)

import pellucid as pl
from pellucid._native import has_bf16
from pellucid.executors.native import executor
from pellucid.executors.native.inference import native_inference
from pellucid.nn.layers.base import Context

EVERY_ISA = pytest.mark.parametrize("isa", ISAS)
RNG = np.random.default_rng(12)


def rising(count, low=-2.0, high=2.0):
    """Edges that float32 holds exactly, as `PiecewiseLinearEncoding.fit` gives them."""
    return tuple(np.sort(RNG.uniform(low, high, count).astype(np.float32)).astype(float).tolist())


# name -> edges of each column: widths all around those of vectors, columns without bins at each place, wide and narrow bins
EDGES = {
    "one bin": ((-1.0, 1.0),),
    "no bins at all": ((), (), ()),
    "odd widths": (rising(4), (), rising(18), rising(2), (), rising(50), rising(17), rising(16), ()),
    "many columns": tuple(() if column % 3 else rising(2 + column % 7) for column in range(83)),
    "far and near": ((-1e30, 1e30), (0.0, 1e-6, 2e-6), (-3e8, 0.0, 7.0)),
    "deep": tuple(rising(49) for _ in range(12)),  # more numbers than one block of a product
}
every_edges = pytest.mark.parametrize("name", EDGES)


def encoding_of(name):
    return pl.PiecewiseLinearEncoding(EDGES[name], 0.7)


def rows_for(encoding, count, dtype=np.float32, most=50.0):
    """Numbers below, on, between and above the edges, from -most to most."""
    rng = np.random.default_rng(count)
    columns = len(encoding.edges)
    if dtype == np.uint8:
        return rng.integers(0, 256, (count, columns), dtype=np.uint8)
    x = rng.normal(0, 2, (count, columns)).astype(np.float32)
    for column, edges in enumerate(encoding.edges):
        if edges:
            on_an_edge = rng.random(count) < 0.2
            x[on_an_edge, column] = rng.choice(edges, on_an_edge.sum())
    far = rng.random(x.shape) < 0.05
    x[far] = most * np.sign(x[far])
    return np.clip(x, -most, most)


def encoded(encoding, x):
    """What a network's layers see behind the encoding, by NumPy in float32."""
    numbers, _ = pl.Input(x.shape[1]).forward({}, x, Context())
    return encoding.forward({}, numbers, Context())[0]


def pair(encoding, hidden, output, seed=3):
    """Two networks with the same parameters: one encodes, the other takes encoded rows."""
    (width,) = encoding.output_shape((len(encoding.edges),))
    plain = spread(pl.Network([pl.Input(width), *hidden, output], seed=seed), seed)
    arrays = {name: array.copy() for name, array in {**plain.parameters, **plain.state}.items()}
    own = pl.Network([pl.Input(len(encoding.edges)), encoding, *hidden, output], seed, arrays=arrays)
    return own, plain


HIDDEN = {
    "none": [],
    "by rows": [pl.Dense(19, "tanh")],
    "by columns": [pl.Dense(70, "gelu"), pl.BatchNormalization(), pl.Dense(33, "relu")],
    "normalized at once": [pl.BatchNormalization(), pl.Dense(40, "silu")],
}
every_hidden = pytest.mark.parametrize("hidden", HIDDEN)


@EVERY_ISA
@every_edges
@every_hidden
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_it_is_trained_as_on_rows_that_numpy_encoded(isa, name, hidden, dtype, monkeypatch):
    """Batches of 230: small networks are dealt by rows, the others by columns; the last batch is smaller."""
    monkeypatch.setenv("PELLUCID_ISA", isa)
    encoding = encoding_of(name)
    own, plain = pair(encoding, HIDDEN[hidden], pl.Classification(3))
    x = rows_for(encoding, 301, dtype)
    y = np.random.default_rng(0).integers(0, 3, 301)
    options = {"batch_size": 230, "epochs": 3, "shuffle": True, "optimizer": pl.Adam(0.01), "threads": 2}
    ours, theirs = fitted(own, x, y, **options), fitted(plain, encoded(encoding, x), y, **options)
    assert_same_bits(numbers(ours), numbers(theirs))
    assert ours.history["loss"] == theirs.history["loss"]
    assert not np.array_equal(ours.parameters.vector, own.parameters.vector)


COUNTS = (1, 2, 11, 12, 47, 48, 193, 400)  # of rows: the weights are summed for each row, or once for all from 48 on


@EVERY_ISA
@every_edges
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_a_weighted_sum_of_bins_is_the_true_one_but_for_rounding(isa, name, dtype, monkeypatch):
    """Each sum is held to the sizes of its own terms: a number beyond all edges excuses no other row."""
    monkeypatch.setenv("PELLUCID_ISA", isa)
    encoding = encoding_of(name)
    for outputs in (1, 5, 37, 130):  # parts of a panel, several panels, and several of those for one row
        own, _ = pair(encoding, [], pl.Regression(outputs))
        truth = twin(own, "float64")
        weight, bias = truth.parameters["output.weight"], truth.parameters["output.bias"]
        for count in COUNTS:
            x = rows_for(encoding, count, dtype, most=1e20)
            assert native_inference(own) is not None
            y = encoding.forward({}, np.float64(x) / (255 if dtype == np.uint8 else 1), Context())[0]
            terms = np.abs(y) @ np.abs(weight) + np.abs(bias)
            terms += encoding.gain * 2 * np.abs(weight[len(encoding.edges) :]).sum(axis=0)  # of all bins below
            distance = np.abs(own.predict(x).reshape(count, -1) - (y @ weight + bias))
            assert (distance <= SAFETY * UNIT * np.sqrt(len(weight)) * terms).all()


@EVERY_ISA
@every_edges
@every_hidden
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_it_answers_as_numpy_does_but_for_rounding(isa, name, hidden, dtype, monkeypatch):
    monkeypatch.setenv("PELLUCID_ISA", isa)
    own, _ = pair(encoding_of(name), HIDDEN[hidden], pl.Regression(5))
    truth = twin(own, "float64")
    bound = SAFETY * UNIT * np.sqrt(sum(np.prod(node.input_shape, initial=1) + 16 for node in own.nodes))
    for count in COUNTS:
        x = rows_for(encoding_of(name), count, dtype)
        true = truth.propagate(x).logits
        assert np.abs(own.forward(x) - true).max() <= 2 * bound * np.abs(true).max()


@EVERY_ISA
@every_edges
def test_behind_another_layer_than_a_weighted_sum_the_bins_are_those_of_numpy(isa, name, monkeypatch):
    """A batch normalization reads the bins themselves: bit by bit the answers of a network without the encoding."""
    monkeypatch.setenv("PELLUCID_ISA", isa)
    encoding = encoding_of(name)
    own, plain = pair(encoding, HIDDEN["normalized at once"], pl.Regression(5))
    for count in COUNTS:
        x = rows_for(encoding, count, most=1e20)
        assert own.predict(x).tobytes() == plain.predict(encoded(encoding, x)).tobytes()


@EVERY_ISA
@every_edges
def test_a_row_has_the_same_bits_alone_and_in_any_batch(isa, name, monkeypatch):
    monkeypatch.setenv("PELLUCID_ISA", isa)
    encoding = encoding_of(name)
    own, _ = pair(encoding, HIDDEN["by columns"], pl.Classification(3))
    x = rows_for(encoding, 400)
    together = own.predict_proba(x)
    for i in range(0, 400, 61):
        for count in (1, 7, 60):
            assert own.predict_proba(x[i : i + count]).tobytes() == together[i : i + count].tobytes()


@EVERY_ISA
@pytest.mark.parametrize("hidden", ["by rows", "by columns"])
def test_the_number_of_threads_changes_no_bit(isa, hidden, monkeypatch):
    monkeypatch.setenv("PELLUCID_ISA", isa)
    encoding = encoding_of("odd widths")
    own, _ = pair(encoding, HIDDEN[hidden], pl.Classification(3))
    x, y = rows_for(encoding, 301), np.random.default_rng(0).integers(0, 3, 301)

    def train(threads):
        return fitted(own, x, y, batch_size=200, epochs=4, optimizer=pl.Adam(0.01), shuffle=True, threads=threads)

    assert_threads_do_not_matter(train, (2, 3), steps=8)
    assert_threads_do_not_matter_to_answers(own, rows_for(encoding, 7000))  # also in long blocks


@EVERY_ISA
@pytest.mark.parametrize("batch", [7, 250])
def test_a_step_is_the_true_one_but_for_rounding(isa, batch, monkeypatch):
    """Without the other network: against NumPy in float64, with edges that float32 holds exactly."""
    monkeypatch.setenv("PELLUCID_ISA", isa)
    encoding = pl.PiecewiseLinearEncoding(((-1.5, -0.25, 0.0, 1.0), (), (-1.0, 1.0)))
    network, x, y = case([pl.Input(3), encoding, pl.Dense(21, "tanh"), pl.Classification(3)], batch, classes(3))
    check(network, x, y, threads=2)


@pytest.mark.parametrize("hidden", ["by rows", "by columns"])
def test_leaving_zeros_out_changes_no_bit(hidden, monkeypatch):
    encoding = encoding_of("deep")
    own, _ = pair(encoding, HIDDEN[hidden], pl.Classification(3))
    x, y = rows_for(encoding, 150), np.random.default_rng(0).integers(0, 3, 150)
    results = []
    for answer in (True, False):
        monkeypatch.setattr(executor, "_has_many_zeros", lambda x, answer=answer: answer)
        results.append(numbers(fitted(own, x, y, batch_size=31, epochs=2)))
    assert_same_bits(*results)


def test_zeros_are_counted_behind_the_encoding(monkeypatch):
    """A row of nines is full; encoded by bins that begin at 10, most of it is 0."""
    encoding = pl.PiecewiseLinearEncoding((tuple(float(edge) for edge in range(10, 30)),))
    own, _ = pair(encoding, [], pl.Classification(3))
    seen = []
    monkeypatch.setattr(executor, "_has_many_zeros", lambda x: bool(seen.append(x)))
    x = np.full((20, 1), 9, np.float32)
    fitted(own, x, np.arange(20) % 3)
    assert seen[0].tobytes() == encoded(encoding, x).tobytes()
    assert (seen[0] == 0).mean() > 0.8


@pytest.mark.skipif(not has_bf16(), reason="this processor has no bfloat16")
@pytest.mark.parametrize("name", ["odd widths", "many columns", "deep"])
def test_bf16(name):
    encoding = encoding_of(name)
    own, plain = pair(encoding, HIDDEN["by columns"], pl.Classification(3))
    x, y = rows_for(encoding, 101), np.random.default_rng(0).integers(0, 3, 101)
    options = {"batch_size": 33, "epochs": 2, "precision": "bf16", "threads": 2}
    assert_same_bits(numbers(fitted(own, x, y, **options)), numbers(fitted(plain, encoded(encoding, x), y, **options)))


def test_augmented_rows_are_encoded_too():
    encoding = encoding_of("odd widths")
    own, plain = pair(encoding, HIDDEN["by rows"], pl.Classification(3))
    x, y = rows_for(encoding, 60), np.random.default_rng(0).integers(0, 3, 60)
    options = {"batch_size": 20, "epochs": 2}
    ours = fitted(own, x, y, augment=lambda x, rng: x[:, ::-1].copy(), **options)
    theirs = fitted(plain, encoded(encoding, np.ascontiguousarray(x[:, ::-1])), y, **options)
    assert_same_bits(numbers(ours), numbers(theirs))


def test_a_number_that_is_not_finite_is_refused_with_its_place():
    own, _ = pair(encoding_of("odd widths"), [], pl.Classification(3))
    x = rows_for(encoding_of("odd widths"), 30)
    x[17, 1] = np.inf
    with pytest.raises(pl.ShapeError, match=r"x\[17\] holds NaN or infinity"):
        own.predict(x)
