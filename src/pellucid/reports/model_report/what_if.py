"""What if a cell were another? The answers along the values of the most important columns."""

from __future__ import annotations

from pellucid.core.display.bars import Scale
from pellucid.core.display.chart import Chart, round_ticks, short_labels
from pellucid.core.display.markup import Markup, element, section, table
from pellucid.core.display.numbers import plain
from pellucid.core.display.text import percent
from pellucid.reports.columns.curves import ColumnCurves, ticks_of
from pellucid.reports.columns.findings import ColumnFindings

KINDS = ("second", "first", "third", "fourth")  # of the lines of several classes
MOST_LINES = 25  # of single rows
TICKS = {0.0: "0%", 0.25: "25%", 0.5: "50%", 0.75: "75%", 1.0: "100%"}


def what_if(found: ColumnFindings, is_classes: bool) -> Markup:
    """The section with a chart for each column of numbers, and bars for each category."""
    names = [name for name, _ in found.answers]
    said = f"probability of {' and of '.join(f'“{name}”' for name in names)}" if is_classes else names[0]
    words = (
        f"The mean {said}, if a cell of this column held another value and all others stayed as they are. "
        + ("" if len(names) > 1 else "A thin line is a single row. ")
        + "Numbers run over what came in training, without the extremes. Of categories, a bar shows how far the mean is "
        "above (blue) or below (orange) that of the rows as they are."
    )
    note = "A curve says what the model would answer, not what would happen: it may lead through rows that cannot exist."
    charts = [_chart(one, found, is_classes) for one in found.curves if not one.is_of_names]
    bars = [_bars(one, found, is_classes) for one in found.curves if one.is_of_names]
    shown = (element("div", *figures, class_="charts") for figures in (charts, bars) if figures)
    return section("what-if", "What if?", element("p", words), *shown, element("p", note, class_="note"))


def _chart(curves: ColumnCurves, found: ColumnFindings, is_classes: bool) -> Markup:
    """The mean as a line for each class that is shown; of a single one also the lines of some rows."""
    x = [float(value) for value in curves.values]
    rows = curves.answers[:MOST_LINES] if len(found.answers) == 1 else curves.answers[:0]
    if is_classes:
        y_ticks = TICKS
    else:
        (_, followed), *_ = found.answers
        drawn = [*(answers[:, followed] for answers in rows), curves.mean[:, followed]]
        y_ticks = short_labels(round_ticks(min(map(float, map(min, drawn))), max(map(float, map(max, drawn)))))
    ends = (x[0], x[-1]) if x[-1] > x[0] else (x[0], x[0] + 1)
    chart = Chart(ends, (min(y_ticks), max(y_ticks)), curves.column, ticks_of(curves), y_ticks)
    series = list(zip(KINDS, found.answers, strict=False))
    for answers in rows:
        chart.line(list(zip(x, map(float, answers[:, found.answers[0][1]]), strict=True)), "thin")
    for kind, (_, k) in series:
        chart.line(list(zip(x, map(float, curves.mean[:, k]), strict=True)), kind)
    keys = [element("span", name, class_=f"key {kind}") for kind, (name, _) in series] if len(series) > 1 else []
    means = {name: (float(curves.mean[0, k]), float(curves.mean[-1, k])) for name, k in found.answers}
    said = "; ".join(f"{n} from {_written(a, is_classes)} to {_written(b, is_classes)}" for n, (a, b) in means.items())
    title = f"Mean answer over {curves.column}"
    described = f"{curves.column} from {curves.names[0]} to {curves.names[-1]}: {said}."
    return element("figure", element("figcaption", curves.column, *keys), chart.svg(title, described))


def _bars(curves: ColumnCurves, found: ColumnFindings, is_classes: bool) -> Markup:
    """A row for each value: the mean answer, and a bar for how far it is from the mean of the rows as they are."""
    away = curves.mean - found.means
    scale = Scale.of(*(float(away[s, k]) for s in range(len(away)) for _, k in found.answers))
    rows = (
        (name, *(scale.bar(float(away[s, k]), _written(float(curves.mean[s, k]), is_classes)) for _, k in found.answers))
        for s, name in enumerate(curves.names)
    )
    means = ", ".join(_written(float(found.means[k]), is_classes) for _, k in found.answers)
    caption = f"Mean answer; of the rows as they are {means}"
    shown = table(caption, (curves.column, *(name for name, _ in found.answers)), rows)
    return element("figure", element("figcaption", curves.column), shown)


def _written(number: float, is_classes: bool) -> str:
    return percent(number) if is_classes else plain(number)
