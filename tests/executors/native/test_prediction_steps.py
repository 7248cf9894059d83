"""Prediction of pictures in steps: batch normalization folded into convolutions, sums and depthwise convolutions joined to
them, large pictures shared out to threads. The numbers are those of the layers, and no bit depends on who computes it.
"""

from __future__ import annotations

import gc
import sys
import threading

import numpy as np
import pytest
from rounding import SAFETY, UNIT, roundings
from twins import spread, twin

import pellucid as pl
from pellucid.executors.native.inference import SHARED_WORK, native_inference
from pellucid.nn.parameters import ALONE


def normalized(filters, kernel, activation="relu6", **options):
    return [pl.Conv2D(filters, kernel, use_bias=False, **options), pl.BatchNormalization(activation=activation)]


def inverted(channels, wide, filters, kernel, activation="relu6", **options):
    """Wide, then each channel by itself, then narrow: the block of small networks for photos."""
    return [
        *normalized(wide, 1, activation),
        *normalized(wide, kernel, activation, groups=wide, **options),
        *normalized(filters, 1, "identity"),
    ]


LARGE = (32, 35, 3)  # with these layers, enough work for several threads
STACKS = {
    "a network for photos": (
        LARGE,
        [
            pl.Rescale(2.0, -1.0),
            *normalized(24, 3, stride=2, padding=1),
            *normalized(24, 3, groups=24, padding=1),
            *normalized(20, 1, "identity"),
            *inverted(20, 120, 36, 5, stride=2, padding=2),
            pl.Residual(inverted(36, 216, 36, 3, padding=1)),
            pl.Residual(inverted(36, 216, 36, 5, padding=2)),
            *inverted(36, 216, 70, 3, stride=2, padding=1),
            *normalized(130, 1),
            pl.GlobalAveragePooling2D(),
        ],
    ),
    "no activation that only bounds": (LARGE, [*normalized(20, 3, "silu"), *inverted(20, 210, 9, 3, "gelu"), pl.Flatten()]),
    "shortcuts": (
        (9, 11, 5),
        [
            pl.Residual([*normalized(12, 3), pl.Conv2D(12, 3)], [pl.Conv2D(12, 1)], "relu"),
            pl.Residual([pl.Conv2D(12, 3), pl.BatchNormalization()], [pl.Conv2D(12, 1), pl.BatchNormalization()], "tanh"),
            pl.Residual([pl.Residual([pl.Conv2D(12, 1)], activation="relu6"), *normalized(12, 1, "identity")]),
            pl.Residual([pl.AveragePooling2D(1)], [pl.Conv2D(12, 3, groups=12)]),
            pl.Residual([pl.Conv2D(12, 2, "elu")]),
        ],
    ),
    "read by several": (
        (8, 7, 4),
        [
            pl.Residual([pl.Conv2D(4, 3, groups=4), pl.BatchNormalization()]),
            pl.Residual([pl.Residual([pl.BatchNormalization(activation="relu")])]),
            pl.BatchNormalization(),
            pl.Conv2D(8, 3, "relu"),
            pl.BatchNormalization(),
            pl.LayerNormalization(),
        ],
    ),
    "groups": ((7, 6, 6), [*normalized(12, 3, groups=3), *normalized(12, 1, groups=2), *normalized(12, 3, groups=12)]),
    "narrow": (
        (3, 2, 5),
        [*normalized(40, 1), pl.Residual(inverted(40, 50, 40, 3)), *normalized(7, (3, 1), padding="valid")],
    ),
}
stacks = pytest.mark.parametrize("name", STACKS)


def network_of(shape, layers):
    return spread(pl.Network([pl.Input(*shape), *layers, pl.Regression(4)], seed=3), 3)


def pictures(network, count):
    return np.random.default_rng(count).normal(size=(count, *network.input.shape)).astype(np.float32)


def assert_as_numpy(network, counts=(1, 3, 7)):
    truth = twin(network, "float64")
    truth.engine_choice = "numpy"
    for count in counts:
        x = pictures(network, count)
        true = truth.predict(x)
        allowed = SAFETY * UNIT * np.sqrt(roundings(network, 1)) * np.abs(true).max()
        assert np.abs(network.predict(x) - true).max() <= allowed


@pytest.mark.usefixtures("every_isa")
@stacks
def test_the_numbers_are_those_of_the_layers(name):
    assert_as_numpy(network_of(*STACKS[name]))


@pytest.mark.usefixtures("every_isa")
@stacks
def test_neither_threads_nor_company_change_a_bit(name):
    network = network_of(*STACKS[name])
    x, native = pictures(network, 9), native_inference(network)
    expected = network.predict(x).tobytes()
    assert native.run(x[:0]).shape == (0, 4)
    for threads in (1, 2, 3, 8):
        native.threads = threads
        for count in (1, 2, 3, 7, 9):
            parts = [network.predict(x[start : start + count]).tobytes() for start in range(0, 9, count)]
            assert b"".join(parts) == expected, (threads, count)


def test_the_large_pictures_have_work_for_several_threads():
    for name in ("a network for photos", "no activation that only bounds"):
        assert native_inference(network_of(*STACKS[name])).work > SHARED_WORK


GEOMETRIES = {
    "3x3": {},
    "5x5": {"kernel_size": 5},
    "3x5": {"kernel_size": (3, 5)},
    "4x2": {"kernel_size": (4, 2)},
    "stride 2": {"stride": 2},
    "5x5, stride 2": {"kernel_size": 5, "stride": 2, "padding": 2},
    "stride 1x3": {"stride": (1, 3)},
    "stride larger than the window": {"kernel_size": 2, "stride": 4, "padding": "valid"},
    "dilation": {"dilation": 2},
    "dilation 1x3, stride 2": {"dilation": (1, 3), "stride": 2},
    "valid": {"padding": "valid"},
    "padding 2x0": {"padding": (2, 0)},
    "padding as wide as the window": {"padding": 2, "stride": (2, 1)},
    "as large as the picture": {"kernel_size": (9, 13), "padding": "valid"},
}


@pytest.mark.usefixtures("every_isa")
@pytest.mark.parametrize("geometry", GEOMETRIES)
@pytest.mark.parametrize("below", ["a pixel", "a window", "the input"])
def test_depthwise_windows(geometry, below):
    """33 channels: vectors and panels that are not full, on every instruction set."""
    options = {"kernel_size": 3, **GEOMETRIES[geometry]}
    under = {"a pixel": normalized(33, 1), "a window": normalized(33, 3, stride=(1, 2)), "the input": []}[below]
    shape = (9, 13 if below != "a window" else 26, 33 if below == "the input" else 6)
    assert_as_numpy(
        network_of(shape, [*under, *normalized(33, groups=33, kernel=options.pop("kernel_size"), **options)]), (2,)
    )


def test_a_channel_that_never_varied_is_normalized_by_epsilon_alone():
    network = network_of((5, 4, 3), normalized(6, 3))
    network.state["batch_normalization_1.moving_variance"] = np.zeros(6)
    assert_as_numpy(network, (5,))


def changed(network, x, before):
    """Whether the answer has changed; it must be that of the parameters as they are."""
    now = network.predict(x)
    fresh = pl.Network(network.layers, arrays={**network.parameters, **network.state}).predict(x)
    assert now.tobytes() == fresh.tobytes()
    return now.tobytes() != before.tobytes()


@pytest.mark.parametrize("holder", ["parameters", "state"])
def test_whoever_holds_a_view_may_write_to_it_at_any_time(holder):
    network = network_of(*STACKS["narrow"])
    x = pictures(network, 2)
    for take in (
        lambda arrays: arrays.vector[:7],
        lambda arrays: arrays[list(arrays)[1]],
        lambda arrays: np.asarray(memoryview(arrays.vector)),
        lambda arrays: arrays.vector.reshape(-1, 1)[::-1].T,
    ):
        view = take(getattr(network, holder))
        for _ in range(3):
            before = network.predict(x)
            view += 0.25
            assert changed(network, x, before)
        del view
        assert not changed(network, x, network.predict(x))


def test_a_view_may_be_held_by_another_thread():
    network = network_of(*STACKS["narrow"])
    x, step = pictures(network, 2), threading.Barrier(2, timeout=60)

    def write():
        view = network.parameters.vector
        for _ in range(2):
            step.wait()
            view += 0.25
            step.wait()

    other = threading.Thread(target=write)
    other.start()
    for _ in range(2):
        before = network.predict(x)
        step.wait()
        step.wait()
        assert network.predict(x).tobytes() != before.tobytes()
    other.join()
    assert not changed(network, x, network.predict(x))


class Counted:
    """A native inference that counts how often it folds."""

    def __init__(self, native):
        self.native, self.folds, self.run = native, 0, native.run

    def fold(self):
        self.folds += 1
        self.native.fold()


def test_weights_are_folded_once_as_long_as_nobody_can_change_them():
    network = network_of(*STACKS["narrow"])
    x, inference = pictures(network, 2), native_inference(network)
    counted = inference.native = Counted(inference.native)
    for _ in range(5):
        network.predict(x)
    assert counted.folds == 1
    network.parameters["conv2d_1.weight"] = np.zeros((1, 1, 5, 40))
    for _ in range(5):
        network.predict(x)
    assert counted.folds == 2
    view = network.state.vector
    for _ in range(5):
        network.predict(x)
    assert counted.folds == 7
    del view
    for _ in range(5):
        network.predict(x)
    assert counted.folds == 8
    network.fit(x, np.zeros((2, 4)), epochs=1, progress="none")
    gc.collect()
    for _ in range(5):
        network.predict(x)
    assert counted.folds == 9


def test_the_references_to_a_vector_are_counted():
    network = network_of(*STACKS["narrow"])
    assert network.parameters.references() == ALONE
    view = network.parameters["conv2d_1.weight"].T[1:]
    assert network.parameters.references() == ALONE + 1
    del view
    native_inference(network)
    assert network.parameters.references() > ALONE  # the native one reads it too
    assert sys.getrefcount(network.parameters.vector) > 1
