"""Which classes are confused: the confusion matrix as a table, or as a map when there are many classes."""

from __future__ import annotations

import math

from pellucid.core.display.markup import Markup, element, scrolling, section, table
from pellucid.core.display.text import counted, percent
from pellucid.reports.judgement import ClassJudgement

MOST_IN_A_TABLE = 20  # classes
MOST_CONFUSIONS = 10
FEW = 4  # classes: room for wide cells


def confusion(found: ClassJudgement) -> Markup:
    """The section with the matrix, and the most frequent confusions in words."""
    matrix = _matrix(found) if len(found.names) <= MOST_IN_A_TABLE else _map(found)
    words = (
        "Each row is a true class, each column an answer. The diagonal, in blue, counts the right answers; the other "
        "cells, in orange, the confusions. The stronger the color, the larger the share of the row."
    )
    both = element("div", matrix, _commonest(found), class_="beside")
    return section("confusion", "Which classes are confused", element("p", words), both)


def _matrix(found: ClassJudgement) -> Markup:
    width = max(len(label) for label in found.names)
    head = (element("th", element("span", label), scope="col") for label in found.names)
    rows = []
    for k, (label, counts) in enumerate(zip(found.names, found.confusion, strict=True)):
        total = max(int(counts.sum()), 1)
        cells = (
            element(
                "td",
                f"{n:,}" if n else "",
                class_="right" if j == k else "wrong",
                style=f"--share:{_strength(int(n) / total, j == k):.3f}" if n else None,
                title=f"{counted(int(n), found.noun)} of “{label}” taken for “{found.names[j]}”" if n else None,
            )
            for j, n in enumerate(counts)
        )
        rows.append(element("tr", element("th", label, scope="row"), *cells))
    header = element("tr", element("td", "true ↓ answer →", class_="corner"), *head)
    caption = element("caption", f"Confusion matrix, in {found.noun}s")
    kind = "confusion" + (" few" if len(found.names) <= FEW else " upright" if width > 4 else "")
    content = element("table", caption, element("thead", header), element("tbody", *rows), class_=kind)
    return scrolling(content, "Confusion matrix")


def _map(found: ClassJudgement) -> Markup:
    """One small square for each pair of classes that occurs, with its numbers as a tooltip."""
    count = len(found.names)
    squares = []
    for k, counts in enumerate(found.confusion):
        total = max(int(counts.sum()), 1)
        for j in counts.nonzero()[0]:
            words = f"“{found.names[k]}” taken for “{found.names[j]}”: {counted(int(counts[j]), found.noun)}"
            kind, strength = "right" if j == k else "wrong", 1.7 * _strength(int(counts[j]) / total, j == k)
            place = {"x": int(j), "y": k, "width": 1, "height": 1}
            squares.append(element("rect", element("title", words), **place, class_=kind, fill_opacity=round(strength, 3)))
    frame = element("rect", x=0, y=0, width=count, height=count, class_="frame")
    description = (
        f"{count} true classes from top to bottom, {count} answers from left to right, in the order of the classes."
    )
    title = "Map of the confusion matrix"
    drawing = element("svg", element("title", title), element("desc", description), frame, *squares,
                      viewBox=f"0 0 {count} {count}", role="img", aria_label=f"{title}. {description}")  # fmt: skip
    return element("figure", drawing, element("figcaption", description, class_="note"), class_="map")


def _strength(share: float, is_right: bool) -> float:
    """How opaque a cell is. Rare confusions should be seen too, hence the root; text stays readable on the strongest."""
    return 0.55 * share if is_right else min(0.55, 1.2 * math.sqrt(share))


def _commonest(found: ClassJudgement) -> Markup:
    if not found.confusions:
        return element("p", "Nothing was confused.")
    rows = (
        (f"{found.names[true]} → {found.names[predicted]}", f"{times:,}", percent(times / found.classes[true].support))
        for times, true, predicted in found.confusions[:MOST_CONFUSIONS]
    )
    header = ["true class → answer", f"{found.noun}s", "of the true class"]
    return table("Most frequent confusions", header, rows, class_="narrow")
