"""How a model that began from another network learned: its head, and how right it is by the number of pictures."""

from __future__ import annotations

import math

from pellucid.core.display.chart import Chart, round_ticks
from pellucid.core.display.markup import Markup, element, folded, section, table
from pellucid.core.display.text import percent
from pellucid.evaluation.learning_curve import LearningPoint, forecast
from pellucid.models.transfer.transfer import Transfer


def learning(transfer: Transfer) -> Markup:
    """The section with the learning curve, what more photos would give, and what the head was chosen by."""
    said = [*transfer.in_words(), *filter(None, [forecast(transfer.curve)])]
    words = (element("p", sentence) for sentence in said)
    return section("training", "Training", *words, *_curve(transfer.curve), *_strengths(transfer))


def _curve(curve: tuple[LearningPoint, ...]) -> list[Markup]:
    if len(curve) < 2:
        return []
    note = (
        "Each point is the mean over layers that have learned from so many pictures a class, at random, and are judged "
        "on the others; the band is their standard deviation. The last point, without a band, is cross-validation."
    )
    rows = ((f"{p.count:,}", percent(p.accuracy), percent(p.spread), f"{p.draws}", f"{p.judged:,}") for p in curve)
    columns = ["pictures a class", "right", "standard deviation", "draws", "judged by"]
    return [
        element("div", _chart(curve), class_="charts"),
        element("p", note, class_="note"),
        folded("The numbers of the learning curve", table("Right answers by pictures a class", columns, rows)),
    ]


def _chart(curve: tuple[LearningPoint, ...]) -> Markup:
    places = [math.log(point.count) for point in curve]
    low = min(point.accuracy - point.spread for point in curve)
    ticks = {tick: f"{100 * tick:g}%" for tick in round_ticks(max(low, 0.0), 1.0) if 0 <= tick <= 1}
    x_ticks = {place: str(point.count) for place, point in zip(places, curve, strict=True)}
    chart = Chart((places[0], places[-1]), (min(ticks), 1.0), "pictures a class", x_ticks, ticks)
    drawn = [(place, point) for place, point in zip(places, curve, strict=True) if point.draws > 1]
    above = [(place, min(1.0, point.accuracy + point.spread)) for place, point in drawn]
    below = [(place, max(min(ticks), point.accuracy - point.spread)) for place, point in drawn]
    chart.area([*above, *reversed(below)], "band")
    chart.line([(place, point.accuracy) for place, point in zip(places, curve, strict=True)], "second")
    for place, point in zip(places, curve, strict=True):
        chart.dot(place, point.accuracy, 3.0, "second", f"{point.count:,} a class: {percent(point.accuracy)}")
    first, last = curve[0], curve[-1]
    words = f"From {percent(first.accuracy)} with {first.count:,} a class to {percent(last.accuracy)} with {last.count:,}."
    return element("figure", element("figcaption", "Learning curve"), chart.svg("Right answers by pictures a class", words))


def _strengths(transfer: Transfer) -> list[Markup]:
    if not transfer.losses:
        return []
    rows = (
        (f"{strength:g}", f"{loss:.4f}", "chosen" if strength == transfer.strength else "")
        for strength, loss in transfer.losses
    )
    caption = f"Mean log loss of {transfer.judged:,} pictures, each held out once, by the strength of the penalty"
    return [folded("The strengths that were tried", table(caption, ["strength", "log loss", ""], rows))]
