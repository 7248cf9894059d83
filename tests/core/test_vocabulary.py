"""Words of other libraries: what has one meaning is taken, all else answered with our name; no typo is swallowed."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
import subprocess
import sys
from importlib import import_module

import numpy as np
import pytest

import pellucid as pl
from pellucid.core.vocabulary import SYNONYMS, WORDS
from pellucid.mathematics.activations import ACTIVATIONS
from pellucid.mathematics.initializers import INITIALIZERS
from pellucid.mathematics.losses import REGRESSION_LOSSES
from pellucid.mathematics.optimizers import OPTIMIZERS
from pellucid.mathematics.regularizers import REGULARIZERS
from pellucid.mathematics.schedules import SCHEDULES

X = np.random.default_rng(0).normal(size=(40, 2))
Y = (X[:, 0] > 0).astype(int)
TABLES = {
    "activation": ACTIVATIONS,
    "initializer": INITIALIZERS,
    "optimizer": OPTIMIZERS,
    "regression loss": REGRESSION_LOSSES,
    "regularizer": REGULARIZERS,
    "schedule": SCHEDULES,
}


def small(activation: str = "relu") -> pl.Network:
    return pl.Network([pl.Input(2), pl.Dense(3, activation), pl.Classification(2)])


def trained(**options) -> pl.Network:
    network = small()
    network.fit(X, Y, epochs=1, progress="none", **options)
    return network


@pytest.mark.parametrize(
    ("given", "ours"),
    [
        *(
            ("ReLU", "relu"),
            ("RELU", "relu"),
            ("ReLU6", "relu6"),
            ("LeakyReLU", "leaky_relu"),
            ("leaky-relu", "leaky_relu"),
            ("GELU", "gelu"),
        ),
        *(
            ("linear", "identity"),
            ("swish", "silu"),
            ("Swish", "silu"),
            ("logistic", "sigmoid"),
            ("hard sigmoid", "hard_sigmoid"),
        ),
    ],
)
def test_an_activation_is_taken_in_any_spelling_and_kept_as_ours(given, ours, tmp_path):
    for make in (
        lambda name: pl.Dense(3, name),
        lambda name: pl.Conv2D(3, activation=name),
        lambda name: pl.BatchNormalization(activation=name),
        lambda name: pl.Residual([pl.Dense(3)], activation=name),
    ):
        assert make(given) == make(ours)
        assert make(given).activation == ours
    one, other = tmp_path / "one.safetensors", tmp_path / "other.safetensors"
    small(given).save(one)
    small(ours).save(other)
    assert one.read_bytes() == other.read_bytes()


def test_initializers_losses_and_regularizers_are_kept_as_ours():
    assert pl.Dense(3, initializer="HeNormal") == pl.Dense(3, initializer="he_normal")
    assert pl.Dense(3, initializer="kaiming_normal").initializer == "he_normal"
    assert pl.Classification(3, initializer="xavier_uniform") == pl.Classification(3)
    assert pl.Regression(loss="L1") == pl.Regression(loss="mae")
    assert pl.Regression(loss="MSE") == pl.Regression(loss="mean_squared_error") == pl.Regression()
    assert pl.Dense(3, regularizer="l2").regularizer == pl.L2(0.01)
    assert pl.Classification(3, regularizer="L1").regularizer == pl.L1(0.01)
    assert pl.Dense(3).initializer is None


@pytest.mark.parametrize("name", ["adam", "Adam", "sgd", "SGD", "rmsprop", "RMSprop", "AdamW", "momentum"])
def test_fit_takes_an_optimizer_by_its_name(name):
    chosen = OPTIMIZERS[SYNONYMS["optimizer"].get(name.lower(), name.lower())]
    by_name, by_object = small(), small()
    by_name.fit(X, Y, epochs=2, optimizer=name, regularizer="l2", progress="none")
    by_object.fit(X, Y, epochs=2, optimizer=chosen, regularizer=pl.L2(0.01), progress="none")
    assert by_name.training_state.optimizer == chosen
    assert by_name.training_state.settings == by_object.training_state.settings
    np.testing.assert_array_equal(by_name.parameters.vector, by_object.parameters.vector)


def test_a_class_in_place_of_an_object_is_told_its_parentheses():
    with pytest.raises(pl.ArgumentError, match="Add parentheses"):
        small().fit(X, Y, optimizer=pl.Adam)


def test_gradients_trace_and_gradcheck_take_the_same_names():
    network = small("tanh")
    named, given = (network.gradients(X, Y, regularizer=penalty) for penalty in ("l2", pl.L2(0.01)))
    np.testing.assert_array_equal(named["dense_1.weight"], given["dense_1.weight"])
    assert network.trace(X[:2], Y[:2], "adam", regularizer="l2").to_json() == (
        network.trace(X[:2], Y[:2], pl.Adam(), regularizer=pl.L2(0.01)).to_json()
    )
    assert pl.gradcheck(network, X, Y, regularizer="l1_l2").passed


@pytest.mark.parametrize(
    ("use", "ours"),
    [
        (lambda: pl.Dense(3, "softmax"), "Keras calls it softmax; here the output layer Classification(num_classes)"),
        (lambda: pl.Dense(3, "rellu"), "Did you mean 'relu'?"),
        (lambda: pl.Dense(3, "RELUU"), "Did you mean 'relu'?"),
        (lambda: pl.Dense(3, activation=None), 'Keras calls it None; here the activation "identity".'),
        (lambda: pl.Dense(3, initializer="xavier"), '"glorot_normal" or "glorot_uniform"'),
        (lambda: pl.Regression(loss="CategoricalCrossentropy"), "here a Classification(num_classes)."),
        (lambda: pl.Dense(3, initializer="HeNormall"), "Did you mean 'he_normal'?"),
        (lambda: pl.Dense(3, regularizer="l1l3"), "Did you mean 'l1_l2'?"),
        (lambda: pl.Conv2D(3, padding="SAME"), "Did you mean 'same'?"),
        (lambda: pl.Regression(loss="binary_crossentropy"), "BinaryClassification()"),
        (lambda: pl.Regression(loss="hubert"), "Did you mean 'huber'?"),
        (lambda: small().fit(X, Y, optimizer="adm"), "Did you mean 'adam'?"),
        (lambda: small().fit(X, Y, schedule="cosin"), "Did you mean 'cosine'?"),
        (lambda: small().fit(X, Y, engine="nativ"), "Did you mean 'native'?"),
        (lambda: trained().history["los"], "Did you mean 'loss'?"),
        (lambda: trained(validation=0.2).history["val_loss"], "Keras calls it val_loss; here validation_loss"),
        (lambda: small().parameters["dens_1.weight"], "Did you mean 'dense_1.weight'?"),
    ],
)
def test_any_other_name_is_answered_with_ours(use, ours):
    with pytest.raises(pl.UnknownNameError, match=re.escape(ours)):
        use()


@pytest.mark.parametrize(
    ("use", "ours"),
    [
        (lambda: pl.Dense(3, activaton="relu"), "Did you mean 'activation'?"),
        (lambda: pl.Dense(3, input_shape=(4,)), "it is in the first layer, as in pl.Input(28, 28)"),
        (lambda: pl.Dense(3, in_features=4), "by itself"),
        (lambda: pl.Dense(3, kernel_regularizer="l2"), "Did you mean 'regularizer'?"),
        (lambda: pl.Conv2D(3, strides=2), "Did you mean 'stride'?"),
        (lambda: pl.MaxPooling2D(pool_size=2), "Did you mean 'size'?"),
        (lambda: pl.Flatten(strides=2), "there are none"),
        (lambda: pl.Input(shap=(3,)), "Did you mean 'shape'?"),
        (lambda: pl.Dropout(p=0.5), "PyTorch calls it p; here rate."),
        (lambda: pl.Classification(3, activation="softmax"), "output layers their own"),
        (lambda: pl.Adam(lr=1e-3), "here learning_rate."),
        (lambda: pl.Adam(beta_1=0.9), "Did you mean 'beta1'?"),
        (lambda: pl.GradientDescent(weight_decay=1e-3), "AdamW(weight_decay=...)"),
        (lambda: pl.Cosine(finl=0.1), "Did you mean 'final'?"),
        (lambda: pl.Huber(dleta=1.0), "Did you mean 'delta'?"),
        (lambda: pl.Orthogonal(gian=1.0), "Did you mean 'gain'?"),
        (lambda: pl.L2(l2=0.1), "here strength."),
        (lambda: pl.ClipByGlobalNorm(max_norm=1.0), "here maximum."),
        (lambda: pl.Distortion(rotatoin=3), "Did you mean 'rotation'?"),
        (lambda: pl.PhotoAugmentation(horizontal_flip=True), "flip, shift"),
        (lambda: pl.PhotoPipeline(hight=3, width=3), "Did you mean 'height'?"),
        (lambda: pl.EarlyStopping(restore_best_weights=True), "Did you mean 'restore_best'?"),
        (
            lambda: pl.Network([pl.Input(2), pl.Regression()], random_state=1),
            "calls it random_state; here seed.",
        ),
        (lambda: pl.Network([pl.Input(2), pl.Regression()], sed=1), "Did you mean 'seed'?"),
        (lambda: pl.Model(small(), label=["a", "b"]), "Did you mean 'labels'?"),
        (lambda: small().fit(X, Y, learning_rate=0.1), "it belongs to the optimizer, as in optimizer=pl.Adam(0.01)."),
        (lambda: small().fit(X, Y, loss="mse"), "it belongs to the output layer"),
        (lambda: small().fit(X, Y, metrics=["accuracy"]), "always measured"),
        (lambda: small().fit(X, Y, validation_data=(X, Y)), "Keras calls it validation_data; here validation=(x, y)."),
        (lambda: small().fit(X, Y, validation_split=0.2), "Keras calls it validation_split; here validation=0.2."),
        (lambda: small().fit(X, Y, verbose=0), 'progress="none"'),
        (lambda: small().fit(X, Y, max_iter=3), "here epochs=10."),
        (lambda: small().fit(X, Y, epoch=3), "Did you mean 'epochs'?"),
        (lambda: small().fit(X, Y, callback=print), "Did you mean 'callbacks'?"),
        (lambda: small().fit(X=X, y=Y), "Did you mean 'x'?"),
        (lambda: small().fit(X, Y, random_state=3), "here pl.Network([...], seed=0)"),
        (lambda: small().fit(X, Y, patience=3), "here early_stopping=5"),
        (lambda: small().evaluate(X, Y, verbose=0), "Keras calls it verbose; here nothing is printed."),
        (lambda: small().predict(X, batch_size=8), "any number of samples is taken at once"),
        (lambda: small().predict_proba(X, Batch_Size=8), "any number of samples is taken at once"),
        (lambda: small().evaluate(X, Y, sample_weights=Y), "Did you mean 'sample_weight'?"),
        (lambda: small().trace(X, Y, optimiser="adam"), "Did you mean 'optimizer'?"),
        (lambda: pl.Model(small()).predict(X, confidance=0.9), "Did you mean 'confidence'?"),
        (lambda: pl.gradcheck("relu", X, tolerence=0.1), "Did you mean 'tolerance'?"),
        (lambda: pl.datasets.folder("photos", sise=8), "Did you mean 'size'?"),
    ],
)
def test_an_argument_that_is_not_there_is_answered_with_ours(use, ours):
    for error in (pl.UnknownNameError, TypeError):
        with pytest.raises(error, match=re.escape(ours)):
            use()


@pytest.mark.parametrize(
    ("monitor", "validation", "ours"),
    [
        ("val_loss", 0.2, "here validation_loss"),
        ("validation_los", 0.2, "Did you mean 'validation_loss'?"),
        ("accurcy", None, "Did you mean 'accuracy'?"),
        ("val_loss", None, "Give fit a validation set"),
        (5, 0.2, "validation_loss"),
    ],
)
def test_early_stopping_says_how_a_metric_is_called(monitor, validation, ours):
    with pytest.raises(pl.ArgumentError, match=re.escape(ours)):
        small().fit(X, Y, validation=validation, early_stopping=pl.EarlyStopping(monitor=monitor))


@pytest.mark.parametrize(
    ("use", "ours"),
    [
        (lambda: pl.SGD, "pl.GradientDescent("),
        (lambda: pl.Sequential, "pl.Network("),
        (lambda: pl.Conv2d, "PyTorch calls it Conv2d; here pl.Conv2D("),
        (lambda: pl.BatchNorm, "Did you mean 'BatchNormalization'?"),
        (lambda: pl.MSE, "pl.MeanSquaredError()"),
        (lambda: pl.ReLU, 'pl.Dense(128, "relu")'),
        (lambda: pl.tanh, 'pl.Dense(128, "relu")'),
        (lambda: pl.dense, "Did you mean 'Dense'?"),
        (lambda: pl.functional, "every name is in pl itself"),
        (lambda: pl.losses, "every name is in pl itself"),
        (lambda: import_module("pellucid.nn").Linear, "pellucid.nn has no 'Linear': every name is in pl itself"),
        (lambda: import_module("pellucid.models").Sequential, "every name is in pl itself"),
        (lambda: pl.Rescaling, "pl.Rescale.fit(x)"),
        (lambda: pl.manual_seed, "pl.Network([...], seed=0)"),
        (lambda: pl.train_test_split, "fit(x, y, validation=0.2)"),
        (lambda: pl.Densee, "Did you mean 'Dense'?"),
        (lambda: pl.datasets.load_digits, "pl.datasets.digits()"),
        (lambda: pl.datasets.MNIST, "Did you mean 'mnist'?"),
        (lambda: pl.datasets.fashon, "Did you mean 'fashion'?"),
        (lambda: small().summary(), "Keras calls it summary; here print(network)."),
        (lambda: small().score(X, Y), 'network.evaluate(x, y)["accuracy"]'),
        (lambda: small().weights, "network.parameters"),
        (lambda: small().compile, "nothing is compiled"),
        (lambda: small().evalute, "Did you mean 'evaluate'?"),
        (lambda: small().history.history, 'history["loss"]'),
        (lambda: small().history.epoch, "Did you mean 'epochs'?"),
        (lambda: pl.Model(small()).fit(X, Y), "model.network"),
        (lambda: pl.Model(small()).calibrat, "Did you mean 'calibrate'?"),
    ],
)
def test_an_attribute_that_is_not_there_is_answered_with_ours(use, ours):
    with pytest.raises(AttributeError, match=re.escape(ours)):
        use()


def test_a_network_that_is_called_says_what_to_call():
    with pytest.raises(TypeError, match=r"use predict\(x\) or predict_proba\(x\)"):
        small()(X)


def test_mnist_is_the_digits():
    assert pl.datasets.mnist is pl.datasets.digits
    assert "mnist" not in pl.datasets.__all__


def test_an_activation_of_ones_own_cannot_have_a_name_that_means_another():
    for name in ("swish", "ReLU", "Relu", "linear"):
        with pytest.raises(pl.ArgumentError, match="built in"):
            pl.register_activation(name, np.tanh, np.tanh)


def test_what_python_itself_looks_for_is_simply_not_there():
    network = trained()
    for thing in (network, network.history, pl.Model(network), pl, pl.datasets):
        assert not hasattr(thing, "__wrapped__")
        assert not hasattr(thing, "no_such_name")
        assert getattr(thing, "no_such_name", 7) == 7
        assert "no_such_name" not in dir(thing)
        with pytest.raises(AttributeError, match=r"has no '_private'$"):
            _ = thing._private
    for twin in (copy.copy(network), copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        np.testing.assert_array_equal(twin.predict(X), network.predict(X))
        assert twin.history == network.history
    for thing in (pl.Conv2D(3, stride=2), pl.Adam(0.1), pl.L1(0.1) + pl.L2(0.1), pl.EarlyStopping(7), pl.Distortion()):
        assert copy.copy(thing) == copy.deepcopy(thing) == pickle.loads(pickle.dumps(thing)) == thing


def test_a_property_that_fails_says_so_itself():
    class Own(pl.Network):
        @property
        def broken(self):
            return self.no_such_thing.at_all

    with pytest.raises(AttributeError, match="Network has no 'no_such_thing'"):
        _ = Own([pl.Input(2), pl.Regression()]).broken


def test_help_shows_the_arguments_of_a_class():
    """Those that its __init__ declares, whatever stands before it."""
    for cls in (pl.Dense, pl.Flatten, pl.Input, pl.Network, pl.Model, pl.EarlyStopping, pl.Adam, pl.ParameterSpec):
        declared = list(inspect.signature(cls.__init__).parameters.values())[1:]
        assert list(inspect.signature(cls).parameters.values()) == declared
    assert list(inspect.signature(pl.Dense).parameters)[:2] == ["units", "activation"]


def test_a_layer_of_ones_own_without_a_constructor_takes_no_arguments():
    class Own(pl.Layer):
        def output_shape(self, input_shape):
            return input_shape

        def forward(self, parameters, x, context):
            return x, None

        def backward(self, parameters, cache, dy):
            return dy, {}

    assert Own().kind == "own"
    for arguments in ({"units": 3}, {"rate": 0.1}):
        with pytest.raises(TypeError, match="takes no arguments"):
            Own(**arguments)
    with pytest.raises(TypeError, match="takes no arguments"):
        Own(3)


def test_an_initializer_of_ones_own_may_take_any_arguments():
    class Loose(pl.Initializer):
        def __init__(self, **options):
            self.options = options

        def draw(self, shape, key):
            return np.zeros(shape)

    assert Loose(strides=3, kind=4).options == {"strides": 3, "kind": 4}


def test_every_word_of_the_tables_is_foreign_and_every_answer_is_ours():
    assert set(SYNONYMS) == set(TABLES)
    for kind, words in SYNONYMS.items():
        for word, ours in words.items():
            assert ours in TABLES[kind]
            assert word not in TABLES[kind]
    network = small()
    things = {"network": network, "pl.datasets": pl.datasets, "model": pl.Model(network), "model.network": network}
    arguments = {
        name
        for thing in (getattr(pl, name) for name in pl.__all__)
        if inspect.isclass(thing)
        for name in inspect.signature(thing.__init__).parameters
    }
    for places, _, words, ours in WORDS:
        for name in re.findall(r"\bpl\.(\w+)", ours):
            assert name in pl.__all__, ours
        for name in re.findall(r"\b([A-Z]\w+)\(", ours):
            assert name in pl.__all__, ours
        for stem, thing in things.items():
            for name in re.findall(rf"(?<![\w.]){re.escape(stem)}\.(\w+)", ours):
                assert hasattr(thing, name), ours
        if ours.isidentifier():
            assert ours in arguments
        for place in places.split(", "):
            owner = {"pellucid": pl, "Network": network, "Model": pl.Model(network), "History": network.history}.get(place)
            assert owner is None or not [
                word for word in words.split() if not inspect.ismodule(getattr(owner, word, inspect))
            ]
    fit = inspect.signature(pl.Network.fit).parameters
    for places, _, words, ours in WORDS:
        if "fit" in places.split(", "):
            assert not set(words.split()) & set(fit)
            assert set(re.findall(r"^(\w+)=", ours)) <= set(fit)


def test_the_words_are_read_only_when_they_are_needed():
    code = (
        "import sys, pellucid as pl; assert not {m for m in sys.modules if m.startswith('pellucid.')}, sys.modules\n"
        "n = pl.Network([pl.Input(2), pl.Dense(3, 'relu', initializer='he_normal'), pl.Regression(loss='mse')])\n"
        "n.fit([[0.0, 1.0]], [1.0], epochs=1, optimizer='adam', schedule='cosine', regularizer='l2', progress='none')\n"
        "assert 'pellucid.core.vocabulary' not in sys.modules and 'difflib' not in sys.modules"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
