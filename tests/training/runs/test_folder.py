"""Which snapshots stay, and what the folder of a run says of itself, also where it is damaged or hostile."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from cut_runs import Cut, at_step, cut, digest, train

import pellucid as pl
from pellucid.training.runs.event_log import EventLog, epochs_of, read_events
from pellucid.training.runs.folder import snapshot_path, snapshot_steps, status_of, which_stay


@pytest.mark.parametrize("most", range(1, 9))
def test_which_stay(most):
    """The last, the best and the first; between them gaps that grow with the age."""
    losses = {step: abs(step - 50) for step in range(200)}
    kept = []
    for step in range(200):
        kept = sorted(which_stay([*kept, step], losses, most))
        assert len(kept) == min(most, step + 1)
        assert {step, min(step, 50), 0} <= set(kept) or most < 3
        assert step in kept
    if most >= 6:
        gaps = [later - earlier for earlier, later in pairwise(kept[2:])]
        assert gaps == sorted(gaps, reverse=True)
        assert gaps[0] > gaps[-1]


def test_without_losses_the_last_stay():
    assert which_stay([1, 2, 3], {}, 2) == {1, 3}
    assert which_stay([7], {}, 1) == {7}


def test_the_log_takes_every_line_that_is_whole(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(
        b'{"event": "epoch", "epoch": 1, "metrics": {"loss": 3.0}}\n\xff\xfe\n[1]\n{"event": 7}\n{"event": "ep'
    )
    log = EventLog(path)
    log.add("epoch", epoch=2, metrics={"loss": float("nan"), "accuracy": 0.5})
    log.close()
    assert path.read_bytes().endswith(
        b'{"event": "ep\n{"event": "epoch", "epoch": 2, "metrics": {"loss": null, "accuracy": 0.5}}\n'
    )
    assert epochs_of(read_events(path)) == {1: {"loss": 3.0}, 2: {"accuracy": 0.5}}
    assert read_events(tmp_path / "nothing") == []


def test_what_was_repeated_counts_once():
    def epoch(number, loss):
        return {"event": "epoch", "epoch": number, "metrics": {"loss": loss}}

    events = [epoch(1, 3.0), epoch(2, 2.0), epoch(3, 9.0), {"event": "taken up", "epoch": 1}, epoch(2, 2.5)]
    assert epochs_of(events) == {1: {"loss": 3.0}, 2: {"loss": 2.5}}


def test_a_damaged_snapshot_is_passed_over_and_its_steps_are_made_again(tmp_path):
    with pytest.raises(Cut):
        train("early stopping", tmp_path, [at_step(25, cut)])
    last, before = snapshot_steps(tmp_path)[-1], snapshot_steps(tmp_path)[-2]
    content = snapshot_path(tmp_path, last).read_bytes()
    for damaged in (content[:-7], b"", b"x" * 4096):
        snapshot_path(tmp_path, last).write_bytes(damaged)
        heard = []
        with pytest.raises(Cut):
            train("early stopping", tmp_path, [heard.append, at_step(last, cut)], snapshot_every=1e6)
        assert next(event.step for event in heard if isinstance(event, pl.events.StepFinished)) == before + 1
    assert digest(train("early stopping", tmp_path)) == digest(train("early stopping"))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"kind": "other", "format": 1}',
        b'{"kind": "pellucid-run", "format": "1"}',
        b"[" * 100_000,
        b"\xff",
    ],
)
def test_settings_that_are_none_are_refused(content, tmp_path):
    with pytest.raises(Cut):
        train("dense, dropout", tmp_path, [at_step(3, cut)])
    (tmp_path / "settings.json").write_bytes(content)
    for look in (lambda: status_of(tmp_path), lambda: train("dense, dropout", tmp_path)):
        with pytest.raises(pl.RunError, match=r"settings\.json does not describe a run"):
            look()


def test_settings_of_a_later_version_are_refused(tmp_path):
    train("dense, dropout", tmp_path)
    settings = json.loads((tmp_path / "settings.json").read_text())
    (tmp_path / "settings.json").write_text(json.dumps(settings | {"format": 99, "pellucid": "9.0"}))
    with pytest.raises(pl.RunError, match=r"'9\.0'.*upgrade"):
        status_of(tmp_path)


def test_odd_values_in_settings_and_log_do_no_harm(tmp_path):
    train("dense, dropout", tmp_path)
    settings = json.loads((tmp_path / "settings.json").read_text())
    odd = {"steps": "many", "first_step": -3, "steps_per_epoch": None, "first_epoch": []}
    (tmp_path / "settings.json").write_text(json.dumps(settings | odd))
    with (tmp_path / "events.jsonl").open("a") as log:
        log.write('{"event": "epoch", "epoch": "x", "metrics": [1]}\n{"event": "ended", "reason": [2]}\n')
    status = status_of(tmp_path)
    assert (status.steps, status.step) == (0, 45)
