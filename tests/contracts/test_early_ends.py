"""Trainings that end early, or badly: nothing is lost, and what is kept is whole."""

from __future__ import annotations

import math
import os
import signal
from dataclasses import dataclass

import numpy as np
import pytest
from trainings import KINDS, QUIET, RNG, X, Y, all_numbers, make, of_every_kind

import pellucid as pl
from pellucid.training.early_stopping import Waiting
from pellucid.training.events import EpochFinished, StepFinished, TrainingFinished, TrainingStarted


class TestEarlyStopping:
    """Noise as validation labels: the validation loss soon rises."""

    x_aside, y_aside = RNG.normal(size=(40, 4)), RNG.integers(0, 3, 40)

    def train(self, early_stopping, epochs=40):
        network, kept = make(), []

        def keep(event):
            if isinstance(event, EpochFinished):
                kept.append(all_numbers(network).copy())

        history = network.fit(
            X,
            Y,
            validation=(self.x_aside, self.y_aside),
            epochs=epochs,
            optimizer=pl.Adam(0.03),
            early_stopping=early_stopping,
            callbacks=[keep],
            **QUIET,
        )
        return network, history, kept

    def test_it_stops_after_the_patience_and_gives_the_best_back(self):
        network, history, kept = self.train(3)
        losses = history["validation_loss"]
        best = int(np.argmin(losses))
        assert history.reason == "stopped early"
        assert len(losses) == best + 1 + 3 < 40
        np.testing.assert_array_equal(all_numbers(network), kept[best])
        assert (kept[best] != kept[-1]).any()
        assert network.evaluate(self.x_aside, self.y_aside)["loss"] == losses[best]

    def test_the_best_is_also_given_back_when_the_epochs_run_out(self):
        stopping = pl.EarlyStopping(patience=100)
        network, history, kept = self.train(stopping, epochs=15)
        best = int(np.argmin(history["validation_loss"]))
        assert history.reason == "completed"
        assert best < 14
        assert stopping.best_epoch == best + 1
        np.testing.assert_array_equal(all_numbers(network), kept[best])

    def test_without_restoring_the_last_ones_stay(self):
        network, _, kept = self.train(pl.EarlyStopping(3, restore_best=False))
        np.testing.assert_array_equal(all_numbers(network), kept[-1])

    def test_accuracy_should_rise(self):
        network, history, kept = self.train(pl.EarlyStopping(4, monitor="validation_accuracy"))
        best = int(np.argmax(history["validation_accuracy"]))
        assert len(kept) == best + 1 + 4
        np.testing.assert_array_equal(all_numbers(network), kept[best])

    def test_min_delta_by_hand(self):
        """Better by more than 0.1 only: of 1.0, 0.95, 0.92, 0.85 the last alone is."""
        rule, waiting, network = pl.EarlyStopping(3, min_delta=0.1), Waiting(), make()
        for epoch, loss in enumerate((1.0, 0.95, 0.92, 0.85, 0.84, 0.83), start=1):
            waiting = waiting.after(rule, epoch, {"validation_loss": loss}, network)
        assert (waiting.epoch, waiting.waited) == (4, 2)
        assert waiting.after(rule, 7, {"validation_loss": 0.82}, network).waited == 3

    def test_a_figure_that_is_not_measured_is_explained(self):
        with pytest.raises(pl.ArgumentError, match="validation"):
            make().fit(X, Y, epochs=2, early_stopping=2, **QUIET)


@dataclass(frozen=True)
class Fuse(pl.Layer):
    """y = x s, which gives a number that is not finite in one step: going up or coming down."""

    step: int
    up: float = 1.0
    down: float = 1.0

    def output_shape(self, input_shape):
        return input_shape

    def parameter_specs(self, input_shape):
        return (pl.ParameterSpec("s", input_shape, pl.Constant(1.0)),)

    def forward(self, parameters, x, context):
        blown = context.training and context.step == self.step
        return x * parameters["s"] * (self.up if blown else 1), (x, blown)

    def backward(self, parameters, cache, dy):
        x, blown = cache
        ds = (x * dy).sum(axis=0) * (self.down if blown else 1)
        return dy * parameters["s"], {"s": ds}


class TestDivergence:
    @pytest.mark.parametrize(
        ("fuse", "named"),
        [
            (Fuse(3, up=math.inf), "fuse_1"),
            (Fuse(3, up=math.nan), "fuse_1"),
            (Fuse(3, down=math.nan), r"fuse_1\.s"),
            (Fuse(3, down=math.inf), r"fuse_1\.s"),
        ],
    )
    def test_layer_and_step_are_named_and_the_last_good_parameters_kept(self, fuse, named):
        layers = [pl.Input(4), pl.Dense(5, "tanh"), fuse, pl.BatchNormalization(), pl.Dense(4), pl.Classification(3)]
        network, kept, events = pl.Network(layers), [], []

        def watch(event):
            events.append(event)
            if isinstance(event, StepFinished):
                kept.append(all_numbers(network).copy())

        with pytest.raises(pl.DivergenceError, match=rf"step 4\b.*{named}") as caught:
            network.fit(X, Y, epochs=3, batch_size=10, callbacks=[watch], **QUIET)
        assert "dense" not in str(caught.value)
        assert len(kept) == 3
        assert np.isfinite(all_numbers(network)).all()
        # good are the parameters that gave finite numbers: those after step 3 if their own pass did, else those before
        assert any(np.array_equal(all_numbers(network), numbers) for numbers in kept[1:])
        assert events[-1].reason == network.history.reason == "diverged"
        assert network.history.epochs == []

    def test_training_can_go_on_afterwards_and_a_file_can_be_written(self, tmp_path):
        """A first step of rate 1e20 makes the second loss overflow; the start is the last place with a finite loss."""
        network = pl.Network([pl.Input(4), pl.Dense(5, "relu"), pl.Regression()])
        start = network.parameters.vector.copy()
        with pytest.raises(pl.DivergenceError, match="step 2"):
            network.fit(X, Y, epochs=50, optimizer=pl.GradientDescent(1e20, 0.9), **QUIET)
        np.testing.assert_array_equal(network.parameters.vector, start)
        network.save(tmp_path / "model.safetensors", optimizer_state=True)
        reached = network.fit(X, Y, epochs=40, optimizer=pl.Adam(0.05), **QUIET)["loss"]
        assert reached[-1] < reached[0]

    @pytest.mark.filterwarnings("ignore:y has the mean")
    def test_an_overflow_in_the_last_update_is_found_too(self):
        """One step of rate 1e38 on gradients of 1e3: the loss was finite, the parameters are not any more."""
        network = pl.Network([pl.Input(4), pl.Regression()])
        start = network.parameters.vector.copy()
        with pytest.raises(pl.DivergenceError, match="step 1"):
            network.fit(X, Y * 1e4, epochs=1, batch_size=50, optimizer=pl.GradientDescent(1e38), **QUIET)
        np.testing.assert_array_equal(network.parameters.vector, start)

    @pytest.mark.filterwarnings("ignore:y has the mean")
    @pytest.mark.parametrize("how", ["stop", "interrupt"])
    def test_no_way_out_leaves_parameters_that_are_not_finite(self, how):
        """The same overflow, and a callback that ends the training (or Ctrl-C) right after that step."""
        network = pl.Network([pl.Input(4), pl.Regression()])

        def leave(event):
            if isinstance(event, StepFinished):
                if how == "stop":
                    raise pl.StopTraining
                os.kill(os.getpid(), signal.SIGINT)

        with pytest.raises((pl.DivergenceError, KeyboardInterrupt)) if how == "interrupt" else _either():
            network.fit(X, Y * 1e4, epochs=2, batch_size=25, optimizer=pl.GradientDescent(1e38), callbacks=[leave], **QUIET)
        assert np.isfinite(network.parameters.vector).all()

    @pytest.mark.filterwarnings("ignore:x holds numbers as large as")
    def test_moving_averages_never_hold_infinity(self, tmp_path):
        """Inputs of 1e25 are finite in float32, their variance is not: either an error, or a state that can be saved."""
        network = pl.Network([pl.Input(4), pl.BatchNormalization(), pl.Classification(3)])
        with _either():
            network.fit(X * 1e25, Y, epochs=2, **QUIET)
        assert np.isfinite(network.state.vector).all()
        network.save(tmp_path / "model.safetensors")
        pl.load(tmp_path / "model.safetensors")


class _either:
    """Divergence may be reported or prevented; what counts is what is left."""

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        return kind is not None and issubclass(kind, pl.DivergenceError)


class TestInterrupt:
    @of_every_kind
    def test_ctrl_c_ends_the_step_keeps_everything_whole_and_training_goes_on_as_if_nothing_had_been(self, kind):
        """It comes in the middle of the second epoch: the first one is in the history, of the second only its step."""
        network, x, events, numbers = make(kind=kind), KINDS[kind][0], [], []

        def press(event):
            events.append(event)
            if isinstance(event, StepFinished):
                numbers.append(all_numbers(network).copy())
                if event.step == 4:
                    os.kill(os.getpid(), signal.SIGINT)

        before = signal.getsignal(signal.SIGINT)
        assert before is signal.default_int_handler
        with pytest.raises(KeyboardInterrupt):
            network.fit(x, Y, epochs=5, batch_size=20, callbacks=[press], **QUIET)
        assert signal.getsignal(signal.SIGINT) is before
        assert [type(e) for e in events[-2:]] == [StepFinished, TrainingFinished]
        assert len(numbers) == 4
        assert events[-1].reason == network.history.reason == "interrupted"
        np.testing.assert_array_equal(all_numbers(network), numbers[-1])
        assert len(network.history["loss"]) == 1
        assert network.training_state.step == network.training_state.optimizer_state.updates == 4
        network.fit(x, Y, epochs=1, batch_size=20, **QUIET)
        assert network.training_state.step == 7
        assert np.isfinite(all_numbers(network)).all()

    @pytest.mark.parametrize("engine", ["native", "numpy"])
    def test_the_best_that_early_stopping_has_seen_is_given_back(self, engine):
        """Noise as validation labels: the loss is best early, and Ctrl-C comes amid a later epoch."""
        network, kept, aside = make(), [], (RNG.normal(size=(40, 4)), RNG.integers(0, 3, 40))

        def press(event):
            if isinstance(event, EpochFinished):
                kept.append(all_numbers(network).copy())
            elif isinstance(event, StepFinished) and event.epoch == 13:
                os.kill(os.getpid(), signal.SIGINT)

        rule = pl.EarlyStopping(100)
        options = {"epochs": 20, "optimizer": pl.Adam(0.03), "early_stopping": rule, "engine": engine}
        with pytest.raises(KeyboardInterrupt):
            network.fit(X, Y, validation=aside, callbacks=[press], **options, **QUIET)
        losses = network.history["validation_loss"]
        best = int(np.argmin(losses))
        assert best < len(losses) - 1 == 11
        np.testing.assert_array_equal(all_numbers(network), kept[best])
        assert network.history.restored.epoch == rule.best_epoch == best + 1
        assert network.evaluate(*aside)["loss"] == losses[best]
        network.fit(X, Y, validation=aside, **options, **QUIET)

    @pytest.mark.parametrize(("insist", "expected"), [(0.0, [1]), (60.0, [1, 2])])
    def test_a_second_one_does_not_wait_unless_it_is_a_bounce_of_the_first(self, monkeypatch, insist, expected):
        monkeypatch.setattr("pellucid.training.interrupt.INSIST", insist)
        seen = []

        def press_twice(event):
            if isinstance(event, StepFinished):
                os.kill(os.getpid(), signal.SIGINT)
                seen.append(1)
                os.kill(os.getpid(), signal.SIGINT)
                seen.append(2)

        before = signal.getsignal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            make().fit(X, Y, epochs=5, callbacks=[press_twice], **QUIET)
        assert seen == expected
        assert signal.getsignal(signal.SIGINT) is before

    def test_after_the_last_step_it_is_not_forgotten(self):
        """Pressed during the validation of the last epoch: no step is left, but it was pressed."""
        network = make()
        with pytest.raises(KeyboardInterrupt):
            network.fit(
                X,
                Y,
                epochs=1,
                callbacks=[lambda e: isinstance(e, EpochFinished) and os.kill(os.getpid(), signal.SIGINT)],
                **QUIET,
            )
        assert len(network.history["loss"]) == 1

    def test_someone_elses_handler_is_left_in_place(self):
        calls = []
        before = signal.signal(signal.SIGINT, lambda number, frame: calls.append(number))
        try:
            make().fit(
                X,
                Y,
                epochs=1,
                callbacks=[lambda e: isinstance(e, TrainingStarted) and os.kill(os.getpid(), signal.SIGINT)],
                **QUIET,
            )
        finally:
            signal.signal(signal.SIGINT, before)
        assert calls == [signal.SIGINT]


class TestOnesOwn:
    def test_a_layer_of_ones_own_trains_to_its_closed_form(self):
        """y = mean(x s) with s learned: least squares without a bias, in float64."""
        network = pl.Network([pl.Input(4), Fuse(-1), pl.Regression(initializer="ones")], dtype="float64")
        pl.gradcheck(network, X, X[:, 0])
        target = X @ [1.0, -2.0, 3.0, 0.5]
        network.fit(
            X,
            target,
            epochs=800,
            batch_size=50,
            optimizer=pl.GradientDescent(0.02, 0.9),
            schedule=pl.Cosine(0.1),
            **QUIET,
        )
        p = network.parameters
        np.testing.assert_allclose(p["fuse_1.s"] * p["output.weight"][:, 0], [1, -2, 3, 0.5], atol=1e-6)
        np.testing.assert_allclose(network.predict(X), target, atol=1e-5)
