"""Text cannot become markup; shares are not rounded to what they are not."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.core.display.chart import round_ticks, whole_ticks
from pellucid.core.display.markup import Markup, element, text
from pellucid.core.display.text import between, counted, percent


class Reader(HTMLParser):
    """What a browser would make of it."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.said = [], ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.said += data


@given(st.text(), st.text())
def test_any_text_stays_text(content, value):
    read = Reader(element("p", content, title=value))
    assert [tag for tag, _ in read.tags] == ["p"]
    printable = lambda words: "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in words)  # noqa: E731
    assert read.said == printable(content)
    assert read.tags[0][1] == {"title": printable(value)}


def test_markup_is_kept_and_attributes_are_spelt_as_in_html():
    made = element("a", element("b", "1 < 2"), class_="x", aria_label='say "it"', viewBox="0 0 1 1", href=None)
    assert made == '<a class="x" aria-label="say &quot;it&quot;" viewBox="0 0 1 1"><b>1 &lt; 2</b></a>'
    assert element("img", alt="") == '<img alt="">'
    assert text(Markup("<i>")) == "<i>"


def test_characters_that_command_are_spelt_out():
    """A line end, the sign that turns the line direction round, and half of a surrogate pair, which is no character."""
    assert text("a\nb\u202ec\udc80") == "a\\x0ab\\x202ec\\xdc80"


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


@given(st.floats(0, 1e6), st.floats(1e-6, 1e6))
def test_ticks_are_few_and_cover_the_values(low, span):
    ticks = round_ticks(low, low + span)
    assert ticks[0] <= low + 1e-6 * span
    assert ticks[-1] >= low + span - 1e-6 * span
    assert 1 <= len(ticks) <= 7


@given(st.integers(1, 10**6))
def test_epochs_at_the_axis_are_whole_and_few(last):
    ticks = whole_ticks(last)
    assert ticks[0] == 1
    assert ticks[-1] == last
    assert len(ticks) <= 8
    assert ticks == sorted(set(ticks))
