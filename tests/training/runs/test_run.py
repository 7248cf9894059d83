"""A run that is cut off anywhere and taken up again gives the bits of one that was not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import cut_runs
import numpy as np
import pytest
from cut_runs import CASES, Cut, X, Y, at_step, cut, digest, train, without_time

import pellucid as pl
from pellucid.training.events import EpochFinished, StepFinished
from pellucid.training.runs.folder import snapshot_steps, status_of
from pellucid.training.runs.run import Every

cases = pytest.mark.parametrize("case", CASES)
SECONDS = 300  # at most, for a process


def steps_of(case):
    heard = []
    network = train(case, callbacks=[heard.append])
    return network, sum(isinstance(event, StepFinished) for event in heard)


@cases
def test_cut_off_after_any_step_it_goes_on_bit_for_bit(case, tmp_path):
    """By another network in the place of another process; also at the end of epochs. All moments are compared too."""
    whole, steps = steps_of(case)
    for step in {1, 2, 8, 9, 10, 17, 18, 23, steps - 1, steps}:
        folder = tmp_path / str(step)
        with pytest.raises(Cut):
            train(case, folder, [at_step(step, cut)])
        assert status_of(folder).can_be_taken_up
        network = train(case, folder)
        assert digest(network) == digest(whole)
        assert without_time(network.history) == without_time(whole.history)
        assert network.history.restored == whole.history.restored
        assert status_of(folder).state == "finished"


def test_cut_off_again_and_again_with_snapshots_of_epochs_only(tmp_path):
    whole, steps = steps_of("early stopping")
    for step in range(3, steps, 5):
        with pytest.raises(Cut):
            train("early stopping", tmp_path / "run", [at_step(step, cut)], snapshot_every="1 epoch")
    assert digest(train("early stopping", tmp_path / "run")) == digest(whole)


def test_it_goes_on_with_any_number_of_threads(tmp_path):
    whole, _ = steps_of("photos, mixup")
    for threads, step in ((1, 11), (3, 20), (2, 31)):
        with pytest.raises(Cut):
            train("photos, mixup", tmp_path / "run", [at_step(step, cut)], threads=threads)
    assert digest(train("photos, mixup", tmp_path / "run", threads=2)) == digest(whole)


def test_recording_changes_no_bit_and_a_finished_run_gives_its_network_again(tmp_path):
    whole, _ = steps_of("dense, dropout")
    for _ in range(2):
        network = train("dense, dropout", tmp_path)
        assert digest(network) == digest(whole)
        assert without_time(network.history) == without_time(whole.history)
    assert digest(train("dense, dropout", tmp_path / "rare", snapshot_every=1e6)) == digest(whole)
    saved = pl.load(tmp_path / "model.safetensors").network
    np.testing.assert_array_equal(saved.parameters.vector, whole.parameters.vector)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_end_it_after_the_step_and_it_goes_on(number, tmp_path):
    """The network then has the best parameters; the snapshot has those of the step, and the best beside them."""
    whole, steps = steps_of("early stopping")
    usual = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt):
        train("early stopping", tmp_path, [at_step(steps - 4, lambda: os.kill(os.getpid(), number))], snapshot_every=1e6)
    assert signal.getsignal(number) is usual
    assert status_of(tmp_path).state == "interrupted"
    assert snapshot_steps(tmp_path)[-1] == steps - 4
    assert digest(train("early stopping", tmp_path)) == digest(whole)


def test_one_network_that_was_interrupted_goes_on_by_the_same_call(tmp_path):
    """As in a notebook: its history has no epoch twice, and an earlier training of it stays."""
    options = {"epochs": 4, "batch_size": 7, "progress": "none"}
    networks = [pl.Network([cut_runs.ROW, *cut_runs.LAYERS, pl.Classification(3)]) for _ in range(2)]
    for network in networks:
        network.fit(X, Y, **options)
    whole, cut_off = networks
    history = whole.fit(X, Y, **options)
    press = at_step(whole.training_state.step - 10, lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        cut_off.fit(X, Y, run=tmp_path, callbacks=[press], **options)
    again = cut_off.fit(X, Y, run=tmp_path, **options)
    assert digest(cut_off) == digest(whole)
    assert without_time(again) == without_time(history)
    assert without_time(cut_off.history) == without_time(whole.history)
    assert len(cut_off.history.epochs) == 8


def test_an_end_by_a_callback_is_an_end(tmp_path):
    def stop():
        raise pl.StopTraining

    stopped = train("dense, dropout", tmp_path, [at_step(20, stop)])
    assert stopped.history.reason == "stopped early"
    again = train("dense, dropout", tmp_path)
    assert again.training_state.step == 20
    assert digest(again) == digest(stopped)


def test_after_a_divergence_the_last_good_snapshot_is_there(tmp_path):
    def spoil(event):
        if isinstance(event, StepFinished) and event.step == 20:
            spoiled[0].parameters.vector[...] = np.float32(3e38)

    x, layers, _ = CASES["NumPy, penalty"]
    spoiled = [pl.Network([*layers, pl.Classification(3)], seed=3)]
    options = {"epochs": 5, "batch_size": 7, "progress": "none", "engine": "numpy"}
    with pytest.raises(pl.DivergenceError, match="step 21"):
        spoiled[0].fit(x, Y, run=tmp_path, snapshot_every="1 epoch", callbacks=[spoil], **options)
    assert status_of(tmp_path).state == "diverged"
    assert snapshot_steps(tmp_path)[-1] == 18
    whole = pl.Network([*layers, pl.Classification(3)], seed=3)
    whole.fit(x, Y, **options)
    again = pl.Network([*layers, pl.Classification(3)], seed=3)
    again.fit(x, Y, run=tmp_path, **options)  # without what spoiled it
    assert digest(again) == digest(whole)


def program(case, folder, *ending):
    command = [sys.executable, cut_runs.__file__, case, os.fspath(folder), *map(str, ending)]
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)


def test_killed_by_the_system_again_and_again_it_ends_at_the_same_hash(tmp_path):
    """kill -9 of real processes, each after a step of its own; then another process ends the training."""
    whole, _ = steps_of("early stopping")
    for step in (1, 12, 13, 27):
        done = program("early stopping", tmp_path / "run", step, "SIGKILL")
        assert done.returncode == -signal.SIGKILL, done.stderr
        assert status_of(tmp_path / "run").state == "killed"
        assert snapshot_steps(tmp_path / "run")[-1] == step - 1  # one interval is lost: the one that was just made
    done = program("early stopping", tmp_path / "run")
    assert done.stdout.strip() == digest(whole)


def test_a_second_process_is_kept_out_and_death_opens_the_lock(tmp_path):
    refusals = []

    def second():
        refusals.append(program("dense, dropout", tmp_path).stderr)

    train("dense, dropout", tmp_path, [at_step(5, second)])
    assert "RunError" in refusals[0]
    assert "in use: another process trains there" in refusals[0]
    assert program("dense, dropout", tmp_path, 5, "SIGKILL").returncode == 0  # it is finished: no step is made
    assert digest(train("dense, dropout", tmp_path)) == digest(train("dense, dropout"))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"epochs": 6}, "epochs was 5, and is 6"),
        ({"batch_size": 8}, "batch size was 7, and is 8"),
        ({"optimizer": pl.Adam(0.5)}, r"optimizer was Adam\(learning_rate=0.001.*0.5"),
        ({"engine": "numpy"}, "engine was native, and is numpy"),
        ({"sample_weight": np.arange(60)}, "data was "),
        ({"validation": 0.1}, "data was .*validation data was none"),
    ],
)
def test_other_settings_are_named_and_change_nothing(change, named, tmp_path):
    with pytest.raises(Cut):
        train("dense, dropout", tmp_path, [at_step(20, cut)])
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(pl.RunError, match=named):
        train("dense, dropout", tmp_path, **change)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert digest(train("dense, dropout", tmp_path)) == digest(train("dense, dropout"))


def test_changed_samples_are_noticed(tmp_path, monkeypatch):
    with pytest.raises(Cut):
        train("dense, dropout", tmp_path, [at_step(20, cut)])
    changed = X.copy()
    changed[59, 3] += np.float32(1e-3)
    monkeypatch.setitem(CASES, "dense, dropout", (changed, *CASES["dense, dropout"][1:]))
    with pytest.raises(pl.RunError, match="data was"):
        train("dense, dropout", tmp_path)


def test_a_folder_of_other_things_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years")
    with pytest.raises(pl.RunError, match=r"holds other files \(thesis.txt\)"):
        train("dense, dropout", tmp_path)
    with pytest.raises(pl.RunError, match="cannot be the folder"):
        train("dense, dropout", tmp_path / "thesis.txt")
    with pytest.raises(pl.RunError, match="no folder"):
        train("dense, dropout", " ")
    assert (tmp_path / "thesis.txt").read_text() == "years"


def test_the_log_tells_what_happened(tmp_path):
    with pytest.raises(Cut):
        train("dense, dropout", tmp_path, [at_step(20, cut)], snapshot_every="1 epoch")
    with (tmp_path / "events.jsonl").open("a") as log:
        log.write('{"event": "epo')  # cut off amid a line
    network = train("dense, dropout", tmp_path, snapshot_every="1 epoch")
    status = status_of(tmp_path)
    assert (status.state, status.step, status.made, status.steps) == ("finished", 45, 45, 45)
    assert [status.epochs[number] for number in range(1, 6)] == network.history.epochs
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines() if line.endswith("}")]
    assert [event["event"] for event in events if event["event"] not in ("epoch", "snapshot")] == [
        *("started", "ended", "taken up", "ended", "finished")
    ]
    assert next(event["step"] for event in events if event["event"] == "taken up") == 18


def test_few_snapshots_stay_and_the_best_is_one(tmp_path):
    losses = {}

    def note(event):
        if isinstance(event, EpochFinished):
            losses[9 * event.epoch] = event.metrics["validation_loss"]

    train("early stopping", tmp_path, [note], snapshot_every="1 epoch", early_stopping=None, epochs=20)
    steps = snapshot_steps(tmp_path)
    assert len(steps) == 5
    assert {0, 180, min(losses, key=losses.__getitem__)} <= set(steps)


@pytest.mark.parametrize(
    ("given", "expected"),
    [(None, (10.0, 0)), (2, (2.0, 0)), ("5 minutes", (300.0, 0)), ("0.5 s", (0.5, 0)), ("3 epochs", (10.0, 3))],
)
def test_how_often(given, expected):
    assert (Every.of(given).seconds, Every.of(given).epochs) == expected


@pytest.mark.parametrize("given", [-1, "often", "0 epochs", "1.5 epochs", True, float("nan")])
def test_how_often_in_other_words_is_refused(given, tmp_path):
    with pytest.raises(pl.ArgumentError, match="snapshot_every"):
        train("dense, dropout", tmp_path / "run", snapshot_every=given)
    assert not list(tmp_path.iterdir())


def test_how_often_needs_a_run():
    with pytest.raises(pl.ArgumentError, match="name its folder"):
        train("dense, dropout", snapshot_every=5)


def test_a_part_of_a_killed_writer_is_cleared(tmp_path):
    with pytest.raises(Cut):
        train("dense, dropout", tmp_path, [at_step(20, cut)])
    part = tmp_path / "snapshots" / ".pellucid-0123.part"
    part.write_bytes(b"half")
    train("dense, dropout", tmp_path)
    assert not part.exists()
    assert not list(Path(tmp_path).rglob("*.part"))


def test_too_little_memory_for_a_snapshot_is_said_and_ends_nothing(tmp_path, monkeypatch):
    from pellucid.training.loop import TrainingLoop

    checkpoint, calls = TrainingLoop.checkpoint, []

    def short(loop):
        calls.append(loop.step)
        if len(calls) == 3:
            raise MemoryError
        return checkpoint(loop)

    monkeypatch.setattr(TrainingLoop, "checkpoint", short)
    with pytest.warns(UserWarning, match="not enough memory for a snapshot"):
        network = train("dense, dropout", tmp_path, snapshot_every="1 epoch")
    monkeypatch.undo()
    assert digest(network) == digest(train("dense, dropout"))
