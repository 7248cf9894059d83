"""A table as the page reads it: its account, the kinds of its columns, what is suspicious, and what must be asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from starlette.datastructures import QueryParams

from pellucid.apps.studio.tables import Tables
from pellucid.core.checks import one_of
from pellucid.core.errors import ArgumentError
from pellucid.data.tables.kinds import ColumnKind
from pellucid.data.tables.overview import look_at
from pellucid.data.tables.table import Inspection, Rows, Table, inspect_table, open_rows, read_table
from pellucid.models.labelled_table import row_of

REMEMBERED = 8  # tables as they were read
ASKS = " Say "  # a question of the reader goes on with options of the command; the page has choices for them


@dataclass(frozen=True)
class Reading:
    """Which table, and how it is meant; what is None follows from its cells.

    also   further columns to predict
    kinds  of columns that the reader of the page has chosen: a kind, or the levels of an ordered column
    """

    table: str
    target: str | None = None
    also: tuple[str, ...] = ()
    kinds: tuple[tuple[str, str | tuple[str, ...]], ...] = ()
    drop: tuple[str, ...] = ()
    decimal: str | None = None
    date_order: str | None = None
    encoding: str | None = None

    @classmethod
    def of(cls, asked: QueryParams) -> Reading:
        """The reading that an address says; kinds, dropped columns and further targets are JSON in it."""
        words = {name: asked.get(name) or None for name in ("target", "decimal", "date_order", "encoding")}
        return cls(
            asked.get("table", ""),
            kinds=_kinds(asked.get("kinds")),
            drop=_names("drop", asked),
            also=_names("also", asked),
            **words,
        )


class TableReader:
    """Reads the tables of a studio. Every answer is kept for a while, so that a click is answered at once."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._inspection: Callable[[Reading], Inspection] = lru_cache(REMEMBERED)(self._inspect)
        self.overview: Callable[[Reading], dict[str, Any]] = lru_cache(REMEMBERED)(self._overview)

    def table(self, reading: Reading) -> Table:
        """The table to learn from. Raises `DataError` where something must be asked, or nothing can be learned."""
        if reading.target is None:
            raise ArgumentError("choose the column that is to be predicted.")
        inspection = self._checked(reading)
        with self._tables.speaking_of(reading.table):
            return read_table(inspection, (reading.target, *reading.also), reading.drop)

    def row(self, reading: Reading, number: int) -> dict[str, list[str]]:
        """The cell of each column in one row, in a list as a column reads it."""
        with self._tables.speaking_of(reading.table):
            return row_of(self._rows(reading), number)

    def _rows(self, reading: Reading) -> Rows:
        return open_rows(self._tables.path(reading.table), encoding=reading.encoding)

    def _inspect(self, reading: Reading) -> Inspection:
        with self._tables.speaking_of(reading.table):
            return inspect_table(
                self._rows(reading), kinds=dict(reading.kinds), decimal=reading.decimal, date_order=reading.date_order
            )

    def _checked(self, reading: Reading) -> Inspection:
        inspection = self._inspection(replace(reading, target=None, also=(), drop=()))
        for name in (*reading.drop, *reading.also, *([] if reading.target is None else [reading.target])):
            one_of(name, inspection.rows.names, "column")
        return inspection

    def _overview(self, reading: Reading) -> dict[str, Any]:
        """An Overview (web/src/pages/table/types.ts)."""
        inspection = self._checked(reading)
        with self._tables.speaking_of(reading.table):
            found = look_at(inspection, reading.drop, reading.target)
        data = found.as_data()
        suspects = [one for one in data["suspects"] if one["kind"] != "question"]  # they stand beside their columns
        for column, kind in zip(data["columns"], inspection.kinds, strict=True):
            column["question"] = _question(kind)
        return data | {"table": reading.table, "suspects": suspects, "targets": list(found.targets)}


def _question(kind: ColumnKind) -> dict[str, str] | None:
    """What must be asked of a column, and which choice answers it."""
    if kind.question is None:
        return None
    about = "date_order" if kind.kind == "date" else "decimal"
    text = kind.question.partition(ASKS)[0].strip()
    return {"about": about, "text": text[:1].upper() + text[1:]}


def _kinds(text: str | None) -> tuple[tuple[str, str | tuple[str, ...]], ...]:
    expected = 'kinds are an object such as {"zip": "category", "size": ["S", "M", "L"]}'
    kinds = _json(text, {}, expected)
    if not isinstance(kinds, dict):
        raise ArgumentError(f"{expected}.")
    return tuple((name, kind if isinstance(kind, str) else _texts(kind, expected)) for name, kind in kinds.items())


def _names(name: str, asked: QueryParams) -> tuple[str, ...]:
    expected = f'{name} is a list of columns such as ["id"]'
    return _texts(_json(asked.get(name), [], expected), expected)


def _texts(value: Any, expected: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ArgumentError(f"{expected}.")
    return tuple(value)


def _json(text: str | None, nothing: Any, expected: str) -> Any:
    try:
        return json.loads(text) if text else nothing
    except (ValueError, RecursionError):
        raise ArgumentError(f"{expected}, in JSON; not {text!r:.60}.") from None
