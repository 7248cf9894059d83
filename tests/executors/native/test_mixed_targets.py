"""Mixup in the native executor: inputs and targets mixed as NumPy mixes them, step by step or several at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from exactness import assert_exact, halves
from rounding import away_from_kinks, case, classes, values
from twins import QUIET, OneHugeRate, assert_same_bits, fitted, gradients, numbers, twin

import pellucid as pl
from pellucid.core.random import bits, key, permutation
from pellucid.data.augmentation.mixup import Mixture
from pellucid.training.events import StepFinished


@dataclass(frozen=True)
class Mixing:
    """Leaves inputs as they are, or shifts them, and mixes batches in quarters: of those, float32 need not round."""

    shift: float | None = None
    every: int = 1  # batches; others are not mixed

    def __call__(self, x, key_):
        return x if self.shift is None else x + np.float32(self.shift)

    def mixture(self, count, key_):
        if bits(key_, 1)[0] % self.every:
            return None
        return Mixture(permutation(key(key_, 0), count), bits(key(key_, 1), count) % 5 / 4)


OUTPUTS = {
    "classes": (pl.Classification(3), classes(3)),
    "smoothed": (pl.Classification(3, 0.1), classes(3)),
    "distributions": (pl.Classification(3), lambda rng, batch: rng.dirichlet(np.ones(3), batch)),
    "yes or no": (pl.BinaryClassification(), classes(2)),
    "value": (pl.Regression(), values(1)),
    "values": (pl.Regression(2), values(2)),
}
HIDDEN = {
    "images": ((5, 4, 3), [pl.Conv2D(9, 3, "tanh"), pl.BatchNormalization(), pl.GlobalAveragePooling2D()]),
    "dense": ((7,), [pl.Dense(9, "tanh"), pl.Dropout(0.2)]),
}


def example(hidden, output, batch=23):
    shape, layers = HIDDEN[hidden]
    return case([pl.Input(*shape), *layers, OUTPUTS[output][0]], batch, OUTPUTS[output][1])


@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("augment", [Mixing(), Mixing(0.5), Mixing(0.5, every=2)], ids=str)
@pytest.mark.parametrize("weighted", [False, True])
def test_native_is_as_near_to_the_truth_as_numpy(hidden, output, augment, weighted):
    network, x, y = example(hidden, output)
    weights = np.random.default_rng(2).uniform(0, 2, len(x)) if weighted else None
    options = {"augment": augment, "sample_weight": weights, "epochs": 3, "batch_size": 9, "shuffle": True}
    truth = fitted(network, x, y, engine="numpy", dtype="float64", **options)
    native, other = (fitted(network, x, y, engine=engine, **options) for engine in ("native", "numpy"))
    plain = fitted(network, x, y, **{**options, "augment": None})
    for name, vector in numbers(truth).items():
        allowed = 8 * np.abs(numbers(other)[name] - vector).max(initial=0.0) + 1e-7
        assert np.abs(numbers(native)[name] - vector).max(initial=0.0) <= allowed, name
        if name == "parameters":
            assert np.abs(numbers(plain)[name] - vector).max() > 100 * allowed, "mixing matters"
    metric = network.output.metric
    for ours, true in zip(native.history.epochs, truth.history.epochs, strict=True):
        assert abs(ours["loss"] - true["loss"]) <= 1e-6 * max(1.0, true["loss"])
        assert abs(ours[metric] - true[metric]) <= 1e-6


@pytest.mark.usefixtures("every_isa")
@pytest.mark.parametrize("shape", [(6,), (4, 5, 2)], ids=str)
def test_quarters_of_few_bits_are_exact(shape):
    """The whole way of inputs and targets into the kernels, bit by bit."""
    rng = np.random.default_rng(3)
    hidden = [pl.Dense(5, "relu")] if len(shape) == 1 else [pl.Conv2D(4, 3, "relu"), pl.MaxPooling2D()]
    network = pl.Network([pl.Input(*shape), *hidden, pl.Regression(2, "mae")])
    for name in network.parameters:
        network.parameters[name] = halves(rng, network.parameters[name].shape)
    for batch in (4, 32):
        x, y = rng.integers(-2, 3, (batch, *shape)).astype(np.float32), halves(rng, (batch, 2), 9)
        assert_exact(network, x, y, augment=Mixing(), threads=2)


def test_bytes_are_mixed_as_numbers():
    """Half of 255 and half of 0 is 1/2, not 127 / 255."""
    x = np.array([[255, 0], [0, 255]], np.uint8)
    network = pl.Network([pl.Input(2), pl.Regression(1, "mae", use_bias=False)])
    network.parameters["output.weight"][:, 0] = 0, 0

    class Halves(Mixing):
        def mixture(self, count, key_):
            return Mixture(np.array([1, 0]), np.array([0.5, 0.25]))

    for engine in ("native", "numpy"):
        trained = fitted(network, x, np.array([8.0, 8.0]), augment=Halves(), engine=engine)
        # inputs (1/2, 1/2) and (3/4, 1/4) times the derivative of |w x - 8| / 2 at w = 0, which is -1/2
        np.testing.assert_array_equal(gradients(trained)["output.weight"][:, 0], [-0.625, -0.375])


@pytest.mark.parametrize("hidden", HIDDEN)
def test_threads_and_listeners_change_no_bit(hidden):
    network, x, y = example(hidden, "classes", 60)
    options = {"augment": Mixing(0.5, every=3), "epochs": 4, "batch_size": 9, "shuffle": True}
    first = numbers(fitted(network, x, y, threads=1, **options))
    for more in ({"threads": 2}, {"threads": 3}, {"threads": 2, "callbacks": [lambda event: None]}):
        assert_same_bits(numbers(fitted(network, x, y, **options, **more)), first)


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("listeners", [[], [lambda event: None]], ids=["nobody", "every step"])
def test_divergence_of_a_mixed_batch(output, listeners):
    """The failed step is made again with its mixed targets, and the last good numbers come back."""
    network, x, y = example("images", output)
    options = {
        "epochs": 4,
        "batch_size": 9,
        "augment": Mixing(),
        "callbacks": listeners,
        "optimizer": pl.GradientDescent(0.1),
    }
    texts = []
    for engine in ("numpy", "native"):
        trained = twin(network)
        with pytest.raises(pl.DivergenceError, match="diverged at step 5: the update") as caught:
            trained.fit(x, y, engine=engine, schedule=OneHugeRate(5, 1e45), shuffle=False, **QUIET, **options)
        texts.append(str(caught.value))
    assert texts[0] == texts[1]
    good = fitted(network, x, y, **{**options, "epochs": 2, "callbacks": [stop_after(4)]})
    assert trained.parameters.vector.tobytes() == good.parameters.vector.tobytes()


def stop_after(steps):
    def stop(event):
        if isinstance(event, StepFinished) and event.step == steps:
            raise pl.StopTraining

    return stop


def test_photo_augmentation_trains_natively():
    """The augmentation of photos, with mixup: native equals NumPy over some steps."""
    rng = np.random.default_rng(1)
    x, y = rng.integers(0, 256, (20, 8, 8, 3), dtype=np.uint8), rng.integers(0, 3, 20)
    layers = [pl.Input(8, 8, 3), pl.Conv2D(5, 3, "tanh"), pl.GlobalAveragePooling2D(), pl.Classification(3)]
    network = pl.Network(layers, seed=3)
    assert away_from_kinks(network, x)
    options = {"augment": pl.PhotoAugmentation(mixup=0.5), "epochs": 3, "batch_size": 8}
    native, other = (fitted(network, x, y, engine=engine, **options) for engine in ("native", "numpy"))
    plain = fitted(network, x, y, **{**options, "augment": pl.PhotoAugmentation()})
    np.testing.assert_allclose(native.parameters.vector, other.parameters.vector, rtol=0, atol=1e-6)
    assert np.abs(plain.parameters.vector - other.parameters.vector).max() > 1e-4
