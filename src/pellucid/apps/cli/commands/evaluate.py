"""``pellucid evaluate``: how good is a model on test data?"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from pellucid.apps.cli import trust
from pellucid.apps.cli.named_data import METAVAR, NAMED_DATA, check_is_there
from pellucid.apps.cli.terminal import check_page, say, write_json, write_table
from pellucid.core.display.text import printable
from pellucid.core.errors import ArgumentError
from pellucid.core.shapes import AnyArray
from pellucid.data.photos.folder_report import FolderReport
from pellucid.data.photos.photo_pipeline import PhotoPipeline
from pellucid.data.samples import Samples
from pellucid.evaluation.evaluate import evaluate
from pellucid.evaluation.metrics import class_figures, confusion_matrix, wilson_interval
from pellucid.models.model import Model, load
from pellucid.nn.layers.outputs.classification import ClassifyingOutput

MISTAKES = 10
ENOUGH = 10_000
WIDEST_MATRIX = 25  # classes


@click.command("evaluate")
@click.argument("model", type=click.Path())
@click.argument("data", metavar=METAVAR)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
@click.option(
    "--report",
    "page",
    type=click.Path(),
    metavar="FILE",
    help="Write an HTML page with everything, pictures and curves too.",
)
def command(model: str, data: str, as_json: bool, page: str | None) -> None:
    """Judge MODEL on test data: loss, accuracy, confusion matrix, figures of each class, worst mistakes.

    A FOLDER has a sub-folder of pictures for each class, named as in the model; of train/ and test/, the latter counts.
    """
    if page is not None:
        check_page(page)
    loaded = load(model)
    test = _test_data(loaded, model, data)
    report = {"model": model, "data": test.name} | evaluation_report(loaded, test.x, test.y, files=test.files)
    if test.folder_report is not None:
        report["folder_report"] = test.folder_report.as_data()
    if as_json:
        write_json(report)
    else:
        _show(report, loaded)
    if page is not None:
        _write_page(page, loaded, model, data, test)


@dataclass(frozen=True)
class TestData:
    """What a model is judged on, in the form that it takes; of a folder also the file of each sample, and its report."""

    name: str
    x: AnyArray
    y: AnyArray
    files: list[str] | None = None
    folder_report: FolderReport | None = None


def _test_data(model: Model, path: str, data: str) -> TestData:
    _classifying(model)
    check_is_there(data)
    if data in NAMED_DATA:
        if isinstance(model.pipeline, PhotoPipeline):
            raise ArgumentError(f"{path} reads photos; judge it on a folder of such, not on {data}.")
        _, (x, y) = NAMED_DATA[data].get()
        return TestData(f"{data} (test)", x, y)
    from pellucid.apps.cli.read_photos import check_is_of_photos, read_photos

    photos = read_photos(data, check_is_of_photos(model, data, path), labels=model.labels)
    if photos.test is None:
        test = TestData(data, photos.x, photos.y, photos.files, photos.report)
    else:
        test = TestData(f"{data} (test)", *photos.test, photos.test_files, photos.report)
    missing = [str(label) for k, label in enumerate(model.labels) if not (test.y == k).any()]
    if missing:
        say(printable(f"Note: there are no pictures of {', '.join(missing)}, so nothing is said about them."), err=True)
    return test


def evaluation_report(
    model: Model, x: AnyArray, y: AnyArray, rows: NDArray[np.int64] | None = None, files: Sequence[str] | None = None
) -> dict[str, Any]:
    """All figures of a classifier as plain data, on these ``rows`` of x and y (default: all); samples are gathered in
    blocks, so that x may be larger than memory. The worst mistakes are those made with the highest probability."""
    network, output = model.network, _classifying(model)
    rows = np.arange(len(x)) if rows is None else rows
    x, y = network.input.check(x), output.check_targets(y, len(x))
    figures = evaluate(network, Samples(x, y, rows))
    judged = trust.judge(model, x, y, rows)
    p, y, labels = judged.probabilities, y[rows], model.labels
    predicted = p.argmax(axis=1)
    confusion = confusion_matrix(y, predicted, output.num_labels)
    wrong = np.flatnonzero(predicted != y)
    worst = wrong[np.argsort(-p[wrong, predicted[wrong]], kind="stable")][:MISTAKES]
    return {
        "samples": len(rows),
        "loss": figures["loss"],
        "accuracy": figures["accuracy"],
        "confidence": wilson_interval(len(rows) - len(wrong), len(rows)),
        "labels": list(labels),
        "confusion": confusion,
        "classes": [
            {"label": label, "precision": row.precision, "recall": row.recall, "f1": row.f1, "samples": row.support}
            for label, row in zip(labels, class_figures(confusion), strict=True)
        ],
        "worst_mistakes": [
            {
                "index": int(rows[i]),
                **({} if files is None else {"file": files[rows[i]]}),
                "label": labels[y[i]],
                "predicted": labels[predicted[i]],
                "probability": float(p[i, predicted[i]]),
                "probability_of_label": float(p[i, y[i]]),
            }
            for i in worst
        ],
        "trust": trust.as_data(judged, model),
    }


def _write_page(path: str, model: Model, name: str, data: str, test: TestData) -> None:
    from pellucid.reports.model_report.page import write_report

    command = shlex.join(["pellucid", "evaluate", name, data, "--report", path])
    options: dict[str, Any] = {"data": test.name, "files": test.files, "folder_report": test.folder_report}
    write_report(path, model, test.x, test.y, command=command, **options)
    say(f"The report is in {path}.", err=True)


def bounds_in_words(report: dict[str, Any]) -> str:
    """Where the true accuracy lies; nothing for so many samples that it is as good as the one that was seen."""
    low, high = report["confidence"]
    return f" ({low:.1%} to {high:.1%} with 95% confidence)" if report["samples"] < ENOUGH else ""


def _classifying(model: Model) -> ClassifyingOutput:
    output = model.network.output
    if not isinstance(output, ClassifyingOutput):
        raise ArgumentError("the model is a regression; these data have classes.")
    return output


def _show(report: dict[str, Any], model: Model) -> None:
    say(printable(f"{report['model']} on {report['data']}: {report['samples']:,} samples"))
    say(f"accuracy {report['accuracy']:.2%}{bounds_in_words(report)}   loss {report['loss']:.4f}")
    trust.show(report["trust"], model)
    labels = [str(label) for label in report["labels"]]
    if len(labels) <= WIDEST_MATRIX:
        counts = [[str(count) if count else "." for count in row] for row in report["confusion"]]
        confusion = ((label, *row) for label, row in zip(labels, counts, strict=True))
        write_table("Confusion matrix (row: true, column: predicted)", ["", *labels], confusion)
    else:
        write_table("Most confused", ["true", "predicted", "samples"], _most_confused(report["confusion"], labels))
    figures = (
        (str(row["label"]), *(_percent(row[name]) for name in ("precision", "recall", "f1")), f"{row['samples']:,}")
        for row in report["classes"]
    )
    write_table("Classes", ["label", "precision", "recall", "f1", "samples"], figures)
    if "thresholds" in report["trust"]:
        trust.show_thresholds(report["trust"])
    mistakes = (
        (row.get("file", str(row["index"])), str(row["label"]), str(row["predicted"]), _percent(row["probability"]))
        for row in report["worst_mistakes"]
    )
    what = "file" if "folder_report" in report else "sample"
    if report["worst_mistakes"]:
        write_table("Worst mistakes", [what, "true", "predicted", "probability"], mistakes)


def _most_confused(confusion: NDArray[np.int64], labels: list[str]) -> Iterator[tuple[str, str, str]]:
    """The most frequent pairs of a class and another that was predicted in its place."""
    wrong = confusion - np.diag(np.diag(confusion))
    for place in np.argsort(-wrong, axis=None, kind="stable")[:MISTAKES]:
        true, predicted = divmod(int(place), len(labels))
        if wrong[true, predicted]:
            yield labels[true], labels[predicted], f"{wrong[true, predicted]:,}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.2%}"
