"""Equal numbers give equal bits: in any memory layout and any type, for a network and for the model around it."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid as pl

N = 23
RNG = np.random.default_rng(0)


def unaligned(values):
    """The same numbers at an address that no float has."""
    there = np.frombuffer(bytearray(values.nbytes + 1), np.uint8)[1:].view(values.dtype).reshape(values.shape)
    there[...] = values
    assert not there.flags.aligned
    return there


FLOATS = {
    "float64": lambda x: x,
    "float32": lambda x: x.astype(np.float32),
    "float16": lambda x: x.astype(np.float16),
    "big-endian": lambda x: x.astype(">f8"),
    "columns first": np.asfortranarray,
    "columns first, float32": lambda x: np.asfortranarray(x.astype(np.float32)),
    "every second sample": lambda x: np.repeat(x, 2, axis=0)[::2],
    "every second value": lambda x: np.repeat(x.astype(np.float32), 2, axis=-1)[..., ::2],
    "backwards": lambda x: x[::-1].copy()[::-1],
    "read-only": lambda x: np.broadcast_to(x, (1, *x.shape))[0],
    "unaligned": lambda x: unaligned(x.astype(np.float32)),
    "lists": lambda x: x.tolist(),
}
INTEGERS = {
    "int64": lambda x: x.astype(np.int64),
    "int8": lambda x: x.astype(np.int8),
    "lists of integers": lambda x: x.astype(int).tolist(),
}
PIXELS = {
    "columns first": np.asfortranarray,
    "every second value": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
    "backwards": lambda x: x[::-1].copy()[::-1],
    "read-only": lambda x: np.broadcast_to(x, (1, *x.shape))[0],
}
NETWORKS = {
    "dense": [pl.Input(40), pl.Dense(11, "tanh"), pl.Classification(5)],
    "yes or no": [pl.Input(40), pl.BinaryClassification()],
    "normalized": [pl.Input(40), pl.LayerNormalization(), pl.BatchNormalization(), pl.Classification(5)],
    "images": [pl.Input(6, 7, 3), pl.Conv2D(4, activation="relu"), pl.MaxPooling2D(), pl.Flatten(), pl.Classification(5)],
    "means": [pl.Input(6, 7, 3), pl.LayerNormalization(), pl.GlobalAveragePooling2D(), pl.Classification(5)],
}


@pytest.fixture(params=[("auto", "float32"), ("numpy", "float32"), ("numpy", "float64")], ids=" ".join)
def engine(request):
    return request.param


def made(name, engine):
    network = pl.Network(NETWORKS[name], seed=1, dtype=engine[1])
    network.engine_choice = engine[0]
    return network


def everything(network, x, y):
    """The bytes of all that a network says of these samples."""
    model = pl.Model(network)
    return {
        "probabilities": network.predict_proba(x).tobytes(),
        "of the model": model.predict_proba(x).tobytes(),
        "answers": network.predict(x).tobytes(),
        "metrics": network.evaluate(x, y),
        "gradients": {name: array.tobytes() for name, array in network.gradients(x, y).items()},
        "temperature": str(model.calibrate(x, y)),
        "of the calibrated model": model.predict_proba(x).tobytes(),
    }


@pytest.mark.parametrize("name", NETWORKS)
def test_the_bits_of_an_answer_depend_on_the_numbers_alone(name, engine):
    network = made(name, engine)
    shape, y = network.input.shape, RNG.integers(0, network.output.num_labels, N)
    x = RNG.integers(0, 100, (N, *shape)).astype(np.float64)
    expected = everything(network, x, y)
    assert expected["probabilities"] == expected["of the model"]
    for form, convert in (FLOATS if len(shape) > 1 else FLOATS | INTEGERS).items():
        assert everything(network, convert(x), y) == expected, form
    pixels = x.astype(np.uint8)
    expected = everything(network, pixels, y)
    for form, convert in PIXELS.items():
        assert everything(network, convert(pixels), y) == expected, form


@pytest.mark.parametrize("name", NETWORKS)
def test_a_training_depends_on_the_numbers_alone(name, engine):
    shape = NETWORKS[name][0].shape
    x, y = RNG.integers(0, 9, (N, *shape)).astype(np.float64), RNG.integers(0, 2, N)

    def trained(x, y):
        network = pl.Network(NETWORKS[name], seed=1, dtype=engine[1])
        network.fit(x, y, epochs=2, batch_size=5, engine=engine[0], progress="none", validation=0.3)
        return network.parameters.vector.tobytes(), network.history.epochs[-1]["validation_loss"]

    expected = trained(x, y)
    for form, convert in FLOATS.items():
        assert trained(convert(x), convert(y.astype(np.float64))) == expected, form


def test_targets_in_any_layout_give_the_same_bits(engine):
    x, y = RNG.normal(size=(N, 5)), RNG.integers(-9, 9, (N, 24)).astype(np.float64)
    network = pl.Network([pl.Input(5), pl.Regression(24)], seed=1, dtype=engine[1])

    def seen(y):
        return network.evaluate(x, y), {name: array.tobytes() for name, array in network.gradients(x, y).items()}

    expected = seen(y)
    for form, convert in FLOATS.items():
        assert seen(convert(y)) == expected, form


@pytest.mark.parametrize("name", NETWORKS)
def test_a_sample_alone_has_the_bits_that_it_has_among_others(name):
    """In the native engine; the products of NumPy depend on the size of the batch."""
    network = made(name, ("auto", "float32"))
    x = RNG.normal(size=(N, *network.input.shape))
    whole = network.predict_proba(x)
    for size in (1, 2, 7):
        parts = [network.predict_proba(x[start : start + size]) for start in range(0, N, size)]
        assert np.concatenate(parts).tobytes() == whole.tobytes()


def test_the_prediction_of_a_picture_has_the_bits_of_predict_proba():
    (x, y), _ = pl.datasets.digits()
    network = pl.Network([pl.Input(28, 28), pl.Dense(16, "relu"), pl.Classification(10)], seed=1)
    network.fit(x[:500], y[:500], epochs=1, progress="none")
    model = pl.Model(network)
    alone, among = model.predict(x[600]), model.predict(list(x[598:603]))[2]
    expected = network.predict_proba(alone.seen[None])[0]
    assert alone.probabilities.tobytes() == among.probabilities.tobytes() == expected.tobytes()
    assert (
        network.predict_proba(alone.seen[None].transpose(0, 2, 1).copy().transpose(0, 2, 1)).tobytes() == expected.tobytes()
    )


@pytest.mark.parametrize("shape", [(500, 6), (500, 4, 5), (500, 4, 5, 3)])
def test_what_rescale_measures_depends_on_the_numbers_alone(shape):
    x = RNG.normal(size=shape).astype(np.float16).astype(np.float64)
    for form, convert in FLOATS.items():
        assert pl.Rescale.fit(convert(x)) == pl.Rescale.fit(x), form
