"""``pellucid evaluate``: how good is a model on test data?"""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from typing import Any

import click

from pellucid.apps.cli.judgement import bounds_in_words, show_guessing, show_probabilities, show_tables
from pellucid.apps.cli.named_data import METAVAR, NAMED_DATA, check_is_there
from pellucid.apps.cli.named_models import open_model
from pellucid.apps.cli.table_options import ACCOUNT, reading_options, refuse_options, rows_of
from pellucid.apps.cli.terminal import check_page, say, write_json
from pellucid.core.display.text import counted, printable
from pellucid.core.errors import ArgumentError
from pellucid.core.files import write_whole
from pellucid.core.shapes import AnyArray
from pellucid.data.photos.folder import PhotoFolder
from pellucid.data.photos.folder_report import FolderReport
from pellucid.data.photos.photo_pipeline import PhotoPipeline
from pellucid.models.model import Model, table_pipeline_of
from pellucid.nn.layers.outputs.classification import ClassifyingOutput
from pellucid.reports.judgement import judge_classes


@click.command("evaluate")
@click.argument("model", type=click.Path())
@click.argument("data", metavar=f"{METAVAR}|TABLE")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON document to standard output.")
@click.option(
    "--report",
    "page",
    type=click.Path(),
    metavar="FILE",
    help="Write an HTML page with all figures, pictures and curves.",
)
@ACCOUNT
@reading_options
def command(
    model: str, data: str, as_json: bool, page: str | None, account: str | None, **reading: Any
) -> None:  # fmt: skip
    """Evaluate MODEL on test data: loss, accuracy, confusion matrix, figures of each class, worst mistakes. Of numbers: the
    root mean squared and the mean absolute error in the target's own units, and R2.

    A FOLDER has a sub-folder of pictures for each class, named as in the model. If it has train/ and test/, only test/
    counts. A TABLE has the columns that the model was trained on, and the target.
    """
    if page is not None:
        check_page(page)
    loaded = open_model(model)
    if table_pipeline_of(loaded) is not None:
        from pellucid.apps.cli.evaluate_table import evaluate_table
        from pellucid.apps.cli.predict_table import check_account_place

        check_account_place(account)
        again = _again(model, data, page, reading)
        rows = rows_of(data, reading)
        evaluate_table(loaded, model, rows, account=account, as_json=as_json, page=page, command=again)
        return
    refuse_options({"account": account, **reading}, f"{model} is no model of tables")
    test = _test_data(loaded, model, data)
    judgement = judge_classes(loaded, test.x, test.y, files=test.files)
    if as_json:
        report = {"model": model, "data": test.name} | judgement.as_data()
        write_json(report if test.folder_report is None else report | {"folder_report": test.folder_report.as_data()})
    else:
        say(printable(f"{model} on {test.name}: {counted(judgement.count, 'sample')}"))
        say(f"accuracy {judgement.accuracy:.2%}{bounds_in_words(judgement)}   loss {judgement.loss:.4f}")
        show_guessing(judgement)
        show_probabilities(judgement, loaded)
        show_tables(judgement)
    if page is not None:
        from pellucid.reports.model_report.page import class_page
        from pellucid.reports.photo_suspects import find_suspects

        again = _again(model, data, page, {})
        suspects = None if test.photos is None else find_suspects(loaded, test.photos)
        text = class_page(judgement, loaded, test.name, test.folder_report, again, suspects=suspects)
        write_whole(page, text.encode("utf-8"))
        say(f"The report is in {page}.", err=True)


def _again(model: str, data: str, page: str | None, reading: dict[str, Any]) -> str:
    """This command, as far as they decide what it says."""
    said = [f"--{name}={value}" for name, value in reading.items() if value is not None]
    return shlex.join(["pellucid", "evaluate", model, data, *said, *([] if page is None else ["--report", page])])


@dataclass(frozen=True)
class TestData:
    """Samples in the form that the model takes; for a folder also their files, and all photos of it."""

    name: str
    x: AnyArray
    y: AnyArray
    files: list[str] | None = None
    photos: PhotoFolder | None = None

    @property
    def folder_report(self) -> FolderReport | None:
        return None if self.photos is None else self.photos.report


def _test_data(model: Model, path: str, data: str) -> TestData:
    if not isinstance(model.network.output, ClassifyingOutput):
        raise ArgumentError("the model is a regression; these data have classes.")
    check_is_there(data)
    if data in NAMED_DATA:
        if isinstance(model.pipeline, PhotoPipeline):
            raise ArgumentError(f"{path} reads photos; evaluate it on a folder of photos, not on {data}.")
        _, (x, y) = NAMED_DATA[data].get()
        return TestData(f"{data} (test)", x, y)
    if os.path.isfile(data) and (data.endswith(".safetensors") or os.path.samefile(data, path)):
        raise ArgumentError(
            f"{data} is a model, not data to evaluate one on; name a folder of pictures, a CSV file, or one of "
            f"{', '.join(NAMED_DATA)}."
        )
    from pellucid.apps.cli.photos.read_photos import check_is_of_photos, read_photos

    photos = read_photos(data, check_is_of_photos(model, data, path), labels=model.labels)
    if photos.test is None:
        test = TestData(data, photos.x, photos.y, photos.files, photos)
    else:
        test = TestData(f"{data} (test)", *photos.test, photos.test_files, photos)
    missing = [str(label) for k, label in enumerate(model.labels) if not (test.y == k).any()]
    if missing:
        say(printable(f"Note: there are no pictures of {', '.join(missing)}, so nothing is said about them."), err=True)
    return test
