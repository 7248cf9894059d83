"""What a whole column holds: counts that do not depend on how it comes in pieces, against a count cell by cell."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pellucid.data.tables import profile as module
from pellucid.data.tables.cells import FORMATS, PLAIN, NumberFormat, is_missing
from pellucid.data.tables.dates import ORDERS, date_of
from pellucid.data.tables.profile import ColumnProfile, DistinctCount

CELLS = st.one_of(
    st.text(st.sampled_from("0129+-.eE,'$%NA?x/ "), max_size=8),
    st.sampled_from(
        [
            "",
            "NA",
            "1",
            "2",
            "3",
            "1.5",
            "1,5",
            "1,234",
            "1.234",
            "007",
            "03/04/2024",
            "13/04/2024",
            "2024-01-02",
            "24-12-31",
            "1/2/24",
        ]
    ),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(0, 10**6).map(str),
)


def in_pieces(cells, size):
    profile = ColumnProfile("x")
    for k in range(0, len(cells), size):
        profile.add(cells[k : k + size])
    return profile


@settings(deadline=None)
@given(st.lists(CELLS, min_size=1, max_size=30), st.sampled_from([1, 3, 100]))
@example(["1", "2", "3", "4"], 2)
@example(["1.234", "5.678"], 100)
@example(["1,234", "5,678", "7"], 100)
def test_counts_are_those_of_each_cell_by_itself(cells, size):
    profile = in_pieces(cells, size)
    filled = [cell for cell in cells if cell]
    assert (profile.count, profile.empty, profile.filled) == (len(cells), cells.count(""), len(filled))
    assert profile.distinct == len(set(filled))
    assert profile.all_differ == (len(set(filled)) == len(filled))
    for one in FORMATS:
        assert profile.formats[one] == sum(one.number(cell) is not None for cell in cells), one
    for order in ORDERS:
        assert profile.orders[order] == sum(date_of(cell, order) is not None for cell in cells)
    assert profile.slashed == sum(any(date_of(cell, order) for order in ("dmy", "mdy")) for cell in cells)
    assert (profile.short_years, profile.years_first) == (
        cells.count("24-12-31") + cells.count("1/2/24"),
        cells.count("24-12-31"),
    )
    assert profile.marked == sum(is_missing(cell) for cell in filled)
    numbers = [PLAIN.number(cell) for cell in cells if PLAIN.number(cell) is not None]
    if numbers:
        assert (profile.low, profile.high) == (min(numbers), max(numbers))
        assert profile.whole == all(number == int(number) for number in numbers)
        assert profile.rising == all(b - a == 1 for a, b in itertools.pairwise(numbers))


@pytest.mark.parametrize(("text", "decimals"), [("{}", False), ("{}.5", True), ("word {}", False)])
def test_beyond_many_values_they_are_still_counted_exactly(monkeypatch, text, decimals):
    monkeypatch.setattr(module, "MOST_VALUES", 50)
    monkeypatch.setattr(module, "MOST_DECIMALS", 20)
    cells = [text.format(k % 130) for k in range(300)]
    few = in_pieces(cells[: 21 if decimals else 50], 7)
    assert (few.values is None) == decimals
    profile = in_pieces([*cells, "", ""], 7)
    assert profile.values is None
    assert (profile.distinct, profile.all_differ) == (130, False)
    once = in_pieces([*cells[:130], ""], 7)
    assert (once.distinct, once.all_differ) == (130, True)


def test_a_repetition_before_the_values_were_given_up_is_remembered(monkeypatch):
    monkeypatch.setattr(module, "MOST_VALUES", 10)
    profile = in_pieces(["again", "again", *(f"word {k}" for k in range(100))], 5)
    assert (profile.distinct, profile.all_differ) == (101, False)


def test_many_more_texts_are_estimated_in_bounded_memory(monkeypatch):
    monkeypatch.setattr(module, "MOST_HASHES", 4096)
    count = DistinctCount()
    for k in range(0, 200_000, 1000):
        count.add([f"text {j}" for j in range(k, k + 1000)])
    assert abs(len(count) - 200_000) < 5 * 200_000 / np.sqrt(2048)  # five standard errors
    assert count.all_differ
    count.add([f"text {j}" for j in range(100_000)])
    assert abs(len(count) - 200_000) < 5 * 200_000 / np.sqrt(2048)
    assert not count.all_differ
    assert len(count._kept) <= 4096


def test_the_first_doubtful_text_is_kept_for_the_question():
    profile = in_pieces(["$1,234", "2,345", "03/04/2024"], 1)
    assert profile.examples == {",$": "$1,234", ",": "2,345", "dmy": "03/04/2024", "mdy": "03/04/2024"}
    assert in_pieces(["NA", "1,234"], 2).examples == {",": "1,234"}


def test_codes_with_a_zero_in_front_are_counted():
    assert in_pieces(["02139", "10115", "0", "0.5", "-05", "01/02/2024"], 3).zero_first == 1
    assert in_pieces(["02139"] * 3, 3).formats[NumberFormat()] == 0
