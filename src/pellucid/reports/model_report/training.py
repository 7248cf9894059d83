"""How the training went: loss and accuracy of every epoch, of training and validation."""

from __future__ import annotations

from pellucid.core.display.markup import Markup, element, folded, section, table
from pellucid.core.display.training_curves import METRICS, SERIES
from pellucid.core.display.training_curves import curves as charts_of
from pellucid.reports.validation import final_in_words
from pellucid.training.history import History


def curves(history: History, note_on_units: str = "") -> Markup:
    """The section with a chart for each figure, and the numbers in a table; a note if they have units of their own."""
    if not history.epochs:
        return section("training", "Training", element("p", "The model file holds no history of its training."))
    charts = charts_of(history.epochs)
    note = (
        "Training figures are means over an epoch, while the parameters change, and with dropout and augmentation; "
        "validation figures are measured at the end of the epoch, without them."
    )
    has_validation = any(f"validation_{figure}" in history for figure in METRICS)
    words = note if has_validation else "No samples were held out for validation: only the training is shown."
    words = f"{words} {note_on_units}".rstrip()
    kept = [] if history.restored is None else [element("p", f"{_sentence(line)}.") for line in final_in_words(history)]
    return section("training", "Training", element("div", *charts, class_="charts"), *kept,
                   element("p", words, class_="note"), folded("The numbers of every epoch", _numbers(history)))  # fmt: skip


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _numbers(history: History) -> Markup:
    columns = [f"{prefix}{figure}" for figure in METRICS for prefix, _ in SERIES.values()]
    columns = [column for column in columns if column in history]
    rows = (
        (i + 1, *(f"{epoch[column]:.4f}" if column in epoch else "–" for column in columns))
        for i, epoch in enumerate(history.epochs)
    )
    return table("Figures of every epoch", ["epoch", *(column.replace("_", " ") for column in columns)], rows)
