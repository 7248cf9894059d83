"""The default recipe on thirteen other tables, beside scikit-learn, all with their defaults. The argument is a folder that
holds them as ``jobs/tables.py`` writes them.

Eight real ones, a fifth of the rows to test, another one for each seed; and five small ones of scikit-learn, in five times
five folds.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from jobs.tables import REAL, SMALL, TableSet

from sections.tables import SEEDS, Split, compare, fifth, read

REPEATS, FOLDS = 5, 5


def measure(folder: str) -> dict[str, Any]:
    """For each set and program: the figure (RMSE in the target's unit, or accuracy) and the seconds of each training."""
    found: dict[str, Any] = {}
    for one in REAL:
        names, rows = read_set(folder, one)
        for seed in range(SEEDS):
            test, learn = fifth(rows, seed)
            compare(found.setdefault(one.name, {}), split_of(one, names, learn, test), seed)
    for one in SMALL:
        names, rows = read_set(folder, one)
        for seed in range(REPEATS):
            order = np.random.default_rng(seed).permutation(len(rows))
            for part in np.array_split(order, FOLDS):
                tested = set(part.tolist())
                learn = [row for k, row in enumerate(rows) if k not in tested]
                compare(found.setdefault(one.name, {}), split_of(one, names, learn, [rows[k] for k in part]), seed)
    return found


def read_set(folder: str, one: TableSet) -> tuple[list[str], list[list[str]]]:
    names, *rows = read(Path(folder) / f"{one.name}.csv")
    return names, rows


def split_of(one: TableSet, names: list[str], learn: list[list[str]], test: list[list[str]]) -> Split:
    return Split(names, learn, test, one.target, 1.0 if one.is_regression else None)


if __name__ == "__main__":
    json.dump(measure(sys.argv[1]), sys.stdout)
