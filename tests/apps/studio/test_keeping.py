"""What was trained becomes a file, and no file is lost for it."""

from __future__ import annotations

import os

import numpy as np
import pytest
from asking import ask, post

import pellucid as pl
from pellucid.apps.studio import keeping
from pellucid.apps.studio.application import application
from pellucid.apps.studio.keeping import save_unsaved
from pellucid.apps.studio.session import Session
from pellucid.core.errors import ModelFileError


@pytest.fixture
def session(reader, tmp_path):
    """A studio with one run that has made a step."""
    session = Session({"digits": reader}, folder=tmp_path)
    run = session.runs.create({"data": "spirals", "hidden": [4], "samples": 100, "dropout": 0})
    run.make_step()
    return session


@pytest.fixture
def app(session):
    return application(session)


def weights(model):
    return model.network.parameters.vector.copy()


def test_a_download_is_the_network_as_it_is(session, app, tmp_path):
    answer = ask(app, "GET", "/api/runs/run-1/model")
    assert answer.status == 200
    assert answer.header("content-disposition") == 'attachment; filename="run-1.safetensors"'
    (tmp_path / "got.safetensors").write_bytes(answer.body)
    loaded = pl.load(tmp_path / "got.safetensors")
    np.testing.assert_array_equal(weights(loaded), weights(session.model("run-1")))
    assert session.runs.unsaved() == ["run-1"]  # whether the browser kept it nobody knows


def test_saving_by_name(session, app, tmp_path):
    answer = post(app, "/api/runs/run-1/save", {"path": "my spirals é.safetensors"})
    assert answer.json == {"path": "my spirals é.safetensors"}
    np.testing.assert_array_equal(weights(pl.load(tmp_path / "my spirals é.safetensors")), weights(session.model("run-1")))
    assert session.runs.unsaved() == []
    session.runs.run("run-1").make_step()
    assert session.runs.unsaved() == ["run-1"]


def test_a_file_that_is_there_is_replaced_only_when_that_is_said(session, app, tmp_path):
    first = {"path": "a.safetensors"}
    assert post(app, "/api/runs/run-1/save", first).status == 200
    before = (tmp_path / "a.safetensors").read_bytes()
    session.runs.run("run-1").make_step()
    for overwrite in ({}, {"overwrite": False}, {"overwrite": 1}, {"overwrite": "true"}, {"overwrite": None}):
        answer = post(app, "/api/runs/run-1/save", first | overwrite)
        assert answer.status == 409
        assert answer.json["error"] == "a.safetensors is there already: choose another name, or replace it."
        assert (tmp_path / "a.safetensors").read_bytes() == before
    assert session.runs.unsaved() == ["run-1"]
    assert post(app, "/api/runs/run-1/save", first | {"overwrite": True}).status == 200
    np.testing.assert_array_equal(weights(pl.load(tmp_path / "a.safetensors")), weights(session.model("run-1")))
    assert post(app, "/api/runs/run-1/save", {"path": "b.safetensors", "overwrite": True}).status == 200


def test_what_is_no_model_file_is_never_replaced(app, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    pl.Network([pl.Input(2), pl.Classification(2)]).save(outside / "model.safetensors")
    before = (outside / "model.safetensors").read_bytes()
    (tmp_path / "text.safetensors").write_text("a text")
    (tmp_path / "folder.safetensors").mkdir()
    (tmp_path / "link.safetensors").symlink_to(outside / "model.safetensors")
    (tmp_path / "dangling.safetensors").symlink_to(outside / "new.safetensors")
    os.mkfifo(tmp_path / "pipe.safetensors")
    for name in ("text", "folder", "link", "dangling", "pipe"):
        path = f"{name}.safetensors"
        assert post(app, "/api/runs/run-1/save", {"path": path}).status == 409, name
        answer = post(app, "/api/runs/run-1/save", {"path": path, "overwrite": True})
        assert answer.status == 400, name
        assert "is no model file" in answer.json["error"]
    assert (tmp_path / "text.safetensors").read_text() == "a text"
    assert (outside / "model.safetensors").read_bytes() == before
    assert [path.name for path in outside.iterdir()] == ["model.safetensors"]


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            ".safetensors",
            "a",
            "a.txt",
            "a.safetensors.txt",
            "../a.safetensors",
            "/tmp/a.safetensors",
            "b/a.safetensors",
        ),
        *("b\\a.safetensors", "..safetensors", ".a.safetensors", "a\0.safetensors", "a\n.safetensors", "C:a.safetensors"),
        *("\ud800.safetensors", "\u202ea.safetensors", "\u2028.safetensors", "\U0001f600" * 80 + ".safetensors"),
        *("a.safetensors\n", "~/a.safetensors", "a" * 300 + ".safetensors", "a.SAFETENSORS", "\x7f.safetensors"),
        *(None, 3, ["a.safetensors"], {}, True),
    ],
)
def test_only_the_name_of_a_model_file_is_taken(app, tmp_path, name):
    before = sorted(tmp_path.parent.rglob("*"))
    answer = post(app, "/api/runs/run-1/save", {"path": name, "overwrite": True})
    assert answer.status == 400
    assert "a file name such as run-1.safetensors" in answer.json["error"]
    assert sorted(tmp_path.parent.rglob("*")) == before
    assert post(app, "/api/runs/run-1/save", {}).status == 400


@pytest.mark.parametrize("run", ["run-2", "digits", "..%2frun-1", "%00"])
def test_only_runs_are_saved(app, run):
    for answer in (
        ask(app, "GET", f"/api/runs/{run}/model"),
        post(app, f"/api/runs/{run}/save", {"path": "a.safetensors"}),
    ):
        assert answer.status == 404
        assert answer.json["error"].startswith("there is no")


def test_a_disk_that_takes_nothing_is_a_sentence(session, app, tmp_path, monkeypatch):
    def full(*_, **__):
        raise ModelFileError("x cannot be written: No space left on device.")

    monkeypatch.setattr("pellucid.models.saving.write_whole", full)
    answer = post(app, "/api/runs/run-1/save", {"path": "a.safetensors"})
    assert (answer.status, answer.json["error"]) == (400, "x cannot be written: No space left on device.")
    assert list(tmp_path.iterdir()) == []  # not even an empty file
    assert session.runs.unsaved() == ["run-1"]


def test_when_the_studio_stops_every_network_is_saved_beside_what_is_there(session, tmp_path):
    (tmp_path / "run-1.safetensors").write_text("of yesterday")
    (tmp_path / "run-1-2.safetensors").symlink_to(tmp_path / "nothing")
    untrained = session.runs.create({"data": "moons", "hidden": []})
    second = session.runs.create({"data": "circles", "hidden": [3]})
    second.make_step()
    told = []
    session.runs.close()
    save_unsaved(session, told.append)
    assert told == [
        f"run-1 is saved in {tmp_path / 'run-1-3.safetensors'}",
        f"run-3 is saved in {tmp_path / 'run-3.safetensors'}",
    ]
    assert (tmp_path / "run-1.safetensors").read_text() == "of yesterday"
    np.testing.assert_array_equal(weights(pl.load(tmp_path / "run-1-3.safetensors")), weights(session.model("run-1")))
    assert untrained.name == "run-2"
    told.clear()
    save_unsaved(session, told.append)  # nothing is saved twice
    assert told == []


def test_what_was_trained_before_a_rewind_is_saved_too(session, tmp_path):
    run = session.runs.run("run-1")
    run.epoch()
    run.wait()
    last, steps = weights(run), run.loop.step
    run.rewind(1)
    session.runs.close()
    told = []
    save_unsaved(session, told.append)
    assert told == [
        f"run-1 is saved in {tmp_path / 'run-1.safetensors'}",
        f"run-1, before it was rewound, is saved in {tmp_path / 'run-1-2.safetensors'}",
    ]
    assert pl.load(tmp_path / "run-1.safetensors").network.training_state.step == 1
    saved = pl.load(tmp_path / "run-1-2.safetensors")
    assert saved.network.training_state.step == steps
    np.testing.assert_array_equal(weights(saved), last)


def test_what_is_in_a_file_is_not_saved_again_after_a_rewind(session, app):
    run = session.runs.run("run-1")
    run.epoch()
    run.wait()
    last = run.loop.step
    assert post(app, "/api/runs/run-1/save", {"path": "a.safetensors"}).status == 200
    run.rewind(0)
    told = []
    save_unsaved(session, told.append)
    assert told == []
    run.set_learning_rate(0.5)
    while run.loop.step < last:  # on another way
        run.make_step()
    run.rewind(0)
    save_unsaved(session, told.append)
    assert len(told) == 1
    assert "before it was rewound" in told[0]


def test_a_run_that_cannot_be_saved_does_not_keep_the_others_from_it(session, tmp_path, monkeypatch):
    session.runs.create({"data": "moons", "hidden": []}).make_step()
    save = keeping._save_somewhere

    def fails(session, run):
        if run == "run-1":
            raise MemoryError("none left")
        return save(session, run)

    monkeypatch.setattr(keeping, "_save_somewhere", fails)
    told = []
    save_unsaved(session, told.append)
    assert told == ["run-1 is lost: MemoryError('none left')", f"run-2 is saved in {tmp_path / 'run-2.safetensors'}"]


def test_in_a_folder_that_cannot_be_written_the_cache_takes_it(session, tmp_path, monkeypatch):
    monkeypatch.setattr("pellucid.models.saving.cache_folder", lambda: tmp_path / "cache")
    session.folder = tmp_path / "gone"
    told = []
    save_unsaved(session, told.append)
    assert told == [f"run-1 is saved in {tmp_path / 'cache/rescued/run-1.safetensors'}"]
    pl.load(tmp_path / "cache/rescued/run-1.safetensors")


def test_a_network_that_no_place_takes_is_named(session, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("pellucid.models.saving.cache_folder", lambda: tmp_path / "file")
    session.folder = tmp_path / "gone"
    told = []
    save_unsaved(session, told.append)
    assert len(told) == 1
    assert told[0].startswith("run-1 is lost: ")
    assert "cannot be written" in told[0]
