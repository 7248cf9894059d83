"""``pellucid predict`` for the rows of a table, against NumPy from the text of the cells."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest
from small_tables import outputs, probabilities, read_csv

ODD = (
    "age,rooms,sea,built,price\n"
    "3,5.5,near,2001-02-03,210\n"
    ",4.1,moon,2003-05-06,150\n"  # a missing cell is none that was not understood; moon is
    "7,x,far,bad,170\n"
    "1,2\n"  # refused: too short
    "20,6.5,far,2010-10-10,\n"  # without the target, which is not needed
    "11,4.4,island,1999-12-31,nonsense\n"
)
NUMBERS, NOT_UNDERSTOOD = [1, 2, 3, 5, 6], [0, 1, 2, 0, 0]


@pytest.fixture
def odd(tmp_path):
    """The path of `ODD`, and its rows that can be used."""
    path = tmp_path / "odd.csv"
    path.write_text(ODD)
    rows = read_csv(path)
    return path, [rows[number - 1] for number in NUMBERS]


def of_csv(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_each_row_has_its_number_its_answer_and_what_was_not_understood(cli, houses, odd):
    model, file, _ = houses["price"]
    path, rows = odd
    done = cli("predict", file, path)
    assert done.returncode == 0
    found = of_csv(done.stdout)
    assert list(found[0]) == ["row", "price", "cells not understood"]
    assert [int(row["row"]) for row in found] == NUMBERS
    assert [int(row["cells not understood"]) for row in found] == NOT_UNDERSTOOD
    answers = [float(row["price"]) for row in found]
    np.testing.assert_allclose(answers, outputs(model, rows)[:, 0], rtol=1e-5)
    assert "6 rows in: 5 used (0 of them repaired, 3 with missing or refused cells), 1 refused" in done.stderr
    assert "row 2, sea" in done.stderr
    assert "'moon' refused: its value did not come in training" in done.stderr


@pytest.mark.parametrize("target", ["sold", "class"])
def test_classes_have_probabilities(cli, houses, odd, target):
    model, file, _ = houses[target]
    path, rows = odd
    found = of_csv(cli("predict", file, path).stdout)
    p = probabilities(model, rows)
    assert [row[target] for row in found] == [model.labels[k] for k in p.argmax(axis=1)]
    np.testing.assert_allclose([float(row["probability"]) for row in found], p.max(axis=1), atol=2e-6)


def test_an_interval_reaches_as_far_as_the_residuals_that_were_kept_aside(cli, houses, odd, tmp_path):
    """For 90 %, the ceil(0.9 (n + 1))-th smallest of n absolute residuals."""
    model, file, _ = houses["price"]
    path, rows = odd
    done = cli("predict", file, path, "--confidence", "0.9", "--out", tmp_path / "answers.csv")
    assert done.stdout == ""
    assert "5 answers in" in done.stderr
    found = read_csv(tmp_path / "answers.csv")
    (scores,) = model.conformal_scores
    reach = np.sort(scores.scores)[int(np.ceil(0.9 * (scores.count + 1))) - 1]
    answers = outputs(model, rows)[:, 0]
    np.testing.assert_allclose([float(row["low"]) for row in found], answers - reach, rtol=1e-5)
    np.testing.assert_allclose([float(row["high"]) for row in found], answers + reach, rtol=1e-5)


def test_a_set_names_labels_by_probability(cli, houses):
    """A class is in the set if its score, minus its log probability at T = 1, is not above the quantile."""
    model, file, new = houses["class"]
    found = of_csv(cli("predict", file, new, "--confidence", "0.9").stdout)
    (scores,) = model.conformal_scores
    quantile = np.sort(scores.scores)[int(np.ceil(0.9 * (scores.count + 1))) - 1]
    z = outputs(model, read_csv(new))
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    assert any("|" in row["set"] for row in found)
    for row, each in zip(found, log_p, strict=True):
        order = np.argsort(-each)
        expected = [model.labels[k] for k in order if -each[k] <= quantile or k == order[0]]
        assert row["set"].split("|") == expected


def test_json_says_the_same_beside_the_account(cli, houses, odd):
    _, file, _ = houses["class"]
    text, document = (cli("predict", file, odd[0], "--confidence", "0.9", *more).stdout for more in ((), ["--json"]))
    found = json.loads(document)
    assert found["target"] == "class"
    assert found["rows"] == {"in": 6, "used": 5, "repaired": 0, "missing": 3, "refused": 1}
    assert found["cells"] == {"in": 25, "used": 22, "repaired": 0, "missing": 2, "refused": 3}
    for row, each in zip(of_csv(text), found["answers"], strict=True):
        assert (int(row["row"]), row["class"]) == (each["row"], each["label"])
        assert float(row["probability"]) == each["probability"]
        assert row["set"].split("|") == each["set"]
        assert int(row["cells not understood"]) == each["not_understood"]


def test_the_account_goes_to_a_file(cli, houses, odd, tmp_path):
    cli("predict", houses["price"][1], odd[0], "--account", tmp_path / "account.csv")
    entries = {(row["row"], row["column"], row["value"]) for row in read_csv(tmp_path / "account.csv")}
    assert entries == {("4", "", "1,2"), ("2", "sea", "moon"), ("3", "rooms", "x"), ("3", "built", "bad")}


def test_how_the_file_is_read_can_be_said(cli, houses, tmp_path):
    """Without a header, with another delimiter, and in another encoding than UTF-8."""
    model, file, _ = houses["price"]
    rows = [dict(zip(("sea", "note", "rooms", "age", "built"), row, strict=True)) for row in
            (("near", "schön", "5.5", "3", "2001-02-03"), ("far", "übel", "4", "40", "1995-07-09"))]  # fmt: skip
    path = tmp_path / "bare.txt"
    path.write_text("".join("|".join(row.values()) + "\n" for row in rows), encoding="windows-1252")
    said = ["--names", "sea,note,rooms,age,built", "--delimiter", "|", "--encoding", "windows-1252"]
    found = of_csv(cli("predict", file, path, *said).stdout)
    assert [int(row["row"]) for row in found] == [1, 2]
    np.testing.assert_allclose([float(row["price"]) for row in found], outputs(model, rows)[:, 0], rtol=1e-5)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"age,sea\n1,far\n", "has no column 'rooms', 'built'"),
        (b"\x89PNG\r\n\x1a\n0000", "is a picture, not a folder of pictures, and not a table"),
        (None, "does not exist; expected a table"),
        (b"age,rooms,sea,built\n", "row"),
    ],
)
def test_what_is_no_such_table_is_one_sentence(cli, houses, tmp_path, content, message):
    path = tmp_path / "new.csv"
    if content is not None:
        path.write_bytes(content)
    done = cli("predict", houses["price"][1], path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1
    assert message in done.stderr


def test_models_of_pictures_and_models_of_tables_do_not_mix(cli, houses, trained, pictures, odd):
    file = houses["price"][1]
    for arguments, message in (
        ((trained[1], odd[0]), "is not a picture that can be read"),
        ((trained[1], pictures[0], "--out", "answers.csv"), "no model of tables; leave --out out"),
        ((file, odd[0], odd[0]), "one table at a time"),
        ((file, odd[0], "--top", "3"), "leave --top out"),
    ):
        done = cli("predict", *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert message in done.stderr


def test_nothing_but_old_predictions_is_overwritten(cli, houses, odd, tmp_path):
    file, (path, _) = houses["price"][1], odd
    kept = tmp_path / "notes.txt"
    kept.write_text("remember the milk")
    for place in (kept, path):
        assert cli("predict", file, path, "--out", place).returncode == 2
        assert cli("predict", file, path, "--account", place).returncode == 2
    assert (kept.read_text(), path.read_text()) == ("remember the milk", ODD)
    for _ in range(2):
        assert cli("predict", file, path, "--out", tmp_path / "answers.csv").returncode == 0
