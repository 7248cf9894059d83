"""``pellucid evaluate``: how good is a model on test data?"""

from __future__ import annotations

from typing import Any

import click
import numpy as np

from pellucid.cli.data import NAMED_DATA
from pellucid.cli.output import say, write_json, write_table
from pellucid.errors import ArgumentError
from pellucid.layers.classification import ClassifyingOutput
from pellucid.metrics import class_figures, confusion_matrix
from pellucid.model import Model, load

MISTAKES = 10


@click.command("evaluate")
@click.argument("model", type=click.Path())
@click.argument("data", type=click.Choice(list(NAMED_DATA)))
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def command(model: str, data: str, as_json: bool) -> None:
    """Judge MODEL on the test part of DATA: loss, accuracy, confusion matrix, figures of each class, worst mistakes."""
    loaded = load(model)
    _, (x, y) = NAMED_DATA[data].get()
    report = evaluation_report(loaded, x, y) | {"model": model, "data": f"{data} (test)"}
    if as_json:
        write_json(report)
    else:
        _show(report)


def evaluation_report(model: Model, x: Any, y: Any) -> dict[str, Any]:
    """All figures of a classifier as plain data; the worst mistakes are those made with the highest probability."""
    output = model.network.output
    if not isinstance(output, ClassifyingOutput):
        raise ArgumentError("the model is a regression; these data have classes.")
    figures = model.network.evaluate(x, y)
    p = model.network.predict_proba(x)
    predicted = p.argmax(axis=1)
    confusion = confusion_matrix(y, predicted, output.num_labels)
    wrong = np.flatnonzero(predicted != y)
    worst = wrong[np.argsort(-p[wrong, predicted[wrong]], kind="stable")][:MISTAKES]
    labels = model.labels
    return {
        "samples": len(x),
        "loss": figures["loss"],
        "accuracy": figures["accuracy"],
        "labels": list(labels),
        "confusion": confusion,
        "classes": [
            {"label": label, "precision": row.precision, "recall": row.recall, "f1": row.f1, "samples": row.support}
            for label, row in zip(labels, class_figures(confusion), strict=True)
        ],
        "worst_mistakes": [
            {
                "index": int(i),
                "label": labels[y[i]],
                "predicted": labels[predicted[i]],
                "probability": float(p[i, predicted[i]]),
                "probability_of_label": float(p[i, y[i]]),
            }
            for i in worst
        ],
    }


def _show(report: dict[str, Any]) -> None:
    say(f"{report['model']} on {report['data']}: {report['samples']:,} samples")
    say(f"accuracy {report['accuracy']:.2%}   loss {report['loss']:.4f}")
    labels = [str(label) for label in report["labels"]]
    counts = [[str(count) if count else "." for count in row] for row in report["confusion"]]
    confusion = ((label, *row) for label, row in zip(labels, counts, strict=True))
    write_table("Confusion matrix (row: true, column: predicted)", ["", *labels], confusion)
    figures = (
        (str(row["label"]), *(_percent(row[name]) for name in ("precision", "recall", "f1")), f"{row['samples']:,}")
        for row in report["classes"]
    )
    write_table("Classes", ["label", "precision", "recall", "f1", "samples"], figures)
    mistakes = (
        (str(row["index"]), str(row["label"]), str(row["predicted"]), _percent(row["probability"]))
        for row in report["worst_mistakes"]
    )
    write_table("Worst mistakes", ["sample", "true", "predicted", "probability"], mistakes)


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.2%}"
