"""Numbers in cells: the formats, missing marks, and the quick way against Python's ``float``."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pellucid.data.tables import cells as cells_module
from pellucid.data.tables.cell_texts import CellTexts
from pellucid.data.tables.cells import (
    EMPTY,
    FORMATS,
    GROUPED,
    MISSING,
    OTHER,
    PLAIN,
    POINTED,
    WHOLE,
    NumberFormat,
    formats_of,
    is_missing,
    parse_numbers,
    read_numbers,
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


@pytest.mark.parametrize("way", ["native", "python"])
@pytest.mark.parametrize(
    ("text", "decimal", "value", "kind"),
    [
        ("12", ".", 12, WHOLE),
        ("-0", ".", 0, WHOLE),
        ("12", ",", 12, WHOLE),
        ("1e3", ".", 1000, WHOLE),
        ("12.5", ".", 12.5, POINTED),
        ("12,5", ",", 12.5, POINTED),
        ("1.234", ".", 1.234, GROUPED),
        ("-123,456", ",", -123.456, GROUPED),
        ("0.123", ".", 0.123, POINTED),  # no group begins with 0
        (".123", ".", 0.123, POINTED),
        ("1234.567", ".", 1234.567, POINTED),
        ("", ".", None, EMPTY),
        ("12.5", ",", None, OTHER),
        ("007", ".", None, OTHER),
        ("1.2.3", ".", None, OTHER),
        ("x", ".", None, OTHER),
        ("é", ".", None, OTHER),
    ],
)
def test_what_a_cell_is(way, text, decimal, value, kind, monkeypatch):
    if way == "python":
        monkeypatch.setattr(cells_module, "_native", None)
    values, kinds = read_numbers(CellTexts.of([text, "5"]), decimal)
    assert kinds.tolist() == [kind, WHOLE]
    assert values[1] == 5
    assert math.isnan(values[0]) if value is None else values[0] == value


@settings(deadline=None)
@given(st.lists(DECIMALS | st.text(st.sampled_from("0129+-.eE,x"), max_size=6)), st.sampled_from(".,"))
@example(["1.000E0"], ".")
@example(["1" * 64, "1" * 65, "0." + "1" * 60, "1e-400", "1e400", "9007199254740993", "12345678901234567890"], ".")
def test_the_native_way_reads_as_python_does(cells, decimal):
    texts = CellTexts.of(cells)
    values, kinds = read_numbers(texts, decimal)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cells_module, "_native", None)
        expected, expected_kinds = read_numbers(texts, decimal)
    seen = kinds != OTHER  # what the native way leaves to Python may be a number still
    assert kinds[seen].tolist() == expected_kinds[seen].tolist()
    assert values[seen].tobytes() == expected[seen].tobytes()
    usual = [len(cell) < 64 and "e" not in cell.lower() for cell in cells]
    assert (seen | (expected_kinds == OTHER))[usual].all()
