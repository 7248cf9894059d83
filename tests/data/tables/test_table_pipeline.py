"""The pipeline of a table: several columns side by side, one row at a time, and values as texts."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pellucid as pl
from pellucid.data.tables.cells import FORMATS, PLAIN
from pellucid.data.tables.columns import CategoryColumn, NumberColumn, Numbers, OrderedColumn, Words
from pellucid.data.tables.table_pipeline import TablePipeline, as_text, as_texts

PIPELINE = TablePipeline(
    (
        NumberColumn("rooms", center=4.0, scale=2.0, has_gaps=True),
        CategoryColumn("town", ("Bonn", "Ulm")),
        OrderedColumn("size", ("S", "M", "L")),
    ),
    NumberColumn("price"),
)


def test_columns_stand_side_by_side_and_each_number_has_a_name_and_a_source():
    assert PIPELINE.output_shape == (5,)
    assert PIPELINE.parts == ("rooms", "rooms is missing", "town = Bonn", "town = Ulm", "size")
    assert PIPELINE.sources.tolist() == [0, 0, 1, 1, 2]
    x = PIPELINE.encode([np.array([4.0, np.nan]), np.array([1.0, 0]), np.array([2.0, 1])])
    np.testing.assert_array_equal(x, [[0, 0, 0, 1, 1], [0, 1, 1, 0, 0]])


def test_a_row_is_a_mapping_of_names_to_values():
    prepared = PIPELINE.prepare({"size": "L", "town": "Ulm", "rooms": 4, "price": 99})  # the target may stand in it
    np.testing.assert_array_equal(prepared.pixels, [0, 0, 0, 1, 1])
    assert prepared.doubt is None
    np.testing.assert_array_equal(PIPELINE.prepare({}).pixels, [0, 1, 0, 0, 0])  # all of it is missing
    np.testing.assert_array_equal(PIPELINE({"rooms": "4"}), [0, 0, 0, 0, 0])


def test_what_was_not_understood_is_a_doubt_with_its_column():
    assert PIPELINE.prepare({"rooms": "four", "town": "Rome"}).doubt == "rooms, town was not understood"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"romms": 4}, "no column is called 'romms'; the model was trained on 'rooms', 'town', 'size'"),
        ([4, "Ulm", "L"], "a row is a mapping of names to values"),
        ({"rooms": [4]}, "the column 'rooms': a cell holds one number, text or date, not [4] (list)"),
    ],
)
def test_what_is_no_row_is_a_sentence(row, message):
    with pytest.raises(pl.DataError, match=re.escape(message)):
        PIPELINE.prepare(row)


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(pl.DataError, match=re.escape("no column 'size', which the model was trained on; it has 'rooms'")):
        PIPELINE.read({"rooms": ["1"], "town": ["Ulm"]})


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_text_of_a_number_is_exact_and_no_other_number_in_any_format(value):
    text = as_text(value)
    assert PLAIN.number(text) == value
    assert {one.number(text) for one in FORMATS} <= {None, value}
    assert as_texts("x", [value, None, float("nan")]) == [text, "", ""]


@given(st.lists(st.one_of(st.none(), st.floats(), st.integers(-(2**80), 2**80), st.just(1.234), st.just(-12.345))))
def test_many_numbers_are_written_as_each_is(values):
    texts = as_texts("x", values)
    assert texts == [as_text(value) for value in values]
    assert isinstance(texts, Numbers)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["a", None, "1"], Words),
        (["a", float("nan"), " "], Words),
        (np.array(["a", "b"]), Words),
        ([1, 2.5, None], Numbers),
        (np.array([1, 2], np.uint8), Numbers),
        ([np.float32(1), np.nan], Numbers),
        (["a", 1], list),
        ([True, False], list),
        ([True, 1], list),
    ],
)
def test_a_list_of_texts_says_what_the_values_were(values, expected):
    assert type(as_texts("x", values)) is expected


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (np.False_, "false"),
        (" a b\t", "a b"),
        ("1.234", "1.234"),
        (1.234, "1.2340"),
        (7, "7"),
        (-0.0, "-0.0"),
    ],
)
def test_texts(value, text):
    assert as_text(value) == text
