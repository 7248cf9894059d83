"""What became of every file in a folder of pictures: the counts of each class, and each problem by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pellucid.core.display.text import printable

KINDS = {
    "unreadable": "cannot be opened",
    "empty": "without a single byte",
    "not a picture": "no picture inside",
    "damaged": "pictures that cannot be decoded",
    "size": "too large or too small",
    "link": "links that are not followed",
    "special": "no regular files",
    "missing": "named, but not there",
    "no label": "without a class",
    "loose": "in no class folder",
    "contradiction": "the same picture in two classes",
    "leak": "the same picture to learn from and to test with",
    "duplicate": "the same picture twice",
    "misnamed": "with the extension of another format",
    "animated": "with several pictures",
}
"""The kinds of problems, as a report calls them; the gravest first."""

_SHOWN = 10  # a text names so many files of a kind; the problems themselves are all there


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong with one file.

    file         its path in the folder, with "/" between the parts
    kind         one of `KINDS`
    reason       what came, in words
    is_left_out  whether the file is not used; otherwise this is a note on a file that is
    """

    file: str
    kind: str
    reason: str
    is_left_out: bool = True

    def __str__(self) -> str:
        return f"{printable(self.file)}: {self.reason}"


@dataclass(frozen=True)
class FolderReport:
    """``print(photos.report)``: how many pictures of each class are used, and every file that is not, with the reason.

    folder    the path
    classes   label -> (pictures to learn from, pictures to test with)
    problems  sorted by file; a file may have several
    """

    folder: str
    classes: Mapping[str, tuple[int, int]]
    problems: tuple[Problem, ...]

    @property
    def left_out(self) -> tuple[Problem, ...]:
        """The problems of files that are not used."""
        return tuple(problem for problem in self.problems if problem.is_left_out)

    @property
    def count(self) -> tuple[int, int]:
        """How many pictures are used: (to learn from, to test with)."""
        return sum(train for train, _ in self.classes.values()), sum(test for _, test in self.classes.values())

    def as_data(self) -> dict[str, Any]:
        """All of it as plain data, for JSON."""
        return {
            "folder": self.folder,
            "classes": {label: {"train": train, "test": test} for label, (train, test) in self.classes.items()},
            "problems": [asdict(problem) for problem in self.problems],
        }

    def __str__(self) -> str:
        train, test = self.count
        pictures = f"{train:,} pictures to learn from, {test:,} to test with" if test else f"{train:,} pictures"
        lines = [f"{printable(self.folder)}: {pictures}"]
        counts = (f"{printable(label)} {a}" + (f" + {b}" if test else "") for label, (a, b) in self.classes.items())
        lines.append(f"  {len(self.classes):,} classes" + (f": {', '.join(counts)}" if len(self.classes) <= 20 else ""))
        number = Counter(problem.kind for problem in self.problems)
        for kind in sorted(number, key=list(KINDS).index):
            these = [problem for problem in self.problems if problem.kind == kind]
            fate = "left out" if these[0].is_left_out else "used"
            lines.append(f"  {fate}, {kind} ({KINDS[kind]}): {number[kind]:,}")
            lines += [f"    {problem}" for problem in these[:_SHOWN]]
            lines += [f"    and {len(these) - _SHOWN:,} more"] if len(these) > _SHOWN else []
        return "\n".join(lines)
