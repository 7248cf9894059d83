"""A suspect: what may be wrong with a column or with rows, and by which evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from pellucid.core.display.text import printable

NOTHING: Mapping[str, float] = MappingProxyType({})


class Suspect(NamedTuple):
    """What is suspected of a column (or of the rows: None), and by which evidence.

    kind      question, dropped, placeholder, equal_columns, repeated_rows, unlike_targets, gives_away, identifier_predicts;
              of a second table rows_in_both, not_in_test, later, earlier, drift
    evidence  in words; ``numbers`` holds it as numbers, by name
    others    further columns that it concerns
    """

    kind: str
    column: str | None
    what: str
    evidence: str
    numbers: Mapping[str, float] = NOTHING
    others: tuple[str, ...] = ()

    def __str__(self) -> str:
        return printable(f"{self.column or 'rows'}: {self.what} ({self.evidence})")

    def as_data(self) -> dict[str, Any]:
        """For JSON; ``columns`` holds all that it concerns, none where it is about rows."""
        columns = [] if self.column is None else [self.column, *self.others]
        said = {"what": self.what, "evidence": self.evidence, "numbers": dict(self.numbers)}
        return {"kind": self.kind, "column": self.column, "columns": columns, **said}


def suspects_in_words(suspects: Sequence[Suspect], most: int | None = None) -> list[str]:
    """A heading and a line for each, the first ``most`` of them; nothing if there are none."""
    shown = [f"  {one}" for one in suspects[:most]]
    left = len(suspects) - len(shown)
    more = [f"  ... and {left:,} more (pellucid inspect names all)"] if left else []
    return ["Suspicious:", *shown, *more] if suspects else []
