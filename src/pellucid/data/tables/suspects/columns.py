"""Columns that hold a number in place of nothing, and columns that are equal."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pellucid.core.display.text import counted
from pellucid.data.tables.columns import CategoryColumn, Column
from pellucid.data.tables.suspects.rows import row_hashes
from pellucid.data.tables.suspects.suspect import Suspect

PLACEHOLDERS = (-1.0, -9.0, -99.0, -999.0, -9999.0, -99999.0, 99.0, 999.0, 9999.0, 99999.0, 999999.0)
OFTEN = 0.002  # of the rows; a placeholder that comes more rarely is not told from a value


def placeholder(name: str, column: Column, values: NDArray[np.float64]) -> Suspect | None:
    """A number such as -999 that stands far from all others, and may mean that there is none."""
    if isinstance(column, CategoryColumn):
        return None
    present = values[~np.isnan(values)]
    extremes = {float(present.min()), float(present.max())} if len(present) else set()
    for number in [one for one in PLACEHOLDERS if one in extremes]:
        others = present[present != number]
        count = len(present) - len(others)
        if count < max(2, OFTEN * len(values)) or len(np.unique(others)) < 2:
            continue
        low, high = others.min(), others.max()
        gap = low - number if number < low else number - high
        if gap > high / 2 - low / 2 and gap > 1:
            beyond = f"all others lie from {low:g} to {high:g}"
            what, evidence = f"{number:g} may mean that there is no value", f"{counted(count, 'cell')}; {beyond}"
            return Suspect("placeholder", name, what, evidence, {"value": number, "cells": count})
    return None


def equal_columns(values: Mapping[str, NDArray[np.float64]]) -> list[Suspect]:
    """Columns that hold what another column holds."""
    alike: dict[int, list[str]] = {}
    found = []
    for name, one in values.items():
        others = alike.setdefault(int(row_hashes({name: one}).sum()), [])
        first = next((other for other in others if np.array_equal(values[other], one, equal_nan=True)), None)
        if first is None:
            others.append(name)
        else:
            rows = len(one)
            found.append(
                Suspect("equal_columns", name, f"it is equal to {first}", counted(rows, "row"), {"rows": rows}, (first,))
            )
    return found
