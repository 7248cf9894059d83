"""All suspects among the columns and rows of a table."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pellucid.data.tables.columns import Column
from pellucid.data.tables.suspects.alone import gives_away
from pellucid.data.tables.suspects.columns import equal_columns, placeholder
from pellucid.data.tables.suspects.rows import contradictions, repeated_rows
from pellucid.data.tables.suspects.suspect import Suspect


def find_suspects(
    columns: Mapping[str, Column], values: Mapping[str, NDArray[np.float64]], target: str | None = None
) -> list[Suspect]:
    """All suspects among columns of values (n,), NaN where there are none; with a ``target`` also what concerns it."""
    found = [one for name in columns if (one := placeholder(name, columns[name], values[name])) is not None]
    found += equal_columns(values)
    found += repeated_rows(values)
    if target is not None and target in values:
        known = ~np.isnan(values[target])
        inputs = {name: one[known] for name, one in values.items() if name != target}
        y = values[target][known]
        found += contradictions(inputs, y) if inputs else []
        found += [one for name in inputs if (one := gives_away(name, inputs[name], columns[target], y))]
    return found
