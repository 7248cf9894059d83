"""Ctrl-C: the step is finished, the model saved, and the command that goes on is named."""

from __future__ import annotations

import errno
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from running import TINY, environment

import pellucid as pl
from pellucid.training.loop import TrainingLoop


def interrupted(folder, out, *options):
    """A real training on all digits that is interrupted while it runs: (exit code, stdout, stderr)."""
    command = [
        sys.executable,
        "-m",
        "pellucid",
        "train",
        "digits",
        "--hidden",
        "16",
        "--epochs",
        "5000",
        "--no-augment",
        "--batch-size",
        "512",
        "--out",
        out,
        *options,
    ]
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        seen = ""
        while "epoch 1/" not in seen:
            line = process.stderr.readline()
            assert line, f"it ended before the first epoch: {seen}"
            seen += line
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
        process.stdout.close()
        process.stderr.close()
        process.wait()
    return process.returncode, out, seen + err


def command_to_go_on(text):
    """The arguments of the command that the message names, split as a shell does."""
    return shlex.split(re.search(r"Go on with: pellucid (.*)", text)[1])


def test_ctrl_c_saves_and_names_a_command_that_works(shell, tmp_path):
    code, out, err = interrupted(tmp_path, "run.safetensors")
    assert (code, out) == (130, "")
    assert "Traceback" not in err
    assert "run.safetensors" in err
    assert [path.name for path in tmp_path.iterdir()] == ["run.safetensors"]
    stopped = pl.load(tmp_path / "run.safetensors").network
    assert stopped.training_state.step >= 118
    assert stopped.history.epochs
    assert stopped.training_state.optimizer_state.slots, "it must be possible to go on exactly"
    done = shell(*command_to_go_on(err), "--epochs", "1", "--no-augment", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    resumed = pl.load(tmp_path / "run.safetensors").network
    assert resumed.training_state.epoch == stopped.training_state.epoch + 1
    assert resumed.history["loss"][0] == stopped.history["loss"][0]


@pytest.mark.parametrize("name", ["my digits.safetensors", "it's $HOME.safetensors", "-model.safetensors"])
def test_the_command_to_go_on_can_be_pasted_whatever_the_name(cli, tmp_path, monkeypatch, name):
    def press(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("pellucid.models.network.Trainer.run", press)
    done = cli("train", "digits", *TINY, f"--out={name}")
    assert done.returncode == 130
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    pl.load(tmp_path / name)
    arguments = command_to_go_on(done.stderr)
    assert arguments[:2] == ["train", "digits"]
    from pellucid.apps.cli.commands.train import command

    context = command.make_context("train", arguments[1:])
    assert context.params["resume"] == name
    again = {"epochs": 1, "batch_size": 512, "augment": False, "learning_rate": 0.003, "schedule": "cosine"}
    assert {option: context.params[option] for option in again} == again
    assert context.params["hidden"] == ()


def test_ctrl_c_saves_the_best_that_early_stopping_has_seen(cli, monkeypatch):
    """A huge rate spoils the third epoch, and Ctrl-C comes before the fourth."""
    advance = TrainingLoop.advance

    def press(loop, most=None):
        if loop.is_at_epoch_end and loop.state.epoch == 3:
            raise KeyboardInterrupt
        if loop.is_at_epoch_end and loop.state.epoch == 2:
            loop.learning_rate = 10.0
        return advance(loop, most)

    monkeypatch.setattr(TrainingLoop, "advance", press)
    options = ("--epochs=9", "--validation=0.1", "--early-stopping=5", "--out=a.safetensors")
    done = cli("train", "digits", *TINY, *options)
    assert done.returncode == 130
    assert "Interrupted; the network of epoch 2, the best so far, is in a.safetensors" in done.stderr
    history = pl.load("a.safetensors").network.history
    assert int(np.argmin(history["validation_loss"])) == 1
    assert history.restored.epoch == 2


def test_the_command_to_go_on_keeps_the_settings_of_the_run(cli, monkeypatch):
    def press(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("pellucid.models.network.Trainer.run", press)
    done = cli("train", "digits", *TINY, "--engine", "numpy", "--threads", "2", "--precision", "float32")
    assert done.returncode == 130
    arguments = command_to_go_on(done.stderr)
    assert {"--engine=numpy", "--threads=2", "--precision=float32"} < set(arguments)
    assert not {word.split("=")[0] for word in arguments} & {"--seed", "--hidden"}


@pytest.mark.parametrize("is_interrupted", [False, True], ids=["at the end", "at Ctrl-C"])
def test_a_full_disk_loses_nothing_that_was_trained(cli, tmp_path, monkeypatch, is_interrupted):
    def press(*_, **__):
        raise KeyboardInterrupt

    flush, calls = os.fsync, []

    def full_once(descriptor):
        calls.append(descriptor)
        if len(calls) == 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        flush(descriptor)

    other_disk = tmp_path / "other disk"
    other_disk.mkdir()
    monkeypatch.setattr("pellucid.models.saving.cache_folder", lambda: other_disk)
    monkeypatch.setattr(os, "fsync", full_once)
    if is_interrupted:
        monkeypatch.setattr("pellucid.models.network.Trainer.run", press)
    done = cli("train", "digits", *TINY, "--out=mine.safetensors")
    assert done.returncode == 2
    found = re.search(
        r"mine\.safetensors cannot be written: No space left on device\. The network is in (.*)\.$", done.stderr.strip()
    )
    assert found, done.stderr
    assert Path(found[1]) == other_disk / "rescued" / "mine.safetensors"
    assert pl.load(found[1]).network.training_state.epoch == (0 if is_interrupted else 1)
    assert [path.name for path in tmp_path.iterdir()] == ["other disk"]


def test_a_disk_that_stays_full_is_said(cli, tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("pellucid.models.saving.cache_folder", lambda: tmp_path)
    monkeypatch.setattr(os, "fsync", full)
    done = cli("train", "digits", *TINY, "--out=mine.safetensors")
    assert done.returncode == 2
    assert done.stderr.strip().endswith("mine.safetensors cannot be written: No space left on device.")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_two_ctrl_c_in_a_row_still_leave_a_whole_file_or_none(tmp_path):
    code, _, err = interrupted(tmp_path, "run.safetensors")
    before = (tmp_path / "run.safetensors").read_bytes()
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "pellucid",
            "train",
            "digits",
            "--resume",
            "run.safetensors",
            "--epochs",
            "5000",
            "--no-augment",
        ],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        while not process.stderr.readline().startswith("epoch"):
            pass
        for _ in range(3):
            process.send_signal(signal.SIGINT)
            time.sleep(0.003)
        _, err = process.communicate(timeout=30)
    finally:
        process.kill()
        process.stdout.close()
        process.stderr.close()
        process.wait()
    assert code == process.returncode == 130
    assert "Traceback" not in err
    assert [path.name for path in tmp_path.iterdir()] == ["run.safetensors"]
    pl.load(tmp_path / "run.safetensors")
    assert Path(tmp_path / "run.safetensors").read_bytes() != before or "Interrupted" in err
