"""The addresses of training: what they answer, and a sentence for everything that cannot be."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest
from asking import ask, post

import pellucid as pl
from pellucid.apps.studio.application import application
from pellucid.apps.studio.runs import runs as runs_module
from pellucid.apps.studio.runs.experiment import CHECKS, experiment
from pellucid.apps.studio.runs.material import material
from pellucid.apps.studio.session import Session

SMALL = {"data": "moons", "samples": 80, "hidden": [6], "batch_size": 16, "epochs": 5}
SUMMARY = {
    *("name", "experiment", "kind", "labels", "layers", "parameters", "engine", "state", "message", "epoch", "step"),
    *("steps_per_epoch", "learning_rate", "kept", "history", "saved", "parent"),
}
FIGURES = ["step", "epoch", "loss", "accuracy", "validation_loss", "validation_accuracy", "learning_rate"]


@pytest.fixture
def session():
    made = Session()
    yield made
    made.runs.close()


@pytest.fixture
def app(session):
    return application(session)


def make(app, **body):
    answer = post(app, "/api/runs", {"experiment": SMALL} | body)
    assert answer.status == 200, answer.body
    return answer.json["run"]


def tell(app, name, what, body=()):
    answer = post(app, f"/api/runs/{name}/{what}", dict(body))
    assert answer.status == 200, answer.body
    return answer.json["run"]


def unpack(packed):
    return np.frombuffer(base64.b64decode(packed["float32"]), "<f4").reshape(packed["shape"])


def test_a_new_run_waits(app, session):
    run = make(app)
    assert set(run) >= SUMMARY
    assert (run["name"], run["state"], run["step"], run["kind"]) == ("run-1", "paused", 0, "points")
    assert run["labels"] == ["A", "B"]
    assert run["layers"] == ["Input(2)", "Dense(6, 'tanh')", "Classification(2)"]
    assert run["parameters"] == 2 * 6 + 6 + 6 * 2 + 2
    assert run["steps_per_epoch"] == 4  # 60 samples to learn from, 16 a step
    assert set(run["experiment"]) == set(CHECKS) - {"points"}
    assert run["experiment"]["hidden"] == [6]
    assert list(run["history"][0]) == FIGURES
    assert run["kept"] == [0]
    assert (run["saved"], run["parent"]) == (False, None)
    assert ask(app, "GET", "/api/runs").json["runs"] == [run]


def test_a_run_does_what_it_is_told(app, session):
    make(app)
    assert tell(app, "run-1", "step")["step"] == 1
    tell(app, "run-1", "epoch")
    session.runs.run("run-1").wait()
    assert ask(app, "GET", "/api/runs").json["runs"][0]["step"] == 4
    assert tell(app, "run-1", "rate", {"learning_rate": 0.25})["learning_rate"] == 0.25
    assert tell(app, "run-1", "pace", {"steps_per_second": 1})["pace"] == 1
    assert tell(app, "run-1", "resume")["state"] == "running"
    assert tell(app, "run-1", "pause")["state"] == "paused"
    assert tell(app, "run-1", "pace", {"steps_per_second": None})["pace"] is None
    tell(app, "run-1", "resume")
    session.runs.run("run-1").wait()
    run = tell(app, "run-1", "rewind", {"step": 4})
    assert (run["state"], run["step"]) == ("paused", 4)
    fork = post(app, "/api/runs/run-1/fork", {"step": 8, "changes": {"l2": 0.01}, "start": True}).json["run"]
    assert (fork["name"], fork["parent"]) == ("run-2", {"run": "run-1", "step": 8})
    assert (fork["experiment"]["l2"], fork["experiment"]["learning_rate"]) == (0.01, 0.25)
    session.runs.run("run-2").wait()
    assert session.runs.run("run-2").state == "finished"


def test_start_starts(app, session):
    assert make(app, start=True, pace=1e5)["pace"] == 1e5
    session.runs.run("run-1").wait()
    assert session.runs.run("run-1").loop.step == 20


def test_a_deleted_run_is_gone_and_its_name_is_not_used_again(app, session):
    make(app, start=True)
    assert ask(app, "DELETE", "/api/runs/run-1").json == {"deleted": "run-1"}
    assert ask(app, "DELETE", "/api/runs/run-1").status == 404
    assert ask(app, "GET", "/api/runs/run-1/events").status == 204  # so that a page does not ask again
    assert make(app)["name"] == "run-2"
    assert [run["name"] for run in ask(app, "GET", "/api/runs").json["runs"]] == ["run-2"]


@pytest.mark.parametrize("what", ["resume", "pause", "step", "epoch", "rate", "pace", "rewind", "fork"])
def test_a_run_that_is_not_there_is_a_404(app, what):
    make(app)
    answer = post(app, f"/api/runs/run-7/{what}", {})
    assert answer.status == 404
    assert "'run-7'" in answer.json["error"]
    assert "run-1" in answer.json["error"]
    assert ask(app, "GET", "/api/runs/run-7/events").status == 404


JUNK = [
    ("/api/runs", {}, "experiment"),
    ("/api/runs", {"experiment": []}, "experiment"),
    ("/api/runs", {"experiment": {"data": "cats"}}, "cats"),
    ("/api/runs", {"experiment": SMALL, "start": 1}, "start"),
    ("/api/runs", {"experiment": SMALL, "begin": True}, "begin"),
    ("/api/runs", {"experiment": SMALL | {"epochs": 0}}, "epochs"),
    ("/api/runs/run-1/resume", {"step": 3}, "step"),
    ("/api/runs/run-1/rate", {}, "learning_rate"),
    ("/api/runs/run-1/rate", {"learning_rate": 0}, "learning_rate"),
    ("/api/runs/run-1/rate", {"learning_rate": "1"}, "learning_rate"),
    ("/api/runs/run-1/pace", {"steps_per_second": 0}, "steps_per_second"),
    ("/api/runs/run-1/rewind", {}, "step"),
    ("/api/runs/run-1/rewind", {"step": -1}, "step"),
    ("/api/runs/run-1/rewind", {"step": 1.5}, "step"),
    ("/api/runs/run-1/fork", {"changes": []}, "changes"),
    ("/api/runs/run-1/fork", {"changes": {"noise": 0.2}}, "noise"),
    ("/api/runs/run-1/fork", {"changes": {"dropout": 2}}, "dropout"),
    ("/api/runs/run-1/fork", {"step": "1"}, "step"),
]


@pytest.mark.parametrize(("address", "body", "word"), JUNK, ids=[f"{a}-{json.dumps(b)[:50]}" for a, b, _ in JUNK])
def test_junk_is_named_and_changes_nothing(app, address, body, word):
    make(app)
    before = ask(app, "GET", "/api/runs").json
    answer = post(app, address, body)
    assert answer.status == 400
    assert word in answer.json["error"]
    assert ask(app, "GET", "/api/runs").json == before


def test_so_many_runs_are_kept_and_no_more(app, monkeypatch):
    monkeypatch.setattr(runs_module, "MOST_RUNS", 3)
    for _ in range(3):
        make(app)
    answer = post(app, "/api/runs", {"experiment": SMALL})
    assert answer.status == 400
    assert "3 runs" in answer.json["error"]
    assert post(app, "/api/runs/run-1/fork", {}).status == 400
    ask(app, "DELETE", "/api/runs/run-2")
    assert make(app)["name"] == "run-4"


def test_all_runs_together_are_bounded(app, monkeypatch):
    monkeypatch.setattr(runs_module, "MOST_PARAMETERS", 70)
    make(app)
    make(app)
    answer = post(app, "/api/runs", {"experiment": SMALL})
    assert answer.status == 400
    assert "96 parameters" in answer.json["error"]


def test_a_studio_that_stops_takes_no_orders_and_keeps_what_was_learned(app, session):
    make(app, start=True, pace=1)
    session.runs.close()
    run = session.runs.run("run-1")
    run.wait()
    assert run.state == "paused"
    assert post(app, "/api/runs/run-1/resume", {}).status == 409
    assert post(app, "/api/runs", {"experiment": SMALL}).status == 409
    assert session.runs.unsaved() == ["run-1"]


def test_a_run_that_is_made_while_the_studio_stops_learns_nothing(session):
    session.runs.close()
    run = session.runs.create(SMALL)  # by a request that came just before
    with pytest.raises(pl.ArgumentError, match="the studio is stopping"):
        run.resume()


def test_what_was_learned_and_is_in_no_file_is_unsaved(app, session):
    runs = session.runs
    make(app)
    assert runs.unsaved() == []  # it has learned nothing yet
    tell(app, "run-1", "step")
    assert runs.unsaved() == ["run-1"]
    run = runs.run("run-1")
    run.mark_saved(run.model())
    assert runs.unsaved() == []
    assert ask(app, "GET", "/api/runs").json["runs"][0]["saved"] is True
    tell(app, "run-1", "step")
    assert runs.unsaved() == ["run-1"]


@pytest.mark.parametrize("is_temporary", [True, False])
def test_temporary_runs_are_lost_when_the_studio_stops(app, session, is_temporary):
    make(app, temporary=is_temporary)
    for _ in range(2):
        tell(app, "run-1", "step")
    lasting = [] if is_temporary else ["run-1"]
    assert session.runs.unsaved() == lasting
    tell(app, "run-1", "rewind", {"step": 1})
    assert session.runs.go_forward() == lasting
    tell(app, "run-1", "fork")  # which was made to last
    tell(app, "run-2", "step")
    assert session.runs.unsaved() == [*lasting, "run-2"]


def test_the_network_of_a_run_is_a_model_of_the_session(app, session):
    make(app)
    model = session.model("run-1")
    assert model.labels == ("A", "B")
    assert np.array_equal(model.network.parameters.vector, session.runs.run("run-1").network.parameters.vector)
    assert [one["name"] for one in session.summary()["models"]] == ["run-1"]


def test_digits_bring_the_pipeline_of_digits(app, session):
    body = {"experiment": {"data": "digits", "samples": 200, "hidden": [5], "epochs": 1}}
    run = post(app, "/api/runs", body).json["run"]
    assert (run["kind"], run["labels"], run["extent"]) == ("images", list(range(10)), None)
    model = session.model("run-1")
    (x, _), _ = __import__("pellucid").datasets.digits()
    assert model.pipeline.prepare(x[0]).pixels.shape == (28, 28)


def test_points_are_those_of_a_run_with_the_same_words(app):
    answer = ask(app, "GET", "/api/points?data=spirals&samples=50&noise=0.1&seed=3&validation=0.2").json
    fields = {"data": "spirals", "samples": 50, "noise": 0.1, "data_seed": 3, "validation": 0.2}
    found = material(experiment(fields))
    for part, x, y in ((found.training, "x", "y"), (found.validation, "x_validation", "y_validation")):
        assert np.array_equal(unpack(answer[x]), part.x[part.rows])
        assert answer[y] == part.y[part.rows].tolist()
    assert len(answer["y_validation"]) == 10
    assert answer["extent"] == [-found.points.extent, found.points.extent]


def test_drawn_points_are_divided_as_their_run_divides_them(app, session):
    drawn = [[i / 10, 0.5, i % 2] for i in range(10)]
    make(app, experiment={"data": "drawn", "points": drawn, "validation": 0.4})
    answer = ask(app, "GET", "/api/runs/run-1/points").json
    aside = session.runs.run("run-1").material.validation.rows
    assert len(aside) == 4
    assert unpack(answer["x_validation"]).tolist() == [pytest.approx(drawn[row][:2]) for row in aside]
    assert answer["y_validation"] == [drawn[row][2] for row in aside]
    assert sorted(np.round(unpack(answer["x"])[:, 0], 1)) == [i / 10 for i in range(10) if i not in aside]
    make(app, experiment={"data": "digits", "samples": 100, "hidden": [2]})
    assert "pictures" in ask(app, "GET", "/api/runs/run-2/points").json["error"]
    assert ask(app, "GET", "/api/runs/run-3/points").status == 404


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("", "data"),
        ("data=digits", "digits"),
        ("data=drawn", "drawn"),
        ("data=moons&samples=ten", "ten"),
        ("data=moons&samples=1", "samples"),
        ("data=moons&noise=9", "noise"),
        ("data=moons&noise=nan", "noise"),
        ("data=moons&seed=-1", "seed"),
        ("data=moons&samples=" + "9" * 5000, "samples"),
    ],
)
def test_points_that_cannot_be_are_refused(app, query, word):
    answer = ask(app, "GET", f"/api/points?{query}")
    assert answer.status == 400
    assert word in answer.json["error"]
    assert len(answer.json["error"]) < 300


def test_the_defaults_of_all_data_but_a_folder_that_is_not_there(app):
    found = ask(app, "GET", "/api/defaults").json["defaults"]
    assert list(found) == ["digits", "circles", "moons", "spirals", "blobs", "xor", "drawn"]
    for data, fields in found.items():
        if data != "drawn":
            assert experiment(fields).to_data() == fields
