"""A run makes the steps of ``Network.fit``, bit by bit, whatever it is told on the way."""

from __future__ import annotations

import numpy as np
import pytest
from small_runs import SMALL, are_equal, finished, fit, fitted, new, numbers

import pellucid as pl
from pellucid.apps.server.watch import Mailbox
from pellucid.apps.studio.runs import copies, figures
from pellucid.apps.studio.runs.looks import Looks
from pellucid.apps.studio.runs.run import Run
from pellucid.apps.studio.runs.runs import Runs
from pellucid.training.loop import TrainingLoop

WAYS = {
    "adam": {},
    "momentum and cosine": {"optimizer": "momentum", "schedule": "cosine"},
    "dropout, batch normalization, l1 and l2": {"dropout": 0.3, "batch_norm": True, "l1": 1e-3, "l2": 1e-2},
    "plateaus by validation": {"schedule": "reduce_on_plateau", "epochs": 30},
    "plateaus by training": {"schedule": "reduce_on_plateau", "epochs": 30, "validation": 0, "learning_rate": 0.5},
    "one cycle, uneven batches": {"schedule": "one_cycle", "batch_size": 13},
    "distorted digits": {"data": "digits", "samples": 300, "augment": True, "epochs": 3},
    "convolutions": {"data": "digits", "samples": 120, "layers": "conv3 pool conv4 average", "epochs": 3},
    "no hidden layer": {"data": "blobs", "hidden": []},
}
EARLY = {
    "early stopping": {"patience": 3},
    "early stopping, plateaus and momentum": {"patience": 4, "schedule": "reduce_on_plateau", "optimizer": "momentum"},
    "early stopping and moving averages": {"patience": 3, "batch_norm": True, "schedule": "cosine"},
}
EARLY = {name: {"noise": 0.3, "learning_rate": 0.1, "epochs": 60} | changes for name, changes in EARLY.items()}
ways = pytest.mark.parametrize("changes", WAYS.values(), ids=WAYS)
all_ways = pytest.mark.parametrize("changes", (WAYS | EARLY).values(), ids=[*WAYS, *EARLY])


@ways
def test_a_run_is_fit(changes):
    run = finished(new(changes))
    assert run.state == "finished"
    expected = fitted(run)
    assert are_equal(run.network, expected)
    last = expected.history.epochs[-1]
    shown = run.summary()["history"][-1]
    assert shown["learning_rate"] == last["learning_rate"]
    for name in ("validation_loss", "validation_accuracy"):
        assert shown[name] == last.get(name)


@all_ways
def test_pauses_and_single_steps_change_no_bit(changes):
    run = new(changes)
    run.make_step()
    run.epoch()
    run.wait()
    assert run.loop.step == run.loop.steps_per_epoch
    for _ in range(3):
        run.make_step()
    run.resume()
    run.pause()
    assert run.state in ("paused", "finished")
    while run.state == "paused":
        run.epoch()
        run.wait()
    assert are_equal(run.network, fitted(run))


@all_ways
def test_going_on_after_the_end_is_a_second_fit(changes):
    run = new(changes)
    for _ in range(2):
        run.resume()
        run.wait()
    network = fitted(run)
    fit(network, run)
    assert are_equal(run.network, network)


@all_ways
def test_what_is_rewound_happens_again_bit_by_bit(changes):
    run = new(changes)
    run.resume()
    run.wait()
    first = [np.copy(vector) for vector in numbers(run.network)]
    for step in run.summary()["kept"][-2::-1]:
        run.rewind(step)
        assert run.loop.step == step
        assert run.state == "paused"
        run.resume()
        run.wait()
        assert all(np.array_equal(a, b) for a, b in zip(numbers(run.network), first, strict=True))


@pytest.mark.parametrize("changes", EARLY.values(), ids=EARLY)
def test_early_stopping_is_that_of_fit(changes):
    run = new(changes)
    run.resume()
    run.wait()
    network = fitted(run)
    assert are_equal(run.network, network)
    assert len(network.history.epochs) < 60  # it did stop
    assert run.state == "finished"
    assert f"has not fallen for {changes['patience']} epochs" in run.message
    losses = [epoch["validation_loss"] for epoch in network.history.epochs]
    assert run.summary()["history"][-1]["validation_loss"] == min(losses)


def test_a_fork_waits_on_from_where_its_run_waited():
    runs = Runs()
    run = runs.create(SMALL | EARLY["early stopping"])
    run.resume()
    run.wait()
    fork = runs.fork("run-1", run.summary()["kept"][-2], {})
    fork.resume()
    fork.wait()
    assert are_equal(fork.network, run.network)
    other = finished(runs.fork("run-1", run.summary()["kept"][-2], {"patience": 0, "schedule": "reduce_on_plateau"}))
    assert other.loop.step == 60 * other.loop.steps_per_epoch
    assert not np.array_equal(other.network.parameters.vector, run.network.parameters.vector)


def test_the_best_of_another_network_is_not_that_of_a_fork():
    """Parameters of the same shapes mean another network under another activation."""
    runs = Runs()
    run = runs.create(SMALL | EARLY["early stopping"])
    run.resume()
    run.wait()
    fork = runs.fork("run-1", run.summary()["kept"][-3], {"activation": "sigmoid"})
    fork.resume()
    fork.wait()
    losses = [figures["validation_loss"] for figures in fork.summary()["history"]]
    assert "The best parameters were restored" in fork.message
    assert losses[-1] == min(losses[1:])


def test_early_stopping_needs_samples_kept_aside():
    with pytest.raises(pl.ArgumentError, match="needs validation samples"):
        new(patience=3, validation=0)


def test_a_checkpoint_within_an_epoch_is_kept_when_it_pauses_there():
    run = new(schedule="reduce_on_plateau", validation=0, learning_rate=0.5)
    for _ in range(8):
        run.make_step()
    run.rewind(3)
    assert 3 in run.summary()["kept"]
    finished(run)
    assert are_equal(run.network, fitted(run))


def test_a_rewound_run_keeps_what_lay_ahead_until_it_trains_on():
    run = finished(new())
    before = run.summary()
    last = before["kept"][-1]
    run.rewind(before["kept"][2])
    run.rewind(last)
    assert run.state == "finished"
    assert run.summary()["history"] == before["history"]
    run.rewind(before["kept"][2] + 1)  # none was kept there: the one before it
    assert run.loop.step == before["kept"][2]
    assert run.summary()["kept"] == before["kept"]
    run.make_step()
    after = run.summary()
    assert after["kept"] == [*before["kept"][:3], before["kept"][2] + 1]
    assert max(figures["step"] for figures in after["history"]) == after["step"]


def test_another_learning_rate_counts_from_the_next_step_on():
    run = new()
    for _ in range(2):
        run.epoch()
        run.wait()
    run.set_learning_rate(0.5)
    run.epoch()
    run.wait()
    network = fitted(run, epochs=2)
    fit(network, run, epochs=1, optimizer=pl.Adam(0.5))
    assert np.array_equal(run.network.parameters.vector, network.parameters.vector)
    assert run.summary()["learning_rate"] == 0.5
    assert run.summary()["history"][-1]["learning_rate"] == 0.5


def test_figures_are_those_of_evaluate():
    run = finished(new(dropout=0.4))
    for part, names in (
        (run.material.training, ("loss", "accuracy")),
        (run.material.validation, ("validation_loss", "validation_accuracy")),
    ):
        x, y = part.x[part.rows], part.y[part.rows]
        p = run.network.predict_proba(x).astype(np.float64)[np.arange(len(y)), y]
        shown = run.summary()["history"][-1]
        assert shown[names[0]] == pytest.approx(-np.log(p).mean(), rel=1e-4)
        assert shown[names[1]] == np.mean(run.network.predict(x) == y)


def test_large_networks_are_measured_and_calibrated_on_fewer_samples(monkeypatch):
    """Else nobody could pause them for that long."""
    fields = {"data": "digits", "samples": 1000, "validation": 0.5, "layers": "conv8 conv8", "epochs": 1}
    per_sample = 784 * 8 * 9 + 784 * 8 * 8 * 9 + 784 * 8 * 10
    monkeypatch.setattr(figures, "WORK_ASIDE", 300 * per_sample)
    monkeypatch.setattr(copies, "WORK_ASIDE", 300 * per_sample)
    run = Runs().create(fields)
    run.make_step()
    aside = run.material.validation
    rows = aside.rows[[499 * i // 299 for i in range(300)]]
    shown = run.summary()["history"][-1]
    assert shown["validation_accuracy"] == np.mean(run.network.predict(aside.x[rows]) == aside.y[rows])
    alone = pl.Model(run.model().network)
    alone.calibrate(aside.x, aside.y, rows=rows)
    assert run.model().temperature == alone.temperature


def test_a_plateau_counts_the_whole_epoch_after_a_rewind_into_it():
    run = new(schedule="reduce_on_plateau", validation=0, epochs=2)
    for _ in range(2):
        run.make_step()
    run.epoch()
    run.wait()
    losses = run.checkpoint(None).losses
    run.rewind(2)
    assert run.loop.step == 2
    run.epoch()
    run.wait()
    assert run.checkpoint(None).losses == losses
    assert len(losses) == 1


def test_a_diverged_run_says_so_and_can_be_rewound():
    run = new(optimizer="gradient_descent", learning_rate=100, l2=10, epochs=100)
    run.resume()
    run.wait()
    shown = run.summary()
    assert shown["state"] == "diverged"
    assert "training diverged at step" in shown["message"]
    assert np.isfinite(run.network.parameters.vector).all()
    assert shown["kept"][-1] < shown["step"] + 1
    run.rewind(0)
    assert (run.state, run.message) == ("paused", None)
    run.set_learning_rate(0.01)
    run.epoch()
    run.wait()
    assert run.state == "paused"
    assert are_equal(run.network, fitted(run, optimizer=pl.GradientDescent(0.01), epochs=1))


@pytest.mark.parametrize(("owner", "name"), [(TrainingLoop, "advance"), (Looks, "look")])
def test_what_nobody_foresaw_ends_the_run_and_not_the_studio(monkeypatch, owner, name):
    """A step or a look that fails leaves a run that can be resumed."""
    run = new()
    run.watch.join(Mailbox(lambda: None))
    monkeypatch.setattr(owner, name, lambda *_: [][0])
    run.resume()
    run.wait()
    assert run.state == "failed"
    assert "IndexError" in run.message
    monkeypatch.undo()
    assert finished(run).state == "finished"


@pytest.mark.parametrize("order", [Run.resume, Run.epoch, Run.make_step])
def test_a_closed_run_learns_no_more(order):
    """An order that waits for its turn while the run is deleted comes too late."""
    run = new()
    run.close()
    with pytest.raises(pl.ArgumentError, match="trains no more"):
        order(run)
    run.wait()
    assert (run.state, run.loop.step) == ("paused", 0)


def test_a_copy_is_a_model_of_its_own():
    run = new(epochs=40, samples=400, validation=0.5)
    finished(run)
    model = run.model()
    assert model.labels == ("A", "B")
    assert model.temperature is not None
    assert model.conformal_scores
    x = run.material.training.x[:9]
    before = run.network.predict_proba(x)
    assert np.array_equal(model.network.predict_proba(x), before)
    assert run.model() is model
    run.make_step()
    assert run.model() is not model
    assert np.array_equal(model.network.predict_proba(x), before)
    assert not np.array_equal(run.network.predict_proba(x), before)


def test_a_network_that_gives_no_numbers_is_copied_too():
    run = new(validation=0.5, batch_norm=True)
    run.make_step()
    for name, array in run.network.parameters.items():
        if name.endswith("weight"):
            array[...] = 3e38
    assert run.model().temperature is None


def test_a_saved_copy_goes_on_where_the_run_stood(tmp_path):
    run = new(dropout=0.3, epochs=4)
    run.epoch()
    run.wait()
    run.model().save(tmp_path / "run.safetensors", optimizer_state=True)
    network = pl.load(tmp_path / "run.safetensors").network
    fit(network, run, epochs=3)
    assert are_equal(network, fitted(run))


def test_saved_is_what_is_in_a_file_as_it_is_now():
    run = new()
    assert not run.is_saved
    run.make_step()
    run.mark_saved(run.model())
    assert run.is_saved
    assert run.summary()["saved"]
    run.make_step()
    assert not run.is_saved
    run.mark_saved(pl.Model(run.network))  # another one
    assert not run.is_saved


def test_the_spirals_are_learned_until_the_boundary_is_right():
    run = finished(Runs().create({"data": "spirals"}))
    radius, angle = np.meshgrid(np.linspace(0.2, 0.95, 30), np.linspace(0, 2 * np.pi, 60, endpoint=False))
    arm = 3 * np.pi * (radius - 0.05) / 0.95  # where the middle of arm A is; that of B is opposite
    expected = (np.cos(angle - arm) < 0).astype(int)
    is_clear = np.abs(np.cos(angle - arm)) > 0.5  # not in the middle between both
    x = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)[is_clear].astype(np.float32)
    assert np.mean(run.network.predict(x) == expected[is_clear]) > 0.97
    assert run.summary()["history"][-1]["validation_accuracy"] > 0.98


@pytest.mark.parametrize("data", ["circles", "moons", "blobs", "xor"])
def test_the_other_sets_are_learned_with_their_defaults(data):
    assert finished(Runs().create({"data": data})).summary()["history"][-1]["validation_accuracy"] > 0.97


def test_runs_that_train_by_turns_do_not_disturb_each_other():
    runs = Runs()
    several = [runs.create(SMALL | {"seed": seed, "epochs": 200}) for seed in range(3)]
    for run in several:
        run.resume()
    for run in several:
        run.wait()
    assert all(are_equal(run.network, fitted(run)) for run in several)


def test_a_held_pace_changes_no_bit_and_can_be_let_go():
    run = new(epochs=50)
    run.set_pace(2.0)
    run.resume()
    assert run.summary()["pace"] == 2.0
    assert run.loop.step < 10  # 250 steps would take two minutes
    run.set_pace(None)
    run.wait()
    assert are_equal(run.network, fitted(run))


def test_every_epoch_of_a_short_run_has_its_point_on_the_curve():
    """However fast it was: between two figures of a long run there may be many epochs."""
    run = finished(new(epochs=60))
    assert [figures["epoch"] for figures in run.summary()["history"]] == list(range(61))


def test_the_history_of_a_long_run_is_bounded(monkeypatch):
    monkeypatch.setattr("pellucid.apps.studio.runs.within_turn.SECONDS_BETWEEN_FIGURES", 0.0)
    monkeypatch.setattr("pellucid.apps.studio.runs.figures.MOST_FIGURES", 50)
    run = finished(new(epochs=300))
    steps = [figures["step"] for figures in run.summary()["history"]]
    assert len(steps) <= 50
    assert steps == sorted(set(steps))
    assert (steps[0], steps[-1]) == (0, run.loop.step)
