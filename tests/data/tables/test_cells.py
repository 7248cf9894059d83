"""Numbers in cells: the formats, missing marks, and the quick way against Python's ``float``."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pellucid.data.tables.cells import (
    FORMATS,
    MISSING,
    PLAIN,
    NumberFormat,
    formats_of,
    is_missing,
    parse_numbers,
    quick_numbers,
)

DECIMALS = st.from_regex(r"[+-]?(0|[1-9][0-9]{0,17})?(\.[0-9]{0,17})?([eE][+-]?[0-9]{1,2})?", fullmatch=True)


def is_number(text):
    """By Python, for texts of these characters: no leading zero, finite."""
    bare = text.lstrip("+-")
    if len(bare) > 1 and bare[0] == "0" and bare[1].isdigit():
        return False
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


@settings(deadline=None)
@given(st.lists(DECIMALS.filter(is_number) | st.just(""), min_size=1))
@example(["9007199254740993", "0.1", "-0", "1e308", ".5", "5.", "123456789012345", "1234567890123456"])
@example(["-0.0", "+0", "-.5", "+12.", ""])
def test_numbers_are_rounded_as_python_rounds_them(cells):
    values, missing, refused = parse_numbers(cells, PLAIN)
    expected = np.array([float(cell) if cell else math.nan for cell in cells])
    np.testing.assert_array_equal(values[~missing].view(np.int64), expected[~missing].view(np.int64))
    assert missing.tolist() == [not cell for cell in cells]
    assert not refused.any()


@settings(deadline=None)
@given(st.lists(st.text(st.sampled_from("0129+-.eE,\n '$%NA?x"), max_size=6), max_size=6), st.sampled_from(FORMATS))
@example(["5\n6"], PLAIN)
@example(["5\n"], PLAIN)
@example(["1,234", "5"], NumberFormat(".", ","))
@example(["1.234", "5"], NumberFormat(",", "."))
def test_the_quick_way_reads_what_a_cell_alone_means(cells, number_format):
    values, missing, refused = parse_numbers(cells, number_format)
    for cell, value, is_gap, is_refused in zip(cells, values, missing, refused, strict=True):
        number = number_format.number(cell)
        assert is_gap == (number is None and is_missing(cell))
        assert is_refused == (number is None and not is_missing(cell))
        assert math.isnan(value) if number is None else value == number


@settings(deadline=None)
@given(st.text(st.sampled_from("0129+-.eE,' $%\u00a0"), max_size=9))
@example("-$5")
@example("5 %")
@example("1'234,5")
def test_formats_of_a_text_are_all_formats_in_which_it_is_a_number(text):
    assert formats_of(text) == {one: number for one in FORMATS if (number := one.number(text)) is not None}


@pytest.mark.parametrize(
    ("text", "number_format", "number"),
    [
        ("1234.5", PLAIN, 1234.5),
        ("1,234.5", NumberFormat(".", ","), 1234.5),
        ("1.234,5", NumberFormat(",", "."), 1234.5),
        ("1 234,5", NumberFormat(",", " "), 1234.5),
        ("1\u202f234\u00a0567,5", NumberFormat(",", " "), 1234567.5),
        ("1'234'567.25", NumberFormat(".", "'"), 1234567.25),
        ("-12,5", NumberFormat(","), -12.5),
        ("$1,200", NumberFormat(".", ",", "$"), 1200.0),
        ("-$5", NumberFormat(".", "", "$"), -5.0),
        ("12.5 %", NumberFormat(".", "", "%"), 12.5),
        ("3 €", NumberFormat(",", "", "€"), 3.0),
        ("1e-3", PLAIN, 0.001),
        ("02139", PLAIN, None),
        ("-007", PLAIN, None),
        ("1,23,456", NumberFormat(".", ","), None),
        ("1,2345", NumberFormat(".", ","), None),
        ("0,123", NumberFormat(".", ","), None),
        ("1e999", PLAIN, None),
        ("inf", PLAIN, None),
        ("1_000", PLAIN, None),
        ("１２", PLAIN, None),
        ("0x10", PLAIN, None),
        ("1.2.3", PLAIN, None),
        ("$5", PLAIN, None),
        ("5", NumberFormat(".", "", "$"), None),
        ("", PLAIN, None),
    ],
)
def test_what_a_text_means_by_hand(text, number_format, number):
    assert number_format.number(text) == number
    values, missing, refused = parse_numbers([text], number_format)
    assert math.isnan(values[0]) if number is None else values[0] == number
    assert missing[0] == (not text)
    assert refused[0] == (number is None and bool(text))


@pytest.mark.parametrize("mark", [*sorted(MISSING), "NaN", "Na", "NULL", "None", "N/A", "UNKNOWN", "nUlL", " ", "\xa0"])
def test_marks_are_missing_beside_numbers(mark):
    values, missing, refused = parse_numbers(["1.5", mark, "2"], PLAIN)
    assert missing.tolist() == [False, True, False]
    assert not refused.any()
    assert values[0] == 1.5
    assert math.isnan(values[1])
    assert values[2] == 2


def test_one_odd_cell_does_not_change_how_the_others_are_read():
    cells = [f"{k}.25" for k in range(1, 500)]
    values, missing, refused = parse_numbers([*cells, "12.5o"], PLAIN)
    assert values[:-1].tolist() == [float(cell) for cell in cells]
    assert refused.tolist() == [False] * 499 + [True]
    assert not missing.any()


def test_quick_numbers_say_which_decimal_sign_stood_there():
    quick = quick_numbers(["1,5", "NA", "", "2"])
    assert (quick.decimal, quick.marked, quick.values[[0, 3]].tolist()) == (",", 1, [1.5, 2.0])
    assert quick_numbers(["1,5", "1.5"]) is None
    assert quick_numbers(["1", "x"]) is None
    assert quick_numbers([]).values.shape == (0,)
