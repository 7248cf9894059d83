"""Steps in which float32 rounds nothing: the native numbers must be the true ones, for every size, order and thread.

Inputs are whole numbers, weights multiples of 1/2, dropout has the rate 1/2, and the loss has the derivatives -1, 0 and 1
(mean absolute error) or stays within the bound of a Huber loss; sample weights add up to a power of two.
"""

from __future__ import annotations

import numpy as np
import pytest
from exactness import assert_exact, halves, power_of_two_weights
from twins import ISAS, assert_same_bits, fitted, numbers

import pellucid as pl

BATCHES = (1, 2, 7, 31, 97, 192, 300)
BY_ROWS = 192  # the smallest batch that small networks take in chunks of rows

# (inputs, hidden units ..., outputs): all around the widths of vectors and panels, and across the blocks of 512 in depth.
SIZES = [
    (1, 1, 1),
    (1, 2),
    (3, 1, 33, 1),
    (17, 33, 2),
    (33, 17, 65, 1),
    (4, 64, 16, 8),
    (65, 130, 4),
    (100, 128, 1),
    (130, 100, 17, 1),
    (600, 9, 2),
    (5, 513, 3, 1),
    (7, 16),
    (515, 1),
    (16, 48, 64),
    (28, 63, 15, 32),
    (9, 31, 32, 33, 34, 1),
    (129, 66, 65, 2),
]


def example(sizes, batch, seed, *, loss="mae", activation="relu", between=(), use_bias=True):
    """(network, x, y, weights) with numbers of few bits; ``between`` are layers behind each hidden one."""
    rng = np.random.default_rng(seed)
    inputs, *hidden, outputs = sizes
    layers = [pl.Input(inputs)]
    for units in hidden:
        layers += [pl.Dense(units, activation, use_bias=use_bias), *between]
    network = pl.Network([*layers, pl.Regression(outputs, loss, use_bias=use_bias)], seed=seed)
    for name in network.parameters:
        shape = network.parameters[name].shape
        dense = rng.random(shape) < min(1.0, 24 / shape[0])  # few terms a sum, so that it keeps few bits
        network.parameters[name] = np.where(dense, halves(rng, shape), 0.0)
    x = rng.integers(-2, 3, (batch, inputs)).astype(np.float32)
    y = halves(rng, (batch, outputs), 9)
    return network, x, y, power_of_two_weights(rng, batch)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_every_size_with_every_batch(isa, sizes, monkeypatch):
    monkeypatch.setenv("PELLUCID_ISA", isa)
    for batch in BATCHES:
        network, x, y, weights = example(sizes, batch, seed=batch + sum(sizes))
        assert_exact(network, x, y, sample_weight=weights, threads=1 + batch % 3)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("batch", [1, 16, 97, 256, 300])
def test_dropout_masks_without_and_behind_weights(isa, batch, monkeypatch):
    """On the inputs, twice in a row, and behind hidden layers of odd widths, at a late step of a network's life."""
    monkeypatch.setenv("PELLUCID_ISA", isa)
    for seed, sizes in enumerate([(33, 17, 65, 2), (5, 130, 3, 1), (20, 4)]):
        network, x, y, weights = example(sizes, batch, seed, between=[pl.Dropout(0.5)])
        layers = [network.layers[0], pl.Dropout(0.5), pl.Dropout(0.5), *network.layers[1:]]
        with_masks = pl.Network(layers, seed, arrays=dict(network.parameters))
        with_masks.training_state.step = 2**33 + 5
        assert_exact(with_masks, x, y, sample_weight=weights, threads=3)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize(
    ("first", "rest"), [(31, 5), (97, 1), (200, 77), (200, 199), (300, 1)], ids=lambda count: str(count)
)
def test_the_smaller_last_batch(isa, first, rest, monkeypatch):
    """The first batch has the weight zero: it must change nothing, so that the second one starts from few bits."""
    monkeypatch.setenv("PELLUCID_ISA", isa)
    network, x, y, _ = example((17, 65, 33, 2), first + rest, seed=rest, between=[pl.Dropout(0.5)])
    weights = np.concatenate([np.zeros(first), power_of_two_weights(np.random.default_rng(rest), rest)])
    native = assert_exact(network, x, y, sample_weight=weights, batch_size=first, threads=2)
    assert native.training_state.step == 2


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("batch", [31, 256])
@pytest.mark.parametrize(
    "options",
    [
        {"loss": pl.Huber(0.5)},
        {"loss": "mse"},
        {"activation": "identity"},
        {"use_bias": False},
        {"regularizer": pl.L1(0.25)},
        {"regularizer": pl.L2(0.125)},
        {"regularizer": pl.L1(0.25) + pl.L2(0.125) + pl.L1(0.5)},
        {"clipping": pl.ClipByValue(2.0**-6)},
        {"clipping": pl.ClipByValue(1e30)},
        {"clipping": pl.ClipByGlobalNorm(1e30)},
        {"clipping": pl.ClipByGlobalNorm(1e30), "regularizer": pl.L1(0.25) + pl.L2(0.125)},
        {"clipping": pl.ClipByValue(2.0**-6), "regularizer": pl.L1(0.25)},
        {"optimizer": pl.GradientDescent(0.5)},
        {"optimizer": pl.GradientDescent(0.5, 0.5, True)},
    ],
    ids=str,
)
def test_every_rule_that_rounds_nothing(isa, batch, options, monkeypatch):
    monkeypatch.setenv("PELLUCID_ISA", isa)
    making = {name: options[name] for name in options if name in ("loss", "activation", "use_bias")}
    rules = {name: options[name] for name in options if name not in making}
    sizes = (6, 5, 1) if making.get("loss") == "mse" else (17, 33, 9, 2)
    network, x, y, weights = example(sizes, batch, seed=3, **making)
    assert_exact(network, x, y, sample_weight=weights, threads=2, **rules)


@pytest.mark.parametrize("threads", [1, 2, 5, 16])
@pytest.mark.parametrize("batch", [97, 300])
def test_every_number_of_threads(threads, batch):
    network, x, y, weights = example((65, 130, 33, 4), batch, seed=8)
    assert_exact(network, x, y, sample_weight=weights, threads=threads)


def test_rows_in_any_order_of_images_and_unit_weights():
    """A permutation by the seed, and a part that is held out: rows are gathered from where they lie."""
    network, x, y, _ = example((24, 33, 1), 320, seed=2)
    layers = [pl.Input(2, 3, 4), pl.Flatten(), *network.layers[1:]]
    of_images = pl.Network(layers, seed=4, arrays=dict(network.parameters))
    images = x.reshape(-1, 2, 3, 4)
    options = {"shuffle": True, "batch_size": 256, "validation": 0.2, "epochs": 1}
    assert_exact(of_images, images, y[:, 0], **options)
    strange = np.asfortranarray(images.astype(np.float64))
    assert_same_bits(
        numbers(fitted(of_images, strange, y[:, 0], **options)), numbers(fitted(of_images, images, y[:, 0], **options))
    )


def test_one_wrong_sample_is_seen():
    """The comparison itself: other numbers in one place of the data do not pass."""
    network, x, y, _ = example((17, 33, 2), 32, seed=1)
    truth = numbers(assert_exact(network, x, y))
    for array in (x, y):
        changed = array.copy()
        changed[7] += 60
        others = (changed, y) if array is x else (x, changed)
        assert not np.array_equal(numbers(fitted(network, *others))["velocity"], truth["velocity"])
