"""Products of bfloat16: exact where eight bits suffice, rounded where they do not, and refused where there are none.

A processor without AVX512_BF16 can only refuse; there, each of these tests demands the refusal instead.
"""

from __future__ import annotations

import numpy as np
import pytest

import pellucid as pl
from pellucid._native import has_bf16

HERE = has_bf16()
REFUSED = "needs a processor with AVX512_BF16"


def integers(rng, shape, most=1):
    return rng.integers(-most, most + 1, shape).astype(np.float32)


def network_of(sizes, seed=0, activation="relu", initializer=None, extra=()):
    hidden = [layer for units in sizes[1:-1] for layer in (pl.Dense(units, activation, initializer=initializer), *extra)]
    return pl.Network([pl.Input(sizes[0]), *hidden, pl.Regression(sizes[-1])], seed=seed)


def fitted(network, x, y, precision, **options):
    """The numbers after training; without bfloat16 here, the refusal is demanded and float32 trains in its place."""
    options = {"epochs": 1, "progress": "none", "shuffle": False, **options}
    if precision == "bf16" and not HERE:
        with pytest.raises(pl.ArgumentError, match=REFUSED):
            network.fit(x, y, precision="bf16", **options)
        precision = "float32"
    network.fit(x, y, precision=precision, **options)
    return network.parameters.vector.copy()


def bits_needed(values):
    """The significant bits of the numbers with the most of them."""
    mantissas, _ = np.frexp(values[values != 0].astype(np.float64))
    return max(next(b for b in range(1, 54) if m * 2**b == round(m * 2**b)) for m in np.abs(mantissas))


@pytest.mark.parametrize("sizes", [(1, 1), (33, 17, 2), (17, 130, 1), (65, 64, 2), (600, 2), (5, 5, 5, 4)], ids=str)
@pytest.mark.parametrize("batch", [1, 2, 7, 32])
def test_what_fits_into_eight_bits_is_exact(sizes, batch):
    """Whole numbers with few nonzero weights: no operand of any product needs more than eight bits, so nothing is rounded,
    and the parameters after a step equal those of float32 to the bit.

    dL/dz = 2 w (y - t) / (V sum of w) keeps its few bits since V and the sum of the weights are powers of two.
    """
    rng = np.random.default_rng(sum(sizes) + batch)
    x, y = integers(rng, (batch, sizes[0])), integers(rng, (batch, sizes[-1]))
    weights = np.ones(batch)
    weights[0] += 2 ** np.ceil(np.log2(batch)) - batch
    found = {}
    for precision in ("float32", "bf16"):
        network = network_of(sizes)
        rng = np.random.default_rng(1)
        for name in network.parameters:
            shape = network.parameters[name].shape
            network.parameters[name] = integers(rng, shape) * (rng.random(shape) < 8 / shape[0])
        before = network.parameters.vector.copy()
        outputs = network.propagate(x, training=True).outputs
        for operand in (*outputs[:-1], outputs[-1] - y):
            assert not operand.any() or bits_needed(operand) <= 8
        options = {"batch_size": batch, "optimizer": pl.GradientDescent(1.0), "sample_weight": weights}
        found[precision] = fitted(network, x, y, precision, **options)
    assert (found["float32"] != before).any()
    np.testing.assert_array_equal(found["bf16"], found["float32"])


def test_operands_are_rounded_to_eight_bits():
    """1 + 2^-9 is no bfloat16: it becomes 1. 1 + 2^-7 is one."""
    for value, kept in ((1 + 2**-9, 1.0), (1 + 2**-7, 1 + 2**-7)):
        network = pl.Network([pl.Input(2), pl.Regression(1, initializer="zeros")])
        network.parameters["output.weight"] = [[1.0], [0.0]]
        x = np.array([[value, 0.0]], np.float32)
        fitted(network, x, [[0.0]], "bf16", optimizer=pl.GradientDescent(0.5), batch_size=1)
        logit = kept if HERE else value  # y, from the bias: b - 0.5 * 2 (y - 0)
        assert network.parameters["output.bias"][0] == np.float32(-logit)


def test_the_bits_do_not_depend_on_the_threads():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(101, 33)).astype(np.float32), rng.normal(size=(101, 3))
    seen = set()
    for threads in (1, 2, 3, 8):
        network = network_of((33, 130, 65, 3), activation="tanh", extra=(pl.BatchNormalization(), pl.Dropout(0.2)))
        options = {"epochs": 3, "batch_size": 17, "threads": threads, "clipping": pl.ClipByGlobalNorm(0.5)}
        seen.add(fitted(network, x, y, "bf16", **options).tobytes())
    assert len(seen) == 1


def test_training_comes_close_to_float32():
    """Thirty steps: the difference stays within what operands of eight bits explain, and is not zero."""
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(320, 20)).astype(np.float32), rng.normal(size=(320, 2))
    options = {"epochs": 3, "batch_size": 32, "optimizer": pl.GradientDescent(0.01)}
    exact, rounded = (fitted(network_of((20, 64, 2)), x, y, precision, **options) for precision in ("float32", "bf16"))
    moved = np.abs(exact - network_of((20, 64, 2)).parameters.vector).max()
    difference = np.abs(exact - rounded).max()
    assert difference < 2**-5 * moved
    assert (difference > 0) == HERE


def test_the_engine_says_what_it_runs_on():
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(400, 4)).astype(np.float32), rng.normal(size=(400, 1))
    network = network_of((4, 8, 1))
    fitted(network, x, y, "bf16", batch_size=32)
    assert ("bf16 products" in network.engine_note) == HERE
    fitted(network, x, y, "bf16", batch_size=400)  # by rows: small layers gain nothing
    assert ("too small for bf16" in network.engine_note) == HERE


@pytest.mark.parametrize("isa", ["baseline", "avx2"])
def test_other_instruction_sets_refuse(isa, monkeypatch):
    monkeypatch.setenv("PELLUCID_ISA", isa)
    with pytest.raises(pl.ArgumentError, match=REFUSED):
        network_of((3, 2)).fit(np.eye(3), np.eye(3)[:, :2], precision="bf16", progress="none")


def test_numpy_and_unknown_precisions_are_refused():
    network = network_of((3, 2))
    with pytest.raises(pl.ArgumentError, match="needs the native engine"):
        network.fit(np.eye(3), np.eye(3)[:, :2], precision="bf16", engine="numpy", progress="none")
    with pytest.raises(pl.ArgumentError, match="unknown precision 'fp8'"):
        network.fit(np.eye(3), np.eye(3)[:, :2], precision="fp8", progress="none")


def test_convolutions_have_none_and_the_note_says_so():
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(32, 6, 6, 3)).astype(np.float32), rng.normal(size=32)
    found = {}
    for precision in ("float32", "bf16"):
        layers = [pl.Input(6, 6, 3), pl.Conv2D(16, 3, "relu"), pl.Dense(256, "relu"), pl.Regression()]
        network = pl.Network(layers, seed=1)
        found[precision] = fitted(network, x, y, precision)
        assert network.engine_note.endswith("float32: convolutions have no bf16)") == (HERE and precision == "bf16")
    np.testing.assert_array_equal(found["bf16"], found["float32"])
