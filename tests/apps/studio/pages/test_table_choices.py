"""What is chosen on the page Table: ensemble, loss, split, and several targets; and answers of several numbers."""

from __future__ import annotations

import numpy as np
import pytest
from asking import ask, post
from small_tables import write_houses

import pellucid as pl
from pellucid.apps.studio.application import application
from pellucid.apps.studio.session import Session

ROW = {"age": 12, "sea": "near", "built": "2001-05-17"}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    path = write_houses(tmp_path_factory.mktemp("houses") / "houses.csv", "price")
    settings = {"layers": "dense12", "epochs": 8, "seed": 1, "progress": "none"}
    return {
        "both": pl.train(pl.datasets.table(path, target=["price", "rooms"]), **settings),
        "quantiles": pl.train(
            pl.datasets.table(path, target="price", drop=["rooms"]), loss="pinball:0.1,0.5,0.9", **settings
        ),
    }


@pytest.fixture
def app(models):
    return application(Session(dict(models)))


def test_each_target_has_its_name_and_its_interval(app, models):
    said = post(app, "/api/table/answer?model=both&confidence=0.9", ROW).json["values"]
    expected = models["both"].predict(ROW, confidence=0.9)
    assert {one["name"]: one["value"] for one in said} == expected.values
    assert {one["name"]: tuple(one["interval"]) for one in said} == expected.intervals
    assert [one["interval"] for one in post(app, "/api/table/answer?model=both", ROW).json["values"]] == [None, None]


def test_of_quantiles_the_middle_one_has_the_interval(app, models):
    said = post(app, "/api/table/answer?model=quantiles&confidence=0.9", ROW).json["values"]
    expected = models["quantiles"].predict(ROW, confidence=0.9)
    assert {one["name"]: one["value"] for one in said} == expected.values
    assert [one["name"] for one in said] == ["price 0.1", "price 0.5", "price 0.9"]
    low, middle, high = (one["interval"] for one in said)
    assert (low, tuple(middle), high) == (None, expected.intervals["price"], None)


@pytest.mark.parametrize(
    ("model", "target", "answers"),
    [("both", "price, rooms", ["price", "rooms"]), ("quantiles", "price", ["price 0.1", "price 0.5", "price 0.9"])],
)
def test_controls_name_the_answers(app, model, target, answers):
    found = ask(app, "GET", f"/api/table/controls?model={model}").json
    assert (found["target"], found["answers"]) == (target, answers)


@pytest.mark.parametrize("answer", ["price", "rooms"])
def test_the_contributions_to_each_target_add_up_to_it(app, models, answer):
    found = post(app, f"/api/table/contributions?model=both&of={answer}", ROW).json
    assert (found["answer"], found["label"], found["in_units"]) == (answer, None, True)
    assert found["score"] == pytest.approx(models["both"].predict(ROW).values[answer], rel=1e-4)
    assert sum(found["columns"]) + found["bias"] + found["gap"] == pytest.approx(found["score"], rel=1e-6)


def test_if_nothing_is_asked_the_first_target_or_the_middle_quantile_is_explained(app):
    assert post(app, "/api/table/contributions?model=both", ROW).json["answer"] == "price"
    assert post(app, "/api/table/contributions?model=quantiles", ROW).json["answer"] == "price 0.5"
    wrong = post(app, "/api/table/contributions?model=both&of=prise", ROW)
    assert (wrong.status, "unknown answer of this model 'prise'" in wrong.json["error"]) == (400, True)


@pytest.fixture
def opened(tmp_path):
    """(application, session, path) of a studio that was opened with a table."""
    path = write_houses(tmp_path / "houses.csv", "price")
    session = Session(folder=tmp_path)
    session.tables.open(str(path))
    return application(session), session, path


def trained(app, session, body, also="[]"):
    answer = post(app, f"/api/table/train?table=houses.csv&target=price&also={also}", {"epochs": 2} | body)
    assert answer.status == 200, answer.json
    run = session.runs.run(answer.json["run"]["name"])
    run.wait()
    return run


@pytest.mark.parametrize("chosen", [{"ensemble": 4}, {"loss": "mae"}, {"split": "time:built"}], ids=str)
def test_what_is_chosen_is_what_train_would_do(opened, chosen):
    app, session, path = opened
    run = trained(app, session, chosen)
    theirs = pl.train(pl.datasets.table(path, target="price"), epochs=2, progress="none", **chosen)
    np.testing.assert_array_equal(run.model().network.parameters.vector, theirs.network.parameters.vector)
    assert ("split by built, for validation" in run.summary()["table"]["chosen"]) == ("split" in chosen)


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"ensemble": 99}, "ensemble must be a whole number from 1 to 32"),
        ({"loss": "mes"}, "Did you mean 'mse'"),
        ({"split": "group:price"}, "would divide the rows by what is to be predicted"),
    ],
)
def test_a_wrong_choice_is_a_sentence(opened, body, word):
    app, _, _ = opened
    answer = post(app, "/api/table/train?table=houses.csv&target=price", body)
    assert (answer.status, word in answer.json["error"]) == (400, True)


def test_a_run_on_several_targets_is_that_of_train(opened):
    app, session, path = opened
    run = trained(app, session, {}, also='["rooms"]')
    theirs = pl.train(pl.datasets.table(path, target=["price", "rooms"]), epochs=2, progress="none")
    np.testing.assert_array_equal(run.model().network.parameters.vector, theirs.network.parameters.vector)
    assert run.summary()["table"]["target"] == "price, rooms"
    row = ask(app, "GET", f"/api/table/row?table=houses.csv&row=3&model={run.name}").json
    assert row["truth"].startswith("price ")
    assert ", rooms " in row["truth"]
