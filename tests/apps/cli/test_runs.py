"""``train --run`` and what goes on from there: resume, replay, fork, compare, runs; and what is kept without ``--run``."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
from pathlib import Path

import numpy as np
import pytest
from cut_runs import Cut
from drawn_photos import FAST
from running import TINY

import pellucid as pl
from pellucid.training.loop import TrainingLoop
from pellucid.training.runs import cache
from pellucid.training.runs.folder import snapshot_steps, status_of

DIGITS = ("--hidden", "16", "--dropout", "0.2", "--batch-size", "100", "--epochs", "4", "--schedule", "one_cycle")
HELD_OUT = ("--validation", "0.2", "--early-stopping", "3")


@pytest.fixture
def ending(monkeypatch):
    """``with ending(step)``: after this step comes a signal, or with ``act`` something else."""

    def end(step, act=lambda: os.kill(os.getpid(), signal.SIGINT)):
        context = monkeypatch.context()
        patch = context.__enter__()
        advance, done = TrainingLoop.advance, []

        def advance_and_end(loop, most=None):
            made = advance(loop, 1)
            if loop.step >= step and not done:
                done.append(step)
                act()
            return made

        patch.setattr(TrainingLoop, "advance", advance_and_end)
        patch.setattr("pellucid.apps.cli.tables._show_suspects", lambda *_: None)  # whose quick network trains too
        return context_of(context)

    class context_of:
        def __init__(self, context):
            self.context = context

        def __enter__(self):
            return self

        def __exit__(self, *error):
            self.context.__exit__(None, None, None)

    return end


def die():
    """As far as the folder knows, a death."""
    raise Cut


def numbers(path):
    network = pl.load(path).network
    return network.parameters.vector.tobytes() + network.state.vector.tobytes()


KINDS = {
    "digits": ("digits", *DIGITS, *HELD_OUT, "--class-weight", "balanced"),
    "price": ("houses.csv", "--target", "price", "--layers", "dense8 dropout0.2", "--epochs", "4", "--batch-size", "20"),
    "class": ("houses.csv", "--target", "price", "--kind", "price=category", "--epochs", "2", "--batch-size", "20"),
    "photos": ("SHAPES", *FAST[:2], "--layers", "conv4 norm dropout0.2 average", "--batch-size", "8", "--epochs", "4"),
}


@pytest.fixture
def words(request, tmp_path, shapes, photo_cache):
    """The words of a training of each kind."""
    from small_tables import write_houses

    write_houses(tmp_path / "houses.csv", "price")
    return [os.fspath(shapes) if word == "SHAPES" else word for word in KINDS[request.param]]


def of(*kinds):
    return pytest.mark.parametrize("words", kinds, ids=kinds, indirect=True)


@of("digits", "price", "photos")
def test_interrupted_and_resumed_a_training_has_the_bits_of_one_that_was_not(words, cli, ending):
    assert cli("train", *words, "--out", "whole").returncode == 0
    with ending(5):
        done = cli("train", *words, "--run", "kept")
    assert done.returncode == 130
    assert done.stderr.rstrip().endswith(f"Go on with: pellucid resume {shlex.quote('kept')}")
    assert re.search(r"the network (so far|of epoch 1, the best so far,) is in kept/model.safetensors", done.stderr)
    with ending(9, lambda: os.kill(os.getpid(), signal.SIGTERM)):
        assert cli("resume", "kept", "--threads", "2").returncode == 128 + signal.SIGTERM
    done = cli("resume", "kept")
    assert done.returncode == 0, done.stderr
    assert "interrupted, 9 of " in done.stderr
    assert numbers("kept/model.safetensors") == numbers("whole")
    whole, resumed = pl.load("whole"), pl.load("kept/model.safetensors")
    assert resumed.calibration == whole.calibration
    assert resumed.labels == whole.labels
    assert resumed.network.history["loss"] == whole.network.history["loss"]
    assert status_of(Path("kept")).state == "finished"


@of("class")
def test_a_killed_training_of_a_table_is_resumed_from_another_folder(words, cli, ending, tmp_path, monkeypatch):
    assert cli("train", *words, "--out", "whole").returncode == 0
    with ending(7, die), pytest.raises(Cut):
        cli("train", *words, "--run", "kept", "--snapshot-every", "1 epoch")
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    done = cli("resume", "../kept")
    assert done.returncode == 0, done.stderr
    assert numbers(tmp_path / "kept/model.safetensors") == numbers(tmp_path / "whole")


def test_without_a_folder_what_was_interrupted_is_kept_in_the_cache_until_it_is_finished(cli, ending):
    command = ("train", "digits", *DIGITS, *HELD_OUT)
    assert cli(*command, "--out", "whole").returncode == 0
    assert cache.in_cache() == []
    with ending(6):
        done = cli(*command, "--out", "mine")
    assert done.returncode == 130
    named = Path(re.search(r"Go on with: pellucid resume (\S+)", done.stderr)[1])
    assert [status.folder for status in cache.in_cache()] == [named]
    assert snapshot_steps(named) == [6]
    assert pl.load("mine").network.training_state.step == 6
    again = cli("train", "digits", *TINY, "--out", "other")
    assert "A training of these data was interrupted after 6 of 16 steps. Go on with: pellucid resume" in again.stderr
    assert "A training of these data" not in cli("train", "fashion", "--epochs", "0").stderr
    done = cli("resume", named)
    assert done.returncode == 0, done.stderr
    assert numbers("mine") == numbers("whole")
    assert cache.in_cache() == []
    assert not named.exists()


def test_interrupted_after_the_last_step_only_the_calibration_is_left(cli, ending):
    command = ("train", "digits", *DIGITS, *HELD_OUT)
    assert cli(*command, "--out", "whole").returncode == 0
    with ending(16):
        done = cli(*command, "--out", "mine")
    assert done.returncode == 130
    assert pl.load("mine").temperature is None
    folder = re.search(r"Go on with: pellucid resume (\S+)", done.stderr)[1]
    assert "16 of 16 steps" in cli("resume", folder).stderr
    assert pl.load("mine").temperature == pl.load("whole").temperature is not None
    assert numbers("mine") == numbers("whole")


@pytest.mark.parametrize("quiet", [0.0, 1e6])
def test_a_long_training_keeps_one_snapshot_by_itself(quiet, cli, ending, monkeypatch):
    command = ("train", "digits", *DIGITS, *HELD_OUT)
    assert cli(*command, "--out", "whole").returncode == 0
    monkeypatch.setattr(cache, "QUIET", quiet)
    with ending(7, die), pytest.raises(Cut):
        cli(*command, "--out", "mine")
    kept = cache.in_cache()
    if quiet:
        assert kept == []
        return
    assert [(status.state, status.step) for status in kept] == [("failed", 6)]
    assert snapshot_steps(kept[0].folder) == [6]
    done = cli("resume", kept[0].folder)
    assert done.returncode == 0, done.stderr
    assert numbers("mine") == numbers("whole")
    assert cache.in_cache() == []


def test_of_many_unfinished_trainings_the_newest_are_kept(cli, ending, monkeypatch):
    monkeypatch.setattr(cache, "MOST_UNFINISHED", 2)
    for seed in range(4):
        with ending(3):
            assert cli("train", "digits", *DIGITS, "--seed", str(seed)).returncode == 130
        os.utime(cache.in_cache()[0].folder / "settings.json", (seed, seed))
    assert cli("train", "digits", *TINY).returncode == 0
    seeds = [next(word for word in status.settings["command"] if "--seed" in word) for status in cache.in_cache()]
    assert seeds == ["--seed=3", "--seed=2"]


def test_a_cache_that_cannot_be_written_is_said(cli, ending, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with ending(6), pytest.warns(UserWarning, match="cannot be the folder of a run"):
        done = cli("train", "digits", *DIGITS, "--out", "mine")
    assert done.returncode == 130
    assert "the network so far is in mine" in done.stderr
    assert "Go on with" not in done.stderr


def test_going_on_with_a_model_file_can_be_interrupted_too(cli, ending):
    common = ("train", "digits", "--batch-size", "100", "--schedule", "constant")
    assert cli(*common, "--hidden", "16", "--epochs", "1", "--out", "first", "--optimizer-state").returncode == 0
    assert cli(*common, "--epochs", "3", "--resume", "first", "--out", "whole").returncode == 0
    with ending(12):
        done = cli(*common, "--epochs", "3", "--resume", "first")
    assert done.returncode == 130
    folder = re.search(r"Go on with: pellucid resume (\S+)", done.stderr)[1]
    assert cli("resume", folder).returncode == 0
    assert numbers("first") == numbers("whole")
    assert len(pl.load("first").network.history.epochs) == 4
    assert pl.load("first").network.history["loss"] == pl.load("whole").network.history["loss"]


@pytest.fixture
def finished(cli):
    """A run of 4 epochs of 5 steps."""
    assert cli("train", "digits", *DIGITS, "--run", "kept", "--snapshot-every", "1 epoch").returncode == 0
    return Path("kept")


def test_replay_shows_any_step_and_changes_nothing(cli, finished):
    before = {path: path.read_bytes() for path in finished.rglob("*") if path.is_file()}
    done = cli("replay", "kept", "--step", "13")
    assert done.returncode == 0, done.stderr
    assert "step 13: step 3 of epoch 3, learning rate" in done.stdout
    assert "batch of 100: samples " in done.stdout
    assert "dense_1.weight" in done.stdout
    found = json.loads(cli("replay", "kept", "--step", "20", "--json").stdout)
    vector = pl.load("kept/model.safetensors").network.parameters.vector
    from hashlib import sha256

    assert found["sha256"] == sha256(vector.tobytes()).hexdigest()
    assert len(found["rows"]) == 100
    assert {path: path.read_bytes() for path in finished.rglob("*") if path.is_file()} == before
    assert "there is no step" in cli("replay", "kept", "--step", "22").stderr
    assert "the training ended with step 20" in cli("replay", "kept", "--step", "21").stderr


def test_a_fork_that_changes_nothing_has_the_same_bits(cli, finished):
    done = cli("fork", "kept", "--step", "13", "--out", "same", "--threads", "1")
    assert done.returncode == 0, done.stderr
    assert numbers("same/model.safetensors") == numbers("kept/model.safetensors")
    done = cli("compare", "kept", "same")
    assert "the settings that decide the bits are the same" in done.stdout
    assert "the metrics of all 4 epochs that both have are the same" in done.stdout


def test_a_fork_goes_on_differently_and_compare_says_where(cli, finished, ending):
    changes = ("--learning-rate", "0.02", "--epochs", "5")
    with ending(18):
        assert cli("fork", "kept", "--step", "13", *changes, "--out", "2").returncode == 130
    assert cli("resume", "2").returncode == 0
    assert cli("fork", "kept", "--step", "13", *changes, "--out", "3").returncode == 0
    assert numbers("2/model.safetensors") == numbers("3/model.safetensors") != numbers("kept/model.safetensors")
    assert pl.load("2/model.safetensors").network.training_state.step == 25
    done = cli("compare", "kept", "2")
    assert "learning_rate=0.02" in done.stdout
    assert "epochs\n  kept: 4\n  2: 5" in done.stdout
    assert "2: finished, 25 of 25 steps, forked from" in done.stdout
    assert "after step 13" in done.stdout
    assert "they part in epoch 3" in done.stdout
    found = json.loads(cli("compare", "kept", "2", "--json").stdout)
    assert found["parted"] == 3
    assert [epoch["epoch"] for epoch in found["epochs"]] == [1, 2, 3, 4]
    first, other = found["epochs"][1]["metrics"]
    assert first == other


def test_runs_are_listed(cli, finished, ending):
    with ending(7):
        cli("train", "digits", *DIGITS, "--run", "left")
    done = cli("runs")
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [line[:4] for line in lines if line and line[0] in ("kept", "left")] == [
        ["kept", "finished", "20/20", "4"],
        ["left", "interrupted", "7/20", "1"],
    ]
    (found,) = json.loads(cli("runs", "kept", "--json").stdout)
    assert (found["state"], found["steps_made"], found["steps"]) == ("finished", 20, 20)
    assert found["command"][0] == "digits"
    assert np.isfinite([epoch["loss"] for epoch in found["epochs"]]).all()
    Path("empty").mkdir()
    assert "no runs here" in cli("runs", "empty").stdout


def test_the_folder_of_a_run_stands_for_its_model(cli, finished, ending):
    assert cli("info", "kept").stdout.splitlines()[1:] == cli("info", "kept/model.safetensors").stdout.splitlines()[1:]
    assert cli("evaluate", "kept", "digits").returncode == 0
    with ending(7, die), pytest.raises(Cut):
        cli("train", "digits", *DIGITS, "--run", "left")
    assert "the training in left has no model yet: its state is 'failed'" in cli("info", "left").stderr


def test_what_cannot_be_done_is_one_sentence(cli, finished, tmp_path):
    network = pl.Network([pl.Input(2), pl.Classification(2)])
    network.fit(np.eye(2), [0, 1], epochs=1, progress="none", run=tmp_path / "by fit")
    Path("full").mkdir()
    Path("full/notes.txt").write_text("mine")
    for words, sentence in {
        ("resume", "nowhere"): "nowhere holds no run",
        ("resume", "by fit"): "was not begun by pellucid train: start its program again",
        ("replay", "by fit", "--step", "1"): "was not begun by pellucid train",
        ("fork", "kept", "--step", "3", "--out", "by fit"): "by fit holds a run already",
        ("fork", "kept", "--step", "3", "--out", "new", "--epochs", "none"): "Invalid value for '--epochs'",
        ("fork", "kept", "--step", "300", "--out", "new"): "there is no step 300",
        ("train", "digits", *TINY, "--run", "kept"): "kept holds a run already. Go on with: pellucid resume kept",
        ("train", "digits", *TINY, "--run", "full"): "full holds other files (notes.txt)",
        ("train", "digits", *TINY, "--run", " "): "an empty name is no folder",
        ("train", "digits", *TINY, "--run", "new", "--snapshot-every", "often"): "snapshot_every is",
        ("train", "digits", *TINY, "--run", "new", "--learning-rate", "-1"): "learning_rate",
        ("train", "digits", *TINY, "--snapshot-every", "2 s"): "add --run DIR",
        ("compare", "kept", "full"): "holds no run",
        ("runs", "nowhere"): "cannot be read",
    }.items():
        done = cli(*words)
        assert done.returncode == 2, words
        assert sentence in done.stderr, (words, done.stderr)
        assert "Traceback" not in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["by fit", "full", "kept"]
