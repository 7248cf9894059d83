"""Any step of a run is made again, with the bits that it had, and its numbers are those of the definition."""

from __future__ import annotations

from hashlib import sha256

import numpy as np
import pytest
from cut_runs import CASES, Cut, Y, at_step, cut, digest, train

import pellucid as pl
from pellucid.training.runs.folder import snapshot_steps, status_of
from pellucid.training.runs.replay import Reached, Visit, replay_step


def after_each_step(case, **more):
    """Step -> the parameters after it, as a callback sees them in a training that nothing records."""
    found = {}

    def note(event):
        if isinstance(event, pl.events.StepFinished):
            found[event.step] = network_of[0].parameters.vector.copy()

    x, layers, options = CASES[case]
    network_of = [pl.Network([*layers, pl.Classification(3)], seed=3)]
    found[0] = network_of[0].parameters.vector.copy()
    options = {"epochs": 5, "batch_size": 7, "progress": "none"} | options | more
    network_of[0].fit(x, Y, callbacks=[note], **options)
    return found


def replayed(case, folder, step):
    with pytest.raises(Reached) as reached:
        train(case, Visit(folder, step - 1, lambda loop, history, settings: replay_step(loop)), snapshot_every=None)
    return reached.value.found


@pytest.mark.parametrize("case", ["dense, dropout", "NumPy, penalty", "photos, mixup", "one cycle, clipping"])
def test_every_step_comes_out_as_it_was(case, tmp_path):
    expected = after_each_step(case)
    train(case, tmp_path, snapshot_every="2 epochs")
    assert len(snapshot_steps(tmp_path)) <= 4
    for step in (1, 2, 9, 10, 19, 33, 45):
        found = replayed(case, tmp_path, step)
        assert (found.step, found.epoch, found.step_of_epoch) == (step, -(-step // 9), (step - 1) % 9 + 1)
        assert found.sha256 == sha256(expected[step].tobytes()).hexdigest()
        change = float(np.linalg.norm(expected[step].astype(np.float64) - expected[step - 1]))
        assert np.sqrt(sum(one.change**2 for one in found.parameters)) == pytest.approx(change, rel=1e-12)


def test_the_batches_of_an_epoch_are_its_samples_once_and_the_gradient_is_that_of_the_batch(tmp_path):
    """Without chance in the layers `Network.gradients` is the same function, at the parameters before the step."""
    x, y = CASES["dense, dropout"][0], Y
    networks = [pl.Network([pl.Input(4), pl.Dense(5, "tanh"), pl.Classification(3)], seed=2) for _ in range(3)]
    options = {"epochs": 2, "batch_size": 7, "progress": "none", "engine": "numpy", "regularizer": pl.L2(0.1)}
    networks[0].fit(x, y, run=tmp_path, **options)
    seen = []
    for step in range(1, 10):
        with pytest.raises(Reached) as reached:
            networks[1].fit(x, y, run=Visit(tmp_path, step - 1, lambda loop, *_: replay_step(loop)), **options)
        seen += reached.value.found.rows
    assert sorted(seen) == list(range(60))

    found = reached.value.found
    with pytest.raises(Cut):
        networks[2].fit(x, y, callbacks=[at_step(8, cut)], **options)
    rows = np.array(found.rows)
    gradients = networks[2].gradients(x[rows], y[rows], regularizer=pl.L2(0.1))
    assert {one.name: one.gradient for one in found.parameters} == pytest.approx(
        {name: float(np.linalg.norm(gradient)) for name, gradient in gradients.items()}, rel=1e-5
    )
    assert found.loss == pytest.approx(networks[2].evaluate(x[rows], y[rows])["loss"], rel=1e-5)
    weights = [network for name, network in networks[2].parameters.items() if name.endswith("weight")]
    assert found.penalty == pytest.approx(sum(0.1 * float((w.astype(np.float64) ** 2).sum()) for w in weights), rel=1e-5)


def test_a_run_that_another_process_is_writing_can_be_visited(tmp_path):
    seen = []
    train("dense, dropout", tmp_path, [at_step(30, lambda: seen.append(replayed("dense, dropout", tmp_path, 12)))])
    assert seen[0].step == 12
    assert status_of(tmp_path).state == "finished"


def test_after_the_last_step_the_best_was_restored(tmp_path):
    whole = train("early stopping", tmp_path)
    last = status_of(tmp_path).step
    found = replayed("early stopping", tmp_path, last)
    assert found.restored == whole.history.restored.epoch
    assert found.sha256 == sha256(whole.parameters.vector.tobytes()).hexdigest()


def test_steps_that_are_not_there(tmp_path):
    train("dense, dropout", tmp_path)
    for step, words in ((46, "ended with step 45"), (47, "goes from step 0 to 45; there is no step 46")):
        with pytest.raises(pl.ArgumentError, match=words):
            train("dense, dropout", Visit(tmp_path, step - 1, lambda loop, *_: replay_step(loop)), snapshot_every=None)
    for path in (tmp_path / "snapshots").iterdir():
        path.unlink()
    assert replayed("dense, dropout", tmp_path, 3).step == 3  # from the beginning, which the network has itself
    trained = train("dense, dropout")
    with pytest.raises(pl.RunError, match="no snapshot at or before step 2"):
        trained.fit(
            *(CASES["dense, dropout"][0], Y),
            epochs=5,
            batch_size=7,
            progress="none",
            run=Visit(tmp_path, 2, lambda loop, *_: replay_step(loop)),
        )


def test_a_visit_changes_nothing(tmp_path):
    train("dense, dropout", tmp_path)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.rglob("*") if path.is_file()}
    replayed("dense, dropout", tmp_path, 20)
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.rglob("*") if path.is_file()} == before
    assert digest(train("dense, dropout", tmp_path)) == digest(train("dense, dropout"))
