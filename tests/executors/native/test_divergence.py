"""A number that is not finite: the step, the words and the numbers that are kept are those that NumPy's executor defines.

The last good parameters gave a finite loss: where the loss of step n is not finite, those before the update of step n - 1.
Where only a gradient or an update of step n is not, those before step n.
"""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from twins import OneHugeRate, assert_same_bits, fitted, numbers, spread

import pellucid as pl
from pellucid.training.events import EpochFinished, Patient, StepFinished

pytestmark = pytest.mark.filterwarnings("ignore:x holds numbers as large as", "ignore:y has the mean")

BATCH, STEPS_AN_EPOCH = 8, 60
RNG = np.random.default_rng(6)
X = RNG.normal(size=(BATCH * STEPS_AN_EPOCH, 6)).astype(np.float32)
X[:, 5] = 0  # the last input is silent, and its weights are 0
Y = RNG.normal(size=len(X))
STEPS = [1, 2, 61, 70, 130]


def start():
    layers = [
        pl.Input(6),
        pl.Dense(9, "tanh"),
        pl.BatchNormalization(),
        pl.Dropout(0.2),
        pl.Dense(5, "relu"),
        pl.Regression(),
    ]
    network = spread(pl.Network(layers, seed=3), 1)
    network.parameters["dense_1.weight"][5] = 0
    return network


def poison(step):
    """An augmentation that puts 3e38 on the silent input in that step of the network's life: a function of its key."""
    wanted = pl.random.key(3, pl.random.Purpose.AUGMENT, step - 1)

    def augment(batch, key):
        if key == wanted:
            batch = batch.copy()
            batch[0, 5] = 3e38
        return batch

    return augment


def training(kind, step):
    """The arguments of a ``fit`` in which step number ``step`` meets a number that is not finite."""
    options = {"epochs": 3, "batch_size": BATCH, "optimizer": pl.GradientDescent(0.01, 0.5), "x": X, "y": Y}
    if kind == "loss" and step == 1:
        return options | {"y": Y * 1e25}
    if kind == "loss":  # an update that makes weights of 1e20 and more, so that the next loss overflows
        return options | {"schedule": OneHugeRate(step - 1, 1e28)}
    if kind == "update":
        return options | {"schedule": OneHugeRate(step, 1e41)}
    # an input of 3e38 with weights that are 0: the output is fine, the gradient of these weights is not
    options["clipping"] = {"by value": pl.ClipByValue(1.0), "by norm": pl.ClipByGlobalNorm(1.0), "unbounded": None}[kind]
    options |= {"y": Y * 100, "optimizer": pl.GradientDescent(1e-4, 0.5)}
    if step > STEPS_AN_EPOCH:
        return options | {"augment": poison(step)}
    x = X.copy()
    x[(step - 1) * BATCH, 5] = 3e38
    return options | {"x": x}


def train(kind, step, engine="native", **more):
    network = start()
    network.fit(**{**training(kind, step), "engine": engine, "shuffle": False, "progress": "none", **more})
    return network


def diverge(kind, step, engine="native", **more):
    """(network, text) of a training that must fail. Whether a loss is NaN or infinite may depend on the order of a sum."""
    network = start()
    with pytest.raises(pl.DivergenceError) as caught:
        network.fit(**{**training(kind, step), "engine": engine, "shuffle": False, "progress": "none", **more})
    return network, without_value(caught)


def without_value(caught):
    return re.sub("the loss is (inf|nan);", "the loss is not finite;", str(caught.value))


def stopped_after(steps, kind, step):
    """The native numbers after so many steps of the same training."""

    def stop(event):
        if isinstance(event, StepFinished) and event.step == steps:
            raise pl.StopTraining

    return start() if steps <= 0 else train(kind, step, callbacks=[stop])


class Nothing(Patient):
    def __call__(self, event):
        pass


KINDS = ["loss", "update", "by value", "by norm", "unbounded"]
LISTENERS = {"nobody": [], "patient": [Nothing()], "every step": [lambda event: None]}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("step", STEPS)
def test_step_words_and_kept_numbers(kind, step):
    theirs, expected = diverge(kind, step, "numpy")
    assert f"diverged at step {step}:" in expected
    good = stopped_after(step - 2 if kind == "loss" else step - 1, kind, step)
    for who, callbacks in LISTENERS.items():
        network, text = diverge(kind, step, callbacks=callbacks, threads=2)
        assert text == expected, who
        assert_same_bits(vectors(network), vectors(good))
        for name, vector in vectors(network).items():
            np.testing.assert_allclose(vector, vectors(theirs)[name], rtol=0, atol=1e-4, err_msg=name)


def vectors(network):
    return {"parameters": network.parameters.vector, "state": network.state.vector}


@pytest.mark.parametrize("kind", KINDS)
def test_the_words_say_what_was_not_finite(kind):
    what = {"loss": "the loss is", "update": "the update left numbers", "unbounded": "the update left numbers"}
    text = diverge(kind, 5)[1]
    assert what.get(kind, "the gradient is not finite") in text
    assert kind == "loss" or "dense_1.weight" in text


@pytest.mark.parametrize("kind", ["loss", "update", "by norm"])
def test_what_has_happened_is_the_same_whoever_listens(kind):
    """The steps that were finished count, however many of them one call made: later chance depends on their number."""
    theirs = diverge(kind, 40, "numpy")[0].training_state
    assert theirs.step == 39
    for who, callbacks in LISTENERS.items():
        state = diverge(kind, 40, callbacks=callbacks)[0].training_state
        assert (state.step, state.epoch) == (theirs.step, theirs.epoch), who


@pytest.mark.parametrize("step", [4, 70])
def test_with_larger_batches_that_go_by_rows(step):
    texts = []
    for engine in ("numpy", "native"):
        network = pl.Network([pl.Input(6), pl.Dense(9, "relu"), pl.Dropout(0.2), pl.Regression()], seed=1)
        kept = []

        def keep(event, network=network, kept=kept):
            if isinstance(event, StepFinished):
                kept.append(network.parameters.vector.copy())

        options = {"epochs": 80, "batch_size": 240, "schedule": OneHugeRate(step - 1, 1e28), "progress": "none"}
        options |= {"optimizer": pl.GradientDescent(0.01), "engine": engine}
        with pytest.raises(pl.DivergenceError) as caught:
            network.fit(X, Y, callbacks=[keep], **options)
        texts.append(without_value(caught))
        assert network.parameters.vector.tobytes() == kept[step - 3].tobytes()
        silent = pl.Network(network.layers, seed=1)
        with pytest.raises(pl.DivergenceError):
            silent.fit(X, Y, **options)
        assert silent.parameters.vector.tobytes() == network.parameters.vector.tobytes()
    assert texts[0] == texts[1]


def test_numbers_written_by_a_listener_are_those_that_are_kept():
    """A listener that hears of epochs sets the parameters; the training diverges a few steps later."""

    class Set(Patient):
        def __call__(self, event):
            if isinstance(event, EpochFinished):
                network.parameters.vector[...] = 0.125

    kept = {}
    for engine in ("numpy", "native"):
        network = start()
        arguments = {**training("loss", STEPS_AN_EPOCH + 4), "engine": engine, "shuffle": False, "progress": "none"}
        with pytest.raises(pl.DivergenceError, match=f"step {STEPS_AN_EPOCH + 4}:"):
            network.fit(callbacks=[Set()], **arguments)
        kept[engine] = network.parameters.vector.copy()
    np.testing.assert_allclose(kept["native"], kept["numpy"], rtol=0, atol=1e-5)
    assert np.abs(kept["numpy"] - 0.125).max() < 0.1


def test_training_can_go_on_and_the_moments_are_gone():
    network, _ = diverge("update", 70, optimizer=pl.Adam(0.01))
    assert network.training_state.optimizer_state.slots == {}
    assert network.history.reason == "diverged"
    losses = network.fit(X, Y, epochs=3, optimizer=pl.Adam(0.01), progress="none")["loss"]
    assert losses[-1] < losses[0]
    assert network.engine == "native"


def test_an_update_that_is_finite_but_huge_is_no_divergence():
    """Parameters of 1e18 and more are numbers too, as long as the loss is one."""
    network = pl.Network([pl.Input(6), pl.Regression()])
    trained = fitted(network, X, Y, batch_size=len(X), schedule=OneHugeRate(1, 1e18), optimizer=pl.GradientDescent(1.0))
    assert 1e16 < np.abs(numbers(trained)["parameters"]).max() < math.inf
