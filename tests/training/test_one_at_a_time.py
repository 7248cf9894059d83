"""A network has one training at a time; another one is refused in a sentence, and leaves the first as it was."""

from __future__ import annotations

import signal
import threading

import numpy as np
import pytest

import pellucid as pl
from pellucid.training.events import EpochFinished, StepFinished

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(40, 3)), np.arange(40) % 2
REFUSED = "this network is being trained already"


def made():
    return pl.Network([pl.Input(3), pl.Dense(4, "tanh"), pl.BinaryClassification()], seed=1)


@pytest.fixture(params=["native", "numpy"])
def options(request):
    return {"epochs": 3, "batch_size": 8, "progress": "none", "engine": request.param}


def test_a_fit_in_another_thread_is_refused_while_the_first_one_trains(options):
    """The first waits in a callback until the second has been refused, so the two are at once on any machine."""
    alone, network, refused = made(), made(), []
    alone.fit(X, Y, callbacks=[lambda event: None], **options)
    inside, answered = threading.Event(), threading.Event()

    def wait(event):
        if isinstance(event, StepFinished) and event.step == 4:
            inside.set()
            assert answered.wait(60)

    first = threading.Thread(target=lambda: network.fit(X, Y, callbacks=[wait], **options))
    first.start()
    assert inside.wait(60)
    try:
        with pytest.raises(pl.ArgumentError, match=REFUSED) as caught:
            network.fit(X, Y, optimizer=pl.RMSProp(), **options)
        refused.append(str(caught.value))
        made().fit(X, Y, **options)  # other networks may be trained meanwhile
        assert network.predict(X).shape == (40,)
    finally:
        answered.set()
        first.join(60)
    assert len(refused) == 1
    assert (network.parameters.vector == alone.parameters.vector).all()
    assert network.training_state.step == alone.training_state.step == 15
    network.fit(X, Y, **options)


def test_of_many_that_begin_at_once_one_trains(options):
    network, outcomes, ready = made(), [], threading.Barrier(8)
    finished = threading.Event()

    def hold(event):
        if isinstance(event, EpochFinished):
            assert finished.wait(60)

    def train():
        ready.wait(60)
        try:
            outcomes.append(network.fit(X, Y, callbacks=[hold], **options).reason)
        except pl.ArgumentError as error:
            outcomes.append(REFUSED in str(error))
            if len(outcomes) == 7:
                finished.set()

    threads = [threading.Thread(target=train) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sorted(map(str, outcomes)) == ["True"] * 7 + ["completed"]
    assert network.training_state.epoch == 3


def test_a_fit_from_a_callback_is_refused_and_the_callbacks_own_error_ends_the_first(options):
    network = made()

    def again(event):
        if isinstance(event, EpochFinished):
            network.fit(X, Y, **options)

    with pytest.raises(pl.ArgumentError, match=REFUSED):
        network.fit(X, Y, callbacks=[again], **options)
    assert network.history.reason == "failed"
    assert network.fit(X, Y, **options).reason == "completed"


def test_the_network_can_be_trained_after_an_error_and_after_ctrl_c(options):
    network = made()

    def fail(event):
        raise RuntimeError("of the user's own")

    with pytest.raises(RuntimeError):
        network.fit(X, Y, callbacks=[fail], **options)
    with pytest.raises(pl.DivergenceError):
        network.fit(X, Y, optimizer=pl.GradientDescent(1e38), **options)
    interrupt = [lambda event: signal.raise_signal(signal.SIGINT)]
    with pytest.raises(KeyboardInterrupt):
        network.fit(X, Y, callbacks=interrupt, optimizer=pl.Adam(), **options)
    with pytest.raises(pl.ArgumentError):
        network.fit(X, Y, **(options | {"epochs": 0}))
    assert network.fit(X, Y, **options).reason == "completed"
