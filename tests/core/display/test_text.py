"""Columns of plain text; shares are not rounded to what they are not."""

from __future__ import annotations

import pytest

from pellucid.core.display.text import aligned, between, counted, percent

ROWS = [("name", "what", "n"), ("a\nb", "x", "1,000"), ("long name", "", "")]


@pytest.mark.parametrize(
    ("left", "lines"),
    [
        (0, ["     name  what      n", "     a\\nb     x  1,000", "long name"]),
        (1, ["name       what      n", "a\\nb          x  1,000", "long name"]),
        (2, ["name       what      n", "a\\nb       x     1,000", "long name"]),
    ],
)
def test_columns_are_aligned_and_hold_nothing_that_breaks_a_line(left, lines):
    assert aligned(ROWS, left) == lines


@pytest.mark.parametrize(
    ("share", "words"),
    [
        *((0, "0.0%"), (1, "100.0%"), (0.964, "96.4%"), (0.0001, "<0.1%"), (0.9996, "99.96%"), (0.99999, ">99.9%")),
        *((None, "–"), (1 - 1e-15, "100.0%"), (1e-17, "0.0%"), (0.5, "50.0%")),
    ],
)
def test_percent(share, words):
    assert percent(share) == words


def test_words_for_numbers():
    assert between(0.2, 0.35) == "20.0–35.0%"
    assert [counted(n, "class", "classes") for n in (0, 1, 1000)] == ["0 classes", "1 class", "1,000 classes"]
