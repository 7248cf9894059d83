"""Bars in the cells of a table: as long as their number is large, from 0 to either side."""

from __future__ import annotations

import re

import pytest

from pellucid.core.display.bars import WIDE, Scale
from pellucid.core.display.numbers import plain


def parts(cell):
    """(x, width) of the bar, its kind, and (x1, x2) of the interval or None."""
    bar = re.search(r'<rect x="([\d.]+)" y="2" width="([\d.]+)" height="8.0" class="bar (\w+)"', cell)
    line = re.search(r'<line x1="([\d.]+)" y1="6.0" x2="([\d.]+)" y2="6.0" class="interval"', cell)
    return float(bar[1]), float(bar[2]), bar[3], line and tuple(map(float, line.groups()))


def test_a_bar_begins_at_0_and_is_as_long_as_its_number():
    scale = Scale.of(-1.0, 3.0)
    assert parts(scale.bar(3.0)) == (25.0, 75.0, "second", None)
    assert parts(scale.bar(-0.5)) == (12.5, 12.5, "first", None)
    assert parts(scale.bar(1.0, interval=(0.0, 2.0)))[3] == (25.0, 75.0)


@pytest.mark.parametrize("numbers", [(), (0.0,), (2.0, 5.0), (-2.0, -1.0)])
def test_0_is_always_on_the_scale(numbers):
    scale = Scale.of(*numbers)
    assert 0 <= scale.at(0.0) <= WIDE
    assert all(0 <= scale.at(number) <= WIDE for number in numbers)


def test_words_stand_before_the_bar_and_are_escaped():
    assert Scale.of(1.0).bar(1.0, "<b>").startswith('<td class="extent">&lt;b&gt;<svg')


NUMBERS = {
    93289.4: "93,290",
    0.084989: "0.08499",
    -1234567.0: "-1,235,000",
    0.0: "0",
    1e-9: "1e-09",
    2e16: "2e+16",
    5.0: "5",
}


@pytest.mark.parametrize(("number", "text"), NUMBERS.items())
def test_plain_numbers_have_four_digits_and_no_exponent(number, text):
    assert plain(number) == text
