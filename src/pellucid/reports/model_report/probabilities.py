"""Can its probabilities be trusted? Claimed probabilities against the share of right answers."""

from __future__ import annotations

from pellucid.core.display.chart import Chart
from pellucid.core.display.markup import Markup, element, folded, section, table
from pellucid.core.display.text import between, counted, percent
from pellucid.evaluation.trust import Trust
from pellucid.reports.judgement import ClassJudgement

TICKS = {0.0: "0%", 0.25: "25%", 0.5: "50%", 0.75: "75%", 1.0: "100%"}


def calibration(found: ClassJudgement) -> Markup:
    """The section with the reliability diagram, how often each probability was claimed, and its other measures."""
    trust = found.trust
    words = (
        "Each dot stands for the answers that were given with about the same probability; on the diagonal, that share of "
        "them is right. The vertical lines are 95% confidence intervals. Chance alone would put the dots of a perfectly "
        "calibrated network into the gray band. On average, claimed probability and share of right answers are "
        f"{percent(trust.calibration_error)} apart (the expected calibration error; "
        f"{between(*trust.calibration_error_interval)} with 95% confidence): {trust.verdict}."
    )
    figures = element("div", _reliability(trust), _claims(trust), class_="charts")
    said = (element("p", sentence) for sentence in (_brier(trust), _temperature(trust), *_coverage(found)))
    note = f"All of this is measured on the test {found.noun}s alone, except the temperature and the limit of the sets."
    content = (*said, element("p", note, class_="note"), *_thresholds(found), folded("The numbers", _numbers(trust)))
    return section("calibration", "Can its probabilities be trusted?", element("p", words), figures, *content)


def _brier(trust: Trust) -> str:
    low, high = trust.brier_interval
    return (
        f"The Brier score, the mean squared distance of all probabilities from the truth, is {trust.brier:.4f} "
        f"({low:.4f}–{high:.4f}); 0 would be perfect."
    )


def _temperature(trust: Trust) -> str:
    if trust.temperature is None:
        return "No temperature was fitted: these are the probabilities of the network itself."
    return (
        f"Before they become probabilities, scores are divided by the temperature {trust.temperature} that were held "
        "out for validation. Above 1 it makes every answer less sure, below 1 more sure. It never changes an answer."
    )


def _coverage(found: ClassJudgement) -> list[str]:
    sets = found.trust.coverage
    if sets is None:
        return []
    words = f" ({sets.in_words})" if sets.in_words else ""
    return [
        f"Asked for sets of labels that contain the true one with {sets.confidence:.0%} confidence, it gave sets that "
        f"contain it for {percent(sets.covered)} of the test {found.noun}s{words}, with {sets.mean_size:.2f} labels on "
        f"average. It was not sure of {counted(sets.unsure, found.noun)}."
    ]


def _reliability(trust: Trust) -> Markup:
    chart = Chart((0, 1), (0, 1), "claimed probability", TICKS, TICKS)
    bands = list(zip(trust.bins, trust.band.accuracies, strict=True))
    lower = [(each.confidence, low) for each, (low, _) in bands]
    upper = [(each.confidence, high) for each, (_, high) in reversed(bands)]
    chart.area([*lower, *upper], "band")
    chart.line([(0, 0), (1, 1)], "diagonal")
    most = max(each.count for each in trust.bins)
    for each in trust.bins:
        low, high = each.interval
        chart.line([(each.confidence, low), (each.confidence, high)], "whisker")
        words = f"{percent(each.confidence)} claimed, {percent(each.accuracy)} right, {counted(each.count, 'answer')}"
        chart.dot(each.confidence, each.accuracy, 3 + 4 * (each.count / most) ** 0.5, "second", words)
    title = "Claimed probability and share of right answers"
    return element("figure", element("figcaption", "Share of right answers"), chart.svg(title, _in_words(trust)))


def _claims(trust: Trust) -> Markup:
    """Bars: how many answers were given with each probability, the right ones and the wrong ones."""
    most = max(each.count for each in trust.bins)
    ticks = {0.0: "0", float(most): f"{most:,}"}
    chart = Chart((0, 1), (0, most), "claimed probability", TICKS, ticks)
    for each in trust.bins:
        chart.bar((each.low, each.high), (0, each.right), "second", f"{counted(each.right, 'right answer')}")
        wrong = each.count - each.right
        chart.bar((each.low, each.high), (each.right, each.count), "first", f"{counted(wrong, 'wrong answer')}")
    keys = element("span", "right", class_="key box second"), element("span", "wrong", class_="key box first")
    title = "How often each probability is claimed"
    return element("figure", element("figcaption", "Number of answers", *keys), chart.svg(title, _in_words(trust)))


def _in_words(trust: Trust) -> str:
    return "; ".join(
        f"{each.low:.0%} to {each.high:.0%}: {counted(each.count, 'answer')}, {percent(each.accuracy)} right"
        for each in trust.bins
    )


def _numbers(trust: Trust) -> Markup:
    rows = (
        (
            f"{each.low:.0%} to {each.high:.0%}", f"{each.count:,}", percent(each.confidence), percent(each.accuracy),
            between(*each.interval), between(*band),
        )
        for each, band in zip(trust.bins, trust.band.accuracies, strict=True)
    )  # fmt: skip
    header = ["claimed", "answers", "mean claim", "right", "95% confidence", "by chance, if calibrated"]
    return table("Claims and truth", header, rows)


def _thresholds(found: ClassJudgement) -> list[Markup]:
    """For two classes, the metrics at other thresholds for the second."""
    if not found.trust.thresholds:
        return []
    label = found.names[1]
    rows = (
        (f"{row.threshold:.0%}", *map(percent, (row.precision, row.recall, row.specificity, row.f1)), f"{row.positive:,}")
        for row in found.trust.thresholds
    )
    words = (
        f"What if the answer were “{label}” from another probability than 50% on? Specificity: of the {found.noun}s that "
        f"are not “{label}”, the share that are not called so. Test a threshold chosen by this table on other "
        f"{found.noun}s."
    )
    header = ["threshold", "precision", "recall", "specificity", "F1", "called so"]
    return [
        element("h3", "Other thresholds"),
        element("p", words),
        table(f"Calling a {found.noun} “{label}”", header, rows),
    ]
