"""Can its probabilities be believed? What it claims against what comes true."""

from __future__ import annotations

from pellucid.html.chart import Chart
from pellucid.html.markup import Markup, between, counted, element, folded, percent, section, table
from pellucid.metrics import wilson_interval
from pellucid.report.findings import Findings

TICKS = {0.0: "0%", 0.25: "25%", 0.5: "50%", 0.75: "75%", 1.0: "100%"}


def calibration(found: Findings) -> Markup:
    """The section with the reliability diagram and how often each probability was claimed."""
    error = percent(found.calibration_error)
    words = (
        f"Each dot gathers the answers that were given with about the same probability; on the diagonal, what is claimed "
        f"comes true. The upright lines show where the truth lies with 95% confidence. On average, claim and truth are "
        f"{error} apart (the expected calibration error)."
    )
    figures = element("div", _reliability(found), _claims(found), class_="charts")
    return section("calibration", "Can its probabilities be believed?", element("p", words), figures,
                   folded("The numbers", _numbers(found)))  # fmt: skip


def _reliability(found: Findings) -> Markup:
    chart = Chart((0, 1), (0, 1), "probability that it claims", TICKS, TICKS)
    chart.line([(0, 0), (1, 1)], "diagonal")
    most = max(each.count for each in found.bins)
    for each in found.bins:
        low, high = wilson_interval(each.right, each.count)
        chart.line([(each.confidence, low), (each.confidence, high)], "whisker")
        words = f"{percent(each.confidence)} claimed, {percent(each.accuracy)} right, {counted(each.count, 'answer')}"
        chart.dot(each.confidence, each.accuracy, 3 + 4 * (each.count / most) ** 0.5, "second", words)
    title = "Claimed probability and part of right answers"
    return element("figure", element("figcaption", "Answers that are right"), chart.svg(title, _in_words(found)))


def _claims(found: Findings) -> Markup:
    """Bars: how many answers were given with each probability, the right ones and the wrong ones."""
    most = max(each.count for each in found.bins)
    ticks = {0.0: "0", float(most): f"{most:,}"}
    chart = Chart((0, 1), (0, most), "probability that it claims", TICKS, ticks)
    for each in found.bins:
        chart.bar((each.low, each.high), (0, each.right), "second", f"{counted(each.right, 'right answer')}")
        wrong = each.count - each.right
        chart.bar((each.low, each.high), (each.right, each.count), "first", f"{counted(wrong, 'wrong answer')}")
    keys = element("span", "right", class_="key box second"), element("span", "wrong", class_="key box first")
    title = "How often each probability is claimed"
    return element("figure", element("figcaption", "Number of answers", *keys), chart.svg(title, _in_words(found)))


def _in_words(found: Findings) -> str:
    return "; ".join(
        f"{each.low:.0%} to {each.high:.0%}: {counted(each.count, 'answer')}, {percent(each.accuracy)} right"
        for each in found.bins
    )


def _numbers(found: Findings) -> Markup:
    rows = (
        (
            f"{each.low:.0%} to {each.high:.0%}", f"{each.count:,}", percent(each.confidence), percent(each.accuracy),
            between(*wilson_interval(each.right, each.count)),
        )
        for each in found.bins
    )  # fmt: skip
    return table("Claims and truth", ["claimed", "answers", "mean claim", "right", "95% confidence"], rows)
