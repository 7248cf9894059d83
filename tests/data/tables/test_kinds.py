"""Kinds of columns, decided on every cell; and questions where cells do not tell."""

from __future__ import annotations

import pytest

from pellucid.core.errors import PellucidError
from pellucid.data.tables.kinds import decide
from pellucid.data.tables.profile import ColumnProfile

WORDS = ["red", "green", "blue"] * 20


def kind_of(cells, stated=None, name="x", **options):
    profile = ColumnProfile(name)
    for k in range(0, len(cells), 7):
        profile.add(cells[k : k + 7])
    return decide(profile, stated, **options)


@pytest.mark.parametrize(
    ("cells", "name", "kind"),
    [
        (["1.5", "2", "3.25"], "x", "number"),
        (["-1", "2", "3"], "x", "number"),
        (["3", "1", "7"], "x", "count"),
        (["3", "NA", "7", ""], "x", "count"),
        (["1.5", "?", "-", "2"], "x", "number"),
        (["1.5"] * 9 + ["oops"], "x", "number"),
        (["1.5"] * 8 + ["oops", "ouch"], "x", "category"),
        (["NA", "EU", "AS", "NA"], "x", "category"),
        (["yes", "no", "yes"], "x", "yes_no"),
        (["TRUE", "False", "true"], "x", "category"),  # three texts
        (["0", "1", "1"], "x", "yes_no"),
        (["1", "", "1"], "x", "yes_no"),
        (["5", "5", "5"], "x", "constant"),
        (["", "", ""], "x", "constant"),
        (WORDS, "x", "category"),
        (["02139", "10001", "94103"] * 10, "zip", "category"),
        (["02139"] * 2 + [str(10000 + k) for k in range(98)], "zip", "category"),
        (["007"] + [str(k) for k in range(300)] * 2, "x", "count"),  # a single slip of the pen in 600
        ([f"A{k:03}" for k in range(30)], "x", "identifier"),
        ([str(k) for k in range(1, 31)], "x", "identifier"),
        ([str(k * k) for k in range(1, 31)], "x", "count"),
        ([str(k * k) for k in range(1, 31)], "customer_id", "identifier"),
        ([f"{k} is quite a long text here" for k in range(30)], "x", "text"),
        (["2024-01-05", "2024-02-30", *["2024-03-01"] * 20], "x", "date"),
        (["31.12.2024", "1.1.2025"], "x", "date"),
        (["Jan 5, 2024", "March 7, 2024"], "x", "date"),
        ([str(9_007_199_254_740_993 + k % 3) for k in range(30)], "x", "category"),  # float64 knows no 2^53 + 1
        ([str(12_345_678_901_234_567 + k) for k in range(30)], "x", "identifier"),
        ([str(12_345_678_901_234_567 * 10 ** (k % 3) + k) for k in range(30)], "x", "count"),  # no codes: of many lengths
        ([str(2**60 * k) for k in range(2, 8)], "x", "count"),  # exact
        (["1,5", "2,5"], "x", "number"),
        (["$1,200.50", "$3.10"], "x", "number"),
        (["12 %", "13 %"], "x", "number"),
    ],
)
def test_kinds_by_hand(cells, name, kind):
    decided = kind_of(cells, name=name)
    assert decided.kind == kind, decided.why
    assert decided.why


def test_too_many_words_for_a_category_are_text(monkeypatch):
    few, many = ([f"w{k}" for k in range(number)] for number in (900, 1100))
    assert kind_of([*few, "w1"]).kind == "category"
    assert kind_of([*many, "w1"]).kind == "text"
    assert kind_of(many * 2).kind == "category"
    monkeypatch.setattr("pellucid.data.tables.profile.MOST_VALUES", 50)
    assert kind_of([f"w{k % 60}" for k in range(200)]).kind == "text"


@pytest.mark.parametrize(
    ("cells", "decimal", "thousands"),
    [
        (["1.5", "2"], ".", ""),
        (["1,5", "2"], ",", ""),
        (["1.234,5", "2"], ",", "."),
        (["1,234.5", "2"], ".", ","),
        (["1,234,567", "2,345"], ".", ","),
        (["1.234.567", "2.345"], ",", "."),
        (["1'234.5", "2.5"], ".", "'"),
        (["1 234,5", "2,5"], ",", " "),
        (["1.234", "2.345"], ".", ""),  # a point is a decimal one where nothing says otherwise
    ],
)
def test_the_format_of_numbers_is_that_of_all_cells(cells, decimal, thousands):
    decided = kind_of(cells)
    assert decided.number_format[:2] == (decimal, thousands)
    assert decided.question is None


def test_a_comma_that_may_mean_either_is_asked_for_and_the_answer_is_taken():
    cells = ["1,234", "2,345"]
    assert "1.234 or 1234" in kind_of(cells).question
    assert "--decimal" in kind_of(cells).question
    comma, point = kind_of(cells, decimal=","), kind_of(cells, decimal=".")
    assert (comma.question, point.question) == (None, None)
    assert comma.number_format.number("1,234") == 1.234
    assert point.number_format.number("1,234") == 1234
    assert kind_of(["$1,234", "5,678", *["$2,345"] * 30]).question is not None


@pytest.mark.parametrize("decimal", [",", "."])
def test_a_stated_sign_does_not_change_columns_whose_numbers_tell(decimal):
    for cells in (["0.5", "1.25"], ["0,5", "1,25"]):
        assert kind_of(cells, decimal=decimal) == kind_of(cells)


def test_a_date_without_a_day_above_12_is_asked_for_and_the_answer_is_taken():
    cells = ["03/04/2024", "05/06/2024"]
    assert "day or with the month first" in kind_of(cells).question
    for order in ("dmy", "mdy"):
        assert (kind_of(cells, date_order=order).date_order, kind_of(cells, date_order=order).question) == (order, None)
    for cells, order in ((["03/04/2024", "13/04/2024"], "dmy"), (["03/04/2024", "04/13/2024"], "mdy")):
        for stated in (None, "dmy", "mdy"):
            decided = kind_of(cells, date_order=stated)
            assert (decided.kind, decided.date_order, decided.question) == ("date", order, None)


def test_days_that_contradict_each_other_are_asked_for():
    cells = ["13/04/2024", "04/13/2024", *["03/04/2024"] * 30]
    decided = kind_of(cells)
    assert decided.kind == "date"
    assert "day first and with the month first" in decided.question
    assert kind_of(cells, date_order="mdy").date_order == "mdy"


@pytest.mark.parametrize(
    ("cells", "order"),
    [
        (["31.12.99", "01.02.03"], "dmy"),  # 99 is no day
        (["13/02/45", "01/02/24"], "dmy"),
        (["12/31/24", "01/02/24"], "mdy"),  # 31 is no month of a year 12
        (["1/2/24", "31/1/24"], "dmy"),  # 1 is no year of two digits
        (["31.12.24", "31.12.2024"], "dmy"),  # the year is not first in the second one
        (["03-Mar-24", "28-Feb-99"], "d month y"),
    ],
)
def test_years_of_two_digits_are_read_where_the_column_proves_the_order(cells, order):
    decided = kind_of(cells)
    assert (decided.kind, decided.date_order, decided.question) == ("date", order, None)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["01/02/24", "03/04/24"], "begin with the day, the month or the year"),
        (["24-12-31", "24-12-01"], "begin with the day, the month or the year"),
        (["31.12.24", "01.02.24"], "if it is the year, write it with four digits"),
        (["1/2/24", "3/4/24"], "with the day or with the month first"),
        (["01/02/45", "03/04/24"], "with the day or with the month first"),
    ],
)
def test_years_of_two_digits_that_may_be_days_are_asked_for(cells, words):
    assert words in kind_of(cells).question
    assert "--date-order dmy" in kind_of(cells).question
    decided = kind_of(cells, date_order="dmy")
    assert (decided.kind, decided.date_order, decided.question) == ("date", "dmy", None)
    assert "from 1969 to 2068" in decided.why


def test_what_is_stated_is_done():
    assert kind_of(["1", "2", "3"], "category").kind == "category"
    assert kind_of(["S", "M"], ["S", "M", "L"]).levels == ("S", "M", "L")
    for stated, words in (("ordered", "levels"), ("numbr", "number"), (["S"], "levels"), (["S", "S"], "levels")):
        with pytest.raises(PellucidError, match=words):
            kind_of(["1"], stated)
    for options in ({"decimal": "x"}, {"date_order": "ymd"}):
        with pytest.raises(PellucidError, match=next(iter(options))):
            kind_of(["1"], **options)


def test_numbers_that_are_rounded_are_counted():
    """2^53 + 1 and 2^53 + 3 lie between two numbers of float64; 2^53 + 2 and 2^70 are exact."""
    cells = ["9007199254740992", "9007199254740993", "-9007199254740995", "9007199254740994", str(2**70), "1e17", "5", ""]
    assert kind_of(cells).why.endswith("; 2 are beyond 2^53, and rounded")
    assert "rounded" not in kind_of(["9007199254740992", "3"]).why
