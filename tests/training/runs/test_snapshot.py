"""Snapshots: all that a checkpoint holds comes back, and nothing that does not fit gets in."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file
from small_loops import loop_of

import pellucid as pl
from pellucid.training.early_stopping import Waiting
from pellucid.training.runs.snapshot import Snapshot, check_fits, read_snapshot


def loop_after(steps=13, **options):
    loop = loop_of(validation=20, early_stopping=pl.EarlyStopping(5), **options)
    for _ in range(steps):
        loop.advance(1)
    return loop


@pytest.fixture
def written(tmp_path):
    """A snapshot amid the third epoch, and its file."""
    snapshot = Snapshot(loop_after().checkpoint(), [{"loss": 0.1 + 0.2, "validation_loss": math.inf}])
    path = tmp_path / "one.safetensors"
    path.write_bytes(b"".join(snapshot.pieces()))
    return snapshot, path


def test_all_of_it_comes_back(written):
    snapshot, path = written
    read = read_snapshot(path)
    before, after = vars(snapshot.checkpoint), vars(read.checkpoint)
    for name in ("step", "epoch", "within", "made", "ended", "losses", "restored"):
        assert after[name] == before[name]
    assert before["step"] == 13
    assert before["within"] == 1
    assert len(before["losses"]) == 2
    assert after["means"].means() == before["means"].means()
    assert after["means"].samples == before["means"].samples == 7
    for name in ("parameters", "state"):
        np.testing.assert_array_equal(after[name], before[name])
    for name, slot in before["optimizer_state"].slots.items():
        np.testing.assert_array_equal(after["optimizer_state"].slots[name], slot)
    assert after["optimizer_state"].updates == 13
    was, now = before["waiting"], after["waiting"]
    assert (now.value, now.epoch, now.waited, now.seen) == (was.value, was.epoch, was.waited, was.seen)
    np.testing.assert_array_equal(now.best[0], was.best[0])
    np.testing.assert_array_equal(now.best[1], was.best[1])
    assert read.epochs == snapshot.epochs
    assert read.loss == snapshot.checkpoint.losses[-1]


def test_before_the_first_epoch_nothing_is_best(tmp_path):
    path = tmp_path / "start.safetensors"
    path.write_bytes(b"".join(Snapshot(loop_after(0).checkpoint()).pieces()))
    read = read_snapshot(path)
    assert (read.loss, read.epochs, read.checkpoint.waiting) == (None, [], Waiting())


def rewritten(path, change, tensors=None):
    """The file with other metadata, or other tensors."""
    with safe_open(path, framework="numpy") as file:
        text, arrays = file.metadata()["pellucid-snapshot"], {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    position = json.loads(text)
    change(position)
    save_file(arrays | (tensors or {}), path, metadata={"pellucid-snapshot": json.dumps(position)})


@pytest.mark.parametrize(
    "change",
    [
        lambda position: position.update(format=2),
        lambda position: position.update(step=-1),
        lambda position: position.update(within=True),
        lambda position: position.update(made=1 << 70),
        lambda position: position.update(ended="by magic"),
        lambda position: position.update(losses="none"),
        lambda position: position.update(epochs=[3]),
        lambda position: position.pop("means"),
        lambda position: position["early_stopping"].pop("value"),
    ],
)
def test_a_position_that_cannot_be_is_refused(change, written):
    _, path = written
    rewritten(path, change)
    with pytest.raises(pl.RunError, match="no snapshot, or damaged"):
        read_snapshot(path)


def test_damaged_and_foreign_files_are_refused(written, tmp_path):
    _, path = written
    content = path.read_bytes()
    for wrong in (b"", content[:100], content[:-1], content + b"x", b"\xff" * 8 + content[8:]):
        path.write_bytes(wrong)
        with pytest.raises(pl.RunError, match="no snapshot"):
            read_snapshot(path)
    pl.Network([pl.Input(2), pl.Regression()]).save(tmp_path / "model.safetensors")
    for other in (tmp_path / "model.safetensors", tmp_path / "nothing", tmp_path):
        with pytest.raises(pl.RunError, match="no snapshot"):
            read_snapshot(other)
    path.write_bytes(content)
    rewritten(path, lambda position: None, {"more": np.zeros(3)})
    with pytest.raises(pl.RunError, match="unknown tensor 'more'"):
        read_snapshot(path)


def test_only_what_fits_is_entered():
    loop, held = loop_after(), loop_after().checkpoint()
    check_fits(Snapshot(held), loop)
    bad = held.parameters.copy()
    bad[3] = np.nan
    wrong = {
        "other sizes": replace(held, parameters=held.parameters[:-1]),
        "other sizes or": replace(held, state=held.state.astype(np.float64)),
        "not finite": replace(held, parameters=bad),
        "other epochs": replace(held, within=loop.steps_per_epoch),
    }
    for words, checkpoint in wrong.items():
        with pytest.raises(pl.RunError, match=words):
            check_fits(Snapshot(checkpoint), loop)
    with pytest.raises(pl.RunError, match="another optimizer"):
        check_fits(Snapshot(held), loop_after(optimizer=pl.GradientDescent(0.1, 0.9)))
