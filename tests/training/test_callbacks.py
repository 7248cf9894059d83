"""Events and early stopping, by sequences worked by hand."""

from __future__ import annotations

import math
import os
import signal
import threading

import numpy as np
import pytest

import pellucid as pl
from pellucid.training.early_stopping import Waiting
from pellucid.training.events import EpochFinished, StepFinished, StopTraining, TrainingFinished, TrainingStarted


def small(*hidden, seed=0):
    return pl.Network([pl.Input(28, 28), *hidden, pl.Classification(10)], seed=seed)


def run(rule, figure, values):
    """Feed the values, one an epoch; gives the epoch in which it stops, or None, and the best epoch."""
    output = pl.Regression() if figure.endswith(("r2", "mae")) else pl.Classification(2)
    network, waiting = pl.Network([pl.Input(1), output]), Waiting()
    for epoch, value in enumerate(values, start=1):
        waiting = waiting.after(rule, epoch, {figure: value}, network)
        if waiting.waited >= rule.patience:
            return epoch, waiting.epoch
    return None, waiting.epoch


# values, options, the epoch of the stop, the best epoch
SEQUENCES = {
    "falls for ever": ([5, 4, 3, 2, 1], {"patience": 1}, None, 5),
    "rises at once": ([1, 2], {"patience": 1}, 2, 1),
    "equal is not better": ([5, 4, 4, 4], {"patience": 2}, 4, 2),
    "a rise in between": ([5, 6, 4, 5, 4.5, 3.9, 4], {"patience": 3}, None, 6),
    "patience starts anew": ([5, 6, 6, 4, 5, 5, 5], {"patience": 3}, 7, 4),
    "exactly min_delta is not enough": ([5.0, 4.5, 4.0], {"patience": 2, "min_delta": 1.0}, 3, 1),
    "more than min_delta is": ([5.0, 4.5, 3.9, 3.5], {"patience": 2, "min_delta": 1.0}, None, 3),
    "the first epochs are passed over": ([1, 9, 5, 4, 5, 5], {"patience": 2, "start_from_epoch": 2}, 6, 4),
    "as many as there are": ([3, 4, 5], {"patience": 1, "start_from_epoch": 3}, None, 0),
    "NaN is never better": ([5, math.nan, math.nan, 4], {"patience": 2}, 3, 1),
    "accuracy rises": ([0.5, 0.7, 0.6, 0.7], {"patience": 2, "monitor": "validation_accuracy"}, 4, 2),
    "r2 rises from below": ([-3.0, -1.0, -2.0, -1.5], {"patience": 2, "monitor": "validation_r2"}, 4, 2),
    "mae falls": ([3.0, 2.0, 2.5, 2.1], {"patience": 2, "monitor": "validation_mae"}, 4, 2),
    "penalty falls": ([3.0, 2.0, 2.5, 2.1], {"patience": 2, "monitor": "penalty"}, 4, 2),
}


@pytest.mark.parametrize("name", SEQUENCES)
def test_early_stopping_by_hand(name):
    values, options, stop, best = SEQUENCES[name]
    stopper = pl.EarlyStopping(**options)
    figure = options.get("monitor", "validation_loss")
    assert run(stopper, figure, values) == (stop, best)


def test_the_second_training_waits_from_the_beginning(digits):
    """And says its own best epoch, counted over the life of the network."""
    stopping = pl.EarlyStopping(2)
    network, ends = small(pl.Dense(8, "relu")), []
    for _ in range(2):
        before = len(network.history.epochs)
        history, _ = overfit(network, digits, early_stopping=stopping)
        losses = history["validation_loss"]
        assert stopping.best_epoch == before + 1 + int(np.argmin(losses))
        ends.append(len(losses) - 1 - int(np.argmin(losses)))
    assert ends == [2, 2]


def test_early_stopping_is_given_once(digits):
    with pytest.raises(pl.ArgumentError, match="more than once"):
        overfit(small(), digits, early_stopping=3, callbacks=[pl.EarlyStopping(3)])


class Exactness(pl.Regression):
    """A metric of one's own, of which less is better, as of every regression."""

    metric = "misses"


def test_an_output_says_which_of_its_figures_should_rise():
    for output, rising in (
        (pl.Classification(3), {"accuracy", "r2"}),
        (pl.BinaryClassification(), {"accuracy", "r2"}),
        (pl.Regression(), {"r2"}),
        (Exactness(), {"r2"}),
    ):
        figures = {"loss", "accuracy", "r2", "mae", "penalty", "misses"}
        assert {figure for figure in figures if output.rises(figure)} == rising
        assert {figure for figure in figures if output.rises(f"validation_{figure}")} == rising


@pytest.mark.parametrize("start", [30, 31, 100])
def test_early_stopping_that_would_pass_over_the_whole_training_is_refused(start, digits):
    network = small()
    with pytest.raises(pl.ArgumentError, match=f"start_from_epoch={start}.*a training of 30"):
        overfit(network, digits, early_stopping=pl.EarlyStopping(1, start_from_epoch=start))
    assert network.training_state.step == 0
    overfit(network, digits, early_stopping=pl.EarlyStopping(1, start_from_epoch=29))


@pytest.mark.parametrize("start", [-1, 1.5, True, "2"])
def test_the_epoch_to_start_from_is_a_whole_number(start):
    with pytest.raises(pl.ArgumentError, match="start_from_epoch"):
        pl.EarlyStopping(start_from_epoch=start)


def diary(network):
    """A callback that keeps the parameters and state of every epoch, and the list."""
    pages = []

    def keep(event):
        if isinstance(event, EpochFinished):
            pages.append((network.parameters.vector.copy(), network.state.vector.copy(), event.metrics))

    return keep, pages


def overfit(network, digits, **options):
    """A training whose validation loss soon rises: few samples, a high rate, validation with wrong labels."""
    x, y = digits
    keep, pages = diary(network)
    history = network.fit(
        x[:100],
        y[:100],
        validation=(x[100:200], (y[100:200] + 1) % 10),
        epochs=30,
        progress="none",
        callbacks=[keep, *options.pop("callbacks", [])],
        **options,
    )
    return history, pages


@pytest.mark.parametrize("completes", [False, True])
def test_the_best_parameters_come_back_with_their_moving_averages(digits, completes):
    network = small(pl.Dense(8, "relu"), pl.BatchNormalization())
    history, pages = overfit(network, digits, early_stopping=100 if completes else 3)
    losses = history["validation_loss"]
    best = int(np.argmin(losses))
    assert history.reason == ("completed" if completes else "stopped early")
    assert len(losses) == (30 if completes else best + 1 + 3)
    assert best < len(losses) - 1
    assert np.array_equal(network.parameters.vector, pages[best][0])
    assert np.array_equal(network.state.vector, pages[best][1])
    assert not np.array_equal(network.parameters.vector, pages[-1][0])


@pytest.mark.parametrize("completes", [False, True])
def test_the_history_and_the_last_event_are_those_of_the_parameters_that_stayed(digits, completes, tmp_path):
    x, y = digits
    heard = []
    network = small(pl.Dense(8, "relu"))
    network.fit(x[:100], y[:100], epochs=2, progress="none")
    history, _ = overfit(network, digits, early_stopping=100 if completes else 3, callbacks=[heard.append])
    best = int(np.argmin(history["validation_loss"]))
    measured = network.evaluate(x[100:200], (y[100:200] + 1) % 10)
    network.save(tmp_path / "n.safetensors")
    loaded = pl.load(tmp_path / "n.safetensors").network
    for one, place in ((history, best), (network.history, best + 2), (loaded.history, best + 2)):
        assert (one.restored.place, one.restored.epoch, one.restored.monitor) == (place, best + 3, "validation_loss")
        assert one.final["validation_loss"] == pytest.approx(measured["loss"])
        assert one.final["validation_accuracy"] == measured["accuracy"]
        assert f"restored, epoch {best + 3}: " in repr(one)
    end = heard[-1]
    assert isinstance(end, TrainingFinished)
    assert (end.metrics, end.restored_epoch) == (history.final, best + 3)
    again = network.fit(x[:100], y[:100], epochs=1, progress="none")
    assert again.restored is network.history.restored is None
    assert network.history.final == again.epochs[-1]


def test_a_training_without_an_epoch_leaves_the_restored_one(digits):
    network = small(pl.Dense(8, "relu"))
    history, _ = overfit(network, digits, early_stopping=3)

    def stop(event):
        raise StopTraining

    network.fit(*digits, epochs=1, callbacks=[stop], progress="none")
    assert network.history.restored == history.restored
    assert network.history.final == history.final


def test_without_restore_best_the_last_parameters_stay(digits):
    network = small(pl.Dense(8, "relu"))
    _, pages = overfit(network, digits, early_stopping=pl.EarlyStopping(2, restore_best=False))
    assert np.array_equal(network.parameters.vector, pages[-1][0])


def test_early_stopping_given_as_a_callback_also_restores_the_best(digits):
    network = small(pl.Dense(8, "relu"))
    history, pages = overfit(network, digits, callbacks=[pl.EarlyStopping(3)])
    best = int(np.argmin(history["validation_loss"]))
    assert history.reason == "stopped early"
    assert np.array_equal(network.parameters.vector, pages[best][0])


def test_all_others_hear_of_the_epoch_that_ends_the_training(digits):
    heard = []
    history, pages = overfit(small(), digits, early_stopping=1, callbacks=[heard.append])
    assert len(pages) == len(history["loss"])
    assert [type(event) for event in heard[-2:]] == [EpochFinished, TrainingFinished]
    assert heard[-1].reason == "stopped early"


def test_what_is_told_in_which_order(digits):
    x, y = digits
    heard = []
    network = small()
    for _ in range(2):
        network.fit(x[:10], y[:10], epochs=2, batch_size=4, callbacks=[heard.append], progress="none")
    started = [event for event in heard if isinstance(event, TrainingStarted)]
    assert started == [TrainingStarted(1, 2, 3, 10, 4), TrainingStarted(3, 2, 3, 10, 4)]
    kinds = [type(event) for event in heard[: len(heard) // 2]]
    epoch = [StepFinished] * 3 + [EpochFinished]
    assert kinds == [TrainingStarted, *epoch, *epoch, TrainingFinished]
    steps = [event for event in heard if isinstance(event, StepFinished)]
    assert [event.step for event in steps] == list(range(1, 13))
    assert [event.samples for event in steps] == [4, 8, 10] * 4
    assert [event.epoch for event in steps] == [1] * 3 + [2] * 3 + [3] * 3 + [4] * 3
    finished = [event for event in heard if isinstance(event, EpochFinished)]
    assert [event.metrics for event in finished] == network.history.epochs
    # the figures of the last step are those of the epoch: all its samples, each counted once
    for step, end in zip(steps[2::3], finished, strict=True):
        assert step.metrics == {name: end.metrics[name] for name in ("loss", "accuracy")}
    assert heard[-1] == TrainingFinished(4, "completed", network.history.epochs[-1])


def test_the_loss_of_an_epoch_counts_each_sample_once(digits):
    """pytorch #37359: uneven batches averaged wrongly. With a rate of almost 0 the mean is that of evaluate."""
    x, y = digits
    network = small(pl.Dense(6, "tanh"))
    expected = network.evaluate(x[:10], y[:10])
    history = network.fit(x[:10], y[:10], optimizer=pl.GradientDescent(1e-30), epochs=1, batch_size=4, progress="none")
    assert history["loss"][0] == pytest.approx(expected["loss"], rel=1e-6)
    assert history["accuracy"][0] == pytest.approx(expected["accuracy"])


@pytest.mark.parametrize("kind", [TrainingStarted, StepFinished, EpochFinished, TrainingFinished])
def test_stop_training_ends_in_good_order_whenever_it_is_raised(digits, kind):
    x, y = digits
    heard = []

    def stop(event):
        if isinstance(event, kind):
            raise StopTraining

    network = small()
    history = network.fit(x, y, epochs=3, batch_size=100, callbacks=[heard.append, stop], progress="none")
    steps, epochs = {TrainingStarted: (0, 0), StepFinished: (1, 0), EpochFinished: (6, 1), TrainingFinished: (18, 3)}[kind]
    assert network.training_state.step == steps
    assert len(history.epochs) == len(network.history.epochs) == epochs
    assert history.reason == ("completed" if kind is TrainingFinished else "stopped early")
    assert isinstance(heard[-1], TrainingFinished)


def test_an_error_in_a_callback_is_its_own_and_is_not_called_divergence(digits):
    x, y = digits
    network = small()

    def fail(event):
        if isinstance(event, EpochFinished):
            raise OSError("the disk of the callback is full")

    with pytest.raises(OSError, match="disk of the callback"):
        network.fit(x, y, epochs=3, callbacks=[fail], progress="none")
    assert len(network.history.epochs) == 1
    assert network.history.reason != "diverged"
    network.fit(x, y, epochs=1, progress="none")
    assert network.training_state.epoch == 2


# Ctrl-C


@pytest.mark.parametrize("kind", [StepFinished, EpochFinished])
def test_ctrl_c_ends_the_step_and_is_raised(digits, kind):
    x, y = digits
    network = small()

    def press(event):
        if isinstance(event, kind) and event.epoch == 2:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        network.fit(x, y, epochs=4, batch_size=100, callbacks=[press], progress="none")
    assert network.training_state.epoch in (2, 3)
    assert network.history.reason == "interrupted"
    assert np.isfinite(network.parameters.vector).all()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_in_the_last_moment_is_not_swallowed(digits):
    """In ``for ...: network.fit(epochs=1)`` a lost Ctrl-C means that the loop cannot be ended."""
    x, y = digits

    def press(event):
        if isinstance(event, EpochFinished):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        small().fit(x, y, epochs=1, callbacks=[press], progress="none")


def test_the_handler_of_others_is_left_alone(digits):
    x, y = digits
    pressed = []
    old = signal.signal(signal.SIGINT, lambda *_: pressed.append(True))
    try:
        small().fit(
            x,
            y,
            epochs=1,
            progress="none",
            callbacks=[lambda e: isinstance(e, EpochFinished) and os.kill(os.getpid(), signal.SIGINT)],
        )
    finally:
        signal.signal(signal.SIGINT, old)
    assert pressed == [True]


def test_training_works_in_a_thread(digits):
    x, y = digits
    network, here = small(), small()
    thread = threading.Thread(target=lambda: network.fit(x, y, epochs=1, progress="none"))
    thread.start()
    thread.join()
    here.fit(x, y, epochs=1, progress="none")
    assert np.array_equal(network.parameters.vector, here.parameters.vector)
