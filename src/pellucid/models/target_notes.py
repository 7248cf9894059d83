"""What is worth knowing of a target before training: rare classes, and numbers that count something."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pellucid.core.display.text import counted, percent
from pellucid.data.tables.table import Table

NOTABLE = 0.2  # of an even share: a class with less is rare


def target_notes(table: Table, *, is_balanced: bool, loss: str | None) -> Iterator[str]:
    """In sentences, with the option that may help; nothing is chosen by them."""
    if table.labels is not None:
        counts = np.bincount(table.y, minlength=len(table.labels))
        shares = counts / len(table)
        rare = np.flatnonzero(shares < NOTABLE / len(table.labels))
        if len(rare):
            rarest = int(counts.argmin())
            others = f", and {counted(len(rare) - 1, 'more class is', 'more classes are')} rare" if len(rare) > 1 else ""
            advice = "" if is_balanced else "; --class-weight balanced makes all classes count the same"
            yield f"only {percent(float(shares[rarest]))} of the rows are {table.labels[rarest]!r}{others}{advice}"
        if loss is None and table.kinds[table.target.name].kind == "count":
            name = table.target.name
            yield (
                f"{name!r} is read as {len(table.labels)} classes; if it counts something, say --loss poisson, and if it "
                f"is another number, --kind {name}=number"
            )
    elif loss is None and (table.y == np.floor(table.y)).all() and table.y.min() == 0:
        yield f"{table.target.name!r} is whole numbers from 0 on; if it counts something, --loss poisson fits it better"
