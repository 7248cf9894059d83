"""Cells as bytes: the same texts, groups and columns as from a list of str, natively and without the native module."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pellucid.data.tables import cell_texts, cells, dates
from pellucid.data.tables.cell_texts import CellTexts, first_of_equal, quick_columns
from pellucid.data.tables.columns import CategoryColumn
from pellucid.data.tables.dates import ORDERS_OF_DIGITS, date_of, parse_dates, read_dates
from pellucid.data.tables.division import SPACES, divide
from pellucid.data.tables.profile import ColumnProfile

TEXTS = st.lists(st.text(st.characters(exclude_categories=[]) | st.sampled_from("a1\n é"), max_size=9))
EVERY_WAY = pytest.mark.parametrize("way", ["native", "python"])


@pytest.fixture
def choose(monkeypatch):
    def by(way):
        if way == "python":
            for module in (cell_texts, cells, dates):
                monkeypatch.setattr(module, "_native", None)

    return by


@settings(deadline=None)
@given(TEXTS)
@example([])
@example([""])
@example(["", "\n", "a\nb", "\ud800"])
def test_a_list_of_texts_stays_what_it_is(texts):
    found = CellTexts.of(texts)
    assert CellTexts.of(found) is found
    again = CellTexts(found.content, found.begins, found.ends)  # without the list that it came from
    assert list(again) == [again[k] for k in range(len(again))] == texts
    assert list(again[1:]) == texts[1:]
    assert again.are_empty.tolist() == [not text for text in texts]
    assert [text in again for text in [*texts, "zz", ""]] == [text in texts for text in [*texts, "zz", ""]]
    assert 5 not in again
    places = np.arange(len(texts))[::-2]
    assert list(again.at(places)) == texts[::-2]


@EVERY_WAY
def test_the_place_of_the_first_that_is_equal(way, monkeypatch):
    if way == "python":
        monkeypatch.setattr(cell_texts, "_native", None)
    chance = np.random.default_rng(3)
    numbers = chance.integers(0, 700, 2000).tolist()
    hashes = chance.integers(0, 2**64, 700, np.uint64)[numbers]
    assert first_of_equal(hashes).tolist() == [numbers.index(number) for number in numbers]
    assert first_of_equal(hashes[:0]).tolist() == []


@EVERY_WAY
@settings(deadline=None)
@given(data=TEXTS.flatmap(lambda texts: st.lists(st.sampled_from([*texts, "", "x"]), max_size=40)))
def test_groups_and_hashes_are_those_of_equal_texts(way, data):
    with pytest.MonkeyPatch.context() as patch:
        if way == "python":
            patch.setattr(cell_texts, "_native", None)
        found = CellTexts.of(data)
        different, group = found.groups()
        hashes = found.hashes()
    assert different == list(dict.fromkeys(data))
    assert [different[k] for k in group] == data
    assert len(set(hashes.tolist())) == len(set(data))
    assert all(hashes[k] == hashes[data.index(text)] for k, text in enumerate(data))


def test_a_million_texts_have_as_many_hashes():
    texts = [f"{k}.{k % 7}" for k in range(1_000_000)]
    assert len(np.unique(CellTexts.of(texts).hashes())) == len(texts)


@settings(deadline=None)
@given(
    st.text(st.sampled_from('a1é ,;"\t\r\n\0'), max_size=30),
    st.sampled_from(",;\t "),
    st.sampled_from("\n\r"),
    st.integers(1, 3),
)
@example('"a;b", c ;"d"\r\n1;2', ";", "\n", 2)
@example('a,"b""c"', ",", "\n", 2)
@example('a,"b\nc"', ",", "\n", 2)
@example('a ,"b" ,c', ",", "\n", 3)
@example('"a"\r', ",", "\n", 1)
def test_what_is_divided_quickly_is_divided_as_by_the_rules_of_csv(text, delimiter, line_end, width):
    found = quick_columns(text.encode(), delimiter, line_end.encode(), width)
    if found is None:
        return
    columns, begins = found
    lines = text.split(line_end)
    assert "\0" not in text
    records = list(divide(lines, delimiter, line_end, width))
    assert [record.fault for record in records] == [""] * len(lines)
    rows = [[cell.strip(SPACES) for cell in record.cells] or [""] for record in records]
    assert list(map(list, columns)) == [list(column) for column in zip(*rows, strict=True)]
    content = text.encode().split(line_end.encode())
    assert begins.tolist() == [sum(len(line) + 1 for line in content[:k]) for k in range(len(content))]


@pytest.mark.parametrize("text", ["a,b\n1,2", "a,b\r\n1,2\r\n", '"a",b\n"1,5","2"', " a , b\n,", "é,ü\nx,y"], ids=repr)
def test_usual_rows_are_divided_quickly(text):
    text = text.removesuffix("\n")
    assert quick_columns(text.encode(), ",", b"\n", 2) is not None


DIGITS = st.text(st.sampled_from("0123456789-/.: T"), max_size=20)
DATES = st.datetimes().flatmap(
    lambda moment: st.sampled_from(
        [
            "%Y-%m-%d",
            "%d/%m/%Y",
            "%m/%d/%Y %H:%M",
            "%Y.%m.%dT%H:%M:%S",
            "%d.%m.%Y %H:%M:%S",
            "%m.%d.%Y",
            "%Y-%m/%d",
            "%Y-%m-%d %H",
        ]
    ).map(moment.strftime)
)


@settings(deadline=None)
@given(st.lists(DATES | DIGITS, max_size=12), st.sampled_from(ORDERS_OF_DIGITS))
@example(
    ["2024-02-29", "2023-02-29", "1900-02-29", "2000-02-29", "0000-01-01", "9999-12-31 23:59:59", "2024-01-01 24:00"], "ymd"
)
@example(["1/2/2024", "31/12/2024 9:05", "1.1.1", "01-02/2024"], "dmy")
@example(["13/12/2024", "12.12.2024", "2/29/2024T00:00:00"], "mdy")
def test_dates_of_digits_are_those_of_python(texts, order):
    values, kinds = read_dates(CellTexts.of(texts), order)
    for text, value, kind in zip(texts, values, kinds, strict=True):
        date = date_of(text, order)
        if kind == cells.WHOLE:
            assert date is not None
            assert value == date.timestamp()
        else:
            assert np.isnan(value)
            assert kind == (cells.OTHER if text else cells.EMPTY)
    expected = [date_of(text, order) for text in texts]
    found, _, _ = parse_dates(texts, order)
    np.testing.assert_array_equal(found, [np.nan if date is None else date.timestamp() for date in expected])


def test_usual_dates_are_read_natively():
    texts = ["2024-02-29", "2024-2-9", "2024/02/29 23:59:59", "2024.02.29T12:30", "1969-12-31 23:59:59"]
    assert (read_dates(CellTexts.of(texts), "ymd")[1] == cells.WHOLE).all()


@EVERY_WAY
def test_a_column_is_read_the_same_without_the_native_module(way, choose):
    choose(way)
    column = CategoryColumn("town", ("", "1", "Ulm"))
    values, missing, refused, _ = column.read(["Ulm", "", "1.0", "Rome", "1"])
    np.testing.assert_array_equal(values, [2, 0, 1, np.nan, 1])
    assert missing.tolist() == [False, True, False, False, False]
    assert refused.tolist() == [False, False, False, True, False]
    profile = ColumnProfile("x")
    profile.add(["1,234", "2024-01-31 10:00", "NA", "", "5", "007", "so it is"])
    assert (profile.empty, profile.marked, profile.orders["ymd"], profile.zero_first, profile.words) == (1, 1, 1, 1, 6)
