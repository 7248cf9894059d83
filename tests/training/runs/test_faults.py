"""The disk fails at any single call, or for good from then on: the training ends with its bits or in one sentence, and what
the folder holds can always be taken up."""

from __future__ import annotations

import os
import warnings

import pytest
from cut_runs import Cut, at_step, cut, digest, train
from faults import KINDS, Disk

import pellucid as pl
from pellucid.training.runs.folder import snapshot_steps

OPTIONS = {"epochs": 2, "snapshot_every": "1 epoch"}
CASE = "early stopping"


@pytest.fixture(scope="module")
def whole():
    return digest(train(CASE, epochs=2))


def count_of(kind, folder):
    disk = Disk(folder, kind)
    with disk.mounted():
        train(CASE, folder, **OPTIONS)
    return disk.calls


def attempt(folder):
    """The digest of the network, and the sentence of an error."""
    try:
        return digest(train(CASE, folder, **OPTIONS)), ""
    except pl.RunError as error:
        return "", str(error)


@pytest.mark.parametrize("stays", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("kind", KINDS)
def test_whichever_call_fails_what_was_kept_can_be_taken_up(kind, stays, whole, tmp_path):
    count = count_of(kind, tmp_path / "all")
    assert count >= 5
    for number in range(1, count + 1):
        folder, kept = tmp_path / f"{number}", set()
        disk = Disk(folder, kind, number, stays=stays)
        with disk.mounted(), warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            trained, error = attempt(folder)
            if error:  # before the first step: nothing is lost
                assert os.strerror(KINDS[kind]) in error
                assert not [step for step in snapshot_steps(folder) if step > 0]
            else:
                assert trained == whole
                assert [warning for warning in told if os.strerror(KINDS[kind]) in str(warning.message)]
                kept = set(snapshot_steps(folder))
        assert set(snapshot_steps(folder)) >= kept
        assert digest(train(CASE, folder, **OPTIONS)) == whole
        assert not list(folder.rglob("*.part"))


@pytest.mark.parametrize("kind", KINDS)
def test_whichever_call_fails_when_a_run_is_taken_up_it_can_be_taken_up(kind, whole, tmp_path):
    """The snapshot of the first epoch is there; while the second is trained, the disk fails."""
    for number in range(1, 8):
        folder = tmp_path / f"{number}"
        with pytest.raises(Cut):
            train(CASE, folder, [at_step(14, cut)], **OPTIONS)
        assert snapshot_steps(folder) == [0, 9]
        with Disk(folder, kind, number).mounted(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trained, error = attempt(folder)
        assert os.strerror(KINDS[kind]) in error if error else trained == whole
        assert digest(train(CASE, folder, **OPTIONS)) == whole


def test_a_folder_that_cannot_be_written_is_said_before_the_first_step(tmp_path):
    disk = Disk(tmp_path, "open", 1, stays=True)
    with disk.mounted(), pytest.raises(pl.RunError, match="Permission denied"):
        train(CASE, tmp_path / "run", [at_step(1, cut)], **OPTIONS)


def test_a_disk_that_fills_up_is_said_once_and_loses_no_step(whole, tmp_path):
    disk = Disk(tmp_path, "write", 60, stays=True)
    with disk.mounted(), pytest.warns(UserWarning, match="No space left on device") as told:
        network = train(CASE, tmp_path / "run", [lambda event: None], epochs=2)
    assert digest(network) == whole
    assert len(told) == 1
    assert "The training goes on" in str(told[0].message)
