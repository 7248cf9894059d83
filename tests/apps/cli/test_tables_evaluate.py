"""``pellucid evaluate`` on a table: figures against scikit-learn on answers by NumPy; worst mistakes as rows; the page."""

from __future__ import annotations

import csv
import json
import re

import numpy as np
import pytest
from report_pages import Page
from sklearn import metrics as reference
from small_tables import outputs, probabilities, read_csv

import pellucid as pl


@pytest.fixture
def found(cli, houses):
    """target -> (model, rows of the table, what --json says)."""

    def of(target):
        model, file, new = houses[target]
        done = cli("evaluate", file, new, "--json")
        assert done.returncode == 0, done.stderr
        return model, read_csv(new), json.loads(done.stdout)

    return of


def test_numbers_are_judged_in_their_own_units(found):
    model, rows, said = found("price")
    y, predicted = np.array([float(row["price"]) for row in rows]), outputs(model, rows)[:, 0]
    assert said["samples"] == len(rows)
    assert said["rmse"] == pytest.approx(reference.root_mean_squared_error(y, predicted), rel=1e-5)
    assert said["mae"] == pytest.approx(reference.mean_absolute_error(y, predicted), rel=1e-5)
    assert said["r2"] == pytest.approx(reference.r2_score(y, predicted), rel=1e-5)
    (interval,) = said["intervals"]
    assert interval["covered"] == np.mean(np.abs(y - predicted) <= interval["reach"])
    order = np.argsort(-np.abs(y - predicted))[:10]
    assert [each["row"] for each in said["worst_mistakes"]] == [k + 1 for k in order]
    assert [each["cells"] for each in said["worst_mistakes"]] == [rows[k] for k in order]
    np.testing.assert_allclose([each["predicted"] for each in said["worst_mistakes"]], predicted[order], rtol=1e-5)


def test_one_row_is_one_row(cli, houses):
    _, file, new = houses["price"]
    header, row, *_ = new.read_text().splitlines()
    (one := new.parent / "one.csv").write_text(f"{header}\n{row}\n")
    done = cli("evaluate", file, one)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].endswith(f"{one.name}: 1 row")


@pytest.mark.parametrize("target", ["sold", "class"])
def test_classes_are_judged_as_those_of_pictures(found, target):
    model, rows, said = found(target)
    p = probabilities(model, rows)
    y = np.array([model.labels.index(row[target]) for row in rows])
    assert said["accuracy"] == reference.accuracy_score(y, p.argmax(axis=1))
    np.testing.assert_array_equal(said["confusion"], reference.confusion_matrix(y, p.argmax(axis=1)))
    z = outputs(model, rows)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    assert said["loss"] == pytest.approx(-log_p[np.arange(len(y)), y].mean(), rel=1e-5)
    if target == "sold":
        assert said["trust"]["brier_score"] == pytest.approx(reference.brier_score_loss(y, p[:, 1]), rel=1e-5)
        assert said["auc"] == pytest.approx(reference.roc_auc_score(y, p[:, 1]), abs=1e-12)
        assert said["trust"]["thresholds"]["label"] == "yes"
    else:
        assert "auc" not in said
    wrong = np.flatnonzero(p.argmax(axis=1) != y)
    order = wrong[np.argsort(-p.max(axis=1)[wrong])][:10]
    assert [each["row"] for each in said["worst_mistakes"]] == [k + 1 for k in order]
    assert [each["cells"] for each in said["worst_mistakes"]] == [rows[k] for k in order]


def test_rows_that_cannot_be_judged_are_in_the_account(cli, houses, tmp_path):
    """Without a target, with one that is no number, and too short; the numbers of the others are those of the file."""
    model, file, new = houses["price"]
    lines = new.read_text().splitlines()
    lines[3] = lines[3].rpartition(",")[0] + ","
    lines[5] = lines[5].rpartition(",")[0] + ",dear"
    lines[7] = "1,2"
    path = tmp_path / "holes.csv"
    path.write_text("\n".join(lines) + "\n")
    done = cli("evaluate", file, path, "--json", "--account", tmp_path / "account.csv")
    said = json.loads(done.stdout)
    assert said["rows"] == {"in": 90, "used": 87, "repaired": 0, "missing": said["rows"]["missing"], "refused": 3}
    assert said["samples"] == 87
    kept = [k for k in range(90) if k not in (2, 4, 6)]
    rows = [read_csv(new)[k] for k in kept]
    off = np.abs([float(row["price"]) for row in rows] - outputs(model, rows)[:, 0])
    assert [each["row"] for each in said["worst_mistakes"]] == [kept[k] + 1 for k in np.argsort(-off)[:10]]
    assert sorted(row["row"] for row in read_csv(tmp_path / "account.csv")) == ["3", "5", "7"]
    assert "90 rows in: 87 used" in done.stderr


@pytest.mark.parametrize("target", ["price", "sold", "class"])
def test_words_say_the_same_as_json(cli, houses, found, target):
    _, file, new = houses[target]
    words, (_, _, said) = cli("evaluate", file, new).stdout, found(target)
    if target == "price":
        assert f"rmse {said['rmse']:.6g}   mae {said['mae']:.6g}   r2 {said['r2']:.4f}" in words
        assert f"they hold {said['intervals'][0]['covered']:.1%} of these rows" in words
    else:
        assert f"accuracy {said['accuracy']:.2%}" in words
        assert ("auc" in said) == (f"   auc {said.get('auc', 0):.4f}" in words)
    table = words[words.rindex("row  ") :].splitlines()[2:12]
    assert [int(line.split()[0]) for line in table if line] == [each["row"] for each in said["worst_mistakes"]]
    assert "picture" not in words
    assert "\\n" not in words


@pytest.mark.parametrize("target", ["price", "sold", "class"])
def test_the_importance_of_each_column_is_that_of_the_library(cli, houses, found, target):
    model, file, new = houses[target]
    expected = pl.permutation_importance(model, new)
    said = found(target)[2]["importance"]
    assert (said["metric"], said["rows"], said["permutations"]) == ("rmse" if target == "price" else "accuracy", 90, 5)
    assert [each["column"] for each in said["columns"]] == [one.column for one in expected.columns]
    np.testing.assert_allclose(
        [[each["importance"], each["low"], each["high"]] for each in said["columns"]],
        [[one.importance, one.low, one.high] for one in expected.columns],
        rtol=1e-12,
    )
    assert said["score"] == pytest.approx(found(target)[2]["rmse" if target == "price" else "accuracy"])
    assert str(expected) in cli("evaluate", file, new).stdout


@pytest.mark.parametrize("target", ["price", "sold", "class"])
def test_the_page_shows_rows_and_no_pictures(cli, houses, found, tmp_path, target):
    _, file, new = houses[target]
    done = cli("evaluate", file, new, "--report", tmp_path / "page.html")
    assert done.returncode == 0
    page, (_, rows, said) = Page((tmp_path / "page.html").read_text(encoding="utf-8")), found(target)
    (table,) = (each for each in page.tables if each[0][:3] == ["row", "is", "said"])
    assert table[0][4:] == ["age", "rooms", "sea", "built"]
    assert [int(line[0]) for line in table[1:11]] == [each["row"] for each in said["worst_mistakes"]]
    for line in table[1:]:
        row = rows[int(line[0]) - 1]
        assert line[1] == (f"{float(row['price']):.6g}" if target == "price" else row[target])
        assert line[4:] == [row[name] for name in table[0][4:]]
    text = " ".join(page.words)
    assert "picture" not in text.casefold()
    assert "90 rows in: 90 used" in text
    assert not any(tag == "img" for tag, _ in page.elements)
    anchors = {attributes.get("id") for _, attributes in page.elements}
    links = [attributes["href"][1:] for tag, attributes in page.elements if tag == "a"]
    assert links
    assert anchors.issuperset(links)


@pytest.mark.parametrize("target", ["price", "sold", "class"])
def test_the_page_says_which_columns_matter_and_what_if(cli, houses, found, tmp_path, target):
    """The same figures as --json; a chart for each column of numbers, and a row with a bar for each value of a category."""
    model, file, new = houses[target]
    assert cli("evaluate", file, new, "--report", tmp_path / "page.html").returncode == 0
    page, (_, rows, said) = Page((tmp_path / "page.html").read_text(encoding="utf-8")), found(target)
    importance = next(each for each in page.tables if each[0][1:2] == ["rise of the rmse"] or "points" in each[0][1])
    assert [line[0] for line in importance[1:]] == [each["column"] for each in said["importance"]["columns"]]
    if target != "price":
        first = said["importance"]["columns"][0]
        shown = (100 * first[name] for name in ("importance", "low", "high"))
        assert importance[1][1] == "{:.2f}{:.2f} to {:.2f}".format(*shown)
    contributions = next(each for each in page.tables if each[0][1:2] == ["mean size"])
    assert {line[0] for line in contributions[1:]} == {"age", "rooms", "sea", "built"}
    assert re.search(r"the sums miss the scores by \S+ at most, \S+ relative", page.text)
    (sea,) = (each for each in page.tables if each[0][0] == "sea")
    assert [line[0] for line in sea[1:]] == ["far", "island", "near"]
    changed = [{**row, "sea": "near"} for row in rows]
    if target == "price":
        assert float(sea[3][1].replace(",", "")) == pytest.approx(outputs(model, changed).mean(), rel=1e-3)
    else:
        k = model.labels.index("yes" if target == "sold" else sea[0][1])
        assert float(sea[3][1].rstrip("%")) == pytest.approx(100 * probabilities(model, changed)[:, k].mean(), abs=0.06)
    charts = {each["aria-label"].split(".")[0] for each in page.all("svg") if "aria-label" in each}
    assert charts >= {f"Mean answer over {name}" for name in ("age", "rooms", "built")}
    lines = [each for tag, each in page.elements if tag == "polyline" and each["class"] == "line thin"]
    assert len(lines) == (0 if target == "class" else 3 * 25)
    assert len([each for tag, each in page.elements if tag == "rect" and "bar" in each["class"]]) > 8


def test_the_page_shows_what_was_refused_line_by_line(cli, houses, tmp_path):
    _, file, new = houses["price"]
    lines = new.read_text().splitlines()
    lines[2], lines[4] = "1,2", lines[4].rpartition(",")[0] + ","
    (tmp_path / "holes.csv").write_text("\n".join(lines) + "\n")
    assert cli("evaluate", file, tmp_path / "holes.csv", "--report", tmp_path / "page.html").returncode == 0
    source = (tmp_path / "page.html").read_text(encoding="utf-8")
    shown = source.partition("<pre>")[2].partition("</pre>")[0].splitlines()
    assert [line.split()[:2] for line in shown[:2]] == [["1", "refused:"], ["1", "refused:"]]
    assert [line.split()[:2] for line in shown[2:4]] == [["row", "2"], ["row", "4"]]
    page = Page(source)
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(drawing.get("aria-label") or drawing.get("aria-hidden") for drawing in page.all("svg"))


def test_the_page_of_many_columns_and_odd_cells(cli, tmp_path, houses):
    """Cells are text, whatever they hold; of many columns the first are shown, those that the model knows before others."""
    _, file, new = houses["price"]
    with open(new, newline="") as source, open(tmp_path / "wide.csv", "w", newline="") as target:
        writer = csv.writer(target)
        for k, line in enumerate(csv.reader(source)):
            writer.writerow([*(f"more {n}" if k == 0 else "<script>alert(1)</script>" for n in range(30)), *line])
    done = cli("evaluate", file, tmp_path / "wide.csv", "--report", tmp_path / "page.html")
    assert done.returncode == 0
    page = Page((tmp_path / "page.html").read_text(encoding="utf-8"))
    (table,) = (each for each in page.tables if each[0][:3] == ["row", "is", "said"])
    assert table[0][4:9] == ["age", "rooms", "sea", "built", "more 0"]
    assert len(table[0]) == 4 + 20
    assert table[1][8] == "<script>alert(1)</script>"
    assert not any(tag == "script" for tag, _ in page.elements)
    assert "14 more columns are not shown" in " ".join(page.words)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("digits", "expected a table"),
        ("lacks.csv", "no column 'built', 'price'"),
        ("unknown.csv", "it has no price"),
    ],
)
def test_what_it_cannot_be_judged_on_is_one_sentence(cli, houses, tmp_path, data, message):
    (tmp_path / "lacks.csv").write_text("age,rooms,sea\n1,2,far\n")
    (tmp_path / "unknown.csv").write_text("age,rooms,sea,built,price\n1,2,far,2001-01-01,\n")
    done = cli("evaluate", houses["price"][1], data)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert message in done.stderr


def test_a_model_of_pictures_takes_no_options_of_tables(cli, trained):
    done = cli("evaluate", trained[1], "digits", "--account", "account.csv", "--delimiter", ";")
    assert done.returncode == 2
    assert "leave --account, --delimiter out" in done.stderr
