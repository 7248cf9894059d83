"""Tables that are no text: whatever holds the rows, the table is the same."""

from __future__ import annotations

import datetime as dt
import math
import os
import re
import sys
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas
import polars
import pyarrow
import pyarrow.feather
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pellucid as pl
from pellucid.data.tables.account import Account
from pellucid.data.tables.frames import ROWS_AT_ONCE
from pellucid.data.tables.table import Table, open_rows

WORDS = st.text("abcdefgh", min_size=2, max_size=4).map(lambda text: f"w{text}")
FLOATS = st.floats(-1e12, 1e12, allow_nan=False).map(lambda value: value + 0.0)
DATES = st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1)).map(lambda date: date.replace(microsecond=0))


@st.composite
def columns(draw: st.DrawFn) -> dict[str, list]:
    """Columns of several types, with gaps; the target, the first of them, has none."""
    count = draw(st.integers(3, 30))

    def column(values: st.SearchStrategy) -> list:
        return draw(st.lists(st.none() | values, min_size=count, max_size=count))

    target = draw(st.lists(st.sampled_from(["yes", "no"]), min_size=count - 2, max_size=count - 2))
    return {
        "answer": ["yes", "no", *target],
        "amount": column(FLOATS),
        "pieces": column(st.integers(-1000, 1000)),
        "member": column(st.booleans()),
        "town": column(WORDS),
        "day": column(DATES),
        "always": draw(st.lists(FLOATS, min_size=count, max_size=count, unique=True)),
    }


def csv_cell(value: object) -> str:
    """The cell as a person would write it; by another way than the package's."""
    if value is None:
        return ""
    return format(value, ".17g") if isinstance(value, float) else str(value)


def arrow_table(data: dict[str, list]) -> pyarrow.Table:
    types = {"amount": "float64", "pieces": "int64", "member": "bool", "town": "string", "day": "timestamp[us]"}
    return pyarrow.table({name: pyarrow.array(values, types.get(name)) for name, values in data.items()})


def in_every_form(data: dict[str, list], folder: Path) -> dict[str, object]:
    """The same table as everything that holds one."""
    arrow = arrow_table(data)
    lines = [",".join(data), *(",".join(map(csv_cell, row)) for row in zip(*data.values(), strict=True))]
    (folder / "t.csv").write_text("\n".join(lines) + "\n")
    pyarrow.parquet.write_table(arrow, folder / "t.parquet", row_group_size=7)
    pyarrow.feather.write_feather(arrow, folder / "t.feather", chunksize=5)
    with pyarrow.ipc.new_stream(folder / "t.arrows", arrow.schema) as stream:
        stream.write_table(arrow)
    return {
        "dict": data,
        "dict of arrays": {name: np.array(values, object) for name, values in data.items()},
        "pandas": pandas.DataFrame(data, index=range(100, 100 + len(data["answer"]))),
        "pandas with its own types": arrow.to_pandas(types_mapper=pandas.ArrowDtype),
        "polars": polars.from_arrow(arrow),
        "arrow": arrow,
        "parquet": folder / "t.parquet",
        "feather": folder / "t.feather",
        "stream": str(folder / "t.arrows"),
        "csv": folder / "t.csv",
    }


def equal(one: Table, other: Table) -> None:
    """Values, kinds and targets, bit for bit."""
    assert [column.name for column in one.columns] == [column.name for column in other.columns]
    for name, kind in one.kinds.items():
        assert (kind.kind, kind.number_format) == (other.kinds[name].kind, other.kinds[name].number_format), name
    for column, mine, others in zip(one.columns, one.values, other.values, strict=True):
        np.testing.assert_array_equal(mine, others, err_msg=column.name)
    np.testing.assert_array_equal(one.y, other.y)
    np.testing.assert_array_equal(one.encode(one.pipeline(np.arange(3))), other.encode(other.pipeline(np.arange(3))))
    assert one.labels == other.labels
    assert one.account.cells_missing == other.account.cells_missing


@settings(max_examples=25)
@given(columns())
def test_a_table_is_the_same_whatever_holds_it(tmp_path_factory: pytest.TempPathFactory, data: dict[str, list]) -> None:
    stated = {"pieces": "number", "amount": "number", "member": "category", "town": "category", "day": "date"}
    stated["always"] = "number"  # never dropped as the number of the row
    sources = in_every_form(data, tmp_path_factory.mktemp("forms"))
    for kinds in ({"always": "number"}, stated):
        tables = {name: pl.datasets.table(source, "answer", kinds=kinds) for name, source in sources.items()}
        for one in tables.values():
            equal(tables["csv"], one)
    read = dict(zip([one.name for one in tables["dict"].columns], tables["dict"].values, strict=True))
    np.testing.assert_array_equal(read["amount"], np.array(data["amount"], float))  # None becomes NaN
    np.testing.assert_array_equal(read["pieces"], np.array(data["pieces"], float))
    seconds = [math.nan if day is None else day.replace(tzinfo=dt.UTC).timestamp() for day in data["day"]]
    np.testing.assert_array_equal(read["day"], seconds)


def one_column(values: object, **options: object) -> tuple[str, list[float]]:
    """The kind of a column, and its values in a table with a target of yes and no."""
    target = ["yes", "no"] * (len(values) // 2) + ["yes"] * (len(values) % 2)
    table = pl.datasets.table({"answer": target, "x": values}, "answer", **options)
    return table.kinds["x"].kind, table.values[0].tolist()


def test_texts_that_look_like_numbers_are_words_and_numbers_are_numbers() -> None:
    for texts in (["1", "2", "10", "2"], pandas.Series(["1", "2", "10", "2"]), polars.Series(["1", "2", "10", "2"])):
        assert one_column(texts) == ("category", [0, 1, 2, 1])
    assert one_column([1, 2, 10, 2]) == ("count", [1, 2, 10, 2])
    assert one_column([1.5, 2, 10, 2]) == ("number", [1.5, 2, 10, 2])
    assert one_column(["1", "2", "10", "2"], kinds={"x": "number"}) == ("number", [1, 2, 10, 2])


def test_categories_are_words_also_where_they_are_numbers() -> None:
    assert one_column(pandas.Series([7, 10, 7, 9], dtype="category")) == ("category", [0, 2, 0, 1])
    assert one_column(pyarrow.array([7, 10, 7, 9]).dictionary_encode()) == ("category", [0, 2, 0, 1])


def test_texts_beside_numbers_are_read_as_in_a_file() -> None:
    kind, values = one_column([*range(1, 19), "20", "none of it"])
    assert kind == "number" or kind == "count"
    assert values[:19] == [*range(1, 19), 20]
    assert math.isnan(values[19])


@pytest.mark.parametrize(
    "missing",
    [None, math.nan, np.nan, pandas.NA, pandas.NaT, np.datetime64("NaT"), np.timedelta64("NaT"), Decimal("nan"), " "],
    ids=repr,
)
def test_what_stands_for_nothing_is_missing(missing: object) -> None:
    target = ["yes", "no", "yes", "no"]
    table = pl.datasets.table({"answer": target, "x": [missing, 1, 2, 3]}, "answer", kinds={"x": "number"})
    assert np.isnan(table.values[0]).tolist() == [True, False, False, False]
    assert table.account.cells_missing == 1
    assert not table.account.cells_refused


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (1.234, 1.234),
        (Decimal("1.234"), 1.234),
        (np.float32(0.1), 0.10000000149011612),  # what it is, not how NumPy shortens it
        (np.int8(-7), -7),
        (2**70, 2.0**70),
        (5e-324, 5e-324),
        (1.7976931348623157e308, 1.7976931348623157e308),
        (dt.timedelta(minutes=1, milliseconds=1), 60.001),
        (np.timedelta64(1500, "ms"), 1.5),
    ],
)
def test_numbers_are_exact(value: object, number: float) -> None:
    assert one_column([value, 0.5, 1, 2], kinds={"x": "number"})[1][0] == number


@pytest.mark.parametrize(
    "date",
    [
        dt.datetime(2024, 12, 31, 13, 5, 7),
        dt.datetime(2024, 12, 31, 14, 5, 7, tzinfo=dt.timezone(dt.timedelta(hours=1))),
        pandas.Timestamp("2024-12-31 13:05:07.000000001"),
        np.datetime64("2024-12-31T13:05:07.000000001"),
    ],
    ids=repr,
)
def test_dates_are_seconds_since_1970_in_utc(date: object) -> None:
    kind, values = one_column([date, dt.date(1970, 1, 2), None, dt.date(1970, 1, 3)])
    assert kind == "date"
    assert values[0] == dt.datetime(2024, 12, 31, 13, 5, 7, tzinfo=dt.UTC).timestamp()
    assert (values[1], values[3]) == (86_400, 2 * 86_400)


def test_nanoseconds_in_arrow_are_read_with_and_without_pandas(monkeypatch: pytest.MonkeyPatch) -> None:
    array = pyarrow.array([1_000_000_001, None, 86_400_000_000_000, 0], pyarrow.timestamp("ns"))
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert one_column(array)[1][0] == 1
    assert one_column(array)[1][2:] == [86_400, 0]


def test_a_model_of_another_number_format_reads_the_numbers_of_a_frame_as_they_are(tmp_path: Path) -> None:
    """1.234 is 1.234 in a frame, although it is 1234 in the file that the model was trained on."""
    lines = [f"{'yes' if k % 2 else 'no'};{k}.234,5" for k in range(1, 60)]
    (tmp_path / "t.csv").write_text("answer;x\n" + "\n".join(lines) + "\n")
    table = pl.datasets.table(tmp_path / "t.csv", "answer")
    column = table.columns[0]
    assert (column.decimal, column.thousands) == (",", ".")
    rows = open_rows({"x": [1.234, 5.0, 1234.5]})
    (chunk,) = rows.chunks(Account())
    assert column.read(chunk.columns[0]).values.tolist() == [1.234, 5, 1234.5]
    mixed = open_rows({"x": [1.234, "1.234"]})  # beside texts the format of the texts holds; 1.234 is none of it
    (chunk,) = mixed.chunks(Account())
    assert column.read(chunk.columns[0]).refused.tolist() == [True, False]
    pipeline = table.pipeline(np.arange(len(table)))
    np.testing.assert_array_equal(pipeline.prepare({"x": 1234.5}).pixels, pipeline.prepare({"x": "1.234,5"}).pixels)


def test_a_stated_decimal_sign_is_that_of_texts_not_of_numbers() -> None:
    assert one_column([1.234, 2.5, 3.25, 4.0], decimal=",")[1] == [1.234, 2.5, 3.25, 4]


def test_a_value_that_is_written_in_another_way_is_the_same_category() -> None:
    table = pl.datasets.table({"answer": ["yes", "no"] * 3, "x": [0, 1, 1, 0, 1, 0], "y": [True, False] * 3}, "answer")
    x, y = table.columns
    assert x.read(["1.0", "0.0", "true", "False", "2", ""]).values[:4].tolist() == [1, 0, 1, 0]
    assert x.read(["2", ""]).refused.tolist() == [True, False]
    assert y.read(["1", "0", "TRUE", "1.0", "01"]).values[:4].tolist() == [1, 0, 1, 1]
    assert y.read(["01"]).refused.tolist() == [True]  # a leading zero makes no number


def test_the_index_of_pandas_is_no_column(tmp_path: Path) -> None:
    frame = pandas.DataFrame({"answer": ["yes", "no", "yes"], "x": [1, 2, 4]}, index=pandas.Index([7, 8, 9], name="key"))
    frame.to_parquet(tmp_path / "t.parquet")
    for source in (frame, pyarrow.table(frame), tmp_path / "t.parquet"):
        rows = open_rows(source)
        assert rows.names == ("answer", "x")
    account = Account()
    list(rows.chunks(account))
    assert account.notes == ["'key' is the index of a pandas frame, and no column"]


def test_rows_are_counted_and_have_no_offset() -> None:
    table = pl.datasets.table({"answer": ["yes", None, "no"] * 10, "x": [1, 2, "?!"] + [3.5] * 27}, "answer")
    assert table.rows[:3].tolist() == [1, 3, 4]
    assert table.account.rows_in == 30
    assert table.account.rows_refused == 10
    first, *_ = table.account.entries
    assert (first.row, first.offset) == (2, None)
    assert "byte" not in "".join(table.account.in_words())


def test_large_frames_come_in_parts(tmp_path: Path) -> None:
    count = 2 * ROWS_AT_ONCE + 3
    arrow = pyarrow.table({"x": np.arange(count), "text": [f"t{k}" for k in range(count)]})
    pyarrow.parquet.write_table(arrow, tmp_path / "t.parquet")
    pyarrow.feather.write_feather(arrow, tmp_path / "t.feather")
    sources = (tmp_path / "t.parquet", tmp_path / "t.feather", arrow, arrow.to_pandas(), polars.from_arrow(arrow))
    for source in sources:
        rows = open_rows(source)
        for _ in range(2):  # they can be read again
            chunks = list(rows.chunks(Account()))
            assert max(len(chunk.rows) for chunk in chunks) <= ROWS_AT_ONCE
            assert np.concatenate([chunk.rows for chunk in chunks]).tolist() == list(range(1, count + 1))
            assert [cell for chunk in chunks for cell in chunk.columns[0]] == list(map(str, range(count)))
            assert [cell for chunk in chunks for cell in chunk.columns[1]] == [f"t{k}" for k in range(count)]


BAD = {
    "nothing in it": ({}, "the dict has no columns"),
    "no rows": ({"a": []}, "the dict has no rows"),
    "a frame without rows": (pandas.DataFrame({"a": []}), "the frame has no rows"),
    "an Arrow table without rows": (pyarrow.table({"a": pyarrow.array([], "int64")}), "the Arrow table has no rows"),
    "unequal lengths": ({"a": [1, 2], "b": [1]}, "equally long: 'a' has 2 values, 'b' 1"),
    "a text for a column": ({"a": "hello"}, "the column 'a' must be a list, an array of one axis or a series, not str"),
    "a number for a column": ({"a": 5}, "must be a list"),
    "a matrix for a column": ({"a": np.zeros((2, 2))}, "an array of 2 axes"),
    "a set for a column": ({"a": {1, 2}}, "must be a list"),
    "an empty name": ({"": [1]}, "a text or a whole number, not ''"),
    "a name of two texts": ({("a", "b"): [1]}, "not ('a', 'b')"),
    "names that are equal as texts": ({"1": [1], 1: [2]}, "two columns of the dict are called '1'"),
    "two columns of one name": (pandas.DataFrame([[1, 2]], columns=["a", "a"]), "two columns of the frame are called 'a'"),
    "the same in Arrow": (pyarrow.Table.from_arrays([[1], [2]], names=["a", "a"]), "two columns of the Arrow table"),
    "a plan of polars": (polars.DataFrame({"a": [1]}).lazy(), "not LazyFrame; call collect() first"),
    "a matrix": (np.zeros((3, 2)), "a dict of columns or an Arrow table, not ndarray"),
    "a series": (pandas.Series([1, 2]), "not Series"),
    "a number": (5, "not int"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_table_is_a_sentence(case: str) -> None:
    source, message = BAD[case]
    with pytest.raises(pl.DataError, match=re.escape(message)):
        open_rows(source)


@pytest.mark.parametrize(
    "frame",
    [
        {"a": [1, 2], "b": [[1], [2]]},
        {"a": [1, 2], "b": [{"x": 1}, None]},
        {"a": [1, 2], "b": [b"x", b"y"]},
        {"a": [1, 2], "b": [np.zeros(2), np.zeros(2)]},
        polars.DataFrame({"a": [1, 2], "b": [[1], [2]]}),
        pandas.DataFrame({"a": [1, 2], "b": [(1, 2), (3, 4)]}),
        pyarrow.table({"a": [1, 2], "b": [{"x": 1}, {"x": 2}]}),
    ],
    ids=repr,
)
def test_a_cell_of_several_values_is_a_sentence_with_its_column(frame: object) -> None:
    with pytest.raises(pl.DataError, match="the column 'b': a cell holds one number, text or date, not"):
        pl.datasets.table(frame, "a")


def test_a_number_of_too_many_digits_is_a_sentence() -> None:
    with pytest.raises(pl.DataError, match="the column 'b': Exceeds the limit"):
        pl.datasets.table({"a": [1, 2], "b": [10**5000, 1]}, "a")


def test_options_of_csv_are_refused() -> None:
    with pytest.raises(pl.ArgumentError, match="delimiter is for a CSV file; the dict is none"):
        pl.datasets.table({"a": [1], "b": [2]}, "a", delimiter=";")


def test_damaged_files_are_a_sentence(tmp_path: Path) -> None:
    arrow = pyarrow.table({"x": np.random.default_rng(0).normal(size=20_000), "y": ["a", "b"] * 10_000})
    whole = tmp_path / "whole"
    for write in (pyarrow.parquet.write_table, pyarrow.feather.write_feather):
        write(arrow, whole)
        content = whole.read_bytes()
        for size in (6, 50, len(content) // 2, len(content) - 1):
            (tmp_path / "cut").write_bytes(content[:size])
            with pytest.raises(pl.DataError, match="cut"):
                list(open_rows(tmp_path / "cut").chunks(Account()))
        middle = len(content) // 2
        (tmp_path / "cut").write_bytes(content[:middle] + bytes(64) + content[middle + 64 :])
        with suppress(pl.DataError):  # it may still be a table of other numbers, but never an error of Arrow's
            list(open_rows(tmp_path / "cut").chunks(Account()))
    (tmp_path / "old").write_bytes(b"FEA1" + bytes(100))
    with pytest.raises(pl.DataError, match="Feather file of version 1"):
        open_rows(tmp_path / "old")


@pytest.mark.parametrize("name", ["missing", "folder", "pipe", "nul\0"])
def test_what_is_no_file_is_said_as_for_csv(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(pl.DataError, match=r"does not exist|is a folder|is not a regular file"):
        open_rows(str(tmp_path / name))


def test_without_pyarrow_frames_work_and_files_name_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pandas.DataFrame({"answer": ["yes", "no", "yes"], "x": [1, 2, 4]})
    frame.to_parquet(tmp_path / "t.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(pl.MissingDependencyError, match=re.escape("pellucid[tables]")):
        open_rows(tmp_path / "t.parquet")
    for source in (frame, polars.DataFrame(frame.to_dict("list")), frame.to_dict("list")):
        assert pl.datasets.table(source, "answer").values[0].tolist() == [1, 2, 4]


def test_neither_pandas_nor_polars_is_imported() -> None:
    code = Path(pl.__file__).parent.rglob("*.py")
    assert not [path for path in code if re.search(r"^\s*(import|from) (pandas|polars)", path.read_text(), re.M)]


def test_a_model_answers_for_frames_as_for_their_rows() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=80)
    frame = pandas.DataFrame({"x": x, "town": rng.choice(["a", "b"], 80), "y": x * 2})
    model = pl.train(pl.datasets.table(frame, "y"), epochs=2, progress="none")
    some = frame.iloc[::7].drop(columns="y")
    answers = model.predict(some)
    assert answers.rows.tolist() == list(range(1, 13))
    for source in (polars.DataFrame(some.to_dict("list")), pyarrow.table(some), some.to_dict("list")):
        np.testing.assert_array_equal(model.predict(source).values, answers.values)
    by_row = model.predict(some.to_dict("records"))
    np.testing.assert_array_equal([one.value for one in by_row], answers.values.astype(float))
    with pytest.raises(pl.DataError, match="the column 'x': a cell holds one number"):
        model.predict({"x": {"a": 1}})
