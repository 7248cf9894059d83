"""How ``pellucid train`` and ``pellucid evaluate`` print a judgement: lines about the whole, and tables."""

from __future__ import annotations

from pellucid.apps.cli.terminal import say, write_table
from pellucid.evaluation.values import mean_of_figures
from pellucid.models.calibrate import FEWEST_TO_CALIBRATE
from pellucid.models.model import Model
from pellucid.reports.judgement import MISTAKES_IN_DATA, ClassJudgement, RegressionJudgement

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


def show_figures(found: RegressionJudgement) -> None:
    """How far off the numbers are: of each of several targets, of each quantile; and what the intervals hold."""
    r2 = "not defined: the target does not vary" if found.r2 is None else f"{found.r2:.4f}"
    if found.levels:
        say(f"pinball loss {found.loss:.6g}, the mean of its levels")
        lines = [(f"{row.level:g}", f"{row.loss:.6g}", f"{row.below:.1%}") for row in found.of_levels]
        write_table("Quantiles: the share below should be the level", ["level", "pinball loss", "below"], lines)
        say(f"\nthe level {found.levels[found.middle]:g}: rmse {found.rmse:.6g}   mae {found.mae:.6g}   r2 {r2}")
    elif found.y.shape[1] > 1:
        rows = [*found.of_values, mean_of_figures(found.of_values)]
        figures = ((row.rmse, row.mae, row.r2) for row in rows)
        shown = (["–" if number is None else f"{number:.6g}" for number in numbers] for numbers in figures)
        of_targets = ([row.name, *numbers] for row, numbers in zip(rows, shown, strict=True))
        write_table("Each target in its own units", ["target", "rmse", "mae", "r2"], of_targets)
    else:
        say(f"rmse {found.rmse:.6g}   mae {found.mae:.6g}   r2 {r2}")
    for v, (reach, covered) in enumerate(zip(found.reach, found.covered, strict=True)):
        of = f" of {found.names[v]}" if len(found.reach) > 1 else ""
        say(f"intervals{of} for 90% confidence reach {reach:.6g} to each side; they hold {covered:.1%} of these rows")


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
