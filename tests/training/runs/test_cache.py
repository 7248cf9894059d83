"""What is kept by itself: from the first minute on, until it is finished or saved."""

from __future__ import annotations

import pytest
from cut_runs import CASES, Cut, Y, at_step, cut, digest, train

import pellucid as pl
from pellucid.training.runs import cache


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path / "cache")
    return tmp_path / "cache"


def kept(words=("digits",)):
    return cache.run_in_cache("digits", words, {"of": list(words)})


def test_nothing_is_written_in_the_first_minute(own_cache):
    train("dense, dropout", kept(), snapshot_every=None)
    with pytest.raises(Cut):
        train("dense, dropout", kept(), [at_step(20, cut)], snapshot_every=None)
    assert not own_cache.exists()


def test_then_one_snapshot_is_until_it_is_finished(own_cache, monkeypatch):
    monkeypatch.setattr(cache, "QUIET", 0.0)
    with pytest.raises(Cut):
        train("early stopping", kept(), [at_step(20, cut)], snapshot_every=None)
    (status,) = cache.in_cache()
    assert (status.state, status.step, status.settings["of"]) == ("failed", 19, ["digits"])
    assert [path.name for path in (status.folder / "snapshots").iterdir()] == ["step-000000000019.safetensors"]
    assert len(status.epochs) == 2
    assert digest(train("early stopping", cache.taken_from_cache(status), snapshot_every=None)) == digest(
        train("early stopping")
    )
    assert cache.in_cache() == []
    assert list((own_cache / "runs").iterdir()) == []


def test_the_same_words_have_the_same_folder_unless_it_is_in_use(own_cache, monkeypatch):
    monkeypatch.setattr(cache, "QUIET", 0.0)
    assert kept().folder == kept().folder != kept(["fashion"]).folder
    others = []
    train("dense, dropout", kept(), [at_step(20, lambda: others.append(kept()))], snapshot_every=None)
    assert others[0].folder.name == f"{kept().folder.name}-2"


def test_a_training_that_goes_on_after_its_model_was_saved_is_kept_again(monkeypatch):
    """As a run of the studio: saved, and trained on."""
    monkeypatch.setattr(cache, "QUIET", 0.0)
    run, seen = kept(), []
    x, layers, _ = CASES["dense, dropout"]
    network = pl.Network([*layers, pl.Classification(3)], seed=3)

    def save(event):
        if isinstance(event, pl.events.StepFinished) and event.step in (10, 20):
            run.drop()
            seen.append(len(cache.in_cache()))
        if isinstance(event, pl.events.StepFinished) and event.step == 25:
            seen.append(cache.in_cache()[0].step)

    network.fit(x, Y, epochs=5, batch_size=7, progress="none", run=run, callbacks=[save])
    assert seen == [0, 0, 24]


def test_a_user_without_a_home_trains_all_the_same(monkeypatch):
    def nowhere():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(cache, "cache_folder", nowhere)
    monkeypatch.setattr(cache, "QUIET", 0.0)
    with pytest.warns(UserWarning, match="cannot be the folder of a run"):
        network = train("dense, dropout", kept(), snapshot_every=None)
    assert digest(network) == digest(train("dense, dropout"))
