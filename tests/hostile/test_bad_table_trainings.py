"""Tables that can be read and yet be hard to learn from, and tables that a model never saw the like of: a model and answers
that are numbers, or one sentence."""

from __future__ import annotations

import random

import numpy as np
import pytest
from small_tables import read_csv

import pellucid as pl

RANDOM = random.Random(4)
NUMBERS = [f"{RANDOM.uniform(-1, 1):.3f}" for _ in range(60)]


def column(*cells):
    """Two columns, a of numbers and t of these cells again and again."""
    return "a,t\n" + "".join(f"{number},{cells[k % len(cells)]}\n" for k, number in enumerate(NUMBERS))


# name -> (content, words of the sentence), for ``train --target t``
NOT_LEARNED = {
    "one class": (column("x"), "all cells are equal"),
    "one number": (column("5"), "all cells are equal"),
    "one class or nothing": (column("x", ""), "all rows that have one have 'x'"),
    "no value of the target": (column(""), "all cells are empty"),
    "missing marks alone": (column("NA"), "all cells are equal"),
    "each its own class": (column(*(f"c{k}" for k in range(60))), "words or codes that are all different"),
    "dates as a target": (column(*(f"2024-03-{1 + k % 28:02}" for k in range(60))), "is a date"),
    "one row": ("a,b,t\n1,2,x\n", "no column to learn 't' from: a is constant, b is constant"),
    "the target alone": ("t\nx\ny\nx\n", "no column to learn 't' from"),
    "all missing but the target": ("a,b,t\n" + ",,x\n,,y\n" * 9, "no column to learn 't' from: a is constant"),
    "a doubtful order of dates": (
        "a,t\n03/04/2024,2.5\n05/06/2024,3\n07/08/2024,1\n",
        "--date-order dmy or --date-order mdy",
    ),
    "a doubtful comma": ('a,t\n"1,234",2.5\n"5,678",3\n', "--decimal"),
    "a target near the end of float64": (column("1.5e308", "-1.6e308", "3e307"), "up to 1.6e+308, a network answers up to"),
    "a target beyond float32": (column("1e39", "-2e39", "0.5"), "up to 2e+39, a network answers up to 3.4e+38"),
    "a target next to zero": (column("1e-320", "5e-320", "0"), "a network can tell 1.18e-38 apart"),
}

# name -> (content, classes or None for numbers), for ``train --target t``
LEARNED = {
    "a column without a cell": ("a,b,t\n" + "".join(f"{n},,{'xy'[k % 2]}\n" for k, n in enumerate(NUMBERS)), ("x", "y")),
    "half of the target missing": (column("x", "", "y", ""), ("x", "y")),
    "two rows": ("a,t\n1,x\n2,y\n", ("x", "y")),
    "numbers near the end of float64": (
        "a,t\n" + "".join(f"{n}e308,{k % 9 / 7:.2f}\n" for k, n in enumerate(NUMBERS)),
        None,
    ),
    "formulas as classes": (column("=cmd()", "+1+1", "@SUM(1)"), ("+1+1", "=cmd()", "@SUM(1)")),
    "classes that control the terminal": (column("\x1b[31mx", "y\u202e"), ("\x1b[31mx", "y\u202e")),
    "names that feign lines": ('"a\nDone",t\n' + column("x", "y")[4:], ("x", "y")),
    "names in another script": ("😀,t\n" + column("שלום", "نعم")[4:], ("שלום", "نعم")),
}


def train(command, tmp_path, content):
    (tmp_path / "table.csv").write_text(content, newline="")
    options = ("--target", "t", "--epochs", "1", "--layers", "dense2", "--out", "m.safetensors")
    return command("train", "table.csv", *options)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", NOT_LEARNED)
def test_what_cannot_be_learned_is_a_sentence(command, tmp_path, name):
    content, words = NOT_LEARNED[name]
    code, _, error = train(command, tmp_path, content)
    assert code == 2
    assert error.count("Error: ") == 1
    assert words in error, error
    assert not (tmp_path / "m.safetensors").exists()


@pytest.mark.filterwarnings("error:overflow:RuntimeWarning", "error:invalid value:RuntimeWarning")
@pytest.mark.parametrize("name", LEARNED)
def test_what_can_be_learned_answers_with_numbers(command, tmp_path, name):
    content, classes = LEARNED[name]
    code, _, error = train(command, tmp_path, content)
    assert code == 0, error
    model = pl.load(tmp_path / "m.safetensors")
    assert set(model.labels) == set(classes or ())
    code, _, error = command("predict", "m.safetensors", "table.csv", "--out", "out.csv")
    assert code == 0, error
    answers, rows = read_csv(tmp_path / "out.csv"), read_csv(tmp_path / "table.csv")
    assert [int(answer["row"]) for answer in answers] == list(range(1, len(rows) + 1))
    assert np.isfinite([float(answer["probability" if classes else "t"]) for answer in answers]).all()
    assert classes is None or {answer["t"] for answer in answers} <= set(classes)


class TestNewTables:
    """What a model of the columns a (a number), b (a word) and the target t is asked about."""

    @pytest.fixture(autouse=True)
    def model(self, tmp_path):
        rows = {"a": [float(n) for n in NUMBERS], "b": ["u", "v", "w"] * 20, "t": ["x", "y"] * 30}
        pl.train(pl.datasets.table(rows, "t"), epochs=1, layers="dense2", progress="none").save(tmp_path / "m.safetensors")

    @pytest.mark.parametrize(
        ("content", "used", "refused", "not_understood"),
        [
            ("a,b\n1,u\n,\n2,\n", 2, 1, [0, 0]),
            ("a,b\ninf,u\n1e400,v\nnan,w\n-Infinity,w\n", 4, 0, [1, 1, 0, 1]),
            ("a,b\noops,new\n\x1b[31m,u\n", 2, 0, [2, 1]),
            ("b,extra,a\nu,9,1\nv,9,2\n", 2, 0, [0, 0]),
            ("a,b\n1,u\n1\n1,u,v\na,b\n2,\0\n3,v\n", 2, 4, [0, 0]),
            ("a,a,b\n1,9,u\n2,9,v\n", 2, 0, [0, 0]),
            ('a,b\n1,"u\n2,v\n', 2, 0, [1, 0]),
            ("a,b\r1,u\r2,v\r", 2, 0, [0, 0]),
            ("a,b\n1,u\nTotal,1\n", 1, 1, [0]),
        ],
    )
    def test_each_row_is_answered_or_refused(self, command, tmp_path, content, used, refused, not_understood):
        (tmp_path / "new.csv").write_text(content, newline="")
        code, out, error = command("predict", "m.safetensors", "new.csv", "--out", "out.csv", "--account", "account.csv")
        assert code == 0, error
        assert f"{used + refused:,} row" in out + error
        assert f"{refused:,} refused" in out + error
        answers = read_csv(tmp_path / "out.csv")
        assert [int(answer["cells not understood"]) for answer in answers] == not_understood
        assert all(0 < float(answer["probability"]) <= 1 for answer in answers)
        account = read_csv(tmp_path / "account.csv")
        refused_rows = {int(entry["row"]) for entry in account if not entry["column"] and entry["refused"] == "True"}
        assert refused_rows | {int(answer["row"]) for answer in answers} == set(range(1, used + refused + 1))
        assert len(refused_rows) == refused

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            ("", "is empty"),
            ("a,b\n", "a header and no rows"),
            ("b\nu\nv\n", "no column 'a'"),
            ("A,B\n1,u\n2,v\n", "no column 'a'"),
            (bytes(range(256)).decode("latin-1"), "is not text"),
            ("a,b\n1\n2\n3\n", "has 2 columns"),
        ],
    )
    def test_what_lacks_columns_or_rows_is_a_sentence(self, command, tmp_path, content, words):
        (tmp_path / "new.csv").write_text(content, newline="")
        code, out, error = command("predict", "m.safetensors", "new.csv", "--out", "out.csv")
        assert (code, out) == (2, "")
        assert words in error
        assert error.count("Error: ") == 1
        assert not (tmp_path / "out.csv").exists()

    def test_a_class_that_training_did_not_have_is_refused_by_that_rule(self, command, tmp_path):
        (tmp_path / "new.csv").write_text("a,b,t\n1,u,x\n2,v,zebra\n1,u,y\n3,w,\n")
        code, out, error = command("evaluate", "m.safetensors", "new.csv")
        assert code == 0, error
        shown = " ".join((out + error).split())
        assert "4 rows in: 2 used" in shown
        assert "'zebra' refused: its t cannot be used: its value did not come in training" in shown
        assert "'' refused: it has no t" in shown
