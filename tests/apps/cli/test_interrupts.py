"""Ctrl-C, and what else ends a process: the step is finished, the model saved, and the command that goes on is named."""

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
from pellucid.training.runs.folder import status_of


def interrupted(folder, out, *options, number=signal.SIGINT):
    """A real training on all digits that is interrupted while it runs: (exit code, stdout, stderr)."""
    command = [
        *(sys.executable, "-m", "pellucid", "train", "digits", "--hidden", "16", "--epochs", "5000", "--no-augment"),
        *("--batch-size", "512", "--out", out, *options),
    ]
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment(XDG_CACHE_HOME=str(folder.parent / "cache")),
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
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
        process.stdout.close()
        process.stderr.close()
        process.wait()
    return process.returncode, out, seen + err


def folder_to_resume(text):
    """The folder that the message names, as a shell reads it."""
    (folder,) = shlex.split(re.search(r"Go on with: pellucid resume (.*)", text)[1])
    return Path(folder)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_ends_a_process_saves_the_model_and_names_a_command_that_goes_on(number, tmp_path):
    place = tmp_path / "here"
    place.mkdir()
    code, out, err = interrupted(place, "run.safetensors", number=number)
    assert (code, out) == (128 + number, "")
    assert "Traceback" not in err
    assert "Interrupted; the network so far is in run.safetensors." in err
    assert [path.name for path in place.iterdir()] == ["run.safetensors"]
    stopped = pl.load(place / "run.safetensors").network
    assert stopped.training_state.step >= 118
    assert stopped.history.epochs
    folder = folder_to_resume(err)
    assert folder.parent == tmp_path / "cache" / "pellucid" / "runs"
    status = status_of(folder)
    assert (status.state, status.step) == ("interrupted", stopped.training_state.step)
    assert status.epochs == dict(enumerate(stopped.history.epochs, 1))
    assert status.settings["command"][0] == "digits"


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
    place = tmp_path / "here"
    place.mkdir()
    *_, err = interrupted(place, "run.safetensors")
    before = (place / "run.safetensors").read_bytes()
    process = subprocess.Popen(
        [sys.executable, "-m", "pellucid", "resume", folder_to_resume(err)],
        cwd=tmp_path,
        env=environment(XDG_CACHE_HOME=str(tmp_path / "cache")),
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
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
        process.stdout.close()
        process.stderr.close()
        process.wait()
    assert process.returncode == 130
    assert "Traceback" not in err
    assert [path.name for path in place.iterdir()] == ["run.safetensors"]
    pl.load(place / "run.safetensors")
    assert (place / "run.safetensors").read_bytes() != before or "Interrupted" in err
