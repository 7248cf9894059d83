"""The page Table: what it says of a file, what a run learns from it, and what a row is answered and why."""

from __future__ import annotations

import json
import math
from urllib.parse import quote

import numpy as np
import pytest
from asking import ask, post
from small_tables import outputs, read_csv, write_houses

import pellucid as pl
from pellucid.apps.server.guard import Guard
from pellucid.apps.server.requests import MOST_TABLE
from pellucid.apps.studio.application import application
from pellucid.apps.studio.session import Session

AMBIGUOUS = "day,weight,sold\n" + "".join(f'0{1 + k % 9}/0{1 + k % 7}/2024,"{k + 1},500",{k % 3}\n' for k in range(40))


@pytest.fixture
def session(tmp_path):
    return Session(folder=tmp_path)


@pytest.fixture
def app(session):
    return application(session)


def send(app, content, name="houses.csv"):
    """The name that the studio gives a file, which arrives in two parts."""
    answer = ask(app, "POST", f"/api/tables?name={quote(name)}", body=[content[:50], content[50:]])
    assert answer.status == 200, answer.json
    return answer.json["table"]


def about(path, table, **more):
    words = {name: value if isinstance(value, str) else json.dumps(value) for name, value in more.items()}
    return f"{path}?table={quote(table)}" + "".join(f"&{name}={quote(text)}" for name, text in words.items())


def said_of(answer):
    """The name, the number and the interval of an answer that is one number."""
    (one,) = answer["values"]
    return one["name"], one["value"], one["interval"] and tuple(one["interval"])


def overview(app, table, **reading):
    return ask(app, "GET", about("/api/table/overview", table, **reading))


def trained(app, session, table, target, epochs=2, **reading):
    """The run, when it has ended."""
    answer = post(app, about("/api/table/train", table, target=target, **reading), {"epochs": epochs})
    assert answer.status == 200, answer.json
    run = session.runs.run(answer.json["run"]["name"])
    run.wait()
    assert run.state == "finished"
    return run


@pytest.fixture(scope="module")
def houses(tmp_path_factory):
    return write_houses(tmp_path_factory.mktemp("houses") / "houses.csv", "price")


class TestReading:
    def test_the_account_and_the_kinds_are_those_of_the_file(self, app):
        rows = [f"{k % 7},{'near' if k % 2 else 'far'},{k * 10}" for k in range(60)]
        rows[4], rows[9] = ",near,40", "many,far,90,1"  # a cell is missing; a row is too long
        found = overview(app, send(app, "\n".join(["rooms,sea,price", *rows]).encode()), target="price").json
        assert found["rows"] == {"in": 60, "used": 59, "repaired": 0, "missing": 1, "refused": 1}
        assert found["cells"] == {"in": 177, "used": 177, "repaired": 0, "missing": 1, "refused": 0}
        assert [(one["row"], one["refused"]) for one in found["entries"]] == [(10, True)]
        assert [(one["name"], one["missing"]) for one in found["columns"]] == [("rooms", 1), ("sea", 0), ("price", 0)]
        assert [one["kind"] for one in found["columns"]] == ["count", "category", "count"]
        assert found["targets"] == ["rooms", "sea", "price"]

    def test_suspects_are_named(self, app):
        lines = [f"{k % 9},{k % 9},{k % 2}" for k in range(50)]
        found = overview(app, send(app, "\n".join(["a,b,c", *lines]).encode())).json
        assert ("b", "it is equal to a") in [(one["column"], one["what"]) for one in found["suspects"]]

    def test_kinds_can_be_stated_and_columns_left_out(self, app, session):
        table = send(
            app, "\n".join(["zip,size,id,y", *(f"{k % 5},{'SML'[k % 3]},{k % 4},{k % 2}" for k in range(40))]).encode()
        )
        reading = {"kinds": {"zip": "category", "size": ["S", "M", "L"]}, "drop": ["id"]}
        found = overview(app, table, **reading).json
        kinds = {one["name"]: (one["kind"], one["width"]) for one in found["columns"]}
        assert kinds["zip"] == ("category", 5)
        assert kinds["size"] == ("ordered", 1)
        assert kinds["id"][1] == 0
        run = trained(app, session, table, "y", **reading)
        assert [(one.name, one.kind) for one in run.model().pipeline.columns] == [("zip", "category"), ("size", "ordered")]

    def test_what_the_cells_do_not_tell_is_asked_and_a_choice_answers(self, app):
        table = send(app, AMBIGUOUS.encode())
        asked = {one["name"]: one["question"] for one in overview(app, table).json["columns"]}
        assert asked["sold"] is None
        assert asked["day"]["about"] == "date_order"
        assert asked["weight"]["about"] == "decimal"
        for question in (asked["day"], asked["weight"]):
            assert question["text"].startswith("Is '")
            assert "--" not in question["text"]  # no option of the command
        refused = post(app, about("/api/table/train", table, target="sold"), {})
        assert (refused.status, "written with the day or with the month first" in refused.json["error"]) == (400, True)
        chosen = overview(app, table, decimal=".", date_order="dmy").json["columns"]
        assert [one["question"] for one in chosen] == [None, None, None]

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            (b"", "houses.csv is empty"),
            (b"%PDF-1.7 ...", "houses.csv is a PDF document; expected a table as CSV text."),
            (b"a,b\n", "houses.csv has a header and no rows"),
            (b"caf\xe9,b\n1,2\n", "houses.csv is not UTF-8: byte 0xe9 at offset 3"),
        ],
    )
    def test_a_bad_file_gives_the_sentence_of_the_reader(self, app, content, sentence):
        answer = overview(app, send(app, content))
        assert answer.status == 400
        assert answer.json["error"].startswith(sentence)

    def test_the_encoding_can_be_chosen(self, app):
        table = send(app, "café,b\n".encode("windows-1252") + b"1,2\n3,4\n")
        found = overview(app, table, encoding="windows-1252").json
        assert [one["name"] for one in found["columns"]] == ["café", "b"]

    @pytest.mark.parametrize(
        ("reading", "word"),
        [
            ({"kinds": "{"}, "kinds are an object"),
            ({"kinds": [1]}, "kinds are an object"),
            ({"kinds": {"a": 1}}, "kinds are an object"),
            ({"drop": "[1]"}, "drop is a list"),
            ({"drop": ["z"]}, "unknown column 'z'"),
            ({"target": "z"}, "unknown column 'z'"),
            ({"decimal": ";"}, 'decimal is "." or ","'),
            ({"encoding": "klingon"}, "there is no encoding 'klingon'"),
        ],
    )
    def test_a_wrong_address_is_a_sentence(self, app, reading, word):
        answer = overview(app, send(app, b"a,b\n1,x\n2,y\n"), **reading)
        assert answer.status == 400
        assert word in answer.json["error"]

    def test_a_table_that_is_not_there_is_a_sentence(self, app):
        answer = overview(app, "gone.csv")
        assert (answer.status, "no table 'gone.csv'" in answer.json["error"]) == (400, True)


class TestFiles:
    def test_the_penguins_are_always_there(self, app):
        assert ask(app, "GET", "/api/tables").json == {"tables": ["penguins"], "most_bytes": MOST_TABLE}
        assert overview(app, "penguins").json["rows"]["in"] == 344

    def test_the_same_file_keeps_its_name_and_another_one_gets_a_number(self, app):
        first, second = b"a,b\n1,2\n3,4\n", b"a,b\n1,2\n3,5\n"
        assert [send(app, content) for content in (first, second, first, second)] == ["houses.csv", "2-houses.csv"] * 2

    @pytest.mark.parametrize(
        "name", ["../../houses.csv", "C:\\data\\houses.csv", "/houses.csv", "...houses.csv", "hou\nses.csv"]
    )
    def test_a_name_leads_out_of_no_folder(self, app, session, name):
        assert send(app, b"a,b\n1,2\n", name) == "houses.csv"
        assert session.tables.path("houses.csv").startswith(session.tables._folder)

    def test_the_first_of_many_is_forgotten(self, app, session):
        names = [send(app, f"a,b\n1,{k}\n".encode(), f"{k}.csv") for k in range(11)]
        assert session.tables.names() == ["penguins", *names[1:]]
        assert overview(app, names[0]).status == 400

    def test_a_file_that_is_too_large_is_refused_before_it_comes(self, app):
        guard = Guard(app, 8765)
        own = {"Host": "127.0.0.1:8765", "Origin": "http://127.0.0.1:8765", "Cookie": f"{guard.cookie}={guard.token}"}
        answer = ask(guard, "POST", "/api/tables?name=x.csv", own | {"Content-Length": str(MOST_TABLE + 1)})
        assert (answer.status, "at most 134,217,728 bytes" in answer.json["error"]) == (413, True)


class TestLearning:
    @pytest.mark.parametrize("target", ["price", "class"])
    def test_a_run_gives_the_model_that_train_gives(self, app, session, tmp_path, target):
        path = write_houses(tmp_path / "houses.csv", target)
        run = trained(app, session, send(app, path.read_bytes()), target, epochs=3)
        ours, theirs = run.model(), pl.train(pl.datasets.table(path, target=target), epochs=3, progress="none")
        np.testing.assert_array_equal(ours.network.parameters.vector, theirs.network.parameters.vector)
        assert ours.pipeline == theirs.pipeline
        assert ours.labels == theirs.labels
        assert ours.temperature == theirs.temperature
        assert ours.conformal_scores == theirs.conformal_scores

    def test_errors_are_in_the_units_of_the_target(self, app, session, houses):
        run = trained(app, session, send(app, houses.read_bytes()), "price")
        rows = read_csv(houses)
        held_out = run.material.table.training.held_out
        predicted = [run.model().predict({k: v for k, v in rows[k].items() if k != "price"}).value for k in held_out]
        error = np.mean(np.abs(np.array(predicted) - [float(rows[k]["price"]) for k in held_out]))
        assert run.summary()["history"][-1]["validation_mae"] == pytest.approx(error, rel=1e-4)
        assert f"by {error:.3g}"[:6] in run.summary()["gap_in_words"]

    def test_the_file_of_a_run_answers_like_the_page(self, app, session, tmp_path, houses):
        run = trained(app, session, send(app, houses.read_bytes()), "price")
        saved = post(app, f"/api/runs/{run.name}/save", {"path": "mine.safetensors"})
        assert saved.status == 200
        answer = post(app, f"/api/table/answer?model={run.name}&confidence=0.9", ROW).json
        expected = pl.load(tmp_path / "mine.safetensors").predict(ROW, confidence=0.9)
        assert said_of(answer) == ("price", expected.value, expected.interval)

    def test_what_cannot_be_learned_is_a_sentence(self, app):
        table = send(app, b"a,b\n1,2\n3,4\n5,9\n")
        for body, word in (({"epochs": 0}, "epochs must be a whole number"), ({"seed": "x"}, "seed must be")):
            assert word in post(app, about("/api/table/train", table, target="b"), body).json["error"]
        assert "choose the column" in post(app, about("/api/table/train", table), {}).json["error"]
        dropped = post(app, about("/api/table/train", table, target="b", drop=["a"]), {}).json["error"]
        assert dropped == "houses.csv has no column to learn 'b' from: a is dropped."

    def test_a_fork_learns_from_the_same_rows(self, app, session, houses):
        run = trained(app, session, send(app, houses.read_bytes()), "price")
        fork = post(app, f"/api/runs/{run.name}/fork", {"step": 0, "changes": {"l2": 0.01}, "start": True})
        assert fork.status == 200
        other = session.runs.run(fork.json["run"]["name"])
        other.wait()
        assert other.state == "finished"
        assert other.model().pipeline == run.model().pipeline
        assert not np.array_equal(other.network.parameters.vector, run.network.parameters.vector)

    def test_while_it_learns_it_answers_in_own_units_without_an_interval(self, app, session, houses):
        table = send(app, houses.read_bytes())
        name = post(app, about("/api/table/train", table, target="price"), {"epochs": 1000}).json["run"]["name"]
        model = next(one for one in session.summary()["models"] if one["name"] == name)
        assert (model["reads"], model["answers"], model["has_confidence"]) == ("table", "values", False)
        assert 50 < said_of(post(app, f"/api/table/answer?model={name}", {}).json)[1] < 400  # prices are about 190
        assert said_of(post(app, f"/api/table/answer?model={name}&confidence=0.9", {}).json)[2] is None
        session.runs.run(name).pause()
        assert said_of(post(app, f"/api/table/answer?model={name}&confidence=0.9", {}).json)[2] is not None


@pytest.fixture(scope="module")
def models(tmp_path_factory, houses):
    """A regression and a classification of few units; their exact attributions are known."""
    folder = tmp_path_factory.mktemp("models")
    classes = write_houses(folder / "classes.csv", "class")
    settings = {"layers": "dense12", "epochs": 8, "seed": 1, "progress": "none"}
    found = {"price": (houses, "price"), "class": (classes, "class")}
    return {name: pl.train(pl.datasets.table(path, target=target), **settings) for name, (path, target) in found.items()}


ROW = {"age": 12, "rooms": 5.5, "sea": "near", "built": "2001-05-17"}
TEXTS = {"age": "12", "rooms": "5.5", "sea": "near", "built": "2001-05-17"}


class TestOneRow:
    @pytest.fixture
    def app(self, models):
        return application(Session(dict(models)))

    def answer(self, app, cells, model="price", **query):
        more = "".join(f"&{name}={value}" for name, value in query.items())
        return post(app, f"/api/table/answer?model={model}{more}", cells)

    def test_the_answer_is_that_of_the_formulas(self, app, models):
        expected = outputs(models["price"], [TEXTS])[0, 0]
        assert said_of(self.answer(app, ROW).json)[1] == pytest.approx(expected, rel=1e-5)

    def test_probabilities_and_the_set_are_those_of_the_model(self, app, models):
        answer = self.answer(app, ROW, "class", confidence=0.9).json
        expected = models["class"].predict(ROW, confidence=0.9)
        assert (answer["label"], answer["probability"]) == (expected.label, expected.probability)
        assert answer["probabilities"] == expected.probabilities.tolist()
        assert tuple(answer["set"]) == expected.set

    @pytest.mark.parametrize(
        ("cell", "note"),
        [
            ({"age": None}, "missing: the middle counts"),  # ages were missing in training
            ({"rooms": None}, "missing, as in no training row: the middle counts"),
            ({"sea": ""}, "missing, as in no training row: it adds nothing"),
            ({"sea": "desert"}, "its value did not come in training: it adds nothing"),
            ({"built": ""}, "missing, as in no training row: 0 counts"),
            ({"rooms": "many"}, "it is no number: it counts as missing"),
            ({"built": "yesterday"}, "it is no date: it counts as missing"),
            ({"rooms": 99}, "beyond the training rows' range"),
            ({"rooms": -99}, "beyond the training rows' range"),
            ({"built": "2030-01-01"}, "beyond the training rows' range"),
        ],
    )
    def test_what_should_be_known_of_a_cell_is_said(self, app, models, cell, note):
        answer = self.answer(app, ROW | cell).json
        assert answer["notes"] == {next(iter(cell)): note}
        assert said_of(answer)[1] == models["price"].predict(ROW | cell).value

    def test_the_ends_of_the_training_rows_are_not_beyond_them(self, app, models, houses):
        rows = read_csv(houses)
        controls = {one["name"]: one for one in ask(app, "GET", "/api/table/controls?model=price").json["columns"]}
        for name in ("rooms", "age"):
            values = [float(row[name]) for row in rows if row[name]]
            low, high = controls[name]["low"], controls[name]["high"]
            assert (low, high) == pytest.approx((min(values), max(values)), abs=0.01 * (max(values) - min(values)))
        kept = training_rows(models["price"], houses)
        ends = [float(row["rooms"]) for row in kept]
        for end in (min(ends), max(ends)):
            assert self.answer(app, ROW | {"rooms": end}).json["notes"] == {}
        for beyond in (min(ends) - 0.01, max(ends) + 0.01):
            assert "rooms" in self.answer(app, ROW | {"rooms": beyond}).json["notes"]

    def test_controls_name_what_a_cell_can_be(self, app):
        found = ask(app, "GET", "/api/table/controls?model=price").json
        controls = {one["name"]: one for one in found["columns"]}
        assert found["target"] == "price"
        assert controls["sea"]["values"] == ["far", "island", "near"]
        assert controls["sea"]["unseen"] not in controls["sea"]["values"]
        assert (controls["age"]["kind"], controls["age"]["step"]) == ("number", 1.0)  # whole numbers
        assert controls["rooms"]["step"] < 0.1
        assert controls["built"]["kind"] == "date"
        assert "1990-01-01" <= controls["built"]["low"] < controls["built"]["high"] <= "2014-12-31"

    def test_the_contributions_add_up_to_the_answer(self, app, models):
        found = post(app, "/api/table/contributions?model=price", ROW).json
        score = outputs(models["price"], [TEXTS])[0, 0]
        assert (found["score"], found["in_units"]) == (pytest.approx(score, rel=1e-6), True)
        assert math.fsum([*found["columns"], found["bias"], found["gap"]]) == pytest.approx(score, rel=1e-6)
        assert (found["method"], abs(found["gap"]) < 1e-6 * abs(score)) == ("exact", True)

    def test_contributions_are_those_of_explain(self, app, models):
        found = post(app, "/api/table/contributions?model=class", ROW).json
        explained = pl.explain(models["class"], ROW)
        assert (found["label"], found["in_units"]) == (explained.label, False)
        np.testing.assert_allclose(found["columns"], explained.row.contributions, rtol=1e-9)
        scores = outputs(models["class"], [TEXTS])[0]
        names = list(models["class"].labels)
        best, second = scores[names.index(found["label"])], scores[names.index(found["against"])]
        assert found["score"] == pytest.approx(best - second, rel=1e-4)
        assert sorted(scores)[-2:] == [second, best]

    def test_contributions_to_another_label_can_be_asked_for(self, app, models):
        found = post(app, "/api/table/contributions?model=class&of=low", ROW).json
        scores = dict(zip(models["class"].labels, outputs(models["class"], [TEXTS])[0], strict=True))
        best_other = max((score, name) for name, score in scores.items() if name != "low")
        assert (found["label"], found["against"], found["is_asked"]) == ("low", best_other[1], True)
        assert found["score"] == pytest.approx(scores["low"] - best_other[0], rel=1e-4)
        assert post(app, "/api/table/contributions?model=class&of=x", ROW).status == 400

    @pytest.mark.parametrize(
        ("cells", "word"), [({"attic": 1}, "no column is called 'attic'"), ({"rooms": [1]}, "is a number, a text or null")]
    )
    def test_cells_that_are_none_are_a_sentence(self, app, cells, word):
        answer = self.answer(app, cells)
        assert (answer.status, word in answer.json["error"]) == (400, True)

    def test_a_row_of_a_table_is_taken_over(self, session, houses):
        app = application(session)
        table = send(app, houses.read_bytes())
        run = trained(app, session, table, "price")
        rows = read_csv(houses)
        for number in (1, 6, 77):  # of row 6 the age is missing
            asked = about("/api/table/row", table, model=run.name, row=str(number))
            found = ask(app, "GET", asked).json
            row = rows[number - 1]
            expected = {"age": float(row["age"]) if row["age"] else None, "rooms": float(row["rooms"])}
            assert found["cells"] == expected | {"sea": row["sea"], "built": row["built"]}
            assert found["truth"] == row["price"]
            is_learned = number - 1 in run.material.table.training.training
            assert found["part"] == ("training" if is_learned else "held out")
        beyond = ask(app, "GET", about("/api/table/row", table, model=run.name, row="999"))
        assert beyond.json["error"] == "there is no row 999; houses.csv has 240 rows."
        other = ask(app, "GET", about("/api/table/row", "penguins", model=run.name, row="1"))
        assert "has no column 'age'" in other.json["error"]

    def test_dates_of_another_order_are_read_as_their_column_is(self, session, tmp_path):
        lines = [f"{1 + k % 28:02}.{1 + k % 12:02}.{2000 + k % 20},{k % 5}" for k in range(60)]
        app = application(session)
        table = send(app, "\n".join(["day,y", *lines]).encode())
        run = trained(app, session, table, "y", kinds={"y": "number"})
        row = ask(app, "GET", about("/api/table/row", table, model=run.name, row="17")).json
        assert row["cells"] == {"day": "2016-05-17"}
        answer = post(app, f"/api/table/answer?model={run.name}", row["cells"]).json
        assert (said_of(answer)[1], answer["notes"]) == (run.model().predict({"day": "17.05.2016"}).value, {})

    def test_a_network_that_reads_no_rows_is_a_sentence(self):
        app = application(Session({"plane": pl.Model(pl.Network([pl.Input(2), pl.Regression()]))}))
        for answer in (self.answer(app, {}, "plane"), ask(app, "GET", "/api/table/controls?model=plane")):
            assert (answer.status, "does not read rows of a table" in answer.json["error"]) == (400, True)

    def test_other_pages_show_the_numbers_of_the_row(self, app, models):
        word = post(app, "/api/table/contributions?model=price", ROW).json["sample"]
        found = ask(app, "GET", f"/api/sample?model=price&sample={word}").json
        assert found["values"] == [pytest.approx(outputs(models["price"], [TEXTS])[0, 0], rel=1e-5)]


def training_rows(model, path):
    """The rows that a model learned from, by the rule of ``pl.train``."""
    from pellucid.models.train_table import divide_table

    table = pl.datasets.table(path, target=model.pipeline.target.name)
    rows = read_csv(path)
    return [rows[k] for k in divide_table(table, 0.1, 1)[0]]
