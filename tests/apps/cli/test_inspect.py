"""``pellucid inspect``: the account, the kinds and the suspects of a table, as text and as JSON."""

from __future__ import annotations

import csv
import json
import re

import numpy as np
import pytest
from drawn_photos import make_folder

from pellucid.data.tables.kinds import KINDS

TABLE = """id,zip,rooms,price,sold,kind,note,country
1,02139,3,250.5,2024-01-15,house,NA,US
2,10001,NA,300,2024-02-29,flat,,US
3,94103,4,oops,2024-03-01,house,,US
4,94103,5,410.25,2024-02-30,flat,ok,US
""" + "".join(f"{k},94103,{k % 5},{k * 10}.5,2024-03-{k:02},house,ok,US\n" for k in range(5, 31))  # fmt: skip


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "houses.csv"
    path.write_text(TABLE)
    return path


def inspected(cli, *arguments):
    done = cli("inspect", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_account_and_the_kinds_as_data(cli, table):
    data = inspected(cli, table)
    assert data["rows"] == {"in": 30, "used": 30, "repaired": 0, "missing": 3, "refused": 0}
    assert data["cells"]["in"] == 30 * 8
    assert data["cells"]["used"] + data["cells"]["refused"] == data["cells"]["in"]
    assert (data["cells"]["refused"], data["cells"]["missing"]) == (2, 3)
    columns = {one["name"]: one for one in data["columns"]}
    assert {name: one["kind"] for name, one in columns.items()} == {
        "id": "identifier", "zip": "category", "rooms": "count", "price": "number", "sold": "date", "kind": "category",
        "note": "category", "country": "constant",
    }  # fmt: skip
    assert {name: one["missing"] for name, one in columns.items() if one["missing"]} == {"rooms": 1, "note": 2}
    assert {name: one["refused"] for name, one in columns.items() if one["refused"]} == {"price": 1, "sold": 1}
    for one in columns.values():
        assert one["kind"] in KINDS
        assert one["why"]
        assert (one["width"] > 0) == (one["name"] not in ("id", "country"))
    offset = TABLE.index("3,94103,4,oops")
    assert data["entries"][0] == {
        "row": 3, "column": "price", "offset": offset, "value": "oops", "rule": "it is no number", "refused": True,
    }  # fmt: skip
    assert {"kind", "column", "columns", "what", "evidence", "numbers"} == set(data["suspects"][0])


def test_the_same_in_words(cli, table):
    done = cli("inspect", table)
    assert done.returncode == 0, done.stderr
    assert "30 rows in: 30 used (0 of them repaired, 3 with missing or refused cells), 0 refused" in done.stdout
    assert "row 3, price" in done.stdout
    assert "id: nothing is learned from it: it is an identifier (" in done.stdout
    assert "'oops' refused: it is no number" in done.stdout
    assert re.search(r"zip +category", done.stdout)
    assert re.search(r"id +identifier", done.stdout)
    assert "Could be a target (--target): zip, rooms, price, kind, note" in done.stdout


def test_stated_kinds_and_names_are_heeded(cli, table):
    data = inspected(cli, table, "--kind", "rooms=category", "--kind", "kind=flat<house", "--drop", "price")
    columns = {one["name"]: (one["kind"], one["width"]) for one in data["columns"]}
    assert columns["rooms"][0] == "category"
    assert columns["kind"] == ("ordered", 1)
    assert columns["price"][1] == 0


def test_all_entries_go_into_a_file_and_never_over_the_table(cli, table, tmp_path):
    table.write_text(TABLE + "1,2,3\n" * 25)
    data = inspected(cli, table, "--account", "account.csv")
    with open(tmp_path / "account.csv", newline="") as file:
        entries = list(csv.DictReader(file))
    assert len(entries) == 27 > len(data["entries"]) == 10
    rows = [int(entry["row"]) for entry in entries if not entry["column"]]
    assert rows == list(range(31, 56))
    content = table.read_bytes()
    assert {content[int(entry["offset"]) :].split(b"\n")[0] for entry in entries if not entry["column"]} == {b"1,2,3"}
    done = cli("inspect", table, "--account", table)
    assert done.returncode == 2
    assert "not an account" in done.stderr
    assert table.read_bytes() == content


@pytest.mark.parametrize("target", ["id", "country", "zip", "price", "sold", "note"])
def test_any_column_can_be_asked_about_as_the_target(cli, table, target):
    assert inspected(cli, table, "--target", target)["rows"]["used"] == 30


def test_a_single_column_can_be_asked_about_too(cli, tmp_path):
    (tmp_path / "one.csv").write_text("a\n1\n2\n")
    assert inspected(cli, "one.csv", "--target", "a")["suspects"] == []


def test_a_column_that_gives_the_target_away_is_found_although_some_targets_are_missing(cli, tmp_path):
    rows = "".join(f"{k * 7919 % 10007},{k * 7919 % 10007 * 2 + 1},{k * 31 % 97}.5\n" for k in range(2000))
    (tmp_path / "leak.csv").write_text("answer,leak,other\n" + rows + "NA,1,5\noops,2,5\n")
    suspects = inspected(cli, "leak.csv", "--target", "answer")["suspects"]
    assert [one["column"] for one in suspects if "gives the target away" in one["what"]] == ["leak"]


def test_what_gives_the_target_away_has_a_counter_run(cli, tmp_path):
    """The answer is 30 % noise, but for the column that was entered afterwards: a network has little without it."""
    rng = np.random.default_rng(3)
    x, noise = rng.normal(size=1200), rng.random(1200) < 0.3
    left = (x > 0) ^ noise
    refund = np.where(left, 50 + rng.normal(size=1200), 0)
    rows = (f"{a:.3f},{b:.2f},{'yes' if c else 'no'}" for a, b, c in zip(x, refund, left, strict=True))
    (tmp_path / "leak.csv").write_text("x,refund,left\n" + "\n".join(rows) + "\n")
    suspects = inspected(cli, "leak.csv", "--target", "left")["suspects"]
    (suspect,) = (one for one in suspects if one["kind"] == "gives_away")
    assert suspect["columns"] == ["refund"]
    numbers = suspect["numbers"]
    assert numbers["held_out_rows"] == 300
    assert numbers["accuracy_with"] > 0.97
    assert abs(numbers["accuracy_without"] - 0.7) < 0.08  # three standard errors of 300 rows
    words = cli("inspect", "leak.csv", "--target", "left").stdout
    assert f"% of 300 held-out rows with it, {numbers['accuracy_without']:.1%} without it" in words
    trained = cli("train", "leak.csv", "--target", "left", "--epochs", "1")
    assert trained.returncode == 0
    assert trained.stderr.index("refund: it gives the target away") < trained.stderr.index("chosen by rules")
    assert "--drop COLUMN" in trained.stderr
    assert (
        "gives the target away"
        not in cli("train", "leak.csv", "--target", "left", "--epochs", "1", "--drop", "refund").stderr
    )


def test_an_identifier_that_predicts_is_named(cli, tmp_path):
    """As in a file that is sorted by its target."""
    rows = "".join(f"C-{k:04},{k * 7919 % 101},{'low' if k < 300 else 'high'}\n" for k in range(600))
    (tmp_path / "sorted.csv").write_text("code,x,y\n" + rows)
    found = {one["kind"]: one for one in inspected(cli, "sorted.csv", "--target", "y")["suspects"]}
    assert found["dropped"]["column"] == found["identifier_predicts"]["column"] == "code"
    assert found["identifier_predicts"]["numbers"]["explained"] > 0.9
    assert "gives_away" not in found


def test_a_second_table_is_compared_with_the_first(cli, tmp_path):
    """Rows that are in both, a date that runs on, a column that drifts, and one that is missing."""
    rng = np.random.default_rng(4)
    days = np.datetime64("2024-01-01") + np.arange(600)
    sex, size = rng.choice(["f", "m"], 600), rng.normal(size=600).round(3)
    city = np.where(np.arange(600) < 400, rng.choice(["Bern", "Genf"], 600), "Genf")
    lines = [f"{a},{b},{c},{d},{k % 7}" for k, (a, b, c, d) in enumerate(zip(days, sex, size, city, strict=True))]
    (tmp_path / "old.csv").write_text("day,sex,size,city,gone\n" + "\n".join(lines[:400]) + "\n")
    shorter = [line.rpartition(",")[0] for line in (*lines[400:], *lines[:7])]
    (tmp_path / "new.csv").write_text("day,sex,size,city\n" + "\n".join(shorter) + "\n")
    found = {one["kind"]: one for one in inspected(cli, "old.csv", "--test", "new.csv")["suspects"]}
    assert set(found) == {"rows_in_both", "not_in_test", "later", "drift"}
    assert found["rows_in_both"]["columns"] == []
    assert found["rows_in_both"]["numbers"]["rows"] == 7
    assert (found["not_in_test"]["column"], found["later"]["column"], found["drift"]["column"]) == ("gone", "day", "city")
    assert found["later"]["numbers"]["beyond"] == pytest.approx(200 / 207)
    assert "test from 2024-01-01 to 2025-08-22" in found["later"]["evidence"]
    words = cli("inspect", "old.csv", "--test", "new.csv").stdout
    assert "7 of the 207 rows of new.csv are among the training rows too" in words
    refused = cli("train", "old.csv", "--target", "sex", "--test", "new.csv", "--epochs", "1")
    assert refused.returncode == 2
    assert "new.csv has no column 'gone', which the model needs" in refused.stderr
    assert "epoch" not in refused.stderr  # before anything is trained
    trained = cli("train", "old.csv", "--target", "sex", "--test", "new.csv", "--drop", "gone", "--epochs", "1")
    assert trained.returncode == 0, trained.stderr
    assert "7 of the 207 rows of new.csv are among the training rows too" in trained.stderr
    assert "day: its dates lie later in the test" in trained.stderr


def test_a_second_table_of_other_columns_is_one_sentence(cli, table, tmp_path):
    (tmp_path / "other.csv").write_text("a,b\n1,2\n2,3\n")
    done = cli("inspect", table, "--test", "other.csv")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "other.csv has none of the columns 'zip', 'rooms'" in done.stderr


def test_a_missing_file_is_one_sentence(cli):
    done = cli("inspect", "gone.csv")
    assert (done.returncode, done.stdout) == (2, "")
    assert "gone.csv" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.usefixtures("photo_cache")
def test_a_folder_of_pictures_is_inspected_too(cli, tmp_path):
    make_folder(tmp_path / "shapes", ("red disc", "blue box"), 4)
    data = inspected(cli, "shapes")
    assert data
    assert "8 pictures" in cli("inspect", "shapes").stdout
