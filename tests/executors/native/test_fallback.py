"""What the native executor does not know is computed by NumPy, and the network says so."""

from __future__ import annotations

import signal
from dataclasses import dataclass

import numpy as np
import pytest
from twins import ISAS, QUIET

import pellucid as pl
from pellucid._native import instruction_set
from pellucid.apps.cli.root import main
from pellucid.mathematics.activations import ACTIVATIONS
from pellucid.mathematics.clipping import Clipping
from pellucid.mathematics.losses import Loss, MeanSquaredError
from pellucid.mathematics.optimizers import Optimizer
from pellucid.mathematics.regularizers import Regularizer

RNG = np.random.default_rng(2)
X = RNG.normal(size=(24, 6)).astype(np.float32)
Y = RNG.integers(0, 3, 24)
BINS = pl.PiecewiseLinearEncoding(((-1.0, 1.0), (), (), (), (), ()))

WORDS = pl.Embedding(((1, 3, 2),))
BINS_BEHIND = pl.PiecewiseLinearEncoding(((-1.0, 1.0), (), (), (), (), (), ()))


@dataclass(frozen=True)
class Double(pl.Layer):
    def output_shape(self, input_shape):
        return input_shape

    def forward(self, parameters, x, context):
        return 2 * x, None

    def backward(self, parameters, cache, dy):
        return 2 * dy, {}


@dataclass(frozen=True)
class MyDense(pl.Dense):
    pass


@dataclass(frozen=True)
class MyError(Loss):
    def terms(self, outputs, targets):
        return MeanSquaredError().terms(outputs, targets)


@dataclass(frozen=True)
class MyPrice(Regularizer):
    def penalty(self, p):
        return 0.0

    def gradient(self, p):
        return 0 * p


@dataclass(frozen=True)
class MyClipping(Clipping):
    def clip(self, g):
        np.clip(g, -1, 1, out=g)


@dataclass(frozen=True)
class MyDescent(Optimizer):
    learning_rate: float = 0.1

    def step(self, p, g, slots, t, r, *, decays=True):
        p -= r * g


@dataclass(frozen=True)
class MyAdam(pl.Adam):
    """Even if it changes nothing: a subclass may mean something else."""


@pytest.fixture
def cube():
    pl.register_activation("cube", lambda z: z**3, lambda z, a: 3 * z * z)
    yield "cube"
    del ACTIVATIONS["cube"]


def fit(network, **options):
    x = RNG.normal(size=(24, *network.input.shape)).astype(np.float32)
    y = Y if network.output.metric == "accuracy" else X[:, 0]
    return network.fit(x, y, epochs=1, **{**QUIET, **options})


def network_of(*hidden, output=None, shape=(6,), dtype="float32"):
    return pl.Network([pl.Input(*shape), *hidden, output or pl.Classification(3)], dtype=dtype)


STACKS = [
    (lambda: network_of(pl.Dense(4), Double()), "double_1 is a layer of your own"),
    (lambda: network_of(MyDense(4)), "my_dense_1 is a layer of your own"),
    (lambda: network_of(pl.Dense(5), pl.Dense(4, "cube")), r"dense_2 has an activation of your own, 'cube'"),
    (lambda: network_of(output=pl.Regression(1, MyError())), "loss of your own"),
    (lambda: network_of(pl.Dense(4), dtype="float64"), "float64 is computed by NumPy"),
    (lambda: network_of(pl.Residual([pl.Dense(6), Double()])), "double_1 is a layer of your own"),
    (lambda: network_of(pl.Residual([pl.Dense(6)], [MyDense(6)])), "shortcut_my_dense_1 is a layer of your own"),
    (lambda: network_of(pl.Conv2D(2, 2, "cube"), shape=(3, 2)), "conv2d_1 has an activation of your own, 'cube'"),
    (lambda: network_of(pl.BatchNormalization(activation="cube")), "batch_normalization_1 has an activation of your own"),
    (lambda: network_of(pl.Residual([pl.Dense(6)], activation="cube")), "residual_1 has an activation of your own"),
    (lambda: network_of(pl.BatchNormalization(), pl.Conv2D(2, 2), shape=(3, 2)), "others as rows of channels"),
    (lambda: network_of(pl.Residual([pl.LayerNormalization()]), pl.Dropout2D(0.5), shape=(3, 2)), "rows of channels"),
    (lambda: network_of(pl.Rescale((1.0, 2.0)), pl.MaxPooling2D(), shape=(3, 2)), "rows of channels"),
    (lambda: network_of(pl.Dense(6), BINS), "piecewise_linear_encoding_1 does not stand right behind the input"),
    (lambda: network_of(pl.Residual([BINS, pl.Dense(6)])), "piecewise_linear_encoding_1 does not stand right"),
    (lambda: network_of(pl.Dense(6), WORDS), "embedding_1 does not stand right behind the input"),
    (lambda: network_of(pl.Dropout(0.1), WORDS, BINS_BEHIND), "embedding_1 does not stand right behind the input"),
    (lambda: network_of(pl.Dense(6), pl.PeriodicEmbedding(2)), "periodic_embedding_1 does not stand right behind"),
    (lambda: network_of(WORDS, pl.Dense(6), BINS), "piecewise_linear_encoding_1 does not stand right behind the input"),
    (lambda: network_of(WORDS, pl.LayerNormalization()), "embedding_1 and layer_normalization_1 stand in one network"),
    (lambda: network_of(pl.ScaleFeatures(), pl.Rescale(2.0)), "scale_features_1 stands before rescale_1, or in it"),
    (
        lambda: network_of(pl.Residual([pl.ScaleFeatures(), pl.Dense(6)])),
        "scale_features_1 stands before residual_1",
    ),
    (lambda: network_of(BINS, pl.LayerNormalization()), "encoding_1 and layer_normalization_1 stand in one network"),
]
NATIVE = [
    [pl.BatchNormalization(), pl.LayerNormalization()],
    [pl.BatchNormalization(activation="relu"), pl.Flatten(), pl.Dense(4)],
    [pl.Rescale((1.0, 2.0)), pl.BatchNormalization()],
    [pl.Rescale(2.0), pl.Conv2D(2, 2), pl.BatchNormalization()],
    [pl.Residual([pl.Conv2D(1, 2), pl.Flatten(), pl.Dense(5)], [pl.Dense(5)]), pl.LayerNormalization()],
    [pl.AveragePooling2D(), pl.Dropout2D(0.5), pl.GlobalAveragePooling2D()],
]
RULES = [
    ({"optimizer": MyDescent()}, "optimizer is one of your own"),
    ({"optimizer": MyAdam()}, "optimizer is one of your own"),
    ({"clipping": MyClipping()}, "clipping is one of your own"),
    ({"regularizer": MyPrice()}, "regularizer is one of your own"),
    ({"regularizer": pl.L1(0.1) + MyPrice()}, "regularizer is one of your own"),
]


@pytest.mark.usefixtures("cube")
@pytest.mark.parametrize(("make", "reason"), STACKS, ids=[reason for _, reason in STACKS])
def test_a_network_of_ones_own(make, reason):
    network = make()
    assert network.engine == "numpy"
    fit(network)
    assert network.engine == "numpy"
    note = network.engine_note
    assert note.startswith("numpy (")
    with pytest.raises(pl.ArgumentError, match=f'engine="native" cannot run this: .*{reason}') as caught:
        fit(make(), engine="native")
    assert note[len("numpy (") : -1] in str(caught.value)
    assert fit(make(), engine="numpy").reason == "completed"
    assert note in str(network)


@pytest.mark.parametrize("hidden", NATIVE, ids=str)
def test_images_without_channels_that_all_layers_read_alike(hidden):
    network = network_of(*hidden, shape=(3, 2))
    fit(network, engine="native")
    assert network.engine == "native"


@pytest.mark.parametrize(("options", "reason"), RULES, ids=[str(options) for options, _ in RULES])
def test_rules_of_ones_own(options, reason):
    network = network_of(pl.Dense(4))
    assert network.engine == "native"
    fit(network, **options)
    assert network.engine == "numpy"
    assert network.engine_note.startswith("numpy")
    with pytest.raises(pl.ArgumentError, match=reason):
        fit(network_of(pl.Dense(4)), engine="native", **options)
    fit(network, optimizer=pl.Adam())
    assert network.engine == "native"
    assert network.engine_note == f"native ({instruction_set()})"


def test_a_price_of_ones_own_on_one_layer():
    network = network_of(pl.Dense(4, regularizer=MyPrice()))
    fit(network)
    assert network.engine == "numpy"
    with pytest.raises(pl.ArgumentError, match="regularizer"):
        fit(network_of(pl.Dense(4, regularizer=MyPrice())), engine="native")


def test_a_price_of_ones_own_in_a_block():
    network = network_of(pl.Residual([pl.Dense(6, regularizer=pl.L2(0.1) + MyPrice())]))
    fit(network)
    assert network.engine == "numpy"
    with pytest.raises(pl.ArgumentError, match="regularizer"):
        fit(network, engine="native")


def test_refusing_leaves_the_network_alone():
    network = network_of(pl.Dense(4), Double())
    before = network.parameters.vector.copy()
    for bad in ({"engine": "native"}, {"engine": "gpu"}, {"engine": None}, {"threads": 0}, {"threads": 257}):
        with pytest.raises(pl.ArgumentError):
            fit(network, **bad)
    assert (network.parameters.vector == before).all()
    assert network.training_state.step == 0
    assert network.engine == "numpy"
    fit(network)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"engine": "fast"}, "engine"),
        ({"engine": ""}, "engine"),
        ({"engine": 3}, "engine"),
        ({"threads": 0}, "threads"),
        ({"threads": -1}, "threads"),
        ({"threads": 1.5}, "threads"),
        ({"threads": True}, "threads"),
        ({"threads": 257}, "at most 256"),
        ({"threads": "2"}, "threads"),
    ],
    ids=str,
)
@pytest.mark.parametrize("engine", ["auto", "numpy"])
def test_values_that_cannot_be(bad, words, engine):
    with pytest.raises(pl.ArgumentError, match=words):
        fit(network_of(pl.Dense(4)), **{"engine": engine, **bad})


@pytest.mark.parametrize("isa", ISAS)
def test_the_instruction_set_is_named(isa, monkeypatch):
    monkeypatch.setenv("PELLUCID_ISA", isa)
    network = network_of(pl.Dense(4))
    fit(network)
    assert network.engine_note == f"native ({isa})"


@pytest.mark.parametrize("verb", [fit, lambda network: network.predict(X)], ids=["fit", "predict"])
def test_an_instruction_set_that_does_not_exist(verb, monkeypatch):
    monkeypatch.setenv("PELLUCID_ISA", "quantum")
    network = network_of(pl.Dense(4))
    with pytest.raises(pl.ArgumentError, match=rf'PELLUCID_ISA.*"quantum".*{ISAS[0]}'):
        verb(network)
    monkeypatch.setenv("PELLUCID_ISA", "")
    verb(network)


def test_predictions_of_a_network_that_numpy_must_walk(cube):
    network = network_of(pl.Dense(5, cube))
    weights = {name: array.astype(np.float64) for name, array in network.parameters.items()}
    z = (X @ weights["dense_1.weight"] + weights["dense_1.bias"]) ** 3 @ weights["output.weight"] + weights["output.bias"]
    np.testing.assert_array_equal(network.predict(X), z.argmax(axis=1))


def test_the_engine_that_was_asked_for_predicts_too():
    network = network_of(pl.Dense(4))
    fit(network, engine="numpy")
    assert network.engine == "numpy"
    assert network.engine_choice == "numpy"
    walked = network.predict_proba(X)
    network.engine_choice = "auto"
    np.testing.assert_allclose(network.predict_proba(X), walked, rtol=1e-5)


@pytest.mark.parametrize(
    ("dtype", "expected"), [("float32", f"native ({instruction_set()})"), ("float64", "numpy (float64")]
)
def test_info_names_the_engine(dtype, expected, tmp_path, monkeypatch, capsys):
    path = tmp_path / "model.safetensors"
    network_of(pl.Dense(4), dtype=dtype).save(path)
    monkeypatch.setattr("sys.argv", ["pellucid", "info", str(path)])
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(SystemExit) as end:
        main()
    signal.signal(signal.SIGINT, handler)  # a command ends its process; this one goes on
    assert not end.value.code
    assert f"engine {expected}" in " ".join(capsys.readouterr().out.split())
