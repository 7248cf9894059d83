"""The same picture in several files: which of them stay."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from pellucid.core.display.text import printable
from pellucid.data.photos.folder_report import Problem
from pellucid.data.photos.listing import Entry
from pellucid.data.photos.photo_reader import Reading


def without_duplicates(entries: Sequence[Entry], readings: Sequence[Reading]) -> tuple[list[int], list[Problem]]:
    """The positions of the entries to use, in order, and a problem for each picture that is left out.

    Files are the same picture if their bytes are. In one class the first stays. If one is in the training part and one in
    the test part, the test would not be one, so that of the test stays. In two classes one of them must be wrong, so none
    stays.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for index, reading in enumerate(readings):
        if reading.is_picture:
            groups[reading.digest].append(index)
    problems: dict[int, Problem] = {}
    for group in groups.values():
        if len(group) > 1:
            problems |= _problems_of([(index, entries[index]) for index in group])
    kept = [index for index, reading in enumerate(readings) if reading.is_picture and index not in problems]
    return kept, list(problems.values())


def _problems_of(group: list[tuple[int, Entry]]) -> dict[int, Problem]:
    problems = {}
    first = next((place for place, (_, entry) in enumerate(group) if entry.split == "test"), 0)
    is_contradiction = len({entry.label for _, entry in group}) > 1
    for place, (index, entry) in enumerate(group):
        if is_contradiction:
            other = next(other for _, other in group if other.label != entry.label)
            reason = f"the same picture as {printable(other.file)}, of the class {printable(other.label)}: one is wrong"
            problems[index] = Problem(entry.file, "contradiction", reason)
        elif place != first:
            stays = group[first][1]
            kind = "duplicate" if entry.split == stays.split else "leak"
            reason = f"the same picture as {printable(stays.file)}" + (", which is to test with" if kind == "leak" else "")
            problems[index] = Problem(entry.file, kind, reason)
    return problems
