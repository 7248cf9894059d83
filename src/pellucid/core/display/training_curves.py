"""Training curves: a chart for each metric over the epochs."""

from __future__ import annotations

from collections.abc import Sequence

from pellucid.core.display.chart import Chart, Point, round_ticks, whole_ticks
from pellucid.core.display.markup import Markup, element
from pellucid.core.display.text import counted

METRICS = {"loss": "Loss", "accuracy": "Accuracy", "mae": "Mean absolute error"}
SERIES = {"training": ("", "first"), "validation": ("validation_", "second")}  # name -> prefix of the metric, kind of line
Epochs = Sequence[dict[str, float]]


def curves(epochs: Epochs) -> list[Markup]:
    """A chart of the loss, and one of accuracy or mean absolute error, as far as the epochs have them."""
    return [_chart(epochs, metric) for metric in METRICS if any(metric in epoch for epoch in epochs)]


def _points(epochs: Epochs, column: str) -> list[Point]:
    return [(float(i + 1), epoch[column]) for i, epoch in enumerate(epochs) if column in epoch]


def _chart(epochs: Epochs, metric: str) -> Markup:
    lines = {name: _points(epochs, f"{prefix}{metric}") for name, (prefix, _) in SERIES.items()}
    values = [y for points in lines.values() for _, y in points]
    ticks, last = _ticks(metric, min(values), max(values)), len(epochs)
    x_ticks = {float(tick): str(tick) for tick in whole_ticks(last)}
    chart = Chart((1, max(last, 2)), (min(ticks), max(*ticks, *values)), "epoch", x_ticks, ticks)
    for name, points in lines.items():
        if points:
            chart.line(points, SERIES[name][1])
    ends = ", ".join(f"{name} ends at {points[-1][1]:.4g}" for name, points in lines.items() if points)
    title = f"{METRICS[metric]} over {counted(last, 'epoch')}"
    keys = (element("span", name, class_=f"key {SERIES[name][1]}") for name, points in lines.items() if points)
    return element("figure", element("figcaption", METRICS[metric], *keys), chart.svg(title, f"{ends}."))


def _ticks(metric: str, low: float, high: float) -> dict[float, str]:
    """The ticks of the vertical axis, which starts at 0 unless it is that of an accuracy."""
    if metric != "accuracy":
        return {tick: f"{tick:g}" for tick in round_ticks(0.0, high or 1.0)}
    if low == high:
        low, high = low - 0.05, high + 0.05
    ticks = {tick: f"{100 * tick:g}%" for tick in round_ticks(low, high) if 0 <= tick <= 1}
    return ticks or {0.0: "0%", 1.0: "100%"}  # a forged model file may hold any numbers
