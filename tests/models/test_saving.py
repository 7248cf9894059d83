"""The model file: what was saved comes back bit for bit, others can read it, and damage never passes unseen."""

from __future__ import annotations

import json
import os
import stat
import threading

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

import pellucid as pl

EVERY_ACTIVATION = (
    "identity",
    "relu",
    "relu6",
    "leaky_relu",
    "elu",
    "selu",
    "gelu",
    "silu",
    "softplus",
    "sigmoid",
    "hard_sigmoid",
    "tanh",
)
EVERY_OPTIMIZER = (
    pl.GradientDescent(0.05),
    pl.GradientDescent(0.05, momentum=0.9),
    pl.GradientDescent(0.05, momentum=0.9, nesterov=True),
    pl.Adam(1e-3, beta1=0.8),
    pl.AdamW(1e-3, weight_decay=0.1),
    pl.RMSProp(1e-3),
    pl.Adagrad(1e-2),
)


def small(*hidden, seed=0, dtype="float32", output=None):
    return pl.Network([pl.Input(28, 28), *hidden, output or pl.Classification(10)], seed=seed, dtype=dtype)


def metadata(path):
    with safe_open(path, framework="numpy") as file:
        return json.loads(file.metadata()["pellucid"])


def bits(array):
    return array.tobytes(), array.dtype, array.shape


NETWORKS = {
    "no hidden layer": lambda: small(),
    "every activation": lambda: small(*(pl.Dense(5, name) for name in EVERY_ACTIVATION)),
    "every option": lambda: small(
        pl.Flatten(),
        pl.Dense(8, "tanh", initializer=pl.VarianceScaling(1.5, "fan_average", "uniform"), use_bias=False),
        pl.Dropout(0.25),
        pl.Dense(7, "gelu", initializer="orthogonal", regularizer=pl.L1(1e-5) + pl.L2(1e-4)),
        pl.Dense(6, initializer=pl.Orthogonal(0.7)),
        pl.Dense(5, initializer=pl.Constant(0.05)),
        output=pl.Classification(
            10, label_smoothing=0.1, initializer="lecun_normal", use_bias=False, regularizer=pl.L2(0.01)
        ),
    ),
    "batch normalization": lambda: small(
        pl.Dense(8), pl.BatchNormalization(0.7, 1e-3), pl.Dense(4, "relu"), pl.BatchNormalization()
    ),
    "float64": lambda: small(pl.Dense(8, "relu"), seed=-5, dtype="float64"),
    "yes or no": lambda: small(pl.Dense(3, "selu"), output=pl.BinaryClassification(0.2)),
    "one number": lambda: small(pl.Dense(3, "elu"), output=pl.Regression(loss=pl.Huber(0.5))),
    "three numbers": lambda: small(output=pl.Regression(3, "mae", regularizer=pl.L1(0.1))),
}


def targets(network, y):
    if isinstance(network.output, pl.Classification):
        return y
    if isinstance(network.output, pl.BinaryClassification):
        return y % 2
    return np.stack([y] * network.output.num_values, axis=1) / 10


@pytest.mark.parametrize("name", NETWORKS)
def test_what_was_saved_comes_back_bit_for_bit(digits, tmp_path, name):
    x, y = digits
    network = NETWORKS[name]()
    history = network.fit(x, targets(network, y), epochs=2, validation=0.2, progress="none")
    path = tmp_path / "model.safetensors"
    network.save(path)
    loaded = pl.load(path).network

    assert loaded.layers == network.layers
    assert (loaded.seed, loaded.dtype) == (network.seed, network.dtype)
    assert list(loaded.parameters) == list(network.parameters)
    assert list(loaded.state) == list(network.state)
    assert bits(loaded.parameters.vector) == bits(network.parameters.vector)
    assert bits(loaded.state.vector) == bits(network.state.vector)
    assert bits(loaded.predict(x)) == bits(network.predict(x))
    assert bits(loaded.forward(x)) == bits(network.forward(x))
    assert loaded.history.epochs == history.epochs
    assert (loaded.training_state.epoch, loaded.training_state.step) == (2, 2 * 15)
    assert loaded.training_state.optimizer == pl.Adam()
    assert loaded.training_state.settings == network.training_state.settings
    assert loaded.pipeline == network.pipeline
    assert loaded.pipeline is not None


def test_batch_normalization_state_is_part_of_the_answer(digits, tmp_path):
    """Were the moving averages lost (0 and 1), the answers would be others."""
    x, y = digits
    network = small(pl.Dense(8), pl.BatchNormalization())
    network.fit(x, y, epochs=2, progress="none")
    network.save(tmp_path / "m.safetensors")
    loaded = pl.load(tmp_path / "m.safetensors").network
    assert bits(loaded.state["batch_normalization_1.moving_variance"]) == bits(
        network.state["batch_normalization_1.moving_variance"]
    )
    assert abs(network.state["batch_normalization_1.moving_variance"] - 1).max() > 0.1
    before = loaded.predict_proba(x)
    loaded.state["batch_normalization_1.moving_mean"] = np.zeros(8)
    assert abs(loaded.predict_proba(x) - before).max() > 1e-3


def test_labels_and_pipeline_come_back(digits, tmp_path):
    x, y = digits
    network = small(pl.Dense(4, "relu"))
    network.fit(x, y, epochs=1, progress="none")
    names = ["zéro", "один", "数", "🙂", "a b", 'q"', "6", "seven\n", "", 9]
    pipeline = pl.DigitPipeline(28, 18, 1.0, 3.0, 9.0, 200.0)
    pl.Model(network, pipeline, names).save(tmp_path / "m.safetensors")
    model = pl.load(tmp_path / "m.safetensors")
    assert model.labels == tuple(names)
    assert model.pipeline == pipeline
    prediction = model.predict(x[0])
    assert prediction.label == names[int(prediction.probabilities.argmax())]


def test_labels_may_be_the_array_of_numpy_unique(tmp_path):
    names = ["dog", "cat", "dog", "bird"]
    classes, y = np.unique(names, return_inverse=True)
    network = pl.Network([pl.Input(2), pl.Classification(3)])
    network.fit(np.zeros((4, 2)), y, epochs=1, progress="none")
    for labels in (classes, list(classes), classes.astype(object)):
        model = pl.Model(network, labels=labels)
        assert model.labels == ("bird", "cat", "dog")
        assert {type(label) for label in model.labels} == {str}
        network.save(tmp_path / "animals.safetensors", labels=labels)
        assert pl.load(tmp_path / "animals.safetensors").labels == ("bird", "cat", "dog")
    numbers = pl.Model(network, labels=np.array([3, 5, 7]))
    assert numbers.labels == (3, 5, 7)
    assert {type(label) for label in numbers.labels} == {int}
    for wrong in (np.array([0.5, 1.5, 2.5]), np.array([["a", "b", "c"]]), np.array("abc")):
        with pytest.raises(pl.ArgumentError, match="labels"):
            pl.Model(network, labels=wrong)


def test_the_file_is_plain_safetensors_with_the_documented_names_and_shapes(digits, tmp_path):
    x, y = digits
    network = small(pl.Dense(6, "relu"), pl.Dense(5))
    network.fit(x, y, epochs=1, progress="none", optimizer=pl.Adam(0.01))
    path = tmp_path / "m.safetensors"
    network.save(path, optimizer_state=True)
    tensors = load_file(path)
    count = 784 * 6 + 6 + 6 * 5 + 5 + 5 * 10 + 10
    assert {name: (array.shape, array.dtype.name) for name, array in tensors.items()} == {
        "dense_1.weight": ((784, 6), "float32"),
        "dense_1.bias": ((6,), "float32"),
        "dense_2.weight": ((6, 5), "float32"),
        "dense_2.bias": ((5,), "float32"),
        "output.weight": ((5, 10), "float32"),
        "output.bias": ((10,), "float32"),
        "optimizer.m": ((count,), "float32"),
        "optimizer.v": ((count,), "float32"),
    }
    # the answer, from the file alone: no Pellucid in it
    a = np.maximum((x.reshape(len(x), -1) / np.float32(255)) @ tensors["dense_1.weight"] + tensors["dense_1.bias"], 0)
    z = (a @ tensors["dense_2.weight"] + tensors["dense_2.bias"]) @ tensors["output.weight"] + tensors["output.bias"]
    np.testing.assert_allclose(network.forward(x), z, rtol=1e-4, atol=1e-5)
    described = metadata(path)
    assert described["format"] == 1
    assert described["pellucid"] == pl.__version__
    assert [layer["type"] for layer in described["network"]["layers"]] == ["Input", "Dense", "Dense", "Classification"]
    assert described["labels"] == list(range(10))
    assert "optimizer" not in load_file(path)


def test_without_optimizer_state_the_file_holds_the_network_only(digits, tmp_path):
    x, y = digits
    network = small()
    network.fit(x, y, epochs=1, progress="none")
    network.save(tmp_path / "m.safetensors")
    assert set(load_file(tmp_path / "m.safetensors")) == {"output.weight", "output.bias"}


def test_the_same_network_gives_the_same_bytes(digits, tmp_path):
    x, y = digits
    network = small(pl.Dense(6, "relu"), pl.BatchNormalization(), pl.Dense(5, "tanh"))
    network.fit(x, y, epochs=1, progress="none")
    for name in ("a", "b"):
        network.save(tmp_path / name, optimizer_state=True)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    pl.load(tmp_path / "a").save(tmp_path / "c", optimizer_state=True)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "c").read_bytes()


def test_an_untrained_network_can_be_saved(tmp_path):
    network = small(pl.Dense(6, "relu"))
    network.save(tmp_path / "m.safetensors", optimizer_state=True)
    model = pl.load(tmp_path / "m.safetensors")
    assert bits(model.network.parameters.vector) == bits(network.parameters.vector)
    assert model.pipeline is None
    assert len(model.network.history) == 0
    assert model.network.training_state.optimizer is None


@pytest.mark.parametrize("optimizer", EVERY_OPTIMIZER, ids=repr)
def test_training_resumed_from_a_file_is_training_uninterrupted(digits, tmp_path, optimizer):
    """tensorflow #27049, keras #19389: resumed was not uninterrupted. Here to the bit: order, masks, moments, averages."""
    x, y = digits

    def network():
        return small(pl.Dense(9, "relu"), pl.Dropout(0.3), seed=4)

    options = {"batch_size": 50, "progress": "none", "regularizer": pl.L2(1e-4), "augment": pl.Distortion()}
    whole = network()
    whole.fit(x, y, optimizer=optimizer, epochs=5, **options)
    first = network()
    first.fit(x, y, optimizer=optimizer, epochs=2, **options)
    path = tmp_path / "half.safetensors"
    first.save(path, optimizer_state=True)
    resumed = pl.load(path).network
    resumed.fit(x, y, epochs=3, **options)
    assert resumed.training_state.optimizer == optimizer
    assert bits(resumed.parameters.vector) == bits(whole.parameters.vector)
    assert (resumed.training_state.epoch, resumed.training_state.step) == (5, 60)
    for figure in ("loss", "accuracy"):
        assert resumed.history[figure] == whole.history[figure]

    first.save(path)
    forgetful = pl.load(path).network
    forgetful.fit(x, y, epochs=3, **options)
    remembers = bool(optimizer.needed_slots())
    assert (bits(forgetful.parameters.vector) != bits(whole.parameters.vector)) == remembers


def test_batch_normalization_resumes_exactly(digits, tmp_path):
    x, y = digits
    whole, first = (small(pl.Dense(9, "relu"), pl.BatchNormalization()) for _ in range(2))
    whole.fit(x, y, epochs=3, progress="none")
    first.fit(x, y, epochs=1, progress="none")
    first.save(tmp_path / "m", optimizer_state=True)
    resumed = pl.load(tmp_path / "m").network
    resumed.fit(x, y, epochs=2, progress="none")
    assert bits(resumed.parameters.vector) == bits(whole.parameters.vector)
    assert bits(resumed.state.vector) == bits(whole.state.vector)


def test_saving_does_not_disturb_training(digits, tmp_path):
    x, y = digits
    plain, watched = small(pl.Dense(6, "relu")), small(pl.Dense(6, "relu"))
    plain.fit(x, y, epochs=2, progress="none")

    def save(event):
        if isinstance(event, pl.events.StepFinished):
            watched.save(tmp_path / "m.safetensors", optimizer_state=True)
            watched.predict(x[:3])

    watched.fit(x, y, epochs=2, progress="none", batch_size=32, callbacks=[save])
    assert bits(plain.parameters.vector) == bits(watched.parameters.vector)


def test_a_network_that_learned_on_loses_nothing_of_its_file(digits, tmp_path):
    """The loaded arrays are the network's own: training it does not write into the file, or into another load."""
    x, y = digits
    network = small(pl.Dense(4))
    network.save(tmp_path / "m")
    before = (tmp_path / "m").read_bytes()
    one, other = pl.load(tmp_path / "m").network, pl.load(tmp_path / "m").network
    one.fit(x, y, epochs=1, progress="none")
    assert bits(other.parameters.vector) == bits(network.parameters.vector)
    assert (tmp_path / "m").read_bytes() == before


def test_a_link_stays_a_link_and_its_target_is_replaced(tmp_path):
    (tmp_path / "real").mkdir()
    real, link = tmp_path / "real" / "model.safetensors", tmp_path / "latest.safetensors"
    small(seed=1).save(real)
    link.symlink_to(real)
    small(seed=2).save(link)
    assert link.is_symlink()
    assert pl.load(real).network.seed == pl.load(link).network.seed == 2
    assert [path.name for path in (tmp_path / "real").iterdir()] == ["model.safetensors"]


def test_the_permissions_of_a_private_file_are_kept(tmp_path):
    """What its owner closed to others (0600) must not be open after it is saved again."""
    path = tmp_path / "private.safetensors"
    small().save(path)
    path.chmod(0o600)
    small(seed=1).save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_new_file_has_the_usual_permissions(tmp_path):
    old = os.umask(0o027)
    try:
        small().save(tmp_path / "m")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "m").stat().st_mode) == 0o640


def test_path_types_and_odd_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    network = small()
    for path in (
        "plain",
        "./with space.safetensors",
        "новый 数.safetensors",
        "new\nline",
        "-dash",
        tmp_path / "path",
        "a%sb{}[0]",
    ):
        network.save(path)
        assert bits(pl.load(path).network.parameters.vector) == bits(network.parameters.vector)
    assert len(list(tmp_path.iterdir())) == 7


def test_two_threads_that_save_to_one_place_leave_a_whole_file(tmp_path):
    path = tmp_path / "shared.safetensors"
    networks = [small(pl.Dense(40), seed=seed) for seed in (1, 2)]
    failures = []

    def save_often(network):
        try:
            for _ in range(30):
                network.save(path)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=save_often, args=(network,)) for network in networks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    loaded = pl.load(path).network
    assert bits(loaded.parameters.vector) == bits(networks[loaded.seed - 1].parameters.vector)
    assert [p.name for p in tmp_path.iterdir()] == ["shared.safetensors"]
