"""The page: all sections in one self-contained file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.resources import files as resources
from string import Template
from typing import Any

from pellucid.datasets.folder_report import FolderReport
from pellucid.html.markup import element, joined, text
from pellucid.model import Model
from pellucid.report.answer import answer, headline
from pellucid.report.calibration import calibration
from pellucid.report.classes import classes
from pellucid.report.confusion import confusion
from pellucid.report.curves import curves
from pellucid.report.data import data as data_section
from pellucid.report.findings import judge
from pellucid.report.mistakes import mistakes
from pellucid.report.origin import architecture, origin
from pellucid.version import __version__
from pellucid.writing import writable_place, write_whole

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
    """Let a model answer for test samples x (N, ...) with class numbers y (N,), and write all about it as an HTML page.

    data           what the samples are, for the title: "digits (test)"
    files          (N,) what each sample is called; default: its number
    folder_report  what became of every file of the folder that they are from
    command        the command that gives this report, to be shown

    The page is one file that needs no other and no network, and holds nothing that runs; equal calls give equal bytes.
    Raises `OutputError` if it cannot be written (what was there then stays), `ArgumentError` for a regression.
    """
    writable_place(path)
    write_whole(path, page(model, x, y, data, files, folder_report, command).encode("utf-8"))


def page(
    model: Model, x: Any, y: Any, data: str, files: Sequence[str] | None, folder_report: FolderReport | None, command: str
) -> str:
    """The whole page as text; see `write_report`."""
    found = judge(model, x, y, files)
    sections = (
        mistakes(found),
        confusion(found),
        classes(found),
        calibration(found),
        curves(model.network.history),
        data_section(found, folder_report),
        architecture(model),
        origin(model, found, command),
    )
    links = (element("a", name, href=f"#{anchor}") for anchor, name in CONTENTS.items())
    return _resource("page.html").substitute(
        style=_resource("page.css").template,
        data=text(data),
        headline=text(headline(found)),
        contents=joined(links),
        answer=answer(found),
        sections=joined(sections, "\n"),
        version=text(__version__),
    )


def _resource(name: str) -> Template:
    return Template(resources("pellucid.report").joinpath(name).read_text("utf-8"))
