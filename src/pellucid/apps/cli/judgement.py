"""How ``pellucid train`` and ``pellucid evaluate`` print a judgement: lines about the whole, and tables."""

from __future__ import annotations

from pellucid.apps.cli.terminal import say, write_table
from pellucid.models.model import Model
from pellucid.models.train import FEWEST_TO_CALIBRATE
from pellucid.reports.judgement import MISTAKES_IN_DATA, ClassJudgement

ENOUGH = 10_000  # samples, for which the interval is too narrow to be shown
WIDEST_MATRIX = 25  # classes
MOST_CONFUSED = 10
NO_TEMPERATURE = f"no temperature: it is fitted on samples that --validation holds out ({FEWEST_TO_CALIBRATE} or more"


def bounds_in_words(judgement: ClassJudgement) -> str:
    """The confidence interval of the accuracy; nothing for many samples."""
    low, high = judgement.interval
    return f" ({low:.1%} to {high:.1%} with 95% confidence)" if judgement.count < ENOUGH else ""


def show_guessing(judgement: ClassJudgement) -> None:
    """What the accuracy is worth, if it is not clearly better than naming the commonest class."""
    if not judgement.is_better_than_guessing:
        say(judgement.against_guessing)


def show_probabilities(judgement: ClassJudgement, model: Model) -> None:
    """How far its probabilities can be trusted, and its temperature."""
    trust = judgement.trust
    (low, high), (least, most) = trust.calibration_error_interval, trust.brier_interval
    off = f"{trust.calibration_error:.1%} off on average ({low:.1%} to {high:.1%})"
    say(f"probabilities {off}: {trust.verdict}   Brier score {trust.brier:.4f} ({least:.4f} to {most:.4f})")
    coverage = trust.coverage
    if coverage is not None:
        words = f" ({coverage.in_words})" if coverage.in_words else ""
        say(
            f"sets for {coverage.confidence:.0%} confidence contain the true label for {coverage.covered:.1%} of the "
            f"samples{words}, with {coverage.mean_size:.2f} labels on average; not sure of {coverage.unsure:,}"
        )
    say(f"measured on these {len(trust.y):,} samples alone; in brackets, 95% confidence intervals")
    show_temperature(model)


def show_temperature(model: Model) -> None:
    """The temperature and where it comes from, or why there is none."""
    if model.temperature is not None:
        say(f"temperature {model.temperature} that were held out for validation")
    else:
        kept = f"; there were {model.conformal_scores[0].count}" if model.conformal_scores else ""
        say(f"{NO_TEMPERATURE}{kept})")


def show_tables(judgement: ClassJudgement) -> None:
    """The confusion matrix, the metrics of each class, other thresholds, and the worst mistakes."""
    names = judgement.names
    if len(names) <= WIDEST_MATRIX:
        counts = ([str(count) if count else "." for count in row] for row in judgement.confusion)
        confusion = ((name, *row) for name, row in zip(names, counts, strict=True))
        write_table("Confusion matrix (row: true, column: predicted)", ["", *names], confusion)
    else:
        pairs = ((names[true], names[said], f"{times:,}") for times, true, said in judgement.confusions[:MOST_CONFUSED])
        write_table("Most confused", ["true", "predicted", "samples"], pairs)
    figures = (
        (name, *(_percent(figure, 2) for figure in (row.precision, row.recall, row.f1)), f"{row.support:,}")
        for name, row in zip(names, judgement.classes, strict=True)
    )
    write_table("Classes", ["label", "precision", "recall", "f1", "samples"], figures)
    if judgement.trust.thresholds:
        _show_thresholds(judgement)
    mistakes = (
        (each.file or str(each.index), str(each.label), str(each.predicted), _percent(each.probability, 2))
        for each in judgement.worst_mistakes(MISTAKES_IN_DATA)
    )
    if judgement.right < judgement.count:
        what = "sample" if judgement.files is None else "file" if judgement.noun == "picture" else judgement.noun
        write_table("Worst mistakes", [what, "true", "predicted", "probability"], mistakes)


def show_recalls(judgement: ClassJudgement) -> None:
    """The table of the recall of each class."""
    shown = (
        (name, _percent(row.recall), f"{row.support:,}")
        for name, row in zip(judgement.names, judgement.classes, strict=True)
    )
    write_table("Right answers in each class", ["class", "right", f"{judgement.noun}s"], shown)


def _show_thresholds(judgement: ClassJudgement) -> None:
    """For two classes: the metrics at other thresholds."""
    cells = (
        (f"{row.threshold:.0%}", *map(_percent, (row.precision, row.recall, row.specificity, row.f1)), f"{row.positive:,}")
        for row in judgement.trust.thresholds
    )
    header = ["threshold", "precision", "recall", "specificity", "f1", "answers"]
    write_table(f"If {judgement.names[1]} were the answer from another probability on", header, cells)


def _percent(share: float | None, digits: int = 1) -> str:
    return "-" if share is None else f"{share:.{digits}%}"
