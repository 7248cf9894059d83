"""Trainings by rules, of tables and of photos, are taken up bit for bit too, and what is made of the network afterwards is
made again: units of the target, calibration."""

from __future__ import annotations

import pytest
from cut_runs import Cut, at_step, cut, digest
from drawn_photos import make_folder
from small_tables import write_houses

import pellucid as pl
from pellucid.training.runs.folder import status_of


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """What -> the data, and options of ``pl.train``."""
    place = tmp_path_factory.mktemp("data")
    folder = make_folder(place / "photos", ("red disc", "blue box"), 30)
    photos = pl.datasets.folder(folder, 12, cache=place / "cache")
    made = {"photos": (photos, {"layers": "conv4 pool norm dropout0.2 average", "batch_size": 8})}
    for target in ("price", "class"):
        table = pl.datasets.table(write_houses(place / f"{target}.csv", target), target)
        made[target] = (table, {"layers": "dense8 dropout0.2", "batch_size": 32})
    made["ensemble"] = (made["price"][0], {"layers": "dense8", "batch_size": 32, "ensemble": 2})
    return made


@pytest.mark.parametrize("what", ["photos", "price", "class", "ensemble"])
def test_whatever_the_rules_chose_goes_on_bit_for_bit(what, data, tmp_path):
    source, options = data[what]
    options = {"epochs": 6, "seed": 4, "progress": "none"} | options
    whole, steps = pl.train(source, **options), []
    pl.train(source, **options, callbacks=[lambda event: steps.append(getattr(event, "step", 0))])
    for step in (3, max(steps) // 2, max(steps)):
        run = {"run": tmp_path / str(step), "snapshot_every": 0.0}
        with pytest.raises(Cut):
            pl.train(source, **options, **run, callbacks=[at_step(step, cut)])
        model = pl.train(source, **options, **run)
        assert digest(model.network) == digest(whole.network)
        assert model.calibration == whole.calibration
        assert status_of(tmp_path / str(step)).state == "finished"
        saved = pl.load(tmp_path / str(step) / "model.safetensors")
        assert saved.calibration == whole.calibration
        assert saved.network.parameters.vector.tobytes() == whole.network.parameters.vector.tobytes()
        assert saved.labels == whole.labels


def test_killed_between_the_last_step_and_the_calibration_the_model_is_made_afterwards(data, tmp_path, monkeypatch):
    table, options = data["class"]
    options = {"epochs": 4, "seed": 4, "progress": "none", "run": tmp_path} | options
    with monkeypatch.context() as patch:
        patch.setattr("pellucid.models.train_table.calibrate", lambda *_: cut())
        with pytest.raises(Cut):
            pl.train(table, **options)
    assert status_of(tmp_path).state == "killed"
    assert not (tmp_path / "model.safetensors").exists()
    model = pl.train(table, **options)
    assert model.conformal_scores
    assert pl.load(tmp_path / "model.safetensors").calibration == model.calibration
