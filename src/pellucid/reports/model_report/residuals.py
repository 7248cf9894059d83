"""The report on a regression: its residuals and its prediction intervals."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pellucid.core.display.chart import Chart, round_ticks
from pellucid.core.display.markup import Markup, element, joined, section, table
from pellucid.core.display.text import counted, percent
from pellucid.core.shapes import Array
from pellucid.evaluation.values import mean_of_figures
from pellucid.reports.judgement import SET_CONFIDENCE, RegressionJudgement
from pellucid.reports.model_report.headline import row_of_figures

CONTENTS = {"residuals": "Residuals", "training": "Training", "model": "Model", "origin": "Origin"}
MOST_DOTS = 1500  # of a chart, evenly spread over the samples


def regression_headline(found: RegressionJudgement) -> str:
    """The result in a line."""
    on = f"on {counted(found.count, found.noun)}"
    if _has_units_of_its_own(found):
        mean = mean_of_figures(found.of_values).r2
        return f"{len(found.names)} targets, {on}" + ("" if mean is None else f": R² {mean:.3f} on average")
    return f"{found.metrics['mae']:.4g} off on average, {on}"


def _has_units_of_its_own(found: RegressionJudgement) -> bool:
    """Whether there are several targets of a table: one figure for all of them would mix their units."""
    return len(found.names) > 1


def regression_answer(found: RegressionJudgement) -> Markup:
    """A row of metrics, and what they mean."""
    in_units = {
        "mean absolute error": (f"{found.metrics['mae']:.4g}", "in units of the target"),
        "root mean squared error": (f"{found.rmse:.4g}", "in units of the target"),
        "mean residual": (f"{found.mean_residual:+.3g}", "truth minus prediction"),
    }
    rows = {
        **({} if _has_units_of_its_own(found) else in_units),
        "R²": _explained(found.metrics["r2"]),
        f"test {found.noun}s": (f"{found.count:,}", counted(found.y.shape[1], "value")),
    }
    said = element("p", f"All of this is measured on the test {found.noun}s alone.")
    return joined([row_of_figures(rows), *_of_values(found), *_of_levels(found), said])


def _of_values(found: RegressionJudgement) -> list[Markup]:
    """A table of the figures of each of several targets, which have units of their own."""
    if not _has_units_of_its_own(found):
        return []
    rows = [*found.of_values, mean_of_figures(found.of_values)]
    lines = [(row.name, f"{row.rmse:.4g}", f"{row.mae:.4g}", "–" if row.r2 is None else f"{row.r2:.4f}") for row in rows]
    return [
        table("Each target in its own units", ("target", "root mean squared error", "mean absolute error", "R²"), lines)
    ]


def _of_levels(found: RegressionJudgement) -> list[Markup]:
    """A table of the quantiles."""
    if not found.levels:
        return []
    lines = [(f"{row.level:g}", f"{row.loss:.4g}", percent(row.below)) for row in found.of_levels]
    words = f"The figures above are those of the level {found.levels[found.middle]:g}."
    header = ("level", "pinball loss", "true values below it")
    return [element("p", words), table("Quantiles: the share below should be the level", header, lines)]


def _explained(r2: float) -> tuple[str, str]:
    """R² and what it means."""
    if np.isnan(r2):
        return "–", "not defined where the true values do not vary"
    return f"{r2:.4f}", "share of the variance that it explains"


def residuals(found: RegressionJudgement) -> Markup:
    """The section with two charts for each value, truth and residual over the prediction, and its interval."""
    words = (
        f"Each dot is a {found.noun}. Left: on the diagonal the prediction is right. Right: the residual, truth minus "
        "prediction. An even band around 0 is as it should be; a bend suggests that the network is too simple, a funnel "
        "that some values are harder to predict than others."
    )
    charts = (chart for value in range(found.y.shape[1]) for chart in _charts(found, value))
    said = (element("p", sentence) for sentence in _intervals(found))
    return section("residuals", "How far off is it?", element("p", words), element("div", *charts, class_="charts"), *said)


def _charts(found: RegressionJudgement, value: int) -> Iterator[Markup]:
    rows = np.unique(np.linspace(0, len(found.y) - 1, min(MOST_DOTS, len(found.y))).astype(int))
    predicted, truth = found.predicted[rows, value], found.y[rows, value]
    of = f" of {found.of_values[value].name}" if found.y.shape[1] > 1 else ""
    yield _scatter(f"Truth over prediction{of}", predicted, truth, 1.0, ())
    yield _scatter(f"Residual over prediction{of}", predicted, truth - predicted, 0.0, found.reach[value : value + 1])


def _scatter(title: str, x: Array, y: Array, slope: float, reach: tuple[float, ...]) -> Markup:
    """Dots, the line y = slope x on which they would lie without errors, and the interval around it as two lines."""
    x_ticks = round_ticks(float(x.min()), float(x.max()))
    ends = [(x_ticks[0], slope * x_ticks[0]), (x_ticks[-1], slope * x_ticks[-1])]
    beside = [[(x, y + side * r) for x, y in ends] for r in reach for side in (-1, 1)]
    heights = [float(y.min()), float(y.max()), *(height for line in (ends, *beside) for _, height in line)]
    y_ticks = round_ticks(min(heights), max(heights))
    across, up = ({tick: f"{tick:g}" for tick in ticks} for ticks in (x_ticks, y_ticks))
    chart = Chart((x_ticks[0], x_ticks[-1]), (y_ticks[0], y_ticks[-1]), "prediction", across, up)
    chart.line(ends, "diagonal")
    for line in beside:
        chart.line(line, "first")
    for one, other in zip(x, y, strict=True):
        chart.dot(float(one), float(other), 1.8, "second")
    said = f"{counted(len(x), 'sample')}; from {y.min():.3g} to {y.max():.3g}."
    return element("figure", element("figcaption", title), chart.svg(title, said))


def _intervals(found: RegressionJudgement) -> Iterator[str]:
    if not found.reach:
        yield "How far off a single prediction may be is not known: model.conformal(x, y) measures it on other samples."
    for value, (reach, covered) in enumerate(zip(found.reach, found.covered, strict=True)):
        of = f" of {found.of_values[value].name}" if len(found.reach) > 1 else ""
        yield (
            f"The {SET_CONFIDENCE:.0%} prediction interval{of} reaches {reach:.4g} to each side (the dashed lines), as "
            f"measured on {found.noun}s that were held out; {percent(covered)} of the test {found.noun}s lie in it."
        )
