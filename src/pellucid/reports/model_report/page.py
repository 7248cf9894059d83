"""The page: all sections in one self-contained file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from pellucid.core.display.html_page import page as whole_page
from pellucid.core.display.html_page import resource
from pellucid.core.display.markup import Markup, element, joined
from pellucid.core.errors import ArgumentError
from pellucid.core.files import writable_place, write_whole
from pellucid.core.suggestions import suggests_arguments
from pellucid.data.photos.folder_report import FolderReport
from pellucid.models.model import Model, check_model
from pellucid.nn.layers.outputs.classification import ClassifyingOutput
from pellucid.reports.judgement import ClassJudgement, RegressionJudgement, judge_classes, judge_regression
from pellucid.reports.model_report.classes import classes
from pellucid.reports.model_report.confusion import confusion
from pellucid.reports.model_report.headline import answer, headline
from pellucid.reports.model_report.learning import learning
from pellucid.reports.model_report.mistakes import mistakes
from pellucid.reports.model_report.origin import architecture, origin
from pellucid.reports.model_report.probabilities import calibration
from pellucid.reports.model_report.residuals import CONTENTS as OF_VALUES
from pellucid.reports.model_report.residuals import regression_answer, regression_headline, residuals
from pellucid.reports.model_report.suspects import suspects as suspects_section
from pellucid.reports.model_report.test_data import data as data_section
from pellucid.reports.model_report.test_rows import TestRows, account, far_rows, wrong_rows
from pellucid.reports.model_report.training import curves
from pellucid.reports.photo_suspects import PhotoSuspects
from pellucid.reports.validation import unit_of_epochs

if TYPE_CHECKING:
    from pellucid.reports.columns.findings import ColumnFindings

CONTENTS = {
    "mistakes": "Mistakes",
    "confusion": "Confusion",
    "classes": "Classes",
    "calibration": "Probabilities",
    "training": "Training",
    "data": "Data",
    "model": "Model",
    "origin": "Origin",
}
OF_COLUMNS = {"columns": "Columns", "what-if": "What if?"}


@suggests_arguments
def write_report(
    path: str | os.PathLike[str],
    model: Model,
    x: Any,
    y: Any,
    *,
    data: str,
    files: Sequence[str] | None = None,
    folder_report: FolderReport | None = None,
    command: str = "",
) -> None:
    """Judge a model on test samples x (N, ...) and write an HTML page about it; y are the class numbers (N,), of a
    regression the true values, (N,) or (N, V).

    data           what the samples are, for the title: "digits (test)"
    files          (N,) what each sample is called; default: its number
    folder_report  the report on the folder that they are from
    command        the command that gives this report, to be shown

    The page is one file without scripts that loads nothing; equal calls give equal bytes. A regression gets residuals in
    place of the sections about classes, and no names of samples. Raises `OutputError` if the page cannot be written (an
    old one then stays), `ShapeError` for arrays that do not fit.
    """
    writable_place(path)
    check_model(model)
    if isinstance(model.network.output, ClassifyingOutput):
        text = class_page(judge_classes(model, x, y, files=files), model, data, folder_report, command)
    elif files is None and folder_report is None:
        text = value_page(judge_regression(model, x, y), model, data, command)
    else:
        raise ArgumentError("the report on a regression names no samples: leave files and folder_report out.")
    write_whole(path, text.encode("utf-8"))


def class_page(
    found: ClassJudgement,
    model: Model,
    data: str,
    folder_report: FolderReport | None = None,
    command: str = "",
    rows: TestRows | None = None,
    columns: ColumnFindings | None = None,
    suspects: PhotoSuspects | None = None,
) -> str:
    """The page on a classification as text; arguments as in `write_report`, and the ``rows`` of a table that was judged,
    with what was found about its ``columns``; or the photos to look at again."""
    sections = (
        mistakes(found) if rows is None else wrong_rows(found, rows),
        *_of_columns(columns, model),
        confusion(found),
        classes(found),
        calibration(found),
        curves(model.network.history) if model.transfer is None else learning(model.transfer),
        *([] if suspects is None else [suspects_section(suspects)]),
        data_section(found, folder_report) if rows is None else account(rows),
        architecture(model),
        origin(model, found, command),
    )
    contents = {"mistakes": CONTENTS["mistakes"], **({} if columns is None else OF_COLUMNS)} | CONTENTS
    if suspects is not None:
        names = [*contents]
        names.insert(names.index("data"), "suspects")
        contents = {name: contents.get(name, "Look again") for name in names}
    return _filled(data, headline(found), answer(found), contents, sections)


def value_page(
    found: RegressionJudgement,
    model: Model,
    data: str,
    command: str = "",
    rows: TestRows | None = None,
    columns: ColumnFindings | None = None,
) -> str:
    """The page on a regression as text, with its worst answers if they are ``rows`` of a table, and with what was found
    about its ``columns``."""
    units = unit_of_epochs(model)
    of_model = (curves(model.network.history, units), architecture(model), origin(model, found, command))
    title, first = regression_headline(found), regression_answer(found)
    if rows is None:
        return _filled(data, title, first, OF_VALUES, (residuals(found), *of_model))
    contents = {name: CONTENTS[name] for name in ("mistakes", "data")} | OF_VALUES
    of_columns = {} if columns is None else OF_COLUMNS
    contents = {
        "mistakes": contents["mistakes"],
        **of_columns,
        **{name: contents[name] for name in ("residuals", "training", "data", "model", "origin")},
    }
    curve, *others = of_model
    sections = (far_rows(found, rows), *_of_columns(columns, model), residuals(found), curve, account(rows), *others)
    return _filled(data, title, first, contents, sections)


def _of_columns(found: ColumnFindings | None, model: Model) -> list[Markup]:
    """The sections about the columns of a table."""
    if found is None:
        return []
    from pellucid.reports.model_report.columns import columns  # only here: other reports need nothing that reads tables
    from pellucid.reports.model_report.what_if import what_if

    return [columns(found), what_if(found, bool(model.labels))]


def _filled(data: str, title: str, first: Markup, contents: dict[str, str], sections: Iterable[Markup]) -> str:
    links = (element("a", name, href=f"#{anchor}") for anchor, name in contents.items())
    navigation = element("nav", *links, aria_label="Contents")
    header = element("header", element("p", data, class_="data"), element("h1", title), navigation)
    answered = element("section", first, id="answer", aria_label="The answer")
    body = joined([header, element("main", joined([answered, *sections], "\n"))], "\n")
    return whole_page(f"{title} – {data}", body, resource("pellucid.reports.model_report", "page.css"))
