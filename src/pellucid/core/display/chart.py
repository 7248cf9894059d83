"""A chart as SVG: two axes, and marks placed in the units of the data."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pellucid.core.display.markup import Markup, element

WIDTH, HEIGHT = 360, 240
LEFT, RIGHT, TOP, BOTTOM = 46, 20, 12, 38

Point = tuple[float, float]


@dataclass
class Chart:
    """Marks are drawn in the order in which they are added.

    ``x`` and ``y`` are the limits (low, high) of the axes, ``x_ticks`` and ``y_ticks`` map values to labels.
    """

    x: tuple[float, float]
    y: tuple[float, float]
    x_label: str
    x_ticks: dict[float, str]
    y_ticks: dict[float, str]
    marks: list[Markup] = field(default_factory=list)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """From the units of the data to those of the drawing."""
        across = (x - self.x[0]) / ((self.x[1] - self.x[0]) or 1.0)
        up = (y - self.y[0]) / ((self.y[1] - self.y[0]) or 1.0)
        return round(LEFT + across * (WIDTH - LEFT - RIGHT), 2), round(HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM), 2)

    def line(self, points: Sequence[Point], kind: str) -> None:
        """A line through the points; a single point is a dot."""
        if len(points) == 1:
            self.dot(*points[0], 3.0, kind)
        places = " ".join(f"{x:g},{y:g}" for x, y in (self.at(*point) for point in points))
        self.marks.append(element("polyline", points=places, class_=f"line {kind}"))

    def area(self, points: Sequence[Point], kind: str) -> None:
        """A filled area whose border goes through the points."""
        places = " ".join(f"{x:g},{y:g}" for x, y in (self.at(*point) for point in points))
        self.marks.append(element("polygon", points=places, class_=f"area {kind}"))

    def dot(self, x: float, y: float, radius: float, kind: str, words: str | None = None) -> None:
        """A filled circle; ``words`` are its tooltip."""
        place = self.at(x, y)
        said = [] if words is None else [element("title", words)]
        self.marks.append(element("circle", *said, cx=place[0], cy=place[1], r=round(radius, 2), class_=f"dot {kind}"))

    def bar(self, x: tuple[float, float], y: tuple[float, float], kind: str, words: str) -> None:
        """A filled box with a tooltip, between two values of each axis; nothing if its height is 0."""
        (left, bottom), (right, top) = self.at(x[0], y[0]), self.at(x[1], y[1])
        if bottom > top:
            size = {"x": left + 1, "y": top, "width": round(right - left - 2, 2), "height": round(bottom - top, 2)}
            self.marks.append(element("rect", element("title", words), **size, class_=f"bar {kind}"))

    def svg(self, title: str, description: str) -> Markup:
        """The chart; a screen reader reads ``title`` and ``description``."""
        said = element("title", title), element("desc", description)
        content = (*said, *self._frame(), *self.marks)
        return element("svg", *content, viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=f"{title}. {description}")

    def _frame(self) -> Iterable[Markup]:
        for value, words in self.y_ticks.items():
            (left, height), (right, _) = self.at(self.x[0], value), self.at(self.x[1], value)
            yield element("line", x1=left, y1=height, x2=right, y2=height, class_="grid")
            yield element("text", words, x=left - 6, y=height + 4, text_anchor="end")
        for value, words in self.x_ticks.items():
            place = self.at(value, self.y[0])
            yield element("text", words, x=place[0], y=place[1] + 16, text_anchor="middle")
        middle = (LEFT + WIDTH - RIGHT) / 2
        yield element("text", self.x_label, x=middle, y=HEIGHT - 4, text_anchor="middle", class_="label")


def round_ticks(low: float, high: float, most: int = 5) -> list[float]:
    """At most ``most`` + 1 round numbers that cover low .. high: multiples of 1, 2 or 5 times a power of ten."""
    span = max(high - low, 1e-12)
    unit = 10.0 ** math.floor(math.log10(span / most))
    step = next(factor * unit for factor in (1, 2, 5, 10, 20) if span / (factor * unit) <= most)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def short_labels(ticks: Sequence[float]) -> dict[float, str]:
    """Ticks with short labels: 400k, 1.2M."""
    largest = max(map(abs, ticks))
    size, sign = (1e6, "M") if largest >= 1e7 else (1e3, "k") if largest >= 1e4 else (1.0, "")
    return {tick: f"{tick / size:g}{sign if tick else ''}" for tick in ticks}


def whole_ticks(last: int, most: int = 6) -> list[int]:
    """A few whole numbers from 1 to ``last``, both included."""
    step = next(step for power in range(12) for step in (10**power, 2 * 10**power, 5 * 10**power) if last / step <= most)
    ticks = [1, *(tick for tick in range(step, last, step) if tick > 1 and last - tick >= step / 2), last]
    return sorted(set(ticks))
