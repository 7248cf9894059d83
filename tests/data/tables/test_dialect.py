"""The delimiter and the header, found; and what is no table."""

from __future__ import annotations

import pytest
from tables_read import read, written

from pellucid.core.errors import PellucidError
from pellucid.data.tables import source
from pellucid.data.tables.dialect import find_dialect
from pellucid.data.tables.source import Source


def dialect(folder, text, **options):
    return find_dialect(Source.open(written(folder, text)), **options)


@pytest.mark.parametrize("block", [2, 1 << 20])
@pytest.mark.parametrize(
    ("text", "delimiter", "names"),
    [
        ("a,b\n1,2\n", ",", ("a", "b")),
        ("a;b\n1,5;2,5\n3,5;4,5\n", ";", ("a", "b")),
        ("a\tb\n1 x\t2, y\n", "\t", ("a", "b")),
        ("a|b|c\n1|2|3\n", "|", ("a", "b", "c")),
        ("name,text\n1,a;b;c\n2,d;e;f\n", ",", ("name", "text")),
        ('"a;x","b;y"\n1,2\n', ",", ("a;x", "b;y")),
        ("sep=;\na;b\n1;2\n", ";", ("a", "b")),
        ("sep=\t\na\tb\n1\t2\n", "\t", ("a", "b")),
        ("\n\n a , b \n1,2\n", ",", ("a", "b")),
        (",,\na,b,c\n1,2,3\n", ",", ("a", "b", "c")),
        ('"two\nlines",b\n1,2\n', ",", ("two\nlines", "b")),
        ("price\n1\n2\n", ",", ("price",)),
        ("text\nhello, you\nfoo\nbar\n", ";", ("text",)),
        ("country,1990,1991,1992\nA,1,2,3\nB,4,5,6\n", ",", ("country", "1990", "1991", "1992")),
        ("a,,a,a (2)\n1,2,3,4\n", ",", ("a", "column 2", "a (3)", "a (2)")),
        ("a,b,\n1,2,\n3,4,\n", ",", ("a", "b", "column 3")),
        ("a,b\n1,2,\n3,4,\n", ",", ("a", "b")),
    ],
)
def test_what_is_found(tmp_path, monkeypatch, block, text, delimiter, names):
    monkeypatch.setattr(source, "BLOCK", block)
    found = dialect(tmp_path, text)
    assert found.names == names
    assert found.delimiter == delimiter or len(names) == 1
    rest = text.encode()[found.first_row :]
    assert rest
    assert b"a" not in rest.split(b"\n")[0].replace(b"a;b;c", b"").replace(b"A", b"")


def test_a_first_line_that_names_another_sign_is_told(tmp_path):
    with pytest.raises(PellucidError, match=r"says that ';' stands between cells, but ',' does.* --delimiter ','"):
        dialect(tmp_path, "sep=;\na,b\n1,2\n3,4\n")
    assert dialect(tmp_path, "sep=;\na,b\n1,2\n3,4\n", delimiter=",").names == ("a", "b")
    assert dialect(tmp_path, "sep=;\nprice\n1,5\n2,5\n").names == ("price",)


def test_renamed_columns_are_named(tmp_path):
    assert dialect(tmp_path, "a,,a\n1,2,3\n").notes == (
        "column 2 has no name: it is called 'column 2'",
        "column 3 has the name 'a' again: it is called 'a (2)'",
    )


@pytest.mark.parametrize(
    "text",
    [
        "5.1,3.5,setosa\n4.9,3.0,setosa\n6.1,2.2,other\n",
        "5.1,,setosa\n4.9,3.0,setosa\n6.1,2.2,other\n",
        "5.1,NA,setosa\n4.9,3.0,setosa\n6.1,2.2,other\n",
        "red,small\nred,large\nblue,small\n",
        "2024-01-01,x\n2024-01-02,y\n2024-01-03,z\n",
        "1,2,3\n",
        "1,5\n2,6\n",
    ],
)
def test_a_file_without_a_header(tmp_path, text):
    with pytest.raises(PellucidError, match=r"no header|no rows"):
        dialect(tmp_path, text)
    names = [f"n{k}" for k in range(text.split("\n")[0].count(",") + 1)]
    _, rows, numbers, offsets, _ = read(written(tmp_path, text), names=names)
    assert rows == [line.split(",") for line in text.splitlines()]
    assert (numbers[0], offsets[0]) == (1, 0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n", "no rows"),
        ("a,b\na,b\na,b\n", "no rows"),
        (",,\n,,\n", "no rows"),
        ("My table\na,b,c\n1,2,3\n4,5,6\n", "header of .* has 1 column, most rows have 3"),
        ("a,b\n1\n1,2,3\n1,2,3,4\n", "only 0.0% of its rows"),
        ("This is the first line of a text.\nIt goes on here with words.\nAnd ends with a last line here.\n", "no table"),
    ],
)
def test_what_is_no_table(tmp_path, text, words):
    with pytest.raises(PellucidError, match=words):
        dialect(tmp_path, text)


@pytest.mark.parametrize("delimiter", ["::", '"', "\n", "a", "\0", "ab"])
def test_what_is_no_delimiter(tmp_path, delimiter):
    with pytest.raises(PellucidError, match="delimiter is one sign"):
        dialect(tmp_path, "a,b\n1,2\n", delimiter=delimiter)


@pytest.mark.parametrize(
    ("delimiter", "sign"), [("tab", "\t"), ("\\t", "\t"), (" ", " "), ("¦", "¦"), (":", ":"), ("^", "^")]
)
def test_delimiters_that_are_stated(tmp_path, delimiter, sign):
    names, rows, *_ = read(written(tmp_path, f"a{sign}b\n1{sign}2\n"), delimiter=delimiter)
    assert (names, rows) == (("a", "b"), [["1", "2"]])


@pytest.mark.parametrize("names", [["a"], ["a", "b", "c"], ["a", "a"], ["a", ""]])
def test_wrong_names(tmp_path, names):
    with pytest.raises(PellucidError, match=r"cells?|differ"):
        dialect(tmp_path, "1,2\n3,4\n", names=names)


def test_ten_thousand_columns(tmp_path):
    names = [f"c{k % 9000}" for k in range(10_000)]
    found = dialect(tmp_path, ",".join(names) + "\n" + ",".join(["1"] * 10_000) + "\n")
    assert len(set(found.names)) == found.width == 10_000


@pytest.mark.parametrize("row", ["1 234", "12 345 678", "1 234.5", "2024-01-01 12:00"])
def test_one_column_of_numbers_or_dates_with_spaces_is_one_column(tmp_path, row):
    words = " ".join("abc"[: len(row.split())])
    assert read(written(tmp_path, f"{words}\n{row}\n{row}\n"))[:2] == ((words,), [[row], [row]])


def test_a_header_in_quotes_may_hold_a_delimiter(tmp_path):
    with pytest.raises(PellucidError, match="has 2 columns, divided by ','"):
        dialect(tmp_path, "price, EUR\n1\n2\n")
    assert read(written(tmp_path, '"price, EUR"\n1\n2\n'))[:2] == (("price, EUR",), [["1"], ["2"]])


def test_quotes_of_the_header_that_do_not_fit_are_noted(tmp_path):
    found = dialect(tmp_path, 'a,"b,a\n1,2,3\n')
    assert found.names == ("a", '"b', "a (2)")
    assert len(found.notes) == 2
    assert "its quotes do not fit" in found.notes[0]
