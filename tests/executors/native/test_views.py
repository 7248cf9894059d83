"""The named views while a plan trains in a layout of its own: they are up to date when looked at, and may be written to."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from twins import QUIET, assert_same_bits, fitted, numbers, spread

import pellucid as pl
from pellucid.training.events import EpochFinished, StepFinished, TrainingFinished

RNG = np.random.default_rng(9)
X = RNG.normal(size=(90, 7)).astype(np.float32)
Y = RNG.integers(0, 3, 90)
OPTIONS = {"batch_size": 16, "optimizer": pl.Adam(0.02), "shuffle": False, "threads": 2}  # six steps an epoch


def start():
    layers = [pl.Input(7), pl.Dense(20, "tanh"), pl.BatchNormalization(), pl.Dropout(0.2), pl.Classification(3)]
    return spread(pl.Network(layers, seed=2), 2)


def after(steps):
    """A network after so many steps of the training below, stopped there."""

    def stop(event):
        if isinstance(event, StepFinished) and event.step == steps:
            raise pl.StopTraining

    return fitted(start(), X, Y, epochs=9, callbacks=[stop], **OPTIONS)


def at_step(steps, action, epochs=2, **more):
    """A network whose training calls ``action(network)`` after that step."""
    network = start()

    def act(event):
        if isinstance(event, StepFinished) and event.step == steps:
            action(network)

    network.fit(X, Y, epochs=epochs, callbacks=[act], **{**QUIET, **OPTIONS, **more})
    return network


@pytest.mark.parametrize("steps", [1, 2, 6, 7, 11])
def test_what_a_callback_sees_is_the_network_after_that_many_steps(steps):
    seen = {}

    def look(network):
        seen["vector"] = network.parameters.vector.copy()
        seen["named"] = {name: network.parameters[name].copy() for name in network.parameters}
        seen["state"] = dict(network.state).copy()
        seen["probabilities"] = network.predict_proba(X)
        seen["numbers"] = numbers(network)

    at_step(steps, look)
    expected = after(steps)
    assert seen["vector"].tobytes() == expected.parameters.vector.tobytes()
    assert_same_bits(seen["numbers"], numbers(expected))
    assert seen["probabilities"].tobytes() == expected.predict_proba(X).tobytes()
    for name, array in seen["named"].items():
        assert array.tobytes() == expected.parameters[name].tobytes()


def test_the_state_alone_is_up_to_date_too():
    seen = []
    at_step(4, lambda network: seen.append({name: array.copy() for name, array in network.state.items()}))
    assert (
        seen[0]["batch_normalization_1.moving_mean"].tobytes()
        == dict(after(4).state)["batch_normalization_1.moving_mean"].tobytes()
    )


def test_an_array_that_was_taken_earlier_is_up_to_date_after_the_training():
    network = start()
    weight, vector = network.parameters["dense_1.weight"], network.parameters.vector
    before = weight.copy()
    network.fit(X, Y, epochs=2, **QUIET, **OPTIONS)
    assert np.shares_memory(vector, network.parameters.vector)
    assert (weight == network.parameters["dense_1.weight"]).all()
    assert (weight != before).any()


@pytest.mark.parametrize("way", ["item", "vector", "array", "state"])
def test_what_a_callback_writes_takes_effect(way):
    """The rest of the training goes on from it, as in a fresh training from the same numbers with NumPy's executor."""

    def write(network):
        if way == "item":
            network.parameters["output.weight"] = np.full((20, 3), 0.125)
        elif way == "vector":
            network.parameters.vector[3:90] = -0.25
        elif way == "array":
            network.parameters["dense_1.bias"][...] = 1.5
        else:
            network.state["batch_normalization_1.moving_mean"] = np.full(20, 7.0)

    untouched = fitted(start(), X, Y, epochs=2, **OPTIONS)
    ours, theirs = at_step(5, write), at_step(5, write, engine="numpy", threads=None)
    for found, expected in zip(numbers(ours).values(), numbers(theirs).values(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=2e-5 * max(1, np.abs(expected).max()))
    changed = "state" if way == "state" else "parameters"
    assert np.abs(numbers(ours)[changed] - numbers(untouched)[changed]).max() > 1e-2


def test_a_write_is_seen_at_once_and_survives_a_look_that_comes_late():
    """Another thread may have asked for fresh views just before the write: its answer must not undo the write."""
    seen = []

    def write(network):
        late = network.parameters.refresh
        assert late is not None
        network.parameters.vector[...] = 0.25
        late()
        seen.append(network.parameters.vector.copy())
        seen.append(network.predict_proba(X))

    at_step(5, write)
    assert (seen[0] == 0.25).all()
    flat = start()
    flat.parameters.vector[...] = 0.25
    assert seen[1].shape == (90, 3)
    assert np.ptp(seen[1], axis=1).max() == 0, "equal weights give equal probabilities"


@pytest.mark.parametrize(
    "how", [copy.deepcopy, lambda network: pickle.loads(pickle.dumps(network))], ids=["copy", "pickle"]
)
def test_a_copy_made_in_a_callback_is_the_network_of_that_moment(how):
    """And goes on from there by itself, with the moments of its optimizer."""
    copies = []
    whole = at_step(6, lambda network: copies.append(how(network)))
    assert_same_bits(numbers(copies[0]), numbers(after(6)))
    assert copies[0].training_state.step == 6
    copies[0].fit(X, Y, epochs=1, **QUIET, **OPTIONS)
    assert_same_bits(numbers(copies[0]), numbers(whole))
    whole.predict(X)  # what prediction keeps for itself must not stand in the way
    fresh = how(whole)
    assert_same_bits(numbers(fresh), numbers(whole))
    assert fresh.predict_proba(X).tobytes() == whole.predict_proba(X).tobytes()


def test_a_file_written_in_a_callback_holds_that_moment_and_can_go_on(tmp_path):
    path = tmp_path / "model.safetensors"
    whole = at_step(6, lambda network: network.save(path, optimizer_state=True))
    resumed = pl.load(path).network
    assert_same_bits(numbers(resumed), numbers(after(6)))
    assert resumed.training_state.optimizer_state.updates == resumed.training_state.step == 6
    resumed.fit(X, Y, epochs=1, **QUIET, **OPTIONS)
    assert_same_bits(numbers(resumed), numbers(whole))


def test_early_stopping_gives_the_best_parameters_back():
    """Noise as validation labels, so that the best epoch is not the last one."""
    x_aside, y_aside = RNG.normal(size=(40, 7)), RNG.integers(0, 3, 40)
    network, kept, best = start(), [], pl.EarlyStopping(4)

    def keep(event):
        if isinstance(event, EpochFinished | TrainingFinished):
            kept.append(numbers(network))

    options = {**QUIET, **OPTIONS, "epochs": 60, "validation": (x_aside, y_aside)}
    history = network.fit(X, Y, early_stopping=best, callbacks=[keep], **options)
    assert history.reason == "stopped early"
    losses = history["validation_loss"]
    assert best.best_epoch == 1 + int(np.argmin(losses)) < len(losses)
    for name in ("parameters", "state"):
        assert numbers(network)[name].tobytes() == kept[best.best_epoch - 1][name].tobytes() == kept[-1][name].tobytes()
        assert kept[-1][name].tobytes() != kept[-2][name].tobytes()
    silent = start()
    silent.fit(X, Y, early_stopping=4, **options)
    assert silent.parameters.vector.tobytes() == network.parameters.vector.tobytes()


def test_an_error_in_a_callback_leaves_the_network_of_that_moment():
    kept = []

    def fail(network):
        kept.append(network)
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        at_step(5, fail)
    assert_same_bits(numbers(kept[0]), numbers(after(5)))
    assert kept[0].parameters.refresh is None


def augmentation_of_two_kinds(batch, key):
    """Pixels for some batches, and for the others the same numbers as floating-point ones."""
    return batch if key % 2 else batch / np.float32(255)


def test_an_augmentation_may_give_pixels_for_some_batches_and_numbers_for_others():
    pixels = RNG.integers(0, 256, (90, 7), dtype=np.uint8)
    plain = fitted(start(), pixels, Y, epochs=12, **OPTIONS)
    mixed = fitted(start(), pixels, Y, epochs=12, augment=augmentation_of_two_kinds, **OPTIONS)
    truth = fitted(start(), pixels, Y, epochs=12, engine="numpy", augment=augmentation_of_two_kinds, **OPTIONS)
    for trained in (mixed, truth):  # x / 255 and x (1 / 255) differ by a rounding
        np.testing.assert_allclose(trained.history["loss"], plain.history["loss"], rtol=1e-4)
