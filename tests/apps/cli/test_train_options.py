"""The options of ``pellucid train``: they reach the network, and --resume goes on as if uninterrupted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from running import TINY

import pellucid as pl
from pellucid._native import has_bf16
from pellucid.training.recipes.named import DIGITS


def test_the_options_of_train_reach_the_network(cli):
    done = cli(
        "train",
        "digits",
        "--hidden",
        "7",
        "--hidden",
        "5",
        "--activation",
        "tanh",
        "--dropout",
        "0.25",
        "--batch-norm",
        "--l1",
        "1e-5",
        "--l2",
        "1e-4",
        "--optimizer",
        "nesterov",
        "--learning-rate",
        "0.05",
        "--schedule",
        "cosine",
        "--epochs",
        "2",
        "--batch-size",
        "500",
        "--no-augment",
        "--validation",
        "0.2",
        "--seed",
        "9",
        "--out",
        "m.safetensors",
    )
    assert done.returncode == 0, done.stderr
    network = pl.load("m.safetensors").network
    assert network.layers == (
        pl.Input(28, 28),
        pl.Dense(7),
        pl.BatchNormalization(activation="tanh"),
        pl.Dropout(0.25),
        pl.Dense(5),
        pl.BatchNormalization(activation="tanh"),
        pl.Dropout(0.25),
        pl.Classification(10),
    )
    state = network.training_state
    assert state.optimizer == pl.GradientDescent(0.05, momentum=0.9, nesterov=True)
    assert (network.seed, state.epoch, state.step) == (9, 2, 2)
    assert {"penalty", "validation_loss"} < set(network.history)
    assert state.settings["schedule"] == "Cosine(final=0.0)"
    assert state.settings["regularizer"] == repr(pl.L1(1e-5) + pl.L2(1e-4))
    assert "augmentation" not in state.settings


def test_the_engine_that_was_asked_for_runs_and_is_named(cli):
    for options, engine in (
        ((), pl.Network([pl.Input(1), pl.Classification(2)]).engine_note),
        (("--engine", "native"), "native ("),
        (("--engine", "numpy"), "numpy (chosen)"),
    ):
        done = cli("train", "digits", *TINY, *options)
        assert done.returncode == 0, done.stderr
        assert f"engine {engine}" in " ".join(done.stderr.split())
        assert done.stdout.startswith("digits.safetensors: ")
        assert pl.load("digits.safetensors").network.engine_choice == "auto"  # of the run, not of the model


def test_any_number_of_threads_writes_the_same_network(cli):
    vectors = []
    for threads in ("1", "3"):
        assert cli("train", "digits", *TINY, "--threads", threads).returncode == 0
        vectors.append(pl.load("digits.safetensors").network.parameters.vector.tobytes())
    assert vectors[0] == vectors[1]


@pytest.mark.skipif(not has_bf16(), reason="the processor has no AVX512_BF16")
def test_bf16(cli):
    wide = ("train", "digits", "--hidden", "64", "--epochs", "1", "--no-augment", "--batch-size", "100")
    done = cli(*wide, "--precision", "bf16", "--out", "bf16")
    assert done.returncode == 0, done.stderr
    assert "bf16 products" in " ".join(done.stderr.split())
    assert cli(*wide, "--out", "float32").returncode == 0
    halves, whole = (pl.load(name).network.parameters.vector for name in ("bf16", "float32"))
    assert (halves != whole).any()
    np.testing.assert_allclose(halves, whole, rtol=0, atol=0.05)


def test_no_hidden_layer_and_the_default_name(cli):
    assert cli("train", "digits", "--hidden", "0", "--epochs", "1", "--no-augment").returncode == 0
    assert [layer.kind for layer in pl.load("digits.safetensors").network.layers] == ["input", "classification"]


def test_an_optimizer_has_its_own_rate_unless_one_is_given(cli):
    for options, expected in (
        ((), pl.Adam(DIGITS["default"].learning_rate)),
        (("--optimizer", "adagrad"), pl.Adagrad()),
        (("--optimizer", "adagrad", "--learning-rate", "0.5"), pl.Adagrad(0.5)),
        (("--learning-rate", "0.5"), pl.Adam(0.5)),
    ):
        assert cli("train", "digits", "--hidden", "4", "--epochs", "1", "--no-augment", *options).returncode == 0
        assert pl.load("digits.safetensors").network.training_state.optimizer == expected


def test_names_are_taken_in_any_spelling_as_the_library_does(cli):
    words = ("--optimizer", "SGD", "--activation", "ReLU", "--schedule", "OneCycle")
    assert cli("train", "digits", "--hidden", "4", "--epochs", "1", "--no-augment", *words).returncode == 0
    network = pl.load("digits.safetensors").network
    assert isinstance(network.training_state.optimizer, pl.GradientDescent)
    assert pl.Dense(4, "relu") in network.layers
    assert network.training_state.settings["schedule"].startswith("OneCycle(")


def test_early_stopping(cli):
    done = cli(
        "train",
        "digits",
        "--hidden",
        "8",
        "--epochs",
        "300",
        "--no-augment",
        "--validation",
        "0.5",
        "--early-stopping",
        "2",
        "--learning-rate",
        "0.1",
    )
    assert done.returncode == 0
    network = pl.load("digits.safetensors").network
    assert network.training_state.epoch < 100
    losses = network.history["validation_loss"]
    assert len(losses) == int(np.argmin(losses)) + 1 + 2
    assert "stopped early" in done.stderr


def test_resume_with_the_optimizers_state_is_training_uninterrupted(cli):
    common = ("train", "digits", "--schedule", "constant", "--batch-size", "50")
    assert cli(*common, "--hidden", "6", "--epochs", "3", "--out", "whole").returncode == 0
    assert cli(*common, "--hidden", "6", "--epochs", "1", "--out", "part", "--optimizer-state").returncode == 0
    done = cli(*common, "--epochs", "2", "--resume", "part", "--out", "rest")
    assert done.returncode == 0, done.stderr
    whole, rest = pl.load("whole").network, pl.load("rest").network
    assert rest.parameters.vector.tobytes() == whole.parameters.vector.tobytes()
    assert rest.history["loss"] == whole.history["loss"]


def test_resume_writes_to_the_same_file_unless_told_otherwise(cli):
    assert cli("train", "digits", *TINY, "--out", "m").returncode == 0
    before = Path("m").read_bytes()
    assert cli("train", "digits", "--epochs", "1", "--no-augment", "--resume", "m", "--out", "n").returncode == 0
    assert Path("m").read_bytes() == before
    assert cli("train", "digits", "--epochs", "1", "--no-augment", "--resume", "m").returncode == 0
    assert pl.load("m").network.training_state.epoch == 2


def test_resume_keeps_the_labels_of_the_model(cli, trained):
    names = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    pl.Model(trained[0], labels=names).save("named")
    assert cli("train", "digits", "--epochs", "1", "--no-augment", "--resume", "named", "--out", "more").returncode == 0
    assert pl.load("more").labels == tuple(names)


def test_resume_keeps_the_optimizers_state_that_the_file_had(cli, trained):
    """The file in place was one to go on from exactly; after --resume it still should be."""
    Path("m").write_bytes(trained[1].read_bytes())
    assert cli("train", "digits", "--epochs", "1", "--no-augment", "--resume", "m").returncode == 0
    assert pl.load("m").network.training_state.optimizer_state.slots
