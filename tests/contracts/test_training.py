"""What a training promises besides its numbers: the same bits, events in order, and bad data refused before it begins."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from trainings import KINDS, QUIET, X, Y, all_numbers, make, of_every_kind

import pellucid as pl
from pellucid.training.events import EpochFinished, StepFinished, TrainingFinished, TrainingStarted


class TestTheSameBits:
    @pytest.mark.parametrize("optimizer", [pl.Adam(), pl.GradientDescent(0.1, 0.9, True), pl.RMSProp()], ids=repr)
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    @of_every_kind
    def test_two_and_three_epochs_are_five(self, optimizer, dtype, kind):
        """With dropout, batch statistics, augmentation, an uneven last batch and a part held out."""

        def augment(batch, key):
            return batch + 0.1 * pl.random.normal(key, batch.shape)

        options = {"optimizer": optimizer, "batch_size": 16, "validation": 0.2, "augment": augment, **QUIET}
        parts, whole, x = make(dtype=dtype, kind=kind), make(dtype=dtype, kind=kind), KINDS[kind][0]
        parts.fit(x, Y, epochs=2, **options)
        del options["optimizer"]  # by default it goes on with the last one
        parts.fit(x, Y, epochs=3, **options)
        whole.fit(x, Y, epochs=5, optimizer=optimizer, **options)
        np.testing.assert_array_equal(all_numbers(parts), all_numbers(whole))
        for figure in ("loss", "accuracy", "validation_loss"):
            assert parts.history[figure] == whole.history[figure]

    def test_the_seed_decides_everything_and_each_seed_otherwise(self):
        np.random.seed(0)  # noqa: NPY002 - NumPy's global state must not matter
        first = make(3)
        first.fit(X, Y, epochs=2, **QUIET)
        np.random.seed(1)  # noqa: NPY002
        again, other = make(3), make(4)
        again.fit(X, Y, epochs=2, **QUIET)
        other.fit(X, Y, epochs=2, **QUIET)
        np.testing.assert_array_equal(all_numbers(first), all_numbers(again))
        assert (all_numbers(first) != all_numbers(other)).mean() > 0.5

    @of_every_kind
    def test_listening_predicting_and_validating_change_nothing(self, kind):
        silent, watched, x = make(kind=kind), make(kind=kind), KINDS[kind][0]
        silent.fit(x, Y, epochs=3, batch_size=16, **QUIET)

        def meddle(event):
            watched.predict(x)
            watched.evaluate(x, Y)

        watched.fit(x, Y, epochs=3, batch_size=16, validation=(x, Y), callbacks=[meddle], **QUIET)
        np.testing.assert_array_equal(all_numbers(silent), all_numbers(watched))

    def test_the_order_of_the_samples_changes_with_the_epoch_unless_it_is_fixed(self):
        for shuffle in (True, False):
            seen = []
            x = np.repeat(np.arange(50.0)[:, None], 4, axis=1)
            make().fit(
                x,
                Y,
                epochs=2,
                shuffle=shuffle,
                augment=lambda batch, key, seen=seen: seen.extend(batch[:, 0]) or batch,
                **QUIET,
            )
            first, second = seen[:50], seen[50:]
            assert sorted(first) == sorted(second) == list(range(50))
            assert (first == list(range(50))) == (not shuffle)
            assert (first == second) == (not shuffle)

    def test_the_data_are_left_alone(self):
        x, y, w = X.copy(), Y.copy(), np.ones(50)
        make().fit(x, y, epochs=1, sample_weight=w, augment=lambda batch, key: np.multiply(batch, 0, out=batch), **QUIET)
        np.testing.assert_array_equal(x, X)
        np.testing.assert_array_equal(y, Y)
        np.testing.assert_array_equal(w, 1)


class TestEvents:
    def test_order_and_contents(self):
        network, events = make(), []
        for epochs in (2, 1):
            network.fit(X, Y, epochs=epochs, batch_size=20, validation=(X, Y), callbacks=[events.append], **QUIET)
        kinds = [type(event) for event in events]
        epoch = [StepFinished] * 3 + [EpochFinished]
        assert kinds == [TrainingStarted, *epoch, *epoch, TrainingFinished, TrainingStarted, *epoch, TrainingFinished]
        assert events[0] == TrainingStarted(epoch=1, epochs=2, steps_per_epoch=3, samples_per_epoch=50, batch_size=20)
        assert events[10] == TrainingStarted(epoch=3, epochs=1, steps_per_epoch=3, samples_per_epoch=50, batch_size=20)
        steps = [event for event in events if isinstance(event, StepFinished)]
        assert [event.step for event in steps] == list(range(1, 10))
        assert [event.samples for event in steps] == [20, 40, 50] * 3
        assert [event.epoch for event in steps] == [1] * 3 + [2] * 3 + [3] * 3
        assert all(event.learning_rate == 1e-3 for event in steps)
        ends = [event for event in events if isinstance(event, EpochFinished)]
        assert [event.epoch for event in ends] == [1, 2, 3]
        assert [event.metrics for event in ends] == network.history.epochs
        assert ends[0].metrics["loss"] == steps[2].metrics["loss"]
        assert events[9].reason == events[-1].reason == "completed"
        assert events[-1].metrics == ends[-1].metrics

    def test_history(self):
        network = make()
        first = network.fit(X, Y, epochs=2, regularizer=pl.L2(0.01), **QUIET)
        second = network.fit(X, Y, epochs=3, validation=0.2, **QUIET)
        assert list(first) == ["loss", "accuracy", "penalty", "learning_rate", "seconds"]
        assert list(second) == ["loss", "accuracy", "validation_loss", "validation_accuracy", "learning_rate", "seconds"]
        assert [len(history) for history in (first["loss"], second["loss"], network.history["loss"])] == [2, 3, 5]
        assert network.history["loss"] == first["loss"] + second["loss"]
        assert len(network.history["penalty"]) == 2
        assert network.history.epochs == first.epochs + second.epochs
        assert first.reason == second.reason == network.history.reason == "completed"
        assert all(seconds > 0 for seconds in network.history["seconds"])

    def test_history_and_parameters_are_mappings(self):
        network = make()
        history = network.fit(X, Y, epochs=1, **QUIET)
        assert "loss" in history
        assert "validation_loss" not in history
        assert history.get("validation_loss") is None
        assert "dense_1.weight" in network.parameters
        assert "dense_9.weight" not in network.parameters
        assert network.parameters.get("dense_9.weight") is None
        assert set(network.parameters) & set(network.state) == set()
        with pytest.raises(pl.ArgumentError, match=r"Did you mean 'dense_1\.weight'"):
            network.parameters["dense1.weight"]

    @pytest.mark.parametrize("validation", [None, (X, Y)])
    def test_curves_can_be_drawn_with_and_without_validation(self, validation, monkeypatch, tmp_path):
        monkeypatch.setenv("MPLBACKEND", "Agg")
        network = make()
        network.fit(X, Y, epochs=2, validation=validation, **QUIET)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # those of matplotlib itself
            figure = network.history.plot(str(tmp_path / "curves.png"))
        drawn = [line.get_ydata().tolist() for line in figure.axes[0].lines]
        assert network.history["loss"] in drawn
        assert (tmp_path / "curves.png").stat().st_size > 1000

    def test_stop_training_ends_in_good_order(self):
        network, events = make(), []

        def stop(event):
            events.append(event)
            if isinstance(event, StepFinished) and event.step == 4:
                raise pl.StopTraining

        history = network.fit(X, Y, epochs=5, batch_size=20, callbacks=[stop], **QUIET)
        assert history.reason == events[-1].reason == "stopped early"
        assert isinstance(events[-1], TrainingFinished)
        assert len(history["loss"]) == 1
        assert sum(isinstance(event, StepFinished) for event in events) == 4

    def test_an_error_in_a_callback_is_not_swallowed(self):
        def fail(event):
            if isinstance(event, EpochFinished):
                raise LookupError("mine")

        with pytest.raises(LookupError, match="mine"):
            make().fit(X, Y, epochs=2, callbacks=[fail], **QUIET)

    @pytest.mark.parametrize("callbacks", [[3], [pl.EarlyStopping], ["print"]])
    def test_what_is_no_callback_is_refused(self, callbacks):
        with pytest.raises(pl.ArgumentError):
            make().fit(X, Y, epochs=1, callbacks=callbacks, **QUIET)


class TestBadData:
    @pytest.mark.parametrize(
        ("x", "y"),
        [
            (X[:0], Y[:0]),
            (X[0], Y[:1]),
            (X[:, :3], Y),
            (np.where(np.arange(4) == 2, np.nan, X), Y),
            (np.where(np.arange(4) == 2, np.inf, X), Y),
            (X.astype(str), Y),
            (X.astype(complex), Y),
            (X, Y[:49]),
            (X, Y + 1),
            (X, Y - 1),
            (X, Y + 0.5),
            (X, np.where(Y > 0, np.nan, 0)),
            (X, np.where(Y > 0, 1e300, 0)),
            (X, Y.astype(str)),
            (X, np.full((50, 3), 0.5)),
            (X, None),
            (None, Y),
        ],
    )
    def test_samples_that_cannot_work_are_refused_before_the_first_step(self, x, y):
        network, events = make(), []
        before = all_numbers(network).copy()
        with pytest.raises(pl.ArgumentError):
            network.fit(x, y, epochs=1, callbacks=[events.append], **QUIET)
        assert not events
        np.testing.assert_array_equal(all_numbers(network), before)

    @pytest.mark.parametrize(
        "options",
        [
            {"epochs": 0},
            {"epochs": 1.5},
            {"batch_size": 0},
            {"batch_size": True},
            {"optimizer": "adm"},
            {"optimizer": pl.Adam},
            {"regularizer": 0.1},
            {"clipping": 1.0},
            {"schedule": "cosin"},
            {"schedule": 3},
            {"early_stopping": 0},
            {"progress": "loud"},
        ],
        ids=str,
    )
    def test_options_that_cannot_work_are_refused_before_the_first_step(self, options):
        network = make()
        with pytest.raises(pl.ArgumentError):
            network.fit(X, Y, **{"epochs": 1, **QUIET, **options})
        assert network.training_state.step == 0
