"""How the training went: loss and accuracy of every epoch, of training and validation."""

from __future__ import annotations

from pellucid.history import History
from pellucid.report.chart import Chart, Point, round_ticks, whole_ticks
from pellucid.report.markup import Markup, element, folded, section, table

FIGURES = ("loss", "accuracy")
SERIES = {"training": ("", "first"), "validation": ("validation_", "second")}  # name -> prefix of the figure, kind of line


def curves(history: History) -> Markup:
    """The section with a chart for each figure, and the numbers in a table."""
    if not history.epochs:
        return section("training", "Training", element("p", "The model file holds no history of its training."))
    charts = [_chart(history, figure) for figure in FIGURES if figure in history]
    note = (
        "Training figures are means over an epoch, while the parameters change and with everything that makes learning "
        "harder on purpose (dropout, augmentation); validation figures are measured at the end of the epoch, without it."
    )
    has_validation = any(f"validation_{figure}" in history for figure in FIGURES)
    words = note if has_validation else "No pictures were kept aside for validation; what is drawn is the training itself."
    return section("training", "Training", element("div", *charts, class_="charts"), element("p", words, class_="note"),
                   folded("The numbers of every epoch", _numbers(history)))  # fmt: skip


def _points(history: History, column: str) -> list[Point]:
    return [(float(i + 1), epoch[column]) for i, epoch in enumerate(history.epochs) if column in epoch]


def _chart(history: History, figure: str) -> Markup:
    lines = {name: _points(history, f"{prefix}{figure}") for name, (prefix, _) in SERIES.items()}
    values = [y for points in lines.values() for _, y in points]
    ticks, last = _ticks(figure, min(values), max(values)), len(history.epochs)
    epochs = {float(tick): str(tick) for tick in whole_ticks(last)}
    chart = Chart((1, max(last, 2)), (min(ticks), max(*ticks, *values)), "epoch", epochs, ticks)
    for name, points in lines.items():
        if points:
            chart.line(points, SERIES[name][1])
    ends = ", ".join(f"{name} ends at {points[-1][1]:.4g}" for name, points in lines.items() if points)
    title = f"{figure.capitalize()} over {last} epochs"
    keys = (element("span", name, class_=f"key {SERIES[name][1]}") for name, points in lines.items() if points)
    return element("figure", element("figcaption", figure.capitalize(), *keys), chart.svg(title, f"{ends}."))


def _ticks(figure: str, low: float, high: float) -> dict[float, str]:
    """Values along the upright axis: of an accuracy those that it has, of a loss all from 0."""
    if figure != "accuracy":
        return {tick: f"{tick:g}" for tick in round_ticks(0.0, high or 1.0)}
    if low == high:
        low, high = low - 0.05, high + 0.05
    ticks = {tick: f"{100 * tick:g}%" for tick in round_ticks(low, high) if 0 <= tick <= 1}
    return ticks or {0.0: "0%", 1.0: "100%"}  # a file may say anything


def _numbers(history: History) -> Markup:
    columns = [f"{prefix}{figure}" for figure in FIGURES for prefix, _ in SERIES.values()]
    columns = [column for column in columns if column in history]
    rows = (
        (i + 1, *(f"{epoch[column]:.4f}" if column in epoch else "–" for column in columns))
        for i, epoch in enumerate(history.epochs)
    )
    return table("Figures of every epoch", ["epoch", *(column.replace("_", " ") for column in columns)], rows)
