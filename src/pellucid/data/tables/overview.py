"""What is in a table, in words and as data: the account, a line for each column, and what looks suspicious."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pellucid.core.display.text import aligned, counted, printable
from pellucid.core.machine import Threads
from pellucid.data.tables.account import Account
from pellucid.data.tables.columns import Column
from pellucid.data.tables.kinds import ColumnKind
from pellucid.data.tables.suspects.alone import identifier_numbers, identifier_predicts
from pellucid.data.tables.suspects.find import find_suspects
from pellucid.data.tables.suspects.suspect import Suspect, suspects_in_words
from pellucid.data.tables.suspects.two_tables import compare_tables
from pellucid.data.tables.table import Inspection, Rows, column_of, read_columns


class ColumnLine(NamedTuple):
    """A column: its kind and why; cells without a value; refused cells; different texts; how many numbers it becomes."""

    name: str
    kind: str
    why: str
    missing: int
    refused: int
    distinct: int
    width: int


@dataclass(frozen=True)
class Overview:
    """What `pellucid inspect` says of a table."""

    name: str
    account: Account
    columns: tuple[ColumnLine, ...]
    suspects: tuple[Suspect, ...]
    targets: tuple[str, ...]

    def as_data(self) -> dict[str, Any]:
        """For JSON."""
        columns = [line._asdict() for line in self.columns]
        return {
            "table": self.name,
            **self.account.as_data(),
            "columns": columns,
            "suspects": [one.as_data() for one in self.suspects],
        }

    def in_words(self) -> list[str]:
        """The account, a table of the columns, the suspects, and which columns could be a target."""
        header = ("column", "kind", "missing", "different", "width", "why")
        rows = [
            (
                one.name,
                one.kind,
                f"{one.missing:,}",
                f"{one.distinct:,}",
                str(one.width) if one.width else "dropped",
                one.why,
            )
            for one in self.columns
        ]
        lines = [
            f"{self.name}: {counted(len(self.columns), 'column')}",
            *self.account.in_words(),
            "",
            *aligned([header, *rows], 2),
        ]
        lines += ["", *suspects_in_words(self.suspects)] if self.suspects else []
        targets = ", ".join(map(printable, self.targets))
        return [*lines, "", f"Could be a target (--target): {targets}" if targets else "No column could be a target"]


def possible_targets(inspection: Inspection) -> tuple[str, ...]:
    """The columns that a network could predict."""
    kinds = ("number", "count", "yes_no", "category", "ordered")
    return tuple(one.name for one, kind in zip(inspection.profiles, inspection.kinds, strict=True) if kind.kind in kinds)


def look_at(
    inspection: Inspection, drop: Sequence[str] = (), target: str | None = None, test: Rows | None = None
) -> Overview:
    """The overview of a table that was read once for its kinds, and is now read for its values; with ``test``, a second
    table to test on, also of what lies between the two."""
    inspected = list(zip(inspection.profiles, inspection.kinds, strict=True))
    columns: dict[str, Column] = {}
    for profile, kind in inspected:
        if profile.name == target or not (kind.is_dropped or profile.name in drop):
            columns[profile.name] = column_of(profile, kind)
    read = read_columns(inspection.rows, columns)
    refused = read.account.refused_in_column
    with Threads() as threads:
        fitted = threads.map(lambda column, values: column.fit(values), columns.values(), read.values.values())
    widths = {column.name: column.resulting_width for column in fitted}
    lines = []
    for profile, kind in inspected:
        name = profile.name
        missing = profile.empty + (profile.marked if kind.kind in ("number", "count", "date") else 0)
        lines.append(ColumnLine(name, kind.kind, kind.why, missing, refused[name], profile.distinct, widths.get(name, 0)))
    suspects = [Suspect("question", one.name, "a question", kind.question) for one, kind in inspected if kind.question]
    suspects += dropped({one.name: kind for one, kind in inspected})
    suspects += _found(columns, read.values, target)
    if target is not None:
        suspects += _identifiers(inspection, target, columns[target], read.values[target])
    if test is not None:
        suspects += compare_tables(columns, read.values, test, target)
    targets = possible_targets(inspection)
    return Overview(inspection.rows.name, read.account, tuple(lines), tuple(suspects), targets)


def dropped(kinds: Mapping[str, ColumnKind]) -> list[Suspect]:
    """The columns that nothing is learned from, by their kind."""
    return [
        Suspect("dropped", name, f"nothing is learned from it: it is {kind.in_words}", kind.why)
        for name, kind in kinds.items()
        if kind.is_dropped
    ]


def _found(columns: Mapping[str, Column], values: Mapping[str, NDArray[np.float64]], target: str | None) -> list[Suspect]:
    """Suspects among the values; with a target, among the rows that have one."""
    if not values or (target is not None and len(values) < 2):
        return []
    if target is not None:
        is_known = ~np.isnan(values[target])
        values = {name: one[is_known] for name, one in values.items()}
    return find_suspects(columns, values, target)


def _identifiers(inspection: Inspection, target: str, column: Column, y: NDArray[np.float64]) -> list[Suspect]:
    """The identifiers that predict the target; they are read once more, by their digits."""
    names, kinds = inspection.rows.names, inspection.kinds
    places = [k for k, kind in enumerate(kinds) if kind.kind == "identifier" and names[k] != target]
    if not places:
        return []
    parts: dict[int, list[NDArray[np.float64]]] = {k: [] for k in places}
    for chunk in inspection.rows.chunks(Account()):
        for k in places:
            parts[k].append(identifier_numbers(chunk.columns[k]))
    known = ~np.isnan(y)
    numbers = {names[k]: np.concatenate(parts[k])[known] for k in places}
    return [one for name in numbers if (one := identifier_predicts(name, numbers[name], column, y[known]))]
