"""Bars in the cells of a table: how large a number is beside the others of its column, and its interval."""

from __future__ import annotations

from dataclasses import dataclass

from pellucid.core.display.markup import Markup, element

WIDE, HIGH = 100.0, 12.0


@dataclass(frozen=True)
class Scale:
    """From ``low`` to ``high``, with 0 between them or at one of the ends; bars begin at 0."""

    low: float
    high: float

    @classmethod
    def of(cls, *numbers: float) -> Scale:
        """The scale that holds these numbers, and 0."""
        low, high = min((0.0, *numbers)), max((0.0, *numbers))
        return cls(low, high if high > low else low + 1.0)

    def at(self, number: float) -> float:
        return round(WIDE * (number - self.low) / (self.high - self.low), 2)

    def bar(self, number: float, words: str = "", interval: tuple[float, float] | None = None) -> Markup:
        """A cell with the ``words`` above a bar from 0 to the number, and its interval as a line; blue above 0, orange
        below."""
        ends = sorted((self.at(0.0), self.at(number)))
        kind = "second" if number >= 0 else "first"
        marks = [
            element("rect", x=ends[0], y=2, width=round(ends[1] - ends[0], 2), height=HIGH - 4, class_=f"bar {kind}"),
            element("line", x1=self.at(0.0), y1=0, x2=self.at(0.0), y2=HIGH, class_="zero"),
        ]
        if interval is not None:
            low, high = map(self.at, interval)
            marks.append(element("line", x1=low, y1=HIGH / 2, x2=high, y2=HIGH / 2, class_="interval"))
        shown = element("svg", *marks, viewBox=f"-2 0 {WIDE + 4:g} {HIGH:g}", aria_hidden="true")
        return element("td", words, shown, class_="extent")
