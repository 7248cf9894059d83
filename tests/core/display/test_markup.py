"""Text cannot become markup; the ticks of an axis are few and round."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from pellucid.core.display.chart import round_ticks, whole_ticks
from pellucid.core.display.markup import Markup, element, text


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
