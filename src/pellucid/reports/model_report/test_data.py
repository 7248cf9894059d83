"""The test data: pictures of each class, how many there are, and the problems with files of a folder."""

from __future__ import annotations

from collections import Counter

import numpy as np

from pellucid.core.display.markup import Markup, element, folded, joined, section, table
from pellucid.core.display.pictures import is_picture, picture
from pellucid.core.display.text import counted, percent
from pellucid.data.photos.folder_report import KINDS, FolderReport
from pellucid.reports.judgement import ClassJudgement

MOST_CLASSES = 40
PICTURES = 80  # on the page, of all classes together
MOST_OF_A_CLASS = 8
MOST_PROBLEMS = 200


def data(found: ClassJudgement, report: FolderReport | None) -> Markup:
    """The section with a row for each class, and the report on the folder if there is one."""
    shape = " × ".join(map(str, found.samples.x.shape[1:]))
    words = f"{counted(found.count, 'test picture')} of {shape}, as the network sees them."
    folder = [] if report is None else _folder(report)
    return section("data", "What the data look like", element("p", words), *_classes(found), *folder)


def _classes(found: ClassJudgement) -> list[Markup]:
    counts = [row.support for row in found.classes]
    shown = range(min(len(found.names), MOST_CLASSES))
    each = max(1, min(MOST_OF_A_CLASS, PICTURES // len(shown)))
    most = max(counts)
    rows = ((found.names[k], _bar(counts[k], most, found.count), _examples(found, k, each)) for k in shown)
    content = [table("Test pictures of each class", ["class", "pictures", "examples"], rows, class_="examples")]
    if len(found.names) > MOST_CLASSES:
        rest = counted(len(found.names) - MOST_CLASSES, "more class is", "more classes are")
        content.append(element("p", f"{rest} not shown here; their counts stand above, class by class.", class_="note"))
    return content


def _bar(count: int, most: int, total: int) -> Markup:
    bar = element("span", class_="bar", style=f"--part:{count / most:.3f}")
    return joined([bar, element("span", f"{count:,} ", element("small", percent(count / total)))])


def _examples(found: ClassJudgement, k: int, most: int) -> Markup:
    """Up to ``most`` pictures of class ``k``, evenly spread over the data."""
    if not is_picture(found.samples.x.shape[1:]):
        return Markup("")
    rows = found.samples.rows[found.trust.y == k]
    chosen = rows[np.unique(np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(int))]
    images = (picture(found.samples.x[row], f"{found.names[k]}: {found.name(row)}") for row in chosen)
    return element("div", *images, class_="strip")


def _folder(report: FolderReport) -> list[Markup]:
    train, test = report.count
    all_of_it = f"{train:,} pictures to learn from and {test:,} to test with" if test else counted(train, "picture")
    words = f"The folder has {all_of_it}."
    if not report.problems:
        return [element("h3", "The folder"), element("p", f"{words} Every file in it could be used.")]
    number = Counter((problem.kind, problem.is_left_out) for problem in report.problems)
    order = sorted(number, key=lambda each: (not each[1], list(KINDS).index(each[0])))
    kinds = ((KINDS[kind], f"{number[kind, out]:,}", "left out" if out else "used") for kind, out in order)
    rows = ((p.file, p.reason, "left out" if p.is_left_out else "used") for p in report.problems[:MOST_PROBLEMS])
    count = len(report.problems)
    title = "File by file" if count <= MOST_PROBLEMS else f"File by file, the first {MOST_PROBLEMS:,} of {count:,}"
    return [
        element("h3", "The folder"),
        element("p", words),
        table("Files with problems", ["files", "number", ""], kinds, class_="narrow"),
        folded(title, table("Problems by file", ["file", "problem", ""], rows, class_="words")),
    ]
