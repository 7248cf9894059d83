"""How well each class is recognised."""

from __future__ import annotations

import math

from pellucid.core.display.markup import Markup, element, folded, joined, section, table
from pellucid.core.display.text import between, percent
from pellucid.evaluation.metrics import ClassFigures
from pellucid.reports.judgement import ClassJudgement

SHOWN = 30  # classes; the others are folded away


def classes(found: ClassJudgement) -> Markup:
    """The section with precision, recall and F1 of each class, and the confidence intervals of the first two."""
    words = (
        f"Precision: of the {found.noun}s that were given this label, the share that really have it. Recall: of the "
        f"{found.noun}s of this class, the share that were given its label. F1 is the harmonic mean of the two. The small "
        "figures are 95% confidence intervals."
    )
    count = len(found.names)
    shown = [_table(found, range(count), "Figures of each class")]
    if count > SHOWN:
        f1 = [2.0 if row.f1 is None else row.f1 for row in found.classes]  # unknown ones last
        lowest = sorted(range(count), key=f1.__getitem__)[:SHOWN]
        caption = f"The {SHOWN} classes with the lowest F1"
        shown = [_table(found, lowest, caption), folded(f"All {count} classes", *shown)]
    return section("classes", "Class by class", element("p", words), *shown)


def _table(found: ClassJudgement, order: range | list[int], caption: str) -> Markup:
    lowest = min((found.classes[k].recall_interval[0] for k in order), default=0.0)
    start = math.floor(10 * lowest) / 10  # where the drawn intervals begin
    rows = (_row(found.names[k], found.classes[k], start) for k in order)
    wide = element("span", f"recall, {start:.0%} to 100%", class_="wide")
    header = ("class", f"{found.noun}s", "precision", "recall", "F1", wide)
    return table(caption, header, rows, class_="classes")


def _row(name: str, row: ClassFigures, start: float) -> tuple[object, ...]:
    precision, recall = _share(row.precision, row.precision_interval), _share(row.recall, row.recall_interval)
    return name, f"{row.support:,}", precision, recall, percent(row.f1), _whisker(row, start)


def _share(share: float | None, interval: tuple[float, float]) -> Markup:
    return joined([percent(share), element("small", "none" if share is None else between(*interval))])


def _whisker(row: ClassFigures, start: float) -> Markup:
    """A line from ``start`` to 1, with the recall and its interval."""
    if row.recall is None:
        return element("td", class_="whiskers")
    low, high, share = (round(100 * (s - start) / (1 - start), 1) for s in (*row.recall_interval, row.recall))
    marks = (
        element("line", x1=0, y1=6, x2=100, y2=6, class_="grid"),
        element("line", x1=low, y1=6, x2=high, y2=6, class_="whisker"),
        element("circle", cx=share, cy=6, r=3.5, class_="dot second"),
    )
    return element("td", element("svg", *marks, viewBox="-4 0 108 12", aria_hidden="true"), class_="whiskers")
