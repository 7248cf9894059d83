"""Suspects between the table to learn from and a second one to test on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pellucid.core.display.text import counted, percent
from pellucid.core.errors import DataError
from pellucid.data.tables.cell_texts import first_of_equal
from pellucid.data.tables.columns import Column
from pellucid.data.tables.suspects.drift import drift
from pellucid.data.tables.suspects.rows import num_repeated, row_hashes
from pellucid.data.tables.suspects.suspect import Suspect
from pellucid.data.tables.table import Rows, read_columns


def compare_tables(
    columns: Mapping[str, Column],
    values: Mapping[str, NDArray[np.float64]],
    test: Rows,
    target: str | None = None,
) -> list[Suspect]:
    """What is suspicious of ``test`` beside the ``values`` (n,) of these columns in the training rows: rows that are in
    both, columns that it has not (it need not have the ``target``), and columns whose values are distributed otherwise.

    Raises `DataError` if it has none of the columns.
    """
    shared = {name: column for name, column in columns.items() if name in test.names}
    if not set(shared) - {target}:
        raise DataError(
            f"{test.name} has none of the columns {', '.join(map(repr, list(columns)[:10]))}; it has "
            f"{', '.join(map(repr, test.names[:10]))}."
        )
    others = read_columns(test, shared).values
    found = [
        Suspect("not_in_test", name, f"it is not in {test.name}", "new rows may lack it too")
        for name in columns
        if name not in shared and name != target
    ]
    found += _rows_in_both({name: values[name] for name in shared}, others, test.name)
    return found + [one for name in shared if (one := drift(name, shared[name], values[name], others[name]))]


def _rows_in_both(
    training: Mapping[str, NDArray[np.float64]], test: Mapping[str, NDArray[np.float64]], name: str
) -> list[Suspect]:
    """Test rows that are equal to a training row in all columns that both have: they test what was learned by heart."""
    learned, tested = row_hashes(training), row_hashes(test)
    first = first_of_equal(np.concatenate([learned, tested]))
    rows, of = int((first[len(learned) :] < len(learned)).sum()), len(tested)
    if not rows:
        return []
    repeated = num_repeated(learned) / len(learned)
    is_are = "is" if rows == 1 else "are"
    what = f"{rows:,} of the {counted(of, 'row')} of {name} {is_are} among the training rows too"
    evidence = f"{percent(rows / of)}, equal in {counted(len(test), 'column')}"
    evidence += f"; {percent(repeated)} of the training rows are repeated themselves" if repeated else ""
    numbers = {"rows": rows, "share": rows / of, "repeated_in_training": repeated}
    return [Suspect("rows_in_both", None, what, evidence, numbers)]
