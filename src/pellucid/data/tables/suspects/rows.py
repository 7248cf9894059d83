"""Rows that come twice, and rows with equal inputs and unlike targets."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pellucid.core.display.text import counted, percent
from pellucid.data.tables.cell_texts import first_of_equal
from pellucid.data.tables.suspects.suspect import Suspect


def repeated_rows(values: Mapping[str, NDArray[np.float64]]) -> list[Suspect]:
    """Rows that come again, in all columns: on both sides of a split the test would be no test."""
    hashes = row_hashes(values)
    repeated = num_repeated(hashes)
    if not repeated:
        return []
    share = repeated / len(hashes)
    what = f"{counted(repeated, 'row')} {'is' if repeated == 1 else 'are'} there before"
    return [Suspect("repeated_rows", None, what, f"{percent(share)} of all", {"rows": repeated, "share": share})]


def contradictions(inputs: Mapping[str, NDArray[np.float64]], target: NDArray[np.float64]) -> list[Suspect]:
    """Rows that are equal in all columns but the target: no model can be right on all of them."""
    first = first_of_equal(row_hashes(inputs))
    is_unlike = np.zeros(len(target), np.bool_)
    is_unlike[first[target != target[first]]] = True  # the first rows of such groups
    rows = int(is_unlike[first].sum())
    if not rows:
        return []
    what, share = f"{counted(rows, 'row')} share their inputs with a row of another target", rows / len(target)
    return [Suspect("unlike_targets", None, what, f"{percent(share)} of all", {"rows": rows, "share": share})]


def num_repeated(hashes: NDArray[np.uint64]) -> int:
    """How many are equal to an earlier one."""
    return int((first_of_equal(hashes) != np.arange(len(hashes))).sum())


def row_hashes(values: Mapping[str, NDArray[np.float64]]) -> NDArray[np.uint64]:
    """A hash (n,) of each row."""
    rows = np.zeros(len(next(iter(values.values()))), np.uint64)
    for one in values.values():
        bits = (one + 0.0).view(np.uint64)  # + 0.0: of -0 the bits of 0
        bits = np.where(np.isnan(one), np.uint64(1), bits)
        rows = (rows ^ bits) * np.uint64(0x9E3779B97F4A7C15)
        rows ^= rows >> np.uint64(29)
    return rows
